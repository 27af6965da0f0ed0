# SPDX-License-Identifier: GPL-2.0
"""The fortinet framing: segments that nobody has made, and narrow paths."""
import contextlib
import os
import random
import socket
import struct
import time

from . import scenario
from .netlink import fortinet
from .process import Deadline, enter, namespace, sh
from .tunnel import ADDRESS, SPI, Tunnel


def ports_of_connections():
    """Of b, as (own, peer's)"""
    with open("/proc/thread-self/net/esptcp", encoding="ascii") as file:
        lines = file.read().splitlines()[1:]
    return [tuple(int(end.rsplit(":", 1)[1]) for end in line.split()[1:3]) for line in lines]


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forged_segment(addresses, ports):
    """The SPI stands where it should, and all else may be anything. The checksum is right."""
    options = random.choice((b"", bytes(4), bytes([1] * 8), b"\1\1\x08\x0a" + os.urandom(8),
                             os.urandom(4 * random.randrange(11))))
    payload = struct.pack(">I", SPI["a"]) + os.urandom(random.choice((0, 1, 4, 20, 100, 1300)))
    segment = struct.pack(
        ">HHIIBBHHH", *ports, random.randrange(1 << 32), random.randrange(1 << 32),
        random.choice((5 + len(options) // 4, random.randrange(16))) << 4,
        random.choice((0x10, 0x18, 0x08, random.randrange(256) & ~4)), 1000, 0, 0)
    segment += options + payload[:random.randrange(len(payload) + 1)]
    pseudo = addresses + struct.pack(">II", len(segment), socket.IPPROTO_TCP)
    return segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]


def forger(tunnel):
    """Sends b what has a connection's addresses and ports."""
    family = (socket.AF_INET, socket.AF_INET6)[tunnel.v]
    addresses = b"".join(socket.inet_pton(family, ADDRESS[name][tunnel.v]) for name in "ab")
    enter("a")
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
    enter("b")
    while True:
        for own, peer in ports_of_connections():
            for _ in range(100):
                with contextlib.suppress(OSError):
                    raw.sendto(forged_segment(addresses, (peer, own)), (ADDRESS["b"][tunnel.v], 0))


@scenario
def forged_segments(seconds):
    """Segments with a connection's addresses, ports and SPIs that nobody has made for it."""
    for v in (0, 1):
        with Tunnel(v, framing=fortinet) as tunnel:
            responder, initiator = tunnel.owners()
            tunnel.traffic()
            pids = [tunnel.start(forger, tunnel) for _ in range(2)]
            time.sleep(seconds)
            for pid in (*pids, initiator, responder):
                tunnel.stop(pid)
            tunnel.owners()
            tunnel.expect_flow()


@scenario
def narrow_path(seconds):
    """The fortinet framing on a path that becomes narrower and wider under traffic."""
    for v in (0, 1):
        with Tunnel(v, framing=fortinet) as tunnel:
            tunnel.owners(busy=True)
            tunnel.traffic(3000)
            deadline = Deadline(seconds)
            while deadline:
                for name in "ab":
                    sh(f"ip -n {namespace(name)} link set v mtu "
                       f"{random.choice((1280, 1300, 1400, 1500, 9000))}")
                time.sleep(random.random())
            for name in "ab":
                sh(f"ip -n {namespace(name)} link set v mtu 1500")
            tunnel.expect_flow()


def sent_segments(seconds):
    """What a sends to b, as frames of Ethernet."""
    packets = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("v", 3))
        sock.settimeout(0.5)
        deadline = Deadline(seconds)
        while deadline and len(packets) < 500:
            with contextlib.suppress(TimeoutError):
                packet, source = sock.recvfrom(65536)
                if source[2] == socket.PACKET_OUTGOING:
                    packets.append(packet)
    return packets


def with_checksum(packet):
    """The packet, with the checksums that its octets ask for, if it is IPv4 or IPv6 with TCP."""
    octets = bytearray(packet)
    if octets[12:14] == b"\x08\x00":
        start, addresses = 14 + 4 * (octets[14] & 15), slice(26, 34)
        octets[24:26] = bytes(2)
        octets[24:26] = struct.pack(">H", checksum(bytes(octets[14:start])))
    else:
        start, addresses = 54, slice(22, 54)
    if len(octets) >= start + 20:
        octets[start + 16:start + 18] = bytes(2)
        pseudo = bytes(octets[addresses]) + struct.pack(">II", len(octets) - start, socket.IPPROTO_TCP)
        octets[start + 16:start + 18] = struct.pack(">H", checksum(pseudo + bytes(octets[start:])))
    return bytes(octets)


def mutant(packet):
    """A packet with other headers, another length, other options, or a part of it."""
    octets = bytearray(packet)
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        at = random.randrange(14, min(len(octets), 110))    # up to ESP's header
        octets[at] = random.choice((0, 1, 255, octets[at] ^ 1 << random.randrange(8)))
    if random.random() < 0.2:
        del octets[random.randrange(34, len(octets)):]
    elif random.random() < 0.1:
        at = random.choice((34, 54, 66))
        octets[at:at] = random.randbytes(random.choice((4, 8, 12, 40)))
    if random.random() < 0.5 and octets[12:14] == b"\x08\x00":
        octets[16:18] = struct.pack(">H", len(octets) - 14)
    elif octets[12:14] == b"\x86\xdd" and len(octets) > 54:
        octets[18:20] = struct.pack(">H", len(octets) - 54)
    return with_checksum(octets) if random.random() < 0.8 else bytes(octets)


def mutator():
    """Sends b what a has sent it once more, changed; often several that could be merged."""
    enter("a")
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("v", 3))
        while True:
            packets = sent_segments(2)
            for _ in range(2000 if packets else 0):
                at = random.randrange(len(packets))
                for packet in packets[at:at + random.choice((1, 1, 4, 16))]:
                    with contextlib.suppress(OSError):
                        sock.send(packet if random.random() < 0.3 else mutant(packet))


@scenario
def fuzz_segments(seconds):
    """A tunnel's own segments again, changed, with and without GRO."""
    for v in (0, 1):
        with Tunnel(v, framing=fortinet) as tunnel:
            sh(f"ip netns exec {namespace('b')} ethtool -K v gro {random.choice(('on', 'off'))}")
            responder, initiator = tunnel.owners(busy=True)
            tunnel.traffic()
            pids = [tunnel.start(mutator) for _ in range(2)]
            deadline = Deadline(seconds / 2)
            while deadline:
                time.sleep(random.random() * 3)
                tunnel.stop(initiator)
                initiator = tunnel.start(tunnel.initiator, True)
            for pid in (*pids, initiator, responder):
                tunnel.stop(pid)
            tunnel.owners()
            tunnel.expect_flow()
