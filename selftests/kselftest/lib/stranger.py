#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Be one of those whom the Internet sends to an open port.

    stranger.py HOST PORT silent|tls|http|half|slow|prefix|junk
    stranger.py HOST PORT crowd NUMBER

The first form prints how many seconds it took until the other side ended the
connection. A crowd opens NUMBER connections as fast as it can, at most 500 at a
time, and is silent on them.
"""
import os
import select
import socket
import struct
import sys
import time

LIMIT = 20      # seconds

WORDS = {
    "silent": b"",
    "tls": bytes.fromhex("160301020001 0001fc0303") + os.urandom(200),
    "http": b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n",
    "half": b"IKE",
    "slow": b"",
    "prefix": b"IKETCP",
    "junk": b"IKETCP" + b"".join(struct.pack("!HI", 6 + 60, 0) + os.urandom(60) for _ in range(50)),
}


def alone(address, kind):
    start = time.monotonic()
    with socket.create_connection(address, LIMIT) as connection:
        slow = iter(b"IKETCX") if kind == "slow" else iter(())
        connection.settimeout(1)
        try:
            connection.sendall(WORDS[kind])
            while time.monotonic() - start < LIMIT:
                try:
                    if not connection.recv(4096):
                        break
                except TimeoutError:
                    for octet in [next(slow, None)]:
                        if octet is not None:
                            connection.sendall(bytes([octet]))
        except ConnectionError:
            pass
    print(f"{time.monotonic() - start:.1f}")


def crowd(address, number):
    start, opened, closed = time.monotonic(), 0, 0
    waiting, poller = {}, select.epoll()
    print("begun", flush=True)
    while closed < number and time.monotonic() - start < 3 * LIMIT:
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
    print(f"{opened} opened, {closed} ended by the other side, "
          f"{time.monotonic() - start:.0f} s", flush=True)


host, port, what, *rest = sys.argv[1:]
if what == "crowd":
    crowd((host, int(port)), int(*rest))
else:
    alone((host, int(port)), what)
