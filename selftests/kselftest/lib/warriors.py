#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Be the applications of many road warriors: send datagrams to an echo server, from
each of their virtual addresses in turn, until SIGTERM, then say what was lost.

    warriors.py SERVER PORT ADDRESS...
"""
import select
import signal
import socket
import sys
import time

LATE = 3        # seconds to wait for the last answers

server, port, *addresses = sys.argv[1:]
ended = False


def end(*_):
    global ended
    ended = True


def receive(poller, sockets, waiting, seconds):
    for descriptor, _ in poller.poll(seconds):
        try:
            waiting.discard((descriptor, sockets[descriptor].recv(100)))
        except ConnectionError:
            pass


signal.signal(signal.SIGTERM, end)
sockets, poller = {}, select.epoll()
for address in addresses:
    each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    each.bind((address, 0))
    each.connect((server, int(port)))
    sockets[each.fileno()] = each
    poller.register(each, select.EPOLLIN)

sent, refused, waiting = 0, 0, set()
print("begun", flush=True)
while not ended:
    for descriptor, each in sockets.items():
        sent += 1
        word = b"%d" % sent
        try:
            each.send(word)
            waiting.add((descriptor, word))
        except OSError:
            refused += 1
        receive(poller, sockets, waiting, 1 / len(sockets))
deadline = time.monotonic() + LATE
while waiting and time.monotonic() < deadline:
    receive(poller, sockets, waiting, 0.1)
print(f"{sent} sent, {len(waiting) + refused} lost", flush=True)
sys.exit(bool(waiting or refused))
