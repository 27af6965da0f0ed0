#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Play what an originator said in its last connection to the responder again.

    replay.py CAPTURE ORIGINATOR RESPONDER PORT

CAPTURE is a pcap file of Ethernet packets, IPv4. What was sent is sent on a new
connection from here, octet by octet the same, which then stays open a while.
"""
import ipaddress
import socket
import struct
import sys
import time


def segments(path):
    """Yield source, destination, ports, sequence number and data of each segment."""
    with open(path, "rb") as file:
        file.read(24)
        while len(header := file.read(16)) == 16:
            ip = file.read(struct.unpack("<IIII", header)[2])[14:]
            tcp = ip[(ip[0] & 15) * 4:struct.unpack_from("!H", ip, 2)[0]]
            sport, dport, seq = struct.unpack_from("!HHI", tcp)
            yield (str(ipaddress.ip_address(ip[12:16])), str(ipaddress.ip_address(ip[16:20])),
                   sport, dport, seq, tcp[12] >> 4, tcp[13], tcp)


capture, originator, responder, port = sys.argv[1:]
start, parts = None, {}
for src, dst, sport, dport, seq, offset, flags, tcp in segments(capture):
    if (src, dst, dport) != (originator, responder, int(port)):
        continue
    if flags & 2:   # SYN: the last one counts
        start, own, parts = (seq + 1) & 0xffffffff, sport, {}
    elif start is not None and sport == own:
        parts[(seq - start) & 0xffffffff] = tcp[offset * 4:]
stream = b""
for position in sorted(parts):    # TCP's keepalives are empty
    if position <= len(stream) < position + len(parts[position]):
        stream = stream[:position] + parts[position]
if not stream.startswith(b"IKETCP"):
    sys.exit(f"{capture}: no connection with a stream prefix")
print(f"# {len(stream)} octets are played again")
with socket.create_connection((responder, int(port)), 5) as connection:
    connection.sendall(stream)
    time.sleep(2)
