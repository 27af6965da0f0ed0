#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Write what the fuzzers begin with: what peers, captures, the kernel and charon
hold when all is well, as in our tests.

    corpus.py DIRECTORY

Each fuzzer has a directory there.
"""
import ipaddress
import itertools
import pathlib
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "unit"))
from wire import COOKED2, ETHERNET, RAW, Profile, Wire, pcap, pcapng  # pylint: disable=wrong-import-position

UAPI = HERE.parent.parent / "kmod/include/uapi/linux/esptcp.h"


def constants():
    """The enumerations of the module's header."""
    found = {}
    for body in re.findall(r"enum \w* ?{(.*?)}", re.sub(r"/\*.*?\*/", "", UAPI.read_text(), flags=re.S), re.S):
        number = -1
        for name, value in re.findall(r"(\w+)(?: = ([^,\n]+))?,", body + ","):
            number = int(value) if value.isdigit() else number + 1
            found[name] = number
    return found


C = constants()


def counted(octets):
    return struct.pack(">H", len(octets)) + octets


# The stream

def frame(message):
    return struct.pack(">H", 2 + len(message)) + message


def parser():
    esp = bytes.fromhex("12345678") + bytes(range(60))
    ike = bytes(4) + bytes(range(100))
    kinds = {"empty": frame(b""), "keepalive": frame(b"\xff"), "runt": frame(esp[:7]), "marker": frame(bytes(4)),
             "esp": frame(esp), "ike": frame(ike), "large": frame(esp * 60),
             "smallest": frame(esp[:8]) + frame(ike[:32]), "zero": frame(esp) + b"\0\0" + frame(ike), "one": b"\0\1"}
    kinds["all"] = b"".join(kinds.values())
    kinds["mixed"] = (kinds["esp"] + kinds["keepalive"] + kinds["ike"] + kinds["empty"]) * 8
    for name, stream in kinds.items():
        for cut in (0, 6, 127, 200):
            yield f"{name}-{cut}", bytes([cut]) + stream


# IKE

def payload(following, body):
    return struct.pack(">BBH", following, 0, 4 + len(body)) + body


def notify(following, kind, data=b""):
    return payload(following, struct.pack(">BBH", 0, 0, kind) + data)


def ike(exchange, flags, mid, first, body, version=0x20, spi_r=bytes(8)):
    return bytes(4) + b"initiatr" + spi_r + struct.pack(">BBBBII", first, version, exchange, flags, mid,
                                                        28 + len(body)) + body


def ike_sa_init(flags=0x08, spi_r=bytes(8)):
    transforms = b"".join(struct.pack(">BBHBBH", 3 * (i < 3), 0, 8 + 4 * (kind == 1), kind, 0, number)
                          + (struct.pack(">HH", 0x800e, 128) if kind == 1 else b"")
                          for i, (kind, number) in enumerate(((1, 12), (2, 5), (3, 12), (4, 31))))
    proposal = struct.pack(">BBHBBBB", 0, 0, 8 + len(transforms), 1, 1, 0, 4) + transforms
    body = payload(34, proposal) + payload(40, struct.pack(">HH", 31, 0) + bytes(32)) + payload(41, bytes(range(32)))
    body += notify(41, 16388, bytes(20)) + notify(41, 16389, bytes(20)) + notify(41, 16430)
    return ike(34, flags, 0, 33, body + notify(0, 16431, struct.pack(">HHHH", 1, 2, 3, 4)), spi_r=spi_r)


def plugin():
    yield "prefix", b"\x01IKETCP"
    yield "prefix-and-frame", b"\x01IKETCP" + frame(bytes(40))
    yield "prefix-http", b"\x01GET / HTTP/1.1\r\n\r\n"
    encrypted = [ike(exchange, flags, mid, 46, payload(35, bytes(80)), spi_r=b"responde")
                 for exchange, flags, mid in ((35, 0x08, 1), (35, 0x20, 1), (36, 0x08, 2), (37, 0x28, 2), (37, 0, 0))]
    fragment = ike(35, 0x08, 1, 53, payload(35, struct.pack(">HH", 1, 2) + bytes(80)), spi_r=b"responde")
    ikev1 = ike(2, 0, 0, 1, payload(0, bytes(40)), version=0x10)
    answer = ike_sa_init(0x20, b"responde")
    cookie = ike(34, 0x20, 0, 41, notify(0, 16390, bytes(32)))
    for what in (0, 2, 4, 6):
        for name, messages in (("init", [ike_sa_init()]), ("answer", [ike_sa_init(), answer]),
                               ("exchange", [ike_sa_init(), *encrypted, answer, *encrypted]),
                               ("others", [ikev1, fragment, cookie, bytes(32)]),
                               ("retransmitted", [ike_sa_init()] * 3 + [answer])):
            yield f"{name}-{what}", bytes([what]) + b"".join(counted(message) for message in messages)


