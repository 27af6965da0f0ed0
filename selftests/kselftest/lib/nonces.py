#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Look for an initialisation vector that an SA has used twice.

    lib/nonces.py CAPTURE

CAPTURE is one of connections that carry ESP with AES-GCM, or of plain ESP, whose
vectors stand behind the ESP header. To use one twice gives the key of
authentication away. Each has to be the packet's 64-bit number, with what the
kernel adds to all of an SA (seqiv). Prints how many packets there were of the SA
that had the most.
"""
import struct
import sys

from segments import ESP_HEADER, decode, fail, frames, streams

IV = 8
ESP = 50


def bare(packet):
    """The ESP of an Ethernet packet, or None."""
    ethertype, = struct.unpack_from("!H", packet, 12)
    ip = packet[14:]
    if ethertype == 0x0800 and ip[9] == ESP:
        return ip[(ip[0] & 15) * 4:struct.unpack_from("!H", ip, 2)[0]]
    if ethertype == 0x86DD and ip[6] == ESP:
        return ip[40:40 + struct.unpack_from("!H", ip, 4)[0]]
    return None


def packets(path):
    """All ESP packets in a capture."""
    for data in streams(path).values():
        yield from frames(data)
    for _, packet in decode.packets(path):
        if esp := bare(packet):
            yield esp


class Association:
    """What is known of an SA."""

    def __init__(self, spi):
        self.spi = spi
        self.seen = set()
        self.number = None
        self.salt = None

    def extend(self, low):
        """The 64-bit number of the packet that follows."""
        number = ((self.number or 0) & ~0xFFFFFFFF) | low
        if self.number is not None and number + 0x80000000 < self.number:
            number += 1 << 32
        return number

    def add(self, low, vector):
        """Check a packet."""
        where = f"SPI {self.spi.hex()}, number {low:x}"
        if vector in self.seen:
            fail(f"{where}: {vector:x} is used twice")
        self.seen.add(vector)
        self.number = self.extend(low)
        salt = self.number ^ vector
        if self.salt not in (None, salt):
            fail(f"{where}: {vector:x} is not that of number {self.number:x}")
        self.salt = salt


def main(path):
    """Check a capture."""
    found = {}
    for esp in packets(path):
        spi = esp[:4]
        if spi == bytes(4) or len(esp) < ESP_HEADER + IV:
            continue
        found.setdefault(spi, Association(spi)).add(*struct.unpack_from("!IQ", esp, 4))
    print(max((len(sa.seen) for sa in found.values()), default=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
