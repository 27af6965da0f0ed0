#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Be one of those whom the Internet sends to an open port.

    stranger.py HOST PORT silent|tls|http|half|slow|prefix|junk|chatty|initiate|twice|syntax|late
    stranger.py HOST PORT crowd NUMBER
    stranger.py HOST PORT networks|neighbours NUMBER KIND

The first form prints how many seconds it took until the other side ended the
connection. `slow` sends an octet a second, `chatty` a message a second, `initiate`
a proper IKE_SA_INIT request and nothing after the response, `twice` two of them,
`syntax` one whose first payload is longer than the message; `late` an IKE_AUTH
request like that over UDP when its connection has ended. A crowd opens NUMBER
connections as fast as it can, at most 500 at a time, and is silent on them. The
last form is NUMBER of those above, each from another IPv6 network of 64 bits in
2001:db8:f000::/48, or all from addresses of one. They stay until they are ended.
"""
import os
import select
import socket
import struct
import sys
import time

LIMIT = 20      # seconds


def message(ike):
    return struct.pack("!HI", len(ike) + 6, 0) + ike


def payload(following, body):
    return struct.pack("!BBH", following, 0, len(body) + 4) + body


def ike_sa_init():
    """For aes128-sha256-x25519."""
    transforms = [(1, 12, struct.pack("!HH", 0x800e, 128)), (2, 5, b""), (3, 12, b""), (4, 31, b"")]
    body = b""
    for index, (kind, number, attribute) in enumerate(transforms):
        more = 3 if index + 1 < len(transforms) else 0
        body += struct.pack("!BBHBBH", more, 0, 8 + len(attribute), kind, 0, number) + attribute
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(body), 1, 1, 0, len(transforms)) + body
    payloads = (payload(34, proposal) + payload(40, struct.pack("!HH", 31, 0) + os.urandom(32)) +
                payload(0, os.urandom(32)))
    return os.urandom(8) + struct.pack("!QBBBBII", 0, 33, 0x20, 34, 8, 0, 28 + len(payloads)) + payloads


def broken(ike):
    return ike[:30] + b"\xff\xff" + ike[32:]


def ike_auth(response):
    """What follows an IKE_SA_INIT response, which has its length and a marker."""
    payloads = payload(0, bytes(4))
    return response[6:22] + struct.pack("!BBBBII", 41, 0x20, 35, 8, 1, 28 + len(payloads)) + payloads


WORDS = {
    "silent": b"",
    "tls": bytes.fromhex("160301020001 0001fc0303") + os.urandom(200),
    "http": b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "half": b"IKE",
    "slow": b"",
    "prefix": b"IKETCP",
    "junk": b"IKETCP" + b"".join(message(os.urandom(60)) for _ in range(50)),
    "chatty": b"IKETCP",
    "initiate": b"IKETCP" + message(ike_sa_init()),
    "twice": b"IKETCP" + message(ike_sa_init()) + message(ike_sa_init()),
    "syntax": b"IKETCP" + message(broken(ike_sa_init())),
    "late": b"IKETCP" + message(ike_sa_init()),
}
# a word each second after that
MORE = {
    "slow": [bytes([octet]) for octet in b"IKETCX"],
    "chatty": [message(os.urandom(60)) for _ in range(LIMIT)],
}


def alone(address, kind):
    start, received = time.monotonic(), b""
    with socket.create_connection(address, LIMIT) as connection:
        more = iter(MORE.get(kind, []))
        connection.settimeout(1)
        try:
            connection.sendall(WORDS[kind])
            while time.monotonic() - start < LIMIT:
                try:
                    octets = connection.recv(4096)
                    if not octets:
                        break
                    received += octets
                except TimeoutError:
                    connection.sendall(next(more, b""))
        except ConnectionError:
            pass
    if kind == "late":
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            peer.sendto(bytes(4) + broken(ike_auth(received)), address)
    print(f"{time.monotonic() - start:.1f}")


def crowd(address, number):
    start = last = time.monotonic()
    opened = closed = 0
    waiting, poller = {}, select.epoll()
    print("begun", flush=True)
    # the kernel drops some before anybody accepts them: who is silent never hears of it
    while closed < number and time.monotonic() - last < LIMIT / 2:
        while opened < number and len(waiting) < 500:
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(address)
            poller.register(connection, select.EPOLLIN)
            waiting[connection.fileno()] = connection
            opened += 1
        for descriptor, _ in poller.poll(1):
            poller.unregister(descriptor)
            waiting.pop(descriptor).close()
            closed += 1
            last = time.monotonic()
    print(f"{opened} opened, {closed} ended by the other side, "
          f"{last - start:.0f} s", flush=True)


SOURCES = {
    "networks": "2001:db8:f000:{:x}::1",
    "neighbours": "2001:db8:f000::{:x}",
}


def everywhere(address, source, number, kind):
    connections = []
    print("begun", flush=True)
    for index in range(1, number + 1):
        connection = socket.create_connection(address, 60, (source.format(index), 0))
        # the same request from elsewhere would only be answered again
        connection.sendall(b"IKETCP" + message(ike_sa_init()) if kind == "initiate" else WORDS[kind])
        connections.append(connection)
    print(f"{number} opened", flush=True)
    time.sleep(600)


host, port, what, *rest = sys.argv[1:]
if what == "crowd":
    crowd((host, int(port)), int(*rest))
elif what in SOURCES:
    everywhere((host, int(port)), SOURCES[what], int(rest[0]), rest[1])
else:
    alone((host, int(port)), what)