# Captures

def capture():
    for seq, ack in (("fixed", "snapshot"), ("sa", "fixed"), ("advancing", "advancing")):
        for family, link in itertools.product((4, 6), (ETHERNET, RAW, COOKED2, "vlan", "pppoe")):
            packets = Wire(family, profile=Profile(seq=seq, ack=ack)).whole(rekeys=0, turns=3).packets
            yield f"{seq}-{family}-{link}", pcap(packets, link, snaplen=200)
    yield "pcapng", pcapng(Wire().whole(rekeys=0, turns=3).packets)
    yield "prefixed", pcap(Wire(profile=Profile(prefix=True, timestamps=True)).whole(turns=2).packets, RAW, snaplen=120)
    wire = Wire().begin()
    for _ in range(6):
        wire.frame(wire.a, wire.esp_packet(wire.a, 0xc3000001, 100))
        wire.frame(wire.b, wire.esp_packet(wire.b, 0xc3000002, 60))
    yield "rfc9329", pcap(wire.packets, RAW)
    yield "handshake", pcap(Wire().handshake().packets)


# Answers of the kernel

def attribute(kind, value):
    if isinstance(value, tuple):
        value = struct.pack(*value)
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def u32(prefix, **values):
    return b"".join(attribute(C[f"ESPTCP_A_{prefix}_{name.upper()}"], ("=I", value)) for name, value in values.items())


def message(kind, body, flags=2):
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body


def esptcp(command, body, flags=2):
    return message(0x7f, struct.pack("=BBH", C[f"ESPTCP_CMD_{command}"], 1, 0) + body, flags)


DONE = message(3, struct.pack("=i", 0))
ACK = message(2, struct.pack("=i", 0) + bytes(16), 0)
REFUSED = message(2, struct.pack("=i", -1) + bytes(16) + attribute(1, b"not allowed\0"), 0x200 | 0x100)


def stats():
    return b"".join(attribute(number, ("=Q", 1000 + number)) for name, number in C.items()
                    if name.startswith("ESPTCP_A_STATS_") and not name.endswith(("_MAX", "_PAD")))


def conn(number=1, local="192.0.2.1", remote="198.51.100.7", state="UP", reason="NONE", framing=0, command="CONN_GET"):
    address = {name: ipaddress.ip_address(text).packed for name, text in (("LOCAL", local), ("REMOTE", remote))}
    body = u32("CONN", id=number, framing=framing, state=C[f"ESPTCP_STATE_{state}"],
               reason=C[f"ESPTCP_REASON_{reason}"], tx_queue=10, ike_rx_queue=20, bindings=2, role=1, error=104)
    for name, octets in address.items():
        body += attribute(C[f"ESPTCP_A_CONN_{name}_ADDR"], octets)
        body += attribute(C[f"ESPTCP_A_CONN_{name}_PORT"], (">H", 4500))
    body += attribute(C["ESPTCP_A_CONN_INODE"], ("=Q", 4711)) + attribute(C["ESPTCP_A_CONN_AGE"], ("=Q", 12345678))
    body += attribute(C["ESPTCP_A_CONN_STATS"], stats())
    if framing:
        nest = u32("PROFILE", name=0, flags=16, seq=0, seq_value=1, ack=2, length_prefix=1, timestamps=0, in_window=1)
        nest += attribute(C["ESPTCP_A_PROFILE_WINDOW"], ("=H", 500))
        body += attribute(C["ESPTCP_A_CONN_PROFILE"], nest)
    return esptcp(command, body)


