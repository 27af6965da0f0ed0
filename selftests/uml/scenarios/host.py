# SPDX-License-Identifier: GPL-2.0
"""Namespaces, devices and the module that come and go, and who watches."""
import contextlib
import random
import time

from . import scenario
from .netlink import Netlink, fortinet, rfc9329
from .process import CLONE_NEWNET, Deadline, child, end, enter, libc, namespace, sh
from .sockets import lives
from .tunnel import ADDRESS, INNER, Tunnel


@scenario
def dying_namespaces(seconds):
    """Namespaces go while their connections have traffic."""
    deadline = Deadline(seconds)
    while deadline:
        with Tunnel(random.randrange(2), framing=random.choice((rfc9329, fortinet))) as tunnel:
            tunnel.owners(busy=True)
            tunnel.traffic()
            if random.random() < 0.5:
                # the name goes first, the processes keep it alive
                tunnel.remove()
                time.sleep(0.3)


@scenario
def dying_devices(seconds):
    """The device of the stream goes, and comes back, under traffic."""
    with Tunnel() as tunnel:
        tunnel.owners(busy=True)
        tunnel.traffic()
        deadline = Deadline(seconds)
        while deadline:
            for name, other in ("ab", "ba"):
                sh(f"ip -n {namespace(name)} link set v down")
                time.sleep(random.random() / 5)
                sh(f"ip -n {namespace(name)} link set v up")
                for v in (0, 1):
                    length = (24, 64)[v]
                    sh(f"ip -n {namespace(name)} addr replace {ADDRESS[name][v]}/{length} dev v "
                       + ("nodad" if v else ""))
                    sh(f"ip -n {namespace(name)} route replace {INNER[other][v]} "
                       f"via {ADDRESS[other][v]} src {INNER[name][v]}", check=False)
                time.sleep(random.random() / 2)
        tunnel.expect_flow()
        sh(f"ip -n {namespace('a')} link del v")
        time.sleep(0.5)


@scenario
def loading(seconds):
    """The module goes as soon as it can, and comes back."""
    deadline = Deadline(seconds)
    pid = None
    while deadline:
        sh("modprobe esptcp")
        if random.random() < 0.5:
            pid = child(lambda: (libc.unshare(CLONE_NEWNET), lives()))
            time.sleep(random.random() / 2)
            end(pid)
        else:
            with Tunnel(random.randrange(2)) as tunnel:
                tunnel.owners(busy=True)
                tunnel.in_namespace("a", f"ping -q -i 0.002 -s 2000 {INNER['b'][tunnel.v]}")
                time.sleep(1)
                sh("rmmod esptcp", check=False)
        removal = Deadline(15)
        while sh("rmmod esptcp", check=False):
            if not removal:
                sh("echo the module cannot be removed; lsmod; cat /proc/net/sockstat; lsns -t net; false")
            time.sleep(0.01)
    sh("modprobe esptcp")


def watcher():
    enter("a")
    netlink = Netlink()
    while True:
        netlink.dump(Netlink.CONN_GET)
        netlink.dump(Netlink.BINDING_GET)
        netlink.request(Netlink.STATS_GET, [], 1)
        for name in ("esptcp", "esptcp_stat"):
            with open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
                file.read()
        sh("ss -tinme", check=False)


def listener_to_events():
    enter("a")
    netlink = Netlink()
    reply = Netlink.attributes(netlink.request(3, [(2, b"esptcp\0")], 1) or b"")
    for group in range(1, 64):
        with contextlib.suppress(OSError):
            netlink.socket.setsockopt(270, 1, group)
    netlink.socket.settimeout(None)
    while reply is not None:
        with contextlib.suppress(OSError):
            netlink.socket.recv(65536)


@scenario
def watched(seconds):
    """Captures, listings and events, while owners come and go and the device goes down and up."""
    with Tunnel() as tunnel:
        responder, initiator = tunnel.owners(busy=True)
        tunnel.traffic()
        tunnel.start(watcher)
        tunnel.start(listener_to_events)
        deadline = Deadline(seconds)
        while deadline:
            capture = tunnel.in_namespace("a", "tcpdump -Z root -lni esptcp0 -s 65535 -w /dev/null")
            time.sleep(random.random())
            sh(f"ip -n {namespace('a')} link set esptcp0 down")
            sh(f"ip -n {namespace('a')} link set esptcp0 mtu {random.choice((1280, 9000, 65535))}",
               check=False)
            tunnel.stop(initiator)
            sh(f"ip -n {namespace('a')} link set esptcp0 up")
            initiator = tunnel.start(tunnel.initiator, True)
            time.sleep(random.random())
            tunnel.stop(capture)
        sh(f"ip -n {namespace('a')} link set esptcp0 mtu 65535")
        tunnel.expect_flow()
        tunnel.stop(responder)


@scenario
def deleted_device(seconds):
    """Somebody deletes, renames or moves the device."""
    del seconds
    with Tunnel() as tunnel:
        tunnel.owners(busy=True)
        tunnel.traffic()
        a = namespace("a")
        sh(f"ip -n {a} link set esptcp0 name other0", check=False)
        sh(f"ip -n {a} link set other0 netns {namespace('b')}", check=False)
        sh(f"ip -n {a} addr add 10.77.0.1/24 dev other0", check=False)
        sh(f"ip -n {a} addr add 10.77.0.1/24 dev esptcp0", check=False)
        sh(f"ip netns exec {a} ping -c 3 -i 0.2 -W 1 10.77.0.2", check=False)
        sh(f"ip -n {a} link set esptcp0 master v", check=False)
        sh(f"ip -n {a} link add dummy0 type dummy; ip -n {a} link set esptcp0 master dummy0", check=False)
        sh(f"tc -n {a} qdisc replace dev esptcp0 root netem delay 2ms loss 1%", check=False)
        time.sleep(1)
        sh(f"tc -n {a} qdisc replace dev esptcp0 root fq", check=False)
        time.sleep(1)
        sh(f"ip -n {a} link del esptcp0", check=False)
        sh(f"ip -n {a} link del other0", check=False)
        time.sleep(1)
