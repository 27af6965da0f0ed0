# SPDX-License-Identifier: GPL-2.0
"""Makes captures of an IKE connection with ESP beside it, for capture_test.py.

A Gateway pair says things in turn: IKE messages in the TCP stream, ESP packets
behind TCP headers that a Profile describes. Nothing here is random except the
ESP payload, which has a fixed seed.
"""
import dataclasses
import ipaddress
import random
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ETHERNET, RAW, COOKED, COOKED2 = 1, 101, 113, 276


@dataclasses.dataclass
class Profile:
    """How ESP is put behind TCP headers. `advancing` has a span."""
    flags: int = PSH | ACK
    seq: str = "fixed"
    ack: str = "snapshot"
    window: object = 65535
    prefix: bool = False
    exclusive: bool = False    # the length does not count itself
    timestamps: bool = False
    options: bytes = b""       # TCP's, but for timestamps
    span: int = 0
    relative: bool = False     # the span moves with the stream
    offset: int = 0
    port_shift: int = 0


class Side:
    """One end: its address, port and where its stream stands."""

    def __init__(self, address, port, isn, window):
        self.address = ipaddress.ip_address(address)
        self.port = port
        self.isn = isn
        self.next = isn + 1    # what it sends next
        self.acked = isn + 1   # what the other has acknowledged of it
        self.window = window
        self.numbers = {}      # ESP sequence numbers by SPI
        self.at_sa = {}        # (seq, ack) when an SA came up
        self.sent = 0          # octets of advancing packets
        self.advance = None    # where the next advancing packet begins
        self.end = None        # where its last ESP segment ended


