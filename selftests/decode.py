#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Decode a capture of IKE and ESP over TCP (RFC 9329), one line per frame.

    selftests/decode.py CAPTURE [--port 4500] [--frames 40]

It puts the TCP streams together from their segments and takes them apart again
as RFC 9329 says; nothing is guessed from packet boundaries. A stream that does
not follow the RFC ends with a line that says so, and the exit status is 1.
CAPTURE is a pcap file of Ethernet packets, from tcpdump -w.
"""
import argparse
import ipaddress
import struct
import sys

PREFIX = b"IKETCP"
EXCHANGES = {34: "IKE_SA_INIT", 35: "IKE_AUTH", 36: "CREATE_CHILD_SA", 37: "INFORMATIONAL"}


def packets(path):
    """Yield time and bytes of each packet of a pcap file."""
    with open(path, "rb") as file:
        magic, _, _, _, _, _, link = struct.unpack("<IHHiIII", file.read(24))
        if magic not in (0xA1B2C3D4, 0xA1B23C4D):
            sys.exit(f"{path}: no pcap file of this machine")
        if link != 1:
            sys.exit(f"{path}: link type {link}, not Ethernet")
        unit = 1e-6 if magic == 0xA1B2C3D4 else 1e-9
        while len(header := file.read(16)) == 16:
            seconds, fraction, length, _ = struct.unpack("<IIII", header)
            yield seconds + fraction * unit, file.read(length)


def tcp_segment(packet):
    """Return addresses and TCP segment of an Ethernet packet, or None."""
    ethertype, = struct.unpack_from("!H", packet, 12)
    ip = packet[14:]
    if ethertype == 0x0800 and ip[9] == 6:
        length, = struct.unpack_from("!H", ip, 2)
        # a packet that is to be segmented by the device may have no length
        return ip[12:16], ip[16:20], ip[(ip[0] & 15) * 4:length or None]
    if ethertype == 0x86DD and ip[6] == 6:
        length, = struct.unpack_from("!H", ip, 4)
        return ip[8:24], ip[24:40], ip[40:40 + length if length else None]
    return None


class Stream:
    """One direction of a TCP connection, put in order."""

    def __init__(self):
        self.next = None        # sequence number of the octet after data
        self.pending = {}       # sequence number -> segment that came early
        self.data = b""
        self.prefix = False     # has the stream prefix been seen?

    def add(self, seq, syn, payload):
        if syn:
            self.next = (seq + 1) & 0xFFFFFFFF
        if self.next is None:
            return
        if payload:
            self.pending.setdefault(seq, b"")
            self.pending[seq] = max(self.pending[seq], payload, key=len)
        while self.take():
            pass

    def take(self):
        for seq, payload in list(self.pending.items()):
            late = (self.next - seq) & 0xFFFFFFFF
            if late < 0x80000000:       # begins at or before what is expected
                del self.pending[seq]
                if late < len(payload):
                    self.data += payload[late:]
                    self.next = (seq + len(payload)) & 0xFFFFFFFF
                return True
        return False

    def frames(self, originator):
        """Yield what has become complete."""
        if originator and not self.prefix:
            if len(self.data) < len(PREFIX):
                return
            if not self.data.startswith(PREFIX):
                raise ValueError(f"begins with {self.data[:6].hex()}, not with {PREFIX.decode()}")
            self.data = self.data[len(PREFIX):]
            self.prefix = True
            yield None
        while len(self.data) >= 2:
            length, = struct.unpack_from("!H", self.data)
            if length < 2:
                raise ValueError(f"length {length}, which RFC 9329 forbids")
            if len(self.data) < length:
                return
            frame, self.data = self.data[2:length], self.data[length:]
            yield frame


def ike(frame):
    if len(frame) < 32:
        raise ValueError(f"IKE message of {len(frame) - 4} octets")
    initiator, responder, _, version, exchange, flags, mid, length = \
        struct.unpack_from("!8s8sBBBBII", frame, 4)
    if length != len(frame) - 4:
        raise ValueError(f"IKE header says {length} octets, the frame has {len(frame) - 4}")
    name = EXCHANGES.get(exchange, f"exchange {exchange}")
    kind = "response" if flags & 0x20 else "request"
    return f"IKE   IKEv{version >> 4} {name} {kind} {mid}, SPIs {initiator.hex()} {responder.hex()}"


def describe(frame):
    if frame is None:
        return f"      stream prefix {PREFIX.decode()}"
    if frame == b"\xff":
        return "      NAT keepalive"
    if len(frame) < 8:
        return f"      {len(frame)} octets, neither IKE nor ESP"
    if frame[:4] == bytes(4):
        return ike(frame)
    spi, seq = struct.unpack_from("!II", frame)
    return f"ESP   SPI {spi:08x}, sequence number {seq}"


def host(address, port):
    address = ipaddress.ip_address(address)
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


class Decoder:
    def __init__(self, port, limit):
        self.port = port
        self.limit = limit
        self.streams = {}
        self.count = {"IKE": 0, "ESP": 0, "": 0}
        self.errors = 0
        self.start = None

    def line(self, time, source, target, length, text):
        if sum(self.count.values()) <= self.limit or not length:
            print(f"{time - self.start:8.3f}  {source:>22} > {target:<22} {length or '':>5}  {text}")

    def segment(self, time, packet):
        if not (found := tcp_segment(packet)):
            return
        source, target, tcp = found
        sport, dport, seq, _, offset, flags = struct.unpack_from("!HHIIBB", tcp)
        if self.port not in (sport, dport):
            return
        source, target = host(source, sport), host(target, dport)
        self.start = self.start or time
        stream = self.streams.setdefault((source, target), Stream())
        if flags & 2:
            self.line(time, source, target, 0, "TCP   SYN" + (", ACK" if flags & 16 else ""))
        try:
            stream.add(seq, flags & 2, tcp[(offset >> 4) * 4:])
            for frame in stream.frames(originator=dport == self.port):
                text = describe(frame)
                self.count[text[:3].strip()] += 1
                length = len(PREFIX) if frame is None else len(frame) + 2
                self.line(time, source, target, length, text)
        except ValueError as error:
            self.line(time, source, target, 0, f"BAD   {error}")
            self.errors += 1
            stream.next = None
        if flags & 5:
            self.line(time, source, target, 0, "TCP   " + ("RST" if flags & 4 else "FIN"))

    def summary(self):
        total = sum(self.count.values())
        if total > self.limit:
            print(f"{'':8}  ... and {total - self.limit} frames more")
        print(f"{self.count['IKE']} IKE messages, {self.count['ESP']} ESP packets, "
              f"{self.errors} errors in {len(self.streams)} directions")
        return 1 if self.errors or not total else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("capture")
    parser.add_argument("--port", type=int, default=4500, help="the responder's TCP port")
    parser.add_argument("--frames", type=int, default=40, help="how many to print")
    arguments = parser.parse_args()
    decoder = Decoder(arguments.port, arguments.frames)
    for time, packet in packets(arguments.capture):
        decoder.segment(time, packet)
    sys.exit(decoder.summary())


if __name__ == "__main__":
    main()
