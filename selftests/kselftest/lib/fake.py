#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets that pass for ESP of an SA and are not.

    fake.py segment SOURCE DESTINATION SPORT DPORT SPI COUNT
        IPv4 TCP segments with a false source address, old sequence numbers
    fake.py udp DESTINATION SPI
        one datagram to port 4500
    fake.py encap ADDRESS
        a socket that takes ESP in UDP on port 4500, as charon's does
"""
import random
import socket
import struct
import sys
import time

UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def esp(spi):
    return struct.pack(">II", spi, 1) + random.randbytes(64)


def segment(source, destination, sport, dport, payload):
    tcp = struct.pack(">HHIIBBHHH", sport, dport, 1, 1, 5 << 4, 0x10, 1000, 0, 0) + payload
    pseudo = source + destination + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(tcp))
    return tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]


def send_segments(source, destination, sport, dport, spi, count):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    src, dst = socket.inet_aton(source), socket.inet_aton(destination)
    for _ in range(count):
        tcp = segment(src, dst, sport, dport, esp(spi))
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64,
                         socket.IPPROTO_TCP, 0, src, dst)
        raw.sendto(ip + tcp, (destination, 0))


def take_udp(address):
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
    udp.bind((address, 4500))
    print("ready", flush=True)
    time.sleep(60)


def main(what, *args):
    if what == "segment":
        source, destination, sport, dport, spi, count = args
        send_segments(source, destination, int(sport), int(dport), int(spi, 16), int(count))
    elif what == "udp":
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.sendto(esp(int(args[1], 16)), (args[0], 4500))
    elif what == "encap":
        take_udp(*args)
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