class Wire:
    """A capture in the making: bytes of packets, oldest first."""

    def __init__(self, family=4, port=4500, profile=None, back=None, timestamps=True, seed=1):
        addresses = ("198.51.100.1", "203.0.113.1") if family == 4 else ("2001:db8:1::1", "2001:db8:2::1")
        self.family = family
        self.a = Side(addresses[0], 41000, 0xfffffff0, 501)    # the numbers wrap soon
        self.b = Side(addresses[1], port, 0x12345678, 509)
        self.profiles = {self.a: profile or Profile(), self.b: back or profile or Profile()}
        self.timestamps = timestamps
        self.random = random.Random(seed)
        self.packets = []
        self.traffic_class = 0

    def other(self, side):
        return self.b if side is self.a else self.a

    def tcp(self, side, flags, seq, ack, window, payload=b"", timestamps=False, shift=0, options=b""):
        """Append a segment."""
        other = self.other(side)
        if timestamps:
            options += struct.pack(">BBBBII", 1, 1, 8, 10, 1000, 2000)
        header = struct.pack(">HHIIBBHHH", side.port + shift, other.port, seq % 2**32, ack % 2**32,
                             (5 + len(options) // 4) << 4, flags, window, 0, 0)
        segment = header + options + payload
        if self.family == 4:
            packet = struct.pack(">BBHHHBBH4s4s", 0x45, self.traffic_class, 20 + len(segment), 1, 0x4000,
                                 64, 6, 0, side.address.packed, other.address.packed)
        else:
            packet = struct.pack(">IHBB16s16s", 6 << 28 | self.traffic_class << 20, len(segment), 6, 64,
                                 side.address.packed, other.address.packed)
        self.packets.append(packet + segment)

    def handshake(self):
        for side, flags in ((self.a, SYN), (self.b, SYN | ACK)):
            self.tcp(side, flags, side.isn, self.other(side).next if flags & ACK else 0, 64240,
                     timestamps=self.timestamps)
        self.acknowledge(self.a)
        return self

    def acknowledge(self, side):
        other = self.other(side)
        other.acked = other.next
        self.tcp(side, ACK, side.next, other.next, side.window, timestamps=self.timestamps)

    def say(self, side, octets):
        """Send octets in the stream; the other side acknowledges."""
        side.window += 1
        self.tcp(side, PSH | ACK, side.next, self.other(side).next, side.window, octets,
                 timestamps=self.timestamps)
        side.next += len(octets)
        self.acknowledge(self.other(side))

    def frame(self, side, message):
        self.say(side, struct.pack(">H", 2 + len(message)) + message)

    def ike(self, side, length=200):
        self.frame(side, bytes(4) + self.random.randbytes(length))

    def begin(self):
        """What precedes ESP: handshake, prefix, IKE_SA_INIT and IKE_AUTH."""
        self.handshake()
        self.say(self.a, b"IKETCP")
        for _ in range(2):
            self.ike(self.a, 300)
            self.ike(self.b, 280)
        return self

    def esp_packet(self, side, spi, length):
        side.numbers[spi] = side.numbers.get(spi, 0) + 1
        return struct.pack(">II", spi, side.numbers[spi]) + self.random.randbytes(length - 8)

    def position(self, side, spi, profile, length):
        """The sequence number that an ESP packet gets."""
        if profile.seq == "fixed":
            return side.isn + 1 + profile.offset
        if profile.seq == "snapshot":
            return side.next + profile.offset
        if profile.seq == "sa":
            return side.at_sa[spi][0]
        if profile.relative:
            side.sent += length
            return side.acked - 1500 - profile.span + (side.sent - length) % profile.span
        if side.advance is None or (profile.span and side.advance + length > side.start + profile.span):
            side.start = side.advance = side.next if profile.span else side.next + 100000
        side.advance += length
        return side.advance - length

    def acknowledged(self, side, spi, profile):
        other = self.other(side)
        return {"fixed": other.isn + 1, "snapshot": other.next, "sa": side.at_sa[spi][1],
                "advancing": other.end or other.next}[profile.ack]

    def esp(self, side, spi, length=120):
        profile = self.profiles[side]
        packet = self.esp_packet(side, spi, length)
        side.at_sa.setdefault(spi, (side.next, self.other(side).next))
        if profile.prefix:
            packet = struct.pack(">H", len(packet) + 2 * (not profile.exclusive)) + packet
        seq = self.position(side, spi, profile, len(packet))
        window = side.window if profile.window == "snapshot" else profile.window
        self.tcp(side, profile.flags, seq, self.acknowledged(side, spi, profile), window, packet,
                 profile.timestamps, profile.port_shift, profile.options)
        side.end = seq + len(packet)

    def talk(self, spi_a, spi_b, turns=20):
        """ESP in both directions, packets of several lengths."""
        for turn in range(turns):
            self.esp(self.a, spi_a, 100 + turn % 5 * 50)
            self.esp(self.b, spi_b, 1400 - turn % 3 * 100)

    def whole(self, rekeys=1, turns=20):
        """A connection as the recipe asks for: IKE in between, and a rekey."""
        self.begin()
        for spi in range(0xc1000001, 0xc1000002 + rekeys):
            self.talk(spi, spi + 0x100, turns)
            self.ike(self.a)
            self.ike(self.b)
            self.talk(spi, spi + 0x100, turns)
            self.ike(self.b, 90)
            self.ike(self.a, 90)
        return self


def link_header(link, packet):
    """What stands before an IP packet."""
    ethertype = 0x0800 if packet[0] >> 4 == 4 else 0x86dd
    return {ETHERNET: bytes(12) + struct.pack(">H", ethertype),
            "vlan": bytes(12) + struct.pack(">HHHHH", 0x88a8, 5, 0x8100, 7, ethertype),
            "pppoe": bytes(12) + struct.pack(">HBBHHH", 0x8864, 0x11, 0, 1, len(packet) + 2,
                                             0x21 if ethertype == 0x0800 else 0x57),
            COOKED: struct.pack(">HHH8sH", 0, 1, 6, bytes(8), ethertype),
            COOKED2: struct.pack(">HHIHBB8s", ethertype, 0, 2, 1, 0, 6, bytes(8)),
            RAW: b""}[link]


def pcap(packets, link=ETHERNET, snaplen=65535):
    """The packets as a pcap file."""
    number = ETHERNET if link in ("vlan", "pppoe") else link
    out = [struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, snaplen, number)]
    for i, packet in enumerate(packets):
        frame = link_header(link, packet) + packet
        if number == ETHERNET:
            frame += bytes(max(0, 60 - len(frame)))    # Ethernet's padding
        out.append(struct.pack("<IIII", 1700000000 + i // 1000, i % 1000 * 1000, min(len(frame), snaplen),
                               len(frame)) + frame[:snaplen])
    return b"".join(out)


def pcapng(packets, link=ETHERNET):
    """The packets as a pcapng file."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    out = [block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)), block(1, struct.pack("<HHI", link, 0, 0))]
    for i, packet in enumerate(packets):
        frame = link_header(link, packet) + packet
        out.append(block(6, struct.pack("<IIIII", 0, 0, i, len(frame), len(frame)) + frame))
    return b"".join(out)
