#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What "esptcp capture" says of captures whose making is known (wire.py).

    capture_test.py ESPTCP

Prints KTAP. ESPTCP is built with sanitizers, whose complaints are failures.
"""
import itertools
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

from wire import ACK, COOKED, COOKED2, ETHERNET, PSH, RAW, SYN, Profile, Wire, pcap, pcapng

POLICIES = ("fixed", "sa", "snapshot", "advancing")
TOOL = sys.argv[1]
DIRECTORY = tempfile.TemporaryDirectory()
FILE = pathlib.Path(DIRECTORY.name, "capture")


def run(content, *options, sanitizer="max_allocation_size_mb=64"):
    """Let the command read a file; return its status and what it prints."""
    FILE.write_bytes(content)
    done = subprocess.run([TOOL, "capture", FILE, *options], capture_output=True, text=True,
                          timeout=60, check=False, env={**os.environ, "ASAN_OPTIONS": sanitizer})
    assert "ERROR: " not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def read(content):
    """What it says of the only connection."""
    status, out, err = run(content, "--json")
    assert status == 0, err
    answer = json.loads(out)
    assert len(answer["connections"]) == 1, out
    return answer["connections"][0]


def sides(connection):
    return connection["originator"], connection["responder"]


def fails(content, *words):
    """It says what is wrong, and how to do better."""
    status, out, err = run(content)
    assert status == 1 and not out, (status, out)
    for word in words:
        assert word in err, (word, err)


def same(got, wanted):
    assert got == wanted, f"{got!r}, not {wanted!r}"


def policies():
    """Every pair of policies, both families; nothing contradicts, nothing is left open."""
    for family, seq, ack in itertools.product((4, 6), POLICIES, POLICIES):
        wire = Wire(family, profile=Profile(seq=seq, ack=ack)).whole()
        for side in sides(read(pcap(wire.packets))):
            same((side["seq"]["policy"], side["ack"]["policy"]), (seq, ack))
            same(side["seq"]["contradicting"] + side["ack"]["contradicting"], 0)
            same(side["seq"]["fits-as-well"] + side["ack"]["fits-as-well"], [])
            same((side["esp-beside"], side["sas"], side["missing"], side["strays"]), (80, 2, 0, 0))
            same(side["options"], f"flags psh,ack seq {seq} ack {ack} window 65535 length-prefix no timestamps no "
                                  f"in-window {side['in-window']}")


def links():
    """Every link type, and both formats of files."""
    for family, link in itertools.product((4, 6), (ETHERNET, RAW, COOKED, COOKED2, "vlan", "pppoe")):
        wire = Wire(family).whole()
        same(sides(read(pcap(wire.packets, link)))[0]["esp-beside"], 80)
        if isinstance(link, int):
            same(sides(read(pcapng(wire.packets, link)))[1]["esp-beside"], 80)


def directions():
    """Each direction has a profile of its own."""
    wire = Wire(profile=Profile(seq="advancing", ack="fixed", flags=ACK),
                back=Profile(seq="sa", ack="advancing", window="snapshot", timestamps=True)).whole()
    originator, responder = sides(read(pcap(wire.packets)))
    same(originator["options"],
         "flags ack seq advancing ack fixed window 65535 length-prefix no timestamps no in-window yes")
    same(responder["options"],
         "flags psh,ack seq sa ack advancing length-prefix no timestamps yes in-window yes")
    same(responder["window"]["policy"], "snapshot")
    _, out, _ = run(pcap(wire.packets))
    assert "options, what the originator sends:\n  " + originator["options"] in out, out
    assert "options, what the responder sends:\n  " + responder["options"] in out, out


def attributes():
    """Flags, window, prefix, time stamps, DSCP, ECN, sizes."""
    for flags, words in ((ACK, "ack"), (PSH, "psh"), (PSH | ACK | 0x40, "psh,ack,ece")):
        side = sides(read(pcap(Wire(profile=Profile(flags=flags)).whole().packets)))[0]
        same((side["flags"], "ack" in side), (words, bool(flags & ACK)))
        same("flags" in side["options"], not flags & 0x40)
    for seq, ack in itertools.product(POLICIES, POLICIES):
        side = sides(read(pcap(Wire(profile=Profile(prefix=True, seq=seq, ack=ack)).whole().packets)))[0]
        same((side["length-prefix"], side["length-counts-itself"], side["seq"]["policy"], side["ack"]["policy"]),
             ("yes", True, seq, ack))
    wire = Wire(profile=Profile(prefix=True, exclusive=True)).whole()
    side = sides(read(pcap(wire.packets)))[0]
    same((side["length-counts-itself"], "length-prefix" in side["options"]), (False, False))
    _, out, _ = run(pcap(wire.packets))
    assert "The length in front does not count itself" in out, out
    packets = Wire(profile=Profile(options=bytes((253, 4, 1, 2, 5, 3, 9, 0)))).whole().packets
    same(sides(read(pcap(packets)))[0]["other-options"], [5, 63])
    _, out, _ = run(pcap(packets))
    assert "5,63 or more" in out and "cannot send the other options of the responder" in out, out
    wire = Wire(timestamps=False, profile=Profile(timestamps=True, window=1234))
    wire.traffic_class = 46 << 2 | 1
    side = sides(read(pcap(wire.whole().packets)))[1]
    same((side["timestamps"], side["ike-timestamps"], side["window"]["value"], side["window"]["equals-ike"]),
         ("yes", "no", 1234, False))
    same((side["dscp"], side["ecn"], side["dont-fragment"]), ([46], [1], "yes"))
    same(side["largest-packet"], 1400 + 20 + 32)

    # a window that is IKE's in all packets needs no option
    wire = Wire(profile=Profile(window="snapshot")).begin()
    wire.talk(0xc1000001, 0xc1000101)
    side = sides(read(pcap(wire.packets)))[0]
    same((side["window"]["value"], side["window"]["equals-ike"]), (504, True))
    assert "in-window" in side["options"] and " window " not in side["options"], side["options"]


def offsets():
    """How far from the stream the numbers are, and what lies in the window."""
    for offset in (-100, 0, 7):
        side = sides(read(pcap(Wire(profile=Profile(seq="snapshot", offset=offset)).whole().packets)))[0]
        same((side["seq"]["from-next"], side["seq"]["from-acked"], side["in-window"]), (offset, offset, "yes"))
    same(sides(read(pcap(Wire(profile=Profile(seq="snapshot", offset=-3000)).whole().packets)))[0]["in-window"],
         "no")
    side = sides(read(pcap(Wire(profile=Profile(seq="fixed", offset=-2000)).whole().packets)))[0]
    same((side["seq"]["from-first"], side["in-window"], side["below"]), (-2000, "no", 80))
    same(side["seq"]["value"], (0xfffffff0 + 1 - 2000) % 2**32)


def sawtooth():
    """Advancing numbers that begin again after a span."""
    side = sides(read(pcap(Wire(profile=Profile(seq="advancing", span=5000)).whole(turns=40).packets)))[0]
    same(side["seq"]["policy"], "advancing")
    assert side["seq"]["restarts"] > 3 and 4000 < side["seq"]["span"] <= 5000, side["seq"]
    side = sides(read(pcap(Wire(profile=Profile(seq="advancing", span=3000)).whole(turns=40).packets)))[1]
    same((side["seq"]["policy"], side["seq"]["span"] <= 3000), ("advancing", True))
    for span in (3000, 32000):
        wire = Wire(profile=Profile(seq="advancing", span=span, relative=True)).whole(turns=60)
        for side in sides(read(pcap(wire.packets))):
            same((side["seq"]["policy"], side["in-window"]), ("advancing", "no"))
            same((side["seq"]["contradicting"], side["seq"]["restarts"] > 0), (0, True))
    side = sides(read(pcap(Wire(profile=Profile(seq="advancing")).whole().packets)))[0]
    # 80 packets of 200 octets on average, without the last one of 300
    same((side["seq"]["restarts"], side["seq"]["span"]), (0, 15700))


def undecided():
    """What a capture without a rekey or without IKE leaves open is said."""
    wire = Wire(profile=Profile(seq="snapshot", ack="fixed")).begin()
    wire.talk(0xc1000001, 0xc2000001)
    side = sides(read(pcap(wire.packets)))[0]
    same((side["seq"]["policy"], side["seq"]["fits-as-well"]), ("fixed", ["sa", "snapshot"]))
    _, out, _ = run(pcap(wire.packets))
    assert "seq of the originator: sa and snapshot fits as well as fixed." in out, out
    assert "A rekey of the tunnel while ESP flows" in out and "IKE messages while ESP flows" in out, out
    wire = Wire().begin()
    for _ in range(3):
        wire.esp(wire.a, 0xc1000001)
    _, out, _ = run(pcap(wire.packets))
    assert "The originator has sent 3 ESP packets only" in out, out


def contradictions():
    """A few packets that disagree are counted; many make the policy unknown."""
    wire = Wire(profile=Profile(seq="fixed")).whole()
    wire.profiles[wire.a] = Profile(seq="fixed", offset=5)
    wire.esp(wire.a, 0xc1000002)
    side = sides(read(pcap(wire.packets)))[0]
    same((side["seq"]["policy"], side["seq"]["contradicting"]), ("fixed", 1))
    wire = Wire().begin()
    for i in range(60):
        wire.profiles[wire.a] = Profile(seq="fixed", offset=i * i * 7 % 1009 - 5000, window=i * 31)
        wire.esp(wire.a, 0xc1000001)
    side = sides(read(pcap(wire.packets)))[0]
    same((side["seq"]["policy"], side["seq"]["values"] > 30, side["window"]["policy"]), ("unknown", True, "unknown"))
    same(side["options"], "flags psh,ack ack fixed length-prefix no timestamps no in-window no")
    _, out, _ = run(pcap(wire.packets))
    assert f"seq of the originator follows no known policy: {side['seq']['values']} values in 60 packets" in out, out


def loss_and_order():
    """Packets that are lost, doubled or out of order do not mislead."""
    rng = random.Random(5)
    for seq, ack in itertools.product(POLICIES, POLICIES):
        packets = Wire(profile=Profile(seq=seq, ack=ack)).whole(turns=40).packets
        start = 14    # up to the first ESP packet
        kept = packets[:start]
        for packet in packets[start:]:
            if len(packet) > 52 and rng.random() < 0.05 and packet[32] == 0x50:
                continue    # ESP, without options
            kept.append(packet)
            if rng.random() < 0.05:
                kept.append(packet)
        side = sides(read(pcap(kept)))[0]
        same(side["seq"]["policy"], seq)
        same(side["missing"] > 0 and side["repeated"] > 0, True)


def rfc9329():
    """ESP in the stream is told as such, also in large segments, and mixed."""
    wire = Wire().begin()
    for i in range(30):
        for side in (wire.a, wire.b):
            packet = wire.esp_packet(side, 0xc3000001, 200)
            wire.frame(side, packet)
        if i % 10 == 9:
            wire.ike(wire.a)
    connection = read(pcap(wire.packets))
    same((connection["framing"], connection["prefix"]), ("rfc9329", True))
    same([(side["esp-in-stream"], side["esp-beside"]) for side in sides(connection)], [(30, 0), (30, 0)])
    _, out, _ = run(pcap(wire.packets))
    assert "ESP travels in the stream, as RFC 9329 says: framing rfc9329" in out, out

    # where octets are missing, it is still no segment with a length in front: captured in part or twice, without the
    # first segment, without acknowledgments of their own
    first = next(i for i, packet in enumerate(wire.packets) if b"IKETCP" in packet)
    without_first = wire.packets[:first] + wire.packets[first + 1:]
    snaplen = 14 + 40 + 60
    for content in (pcap(wire.packets, snaplen=snaplen), pcap(without_first),
                    pcap([packet for packet in wire.packets for _ in range(2)], snaplen=snaplen),
                    pcap([packet for packet in without_first if len(packet) > 52 or packet[33] & SYN])):
        status, out, err = run(content)
        assert "beside the stream" not in out, out
        assert status == 0 and "ESP travels in the stream" in out or \
            "1 TCP connection of whose stream octets are missing" in err, (out, err)

    for packets in (1, 2):
        wire = Wire().begin()
        for _ in range(packets):
            wire.frame(wire.b, wire.esp_packet(wire.b, 0xc3000001, 200))
        same(sides(read(pcap(wire.packets)))[1]["esp-in-stream"], packets)

    wire = Wire().begin()
    frames = b""
    for _ in range(30):
        packet = wire.esp_packet(wire.a, 0xc3000001, 210)
        frames += (len(packet) + 2).to_bytes(2, "big") + packet
        wire.esp(wire.b, 0xc4000001)
    for i in range(0, len(frames), 1400):
        wire.say(wire.a, frames[i:i + 1400])
    connection = read(pcap(wire.packets))
    same((connection["framing"], sides(connection)[0]["esp-in-stream"], sides(connection)[1]["esp-beside"]),
         ("fortinet", 30, 30))


def others():
    """Other connections, other ports, a reconnect, a SYN that is repeated."""
    wire = Wire(profile=Profile(port_shift=77)).whole()
    same(sides(read(pcap(wire.packets)))[0]["other-ports"], 80)
    packets = Wire().whole().packets
    same(sides(read(pcap(packets[:1] + packets)))[0]["esp-beside"], 80)
    noise = Wire()
    noise.a.port = 3333
    noise.handshake()
    for _ in range(5):
        noise.say(noise.a, b"GET / HTTP/1.1\r\n\r\n")
    mixed = [packet for pair in itertools.zip_longest(packets, noise.packets) for packet in pair if packet]
    same(sides(read(pcap(mixed)))[0]["esp-beside"], 80)
    second = Wire()
    second.a.isn += 5000000
    second.a.next = second.a.isn + 1
    second.whole()
    status, out, _ = run(pcap(packets + second.packets), "--json")
    same((status, [c["originator"]["esp-beside"] for c in json.loads(out)["connections"]]), (0, [80, 80]))
    status, out, _ = run(pcap(packets + second.packets))
    same(out.count("connection from 198.51.100.1:41000 to 203.0.113.1:4500"), 2)


def table():
    """The table for people: 80 columns, a row for each attribute, the options."""
    for family in (4, 6):
        _, out, _ = run(pcap(Wire(family, profile=Profile(seq="snapshot")).whole().packets))
        for line in out.splitlines():
            assert len(line) <= 80 or line.startswith("  flags"), line
        for label in ("ESP packets", "flags", "seq", "ack", "window", "length-prefix", "timestamps",
                      "other options", "in-window", "ports", "largest", "don't fragment", "DSCP"):
            same(sum(line.startswith(label + " ") for line in out.splitlines()), 1)
        assert out.endswith("options, both directions:\n"
                            "  flags psh,ack seq snapshot ack snapshot window 65535 length-prefix no timestamps no "
                            "in-window yes\n"), out


def failures():
    """What is missing is named, with the way to get it."""
    recipe = "tcpdump -i any -s 0"
    packets = Wire().whole().packets
    fails(b"", "it has to be a file that tcpdump -w wrote")
    fails(b"garbage" * 100, "it has to be a file that tcpdump -w wrote")
    fails(pcap([]), "no TCP segments", recipe)
    fails(pcap([b"\x45" + bytes(8) + b"\x11" + bytes(30)]), "no TCP segments (1 packets of other kinds", recipe)
    fails(pcap(packets[3:]), "but no handshake (SYN and its answer)", "among them ESP", recipe)
    fails(pcap(packets[:1]), "1 TCP connection without an answer to the SYN", recipe)
    for side in Wire().a, Wire().b:
        one_way = [packet for packet in packets if packet[12:16] == side.address.packed]
        fails(pcap(one_way), "one direction" if side.port == 41000 else "no handshake", recipe)
    fails(pcap(Wire().handshake().packets), "1 TCP connection, but none that begins with the prefix IKETCP", recipe)
    fails(pcap(Wire().begin().packets), "1 connection of IKE, but no ESP", recipe)
    fails(pcap(packets, link=RAW).replace(b"\x65\x00\x00\x00", b"\x69\x00\x00\x00", 1), "link type 105", "Ethernet")
    status, _, err = run(b"", "more")
    same((status, "no more arguments" in err), (2, True))
    done = subprocess.run([TOOL, "capture"], capture_output=True, text=True, check=False)
    same((done.returncode, "the name of a file" in done.stderr), (2, True))
    done = subprocess.run([TOOL, "capture", "/nowhere/file"], capture_output=True, text=True, check=False)
    same((done.returncode, done.stderr.splitlines()[0]),
         (1, "esptcp: /nowhere/file: No such file or directory"))


def cut():
    """Packets and files that are cut short."""
    packets = Wire().whole().packets
    content = pcap(packets, snaplen=14 + 40 + 32)
    status, out, err = run(content)
    same(status, 0)
    assert "were captured in part only: capture with tcpdump -s 0" in out, out
    same(sides(read(content))[0]["esp-beside"], 80)
    fails(pcap(packets, snaplen=30), "cut off)", "-s 0")
    content = pcap(packets)
    status, out, err = run(content[:-100])
    same(status, 0)
    assert "The file cannot be read to its end: truncated" in out, out
    for length in range(0, len(content), 997):
        status, out, err = run(content[:length])
        assert (status == 0 and out) or (status == 1 and err), length


def garbage():
    """Whatever is in the file, it ends in good order."""
    rng = random.Random(7)
    for family, link in itertools.product((4, 6), (ETHERNET, RAW, COOKED2, "pppoe")):
        packets = Wire(family).whole(rekeys=0, turns=5).packets
        for _ in range(25):
            changed = []
            for packet in packets:
                octets = bytearray(packet)
                for _ in range(rng.choice((0, 0, 1, 3))):
                    octets[rng.randrange(min(len(octets), 80))] = rng.randrange(256)
                changed.append(bytes(octets[:rng.choice((None, None, None, rng.randrange(1, len(octets)))) or None]))
            status, out, err = run(pcap(changed, link))
            assert (status == 0 and out) or (status == 1 and err), (status, err)


def lengths():
    """A length that no packet has is not believed, a large one costs no memory."""
    for family, zero in ((4, slice(2, 4)), (6, slice(4, 6))):
        wire = Wire(family).whole()
        wire.say(wire.a, bytes(1000))
        last = bytearray(wire.packets.pop(-2))
        last[zero] = bytes(2)    # as where a device is to make segments of it
        for claimed, gaps in ((len(last), 0), (500000, 1), (0xf0000000, 0)):
            record = struct.pack("<IIII", 1700000000, 0, len(last), claimed) + last
            status, out, _ = run(pcap(wire.packets, RAW) + record)
            same((status, out.count("IKE stream are missing")), (0, gaps))


def scan():
    """Thousands of connections take no longer than each alone."""
    packets = []
    for port in range(2000, 4000):
        wire = Wire()
        wire.a.port = port
        packets += (wire.handshake() if port % 10 else wire.begin()).packets
    started = time.monotonic()
    read(pcap(packets + Wire().whole().packets))
    assert time.monotonic() - started < 10, time.monotonic() - started


def fragments():
    """IP fragments are left out, and that is said."""
    wire = Wire().whole()
    octets = bytearray(wire.packets[-1])
    octets[6] |= 0x20
    status, out, _ = run(pcap(wire.packets + [bytes(octets)]))
    same(status, 0)
    assert "1 fragments of IP packets were left out" in out, out


def unanswered():
    """Connections that were refused, or only knocked at, are no connections."""
    wire = Wire()
    wire.tcp(wire.a, SYN, wire.a.isn, 0, 64240)
    wire.tcp(wire.b, 4 | ACK, 0, wire.a.isn + 1, 0)
    fails(pcap(wire.packets), "1 TCP connection without an answer to the SYN: nobody answered")


def incomplete():
    """An octet of IKE's that is missing is told."""
    packets = Wire().whole().packets
    last = max(i for i, packet in enumerate(packets) if packet[32] == 0x80 and len(packet) == 20 + 32 + 206)
    connection = read(pcap(packets[:last] + packets[last + 1:]))
    same(sorted(side["stream-complete"] for side in sides(connection)), [False, True])
    _, out, _ = run(pcap(packets[:last] + packets[last + 1:]))
    same(out.count("IKE stream are missing"), 1)


