# SPDX-License-Identifier: GPL-2.0
"""Netlink requests that make no sense."""
import contextlib
import errno
import os
import random
import socket
import struct
import time

from . import scenario
from .netlink import Netlink
from .process import Deadline, enter, succeeds, unshare_as_root
from .sockets import a_pair
from .tunnel import TCP_ULP, Tunnel


def garbage(tunnel):
    enter("a")
    netlink = Netlink()
    sock = tunnel.connect()
    values = (b"", b"\0", bytes(4), b"\1\0\0\0", struct.pack("I", sock.fileno()), os.urandom(4),
              bytes(16), os.urandom(16), b"\xff" * 8, struct.pack("I", 0xffffffff),
              socket.inet_aton("10.9.0.2"), struct.pack("I", 999), struct.pack(">I", 0x1000))
    while True:
        attributes = [(random.randrange(8), random.choice(values))
                      for _ in range(random.randrange(6))]
        flags = random.choice((5, 5, 0x305))
        if flags == 5:
            netlink.request(random.randrange(1, 12), attributes)
        else:
            netlink.dump(random.randrange(1, 12))


@scenario
def netlink_garbage(seconds):
    """Requests made of random attributes."""
    with Tunnel() as tunnel:
        tunnel.owners(busy=True)
        tunnel.traffic()
        for _ in range(2):
            tunnel.start(garbage, tunnel)
        time.sleep(seconds)


def u32(kind, *values):
    return lambda: (kind, struct.pack("I", random.choice((*values, random.randrange(1 << 32)))))


def address():
    return 5, random.choice((bytes([127, 0, 0, 1]), bytes(15) + b"\1", random.randbytes(random.randrange(20))))


def profile_nest():
    kinds = [u32(kind, 0, 1, 2, 3)() for kind in range(1, 11)]
    chosen = random.sample(kinds, random.randrange(len(kinds)))
    return 20 | 0x8000, b"".join(encode(kind, value[:random.choice((4, 4, 4, 2, 8))]) for kind, value in chosen)


def encode(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def a_request(fds):
    """One that could make sense, as command and attributes."""
    fd, conn = u32(2, *fds), u32(1, *range(1, 20))
    sa = u32(3, 0, 1), u32(4, 0x100, 0x1000), address
    command, attributes = random.choice((
        (Netlink.ATTACH, (fd, u32(3, 0, 1), u32(4, 1, 2), profile_nest, u32(18, 0, 1))),
        (Netlink.CONN_SET, (random.choice((fd, conn)), u32(3, 0, 1), profile_nest)),
        (Netlink.BIND, (random.choice((fd, conn)), *sa)),
        (Netlink.UNBIND, sa),
        (Netlink.UNBIND, (lambda: (6, b""),)),
        (Netlink.CONN_GET, (conn,)),
        (Netlink.BINDING_GET, ()),
        (Netlink.STATS_GET, ())))
    return command, [make() for make in attributes if random.random() < 0.95]


def damaged(payload):
    """A few octets are others, missing or too many."""
    octets = bytearray(payload)
    for _ in range(random.choice((0, 0, 1, 1, 2, 8))):
        at = random.randrange(len(octets))
        octets[at] = random.choice((0, 1, 3, 4, 255, octets[at] ^ 1 << random.randrange(8)))
    cut = random.choice((None, None, None, random.randrange(4, len(octets) + 1)))
    return bytes(octets[:cut]) + random.randbytes(random.choice((0, 0, 0, 1, 30)))


def random_requests(foreign, deadline):
    """As root of a user namespace. foreign is an attached socket of another network namespace."""
    unshare_as_root()
    netlink = Netlink()
    netlink.socket.setblocking(False)
    pairs = []
    while deadline:
        if len(pairs) < 6:
            pairs.append(a_pair(random.choice((socket.AF_INET, socket.AF_INET6))))
        elif random.random() < 0.05:
            for sock in pairs.pop(random.randrange(len(pairs))):
                sock.close()
        fds = [sock.fileno() for pair in pairs for sock in pair] + [foreign.fileno()]
        command, attributes = a_request(fds)
        payload = struct.pack("BBH", command, 1, 0) + b"".join(encode(*attribute) for attribute in attributes)
        payload = damaged(payload)
        message = struct.pack("IHHII", 16 + len(payload), netlink.family, random.choice((1, 5, 0x301, 0x305)), 1, 0)
        with contextlib.suppress(OSError):
            netlink.socket.send((message + payload + bytes(-len(payload) % 4)) * random.choice((1, 1, 3)))
        with contextlib.suppress(BlockingIOError):
            while netlink.socket.recv(65536):
                pass
    netlink.socket.settimeout(20)
    answer = netlink.attach(foreign.fileno())
    assert answer == -errno.EXDEV, answer


@scenario
def fuzz_netlink(seconds):
    """Damaged requests of the root of a user namespace, who may not touch another's sockets."""
    with Tunnel() as tunnel:
        tunnel.owners()
        tunnel.expect_flow()
        foreign = a_pair(socket.AF_INET)
        foreign[0].setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")
        deadline = Deadline(seconds)
        pids = [tunnel.start(random_requests, foreign[random.randrange(2)], deadline) for _ in range(3)]
        for pid in pids:
            if not succeeds(pid):
                raise RuntimeError("a request did what it must not")
            tunnel.children.remove(pid)
        tunnel.expect_flow()
