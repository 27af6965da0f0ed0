#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets that pass for ESP of an SA and are not.

    fake.py segment SOURCE DESTINATION SPORT DPORT SPI COUNT
        IPv4 TCP segments with a false source address, old sequence numbers
    fake.py window DEVICE SOURCE DESTINATION DPORT COUNT
        the same, each with the number that follows on an IKE segment that
        passes by DEVICE, which TCP would take for new data
    fake.py icmp DEVICE SOURCE DESTINATION DPORT MTU spi|other-spi|seq|other-seq
        "fragmentation needed" to SOURCE, which quotes an ESP segment that
        passes by DEVICE: with its SPI or another one, or eight octets with its
        sequence number or another one
    fake.py fragments SOURCE DESTINATION PORT
        a datagram from here in two fragments that may not be fragmented; ends
        well if it comes back
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


def segment(source, destination, sport, dport, payload, seq=1, ack=1):
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, 0x10, 1000, 0, 0) + payload
    pseudo = source + destination + struct.pack(">BBH", 0, socket.IPPROTO_TCP, len(tcp))
    return tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]


def send(protocol, source, destination, payload, number=0, fragment=0):
    """Send an IPv4 packet; the addresses are in octets."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number, fragment, 64, protocol, 0,
                     source, destination)
    raw.sendto(ip + payload, (socket.inet_ntoa(destination), 0))


def send_segments(source, destination, sport, dport, spi, count):
    src, dst = socket.inet_aton(source), socket.inet_aton(destination)
    for _ in range(count):
        send(socket.IPPROTO_TCP, src, dst, segment(src, dst, sport, dport, esp(spi)))


def listen(device):
    """A socket that hears all IPv4 packets that pass by a device."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    wire.bind((device, 0x0800))
    wire.settimeout(10)
    print("listening", flush=True)
    return wire


def next_segment(wire, source, destination, dport, timestamps):
    """The next TCP packet of these ends that has data, with the option or without."""
    while True:
        packet = wire.recv(65536)
        if packet[9] != socket.IPPROTO_TCP or packet[12:20] != source + destination:
            continue
        size = packet[32] >> 4 << 2
        if packet[22:24] == dport.to_bytes(2, "big") and len(packet) > 20 + size and (size > 20) == timestamps:
            return packet


def send_in_window(device, source, destination, dport, count):
    src, dst = socket.inet_aton(source), socket.inet_aton(destination)
    wire = listen(device)
    for _ in range(count):
        packet = next_segment(wire, src, dst, dport, timestamps=True)
        sport, _, seq, ack = struct.unpack(">HHII", packet[20:32])
        end = seq + len(packet) - 20 - (packet[32] >> 4 << 2)
        send(socket.IPPROTO_TCP, src, dst, segment(src, dst, sport, dport, esp(4711), end % 2**32, ack))


def send_icmp(device, source, destination, dport, mtu, quoted):
    src, dst = socket.inet_aton(source), socket.inet_aton(destination)
    end = {"spi": 20 + 20 + 4, "seq": 20 + 8}[quoted.rpartition("-")[2]]
    quote = bytearray(next_segment(listen(device), src, dst, dport, timestamps=False)[:end])
    if quoted.startswith("other-"):
        quote[-1] ^= 0xFF
    icmp = struct.pack(">BBHHH", 3, 4, 0, 0, mtu) + quote
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    send(socket.IPPROTO_ICMP, dst, src, icmp)


def send_fragments(source, destination, port):
    src, dst = socket.inet_aton(source), socket.inet_aton(destination)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((source, 0))
    udp.settimeout(5)
    data = random.randbytes(2000)
    datagram = struct.pack(">HHHH", udp.getsockname()[1], port, 8 + len(data), 0) + data
    send(socket.IPPROTO_UDP, src, dst, datagram[:1200], 4711, 0x6000)
    send(socket.IPPROTO_UDP, src, dst, datagram[1200:], 4711, 0x4000 | 1200 // 8)
    if udp.recv(65536) != data:
        sys.exit("something else came back")


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
    elif what == "window":
        device, source, destination, dport, count = args
        send_in_window(device, source, destination, int(dport), int(count))
    elif what == "icmp":
        device, source, destination, dport, mtu, quoted = args
        send_icmp(device, source, destination, int(dport), int(mtu), quoted)
    elif what == "fragments":
        source, destination, port = args
        send_fragments(source, destination, int(port))
    elif what == "udp":
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.sendto(esp(int(args[1], 16)), (args[0], 4500))
    elif what == "encap":
        take_udp(*args)
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
