# SPDX-License-Identifier: GPL-2.0
"""Packets and algorithms out of the ordinary, and no memory for them."""
import contextlib
import random
import socket
import time

from . import scenario
from .owners import killed_owners
from .process import CLONE_NEWNET, Deadline, child, end, libc, namespace, sh
from .sockets import lives
from .tunnel import KEY, Tunnel


@scenario
def large_packets(seconds):
    """Packets that TCP has to cut, over a link that loses, delays and reorders."""
    with Tunnel() as tunnel:
        for name in "ab":
            sh(f"ip -n {namespace(name)} link set v mtu 1280")
            sh(f"tc -n {namespace(name)} qdisc add dev v root netem delay 5ms 3ms loss 1% reorder 5%")
        tunnel.owners(busy=True)
        # Not more than the link takes: the queue's drops would hide all else.
        tunnel.traffic(60000, 0.1)
        time.sleep(seconds)
        tunnel.expect_flow()


def asynchronous():
    """Have an algorithm registered, as long as the socket lasts, that takes the place of
    rfc4106(gcm(aes)) and finishes later. pcrypt needs more than one CPU."""
    for name in ("pcrypt(rfc4106(gcm(aes)))",
                 "cryptd(rfc4106(gcm_base(ctr(aes-generic),ghash-generic)))"):
        sock = socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
        try:
            sock.bind(("aead", name))
        except OSError:
            sock.close()
        else:
            print(f"# asynchronous by {name}")
            return sock
    return None


@scenario
def asynchronous_crypto(seconds):
    """Cryptography that finishes later, while SAs, connections and the tunnel go."""
    sock = asynchronous()
    if not sock:
        return "no asynchronous algorithm"
    with sock:
        killed_owners(seconds)
        with Tunnel() as tunnel:
            tunnel.owners(busy=True)
            tunnel.traffic()
            deadline = Deadline(seconds)
            while deadline:
                sh(f"ip -n {namespace('b')} xfrm state flush")
                tunnel.add_sas_of("b")
                time.sleep(random.random() / 2)
                sh(f"ip -n {namespace('a')} xfrm state flush")
                tunnel.add_sas_of("a")
                time.sleep(random.random() / 2)
    return None


@scenario
def cbc(seconds):
    """Algorithms that are not AEAD."""
    with Tunnel(1, f"auth-trunc 'hmac(sha256)' {KEY} 128 enc 'cbc(aes)' 0x{'42' * 16}") as tunnel:
        tunnel.owners(busy=True)
        tunnel.traffic()
        time.sleep(seconds)
        tunnel.expect_flow()


@contextlib.contextmanager
def failing_allocations(percent):
    base = "/sys/kernel/debug"
    settings = [(f"{base}/{kind}/{name}", value) for kind in ("failslab", "fail_page_alloc")
                for name, value in (("verbose", 0), ("interval", 1), ("times", -1), ("space", 0),
                                    ("task-filter", "N"), ("ignore-gfp-wait", "Y"))]
    settings.append((f"{base}/fail_page_alloc/min-order", 0))
    # Last, so that nothing fails before the injector has been told to be quiet.
    settings += [(f"{base}/{kind}/probability", percent) for kind in ("failslab", "fail_page_alloc")]

    def write(path, value):
        with contextlib.suppress(FileNotFoundError):
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))
    for path, value in settings:
        write(path, value)
    try:
        yield
    finally:
        for kind in ("failslab", "fail_page_alloc"):
            write(f"{base}/{kind}/probability", 0)


@scenario
def no_memory(seconds):
    """Allocations that must not sleep fail under traffic, one in fifty."""
    with Tunnel() as tunnel:
        responder, initiator = tunnel.owners(busy=True)
        tunnel.traffic()
        churner = child(lambda: (libc.unshare(CLONE_NEWNET), lives()))
        with failing_allocations(2):
            time.sleep(seconds)
        end(churner)
        tunnel.stop(initiator)
        tunnel.stop(responder)
        tunnel.owners()
        tunnel.expect_flow()