def many_sas():
    """Thousands of SAs take no longer than each alone."""
    wire = Wire().begin()
    wire.talk(0xc1000001, 0xc1000101)
    for i in range(60000):
        wire.esp(wire.a, 0xd0000001 + i, 40)
    started = time.monotonic()
    same(sides(read(pcap(wire.packets)))[0]["sas"] > 50000, True)
    assert time.monotonic() - started < 10, time.monotonic() - started


def memory():
    """Where memory ends, the command does, and says so."""
    wire = Wire().begin()
    for _ in range(60):
        wire.say(wire.a, bytes(40000))
    status, out, err = run(pcap(wire.packets), sanitizer="max_allocation_size_mb=2:allocator_may_return_null=1")
    same((status, out, err.count("esptcp: out of memory\n")), (1, "", 1))
    assert "tcpdump -r FILE -c" in err, err


TESTS = (policies, links, directions, attributes, offsets, sawtooth, undecided, contradictions, loss_and_order,
         rfc9329, others, table, failures, unanswered, cut, lengths, scan, incomplete, many_sas,
         memory, fragments, garbage)


def main():
    print(f"KTAP version 1\n1..{len(TESTS)}")
    failed = False
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            verdict = "ok"
        except (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
            print("# " + f"{type(error).__name__}: {error}".replace("\n", "\n# "))
            verdict, failed = "not ok", True
        print(f"{verdict} {number} capture: {test.__doc__.rstrip('.')}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
