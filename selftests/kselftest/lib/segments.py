#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check the TCP segments that a gateway has made of larger packets.

    lib/segments.py CAPTURE SPI [ICV]

CAPTURE is one of the connection that carries them, in a tunnel or in transport
mode, SPI that of an SA which does not encrypt, ICV the length of its integrity
check value. What is wrong with a segment is an error. Prints what there was,
counted in the flow that began last: segments, those with the flags PSH, CWR and
FIN, and those with CWR that follow another one.
"""
import collections
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import decode  # pylint: disable=wrong-import-position

PREFIX = b"IKETCP"
ESP_HEADER = 8
IPIP, TCP, IPV6 = 4, 6, 41
FIN, SYN, PSH, CWR = 0x01, 0x02, 0x08, 0x80

Segment = collections.namedtuple("Segment", "flow ident seq flags data")


def fail(text):
    """Say what is wrong."""
    raise SystemExit(f"segments.py: {text}")


def summed(data):
    """The Internet checksum's sum."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def streams(path):
    """The octets of both directions of each connection."""
    found = collections.defaultdict(decode.Stream)
    for _, packet in decode.packets(path):
        if parts := decode.tcp_segment(packet):
            source, target, tcp = parts
            sport, dport, seq, _, offset, flags = struct.unpack_from("!HHIIBB", tcp)
            found[source, sport, target, dport].add(seq, flags & 2, tcp[(offset >> 4) * 4:])
    if any(stream.pending for stream in found.values()):
        fail(f"{path} lacks some segments")
    return {key: bytes(stream.data) for key, stream in found.items()}


def frames(data):
    """The messages in a stream."""
    position = len(PREFIX) if data.startswith(PREFIX) else 0
    while position + 2 <= len(data):
        length, = struct.unpack_from("!H", data, position)
        if length < 2:
            fail(f"length {length} in a stream")
        if position + length > len(data):
            break
        yield data[position + 2:position + length]
        position += length


def unpadded(esp, icv):
    """Payload and next header of an ESP packet."""
    payload = esp[ESP_HEADER:len(esp) - icv]
    pad, header = payload[-2], payload[-1]
    if len(payload) % 4 or payload[-2 - pad:-2] != bytes(range(1, pad + 1)):
        fail(f"padding {payload[-2 - pad:].hex()}")
    return payload[:-2 - pad], header


def inner(payload, header, outer):
    """Addresses, identification and TCP of what is in an ESP packet, or None."""
    if header == TCP:
        return *outer, None, payload
    if header == IPIP and payload[9] == TCP:
        size = (payload[0] & 15) * 4
        if summed(payload[:size]) != 0xFFFF:
            fail("an IPv4 header's checksum is wrong")
        if struct.unpack_from("!H", payload, 2)[0] != len(payload):
            fail("an IPv4 header's length is wrong")
        return payload[12:16], payload[16:20], struct.unpack_from("!H", payload, 4)[0], payload[size:]
    if header == IPV6 and payload[6] == TCP:
        if struct.unpack_from("!H", payload, 4)[0] != len(payload) - 40:
            fail("an IPv6 header's length is wrong")
        return payload[8:24], payload[24:40], None, payload[40:]
    return None


def segment(source, target, ident, tcp):
    """Take TCP apart."""
    if summed(source + target + struct.pack("!HH", TCP, len(tcp)) + tcp) != 0xFFFF:
        fail("a TCP checksum is wrong")
    offset, flags = tcp[12], tcp[13]
    seq, = struct.unpack_from("!I", tcp, 4)
    return Segment((source, target, tcp[:4]), ident, seq, flags, len(tcp) - (offset >> 4) * 4)


def segments(path, spi, icv):
    """All that an SA has carried, in order."""
    last = None
    for (source, _, target, _), data in streams(path).items():
        for frame in frames(data):
            if len(frame) < ESP_HEADER or struct.unpack_from("!I", frame)[0] != spi:
                continue
            number, = struct.unpack_from("!I", frame, 4)
            if last is not None and number != last + 1:
                fail(f"sequence number {number} follows {last}")
            last = number
            if found := inner(*unpadded(frame, icv), (source, target)):
                yield segment(*found)


def end(found):
    """The sequence number behind a segment."""
    return (found.seq + found.data + bool(found.flags & SYN) + bool(found.flags & FIN)) & 0xFFFFFFFF


def follow(flow):
    """Check that each segment goes on where the one before ended."""
    for before, after in zip(flow, flow[1:]):
        if after.seq != end(before):
            fail(f"sequence number {after.seq} of TCP follows {before}")
        if before.ident is not None and (after.ident - before.ident) & 0xFFFF > 1:
            fail(f"IPv4 identification {after.ident} follows {before.ident}")


def main(path, spi, icv="16"):
    """Check a capture."""
    flows = collections.defaultdict(list)
    for found in segments(path, int(spi, 0), int(icv)):
        flows[found.flow].append(found)
    if not flows:
        fail(f"nothing of SPI {spi} in {path}")
    flow = list(flows.values())[-1]
    follow(flow)
    flags = [found.flags for found in flow if found.data]
    print(len(flags), *(sum(bool(each & flag) for each in flags) for flag in (PSH, CWR, FIN)),
          sum(bool(before & after & CWR) for before, after in zip(flags, flags[1:])))


if __name__ == "__main__":
    main(*sys.argv[1:])