def binding(number=1, direction="OUT", spi=0xc0ffee01, address="198.51.100.7", command="BINDING_GET"):
    return esptcp(command, u32("BINDING", conn_id=number, dir=C[f"ESPTCP_DIR_{direction}"])
                  + attribute(C["ESPTCP_A_BINDING_SPI"], (">I", spi))
                  + attribute(C["ESPTCP_A_BINDING_DADDR"], ipaddress.ip_address(address).packed))


def tcp_socket(state=1, port=4500, inode=4711):
    """As sock_diag's struct inet_diag_msg, and a struct tcp_info."""
    local, remote = (ipaddress.ip_address(text).packed + bytes(12) for text in ("192.0.2.1", "198.51.100.7"))
    endpoints = struct.pack(">HH", port, 4500) + local + remote + bytes(12)
    return message(20, struct.pack("=BBBB", 2, state, 0, 0) + endpoints
                   + struct.pack("=IIIII", 0, 0, 0, 0, inode) + attribute(2, bytes(range(240))))


def snapshot():
    conns = conn() + conn(2, "2001:db8::1", "2001:db8::2", "DOWN", "RESET", framing=1) + conn(3, reason="BAD_LENGTH")
    bindings = binding() + binding(0, "IN", address="2001:db8::1")
    return [conns, DONE, bindings + DONE, esptcp("STATS_GET", attribute(C["ESPTCP_A_CONN_STATS"], stats()), 0), ACK,
            tcp_socket() + DONE, tcp_socket(state=10) + DONE, tcp_socket(state=10) + DONE, DONE]


# Answers of charon

def name(text):
    return bytes([len(text)]) + text.encode()


def vici(values):
    """An object as charon's message."""
    out = b""
    for key, value in values.items():
        if isinstance(value, dict):
            out += b"\1" + name(key) + vici(value) + b"\2"
        elif isinstance(value, list):
            out += b"\4" + name(key) + b"".join(b"\5" + counted(item.encode()) for item in value) + b"\6"
        else:
            out += b"\3" + name(key) + counted(value.encode())
    return out


def ike_sas():
    child = {"name": "net", "uniqueid": "1", "reqid": "1", "state": "INSTALLED", "mode": "TUNNEL", "protocol": "ESP",
             "spi-in": "c0ffee00", "spi-out": "c0ffee01", "encr-alg": "AES_GCM_16", "bytes-in": "84", "packets-in": "1",
             "bytes-out": "84", "packets-out": "1", "rekey-time": "3000", "life-time": "3600", "install-time": "5",
             "local-ts": ["10.1.0.0/24", "10.3.0.0/24"], "remote-ts": ["10.2.0.0/24"]}
    sa = {"uniqueid": "1", "version": "2", "state": "ESTABLISHED", "local-host": "192.0.2.1", "local-port": "4500",
          "local-id": "a.example.org", "remote-host": "198.51.100.7", "remote-port": "4500",
          "remote-id": "b.example.org", "initiator": "yes", "initiator-spi": "0123456789abcdef",
          "responder-spi": "fedcba9876543210", "established": "5", "child-sas": {"net-1": child, "net-2": {}}}
    bare = {"uniqueid": "2", "state": "CONNECTING", "remote-host": "%any", "child-sas": {}}
    return [vici({"branch": sa}), vici({"other": bare, "third": {**sa, "local-port": "500"}}), b"",
            vici({"success": "yes"})]


def answers():
    events = [conn(command="CONN_UP_NTF"), conn(state="DOWN", reason="EOF", command="CONN_DOWN_NTF"),
              binding(command="REBIND_NTF")]
    for command in range(16):
        series = {8: events, 9: events, 14: [ACK], 15: [ACK]}.get(command, snapshot())
        if 10 <= command < 14:
            series = ike_sas() + series
        yield f"command-{command}", bytes([command]) + b"".join(counted(answer) for answer in series)
        refused = series[:1] + [REFUSED] * 8
        yield f"refused-{command}", bytes([command]) + b"".join(counted(answer) for answer in refused)


def main(directory):
    for make in (parser, plugin, capture, answers):
        path = pathlib.Path(directory, make.__name__)
        path.mkdir(parents=True, exist_ok=True)
        for file, octets in make():
            (path / file).write_bytes(octets)


if __name__ == "__main__":
    main(sys.argv[1])
