# SPDX-License-Identifier: GPL-2.0
"""Things go while packets are with a cipher that answers late."""
import contextlib
import random
import time

from . import scenario
from .netlink import fortinet, rfc9329
from .process import Deadline, namespace, sh
from .tunnel import INNER, Tunnel

DELAY = "/sys/module/late/parameters/delay_ms"


def delay(milliseconds):
    with open(DELAY, "w", encoding="ascii") as file:
        file.write(str(milliseconds))


@contextlib.contextmanager
def late_tunnel(v, framing):
    """A tunnel with traffic, whose cipher is slow. Here so is setting it up."""
    delay(0)
    with Tunnel(v, framing=framing) as tunnel:
        tunnel.owners()
        other = INNER["b"][v]
        for size in (100, 1300):
            tunnel.in_namespace("a", f"ping -q -i 0.002 -s {size} {other}")
        tunnel.in_namespace("b", f"iperf3 -s -B {other}")
        time.sleep(1)
        tunnel.in_namespace("a", f"iperf3 -t 1000 -c {other}")
        tunnel.expect_flow()
        delay(random.choice((50, 500, 1500)))
        time.sleep(0.5)
        yield tunnel


def sas_go(tunnel):
    for name in "ab":
        sh(f"ip -n {namespace(name)} xfrm state flush")
        sh(f"ip netns exec {namespace(name)} esptcp unbind all")


def device_goes(_tunnel):
    sh(f"ip -n {namespace('a')} link set esptcp0 down")


def owners_go(tunnel):
    for pid in tunnel.children[:2]:
        tunnel.stop(pid)


def everything_goes(tunnel):
    for pid in list(tunnel.children):
        tunnel.stop(pid)
    tunnel.remove()


def module_goes(tunnel):
    """At once, when nothing uses it any more."""
    sas_go(tunnel)
    for pid in list(tunnel.children):
        tunnel.stop(pid)
    deadline = Deadline(20)
    while sh("rmmod esptcp", check=False):
        if not deadline:
            raise RuntimeError("the module stays")
        time.sleep(0.05)
    sh("modprobe esptcp")


@scenario
def late_cipher(seconds):
    """SAs, owners, the device, namespaces or the module go; what comes back later harms nobody."""
    if sh("modprobe late", check=False):
        return "there is no module late"
    fates = (sas_go, device_goes, owners_go, everything_goes, module_goes)
    deadline = Deadline(seconds)
    done = 0
    while deadline or done < len(fates):
        with late_tunnel(done // len(fates) % 2, random.choice((rfc9329, fortinet))) as tunnel:
            fates[done % len(fates)](tunnel)
            time.sleep(random.random() / 2)
        done += 1
    # until the last packet is back
    time.sleep(3)
    sh("rmmod late", check=False)
    return None
