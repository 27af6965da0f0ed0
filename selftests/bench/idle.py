#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Be many clients that say something now and then.

    idle.py HOST PORT PROCESS CLIENTS RATE SECONDS

Opens a connection for each of CLIENTS and sends the stream prefix. Then it sends
RATE messages a second for SECONDS, each on another connection, as dead peer
detection does, for IKE_SAs that there are not. It prints what each message has
cost PROCESS, the IKE daemon, in microseconds of CPU time, and how many per cent
of one CPU that were: the least of five parts of that time, as a CPU that others
use, too, makes it longer and never shorter.
"""
import os
import select
import socket
import struct
import sys
import time

BATCH = 100
PARTS = 5


def cpu_time(process):
    with open(f"/proc/{process}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def informational():
    payload = struct.pack("!BBH", 0, 0, 60) + os.urandom(56)
    ike = os.urandom(16) + struct.pack("!BBBBII", 46, 0x20, 37, 8, 0, 28 + len(payload)) + payload
    return struct.pack("!HI", len(ike) + 6, 0) + ike


def connect_all(address, number):
    """A batch at a time, which the daemon's queue of connections has room for."""
    connections = []
    while len(connections) < number:
        batch = [socket.create_connection(address, 30) for _ in range(min(BATCH, number - len(connections)))]
        for connection in batch:
            connection.sendall(b"IKETCP")
        connections += batch
    return connections


def settle(process):
    """Until the daemon has nothing to do any more."""
    busy = True
    while busy:
        before = cpu_time(process)
        time.sleep(2)
        busy = cpu_time(process) - before > 0.2


def speak(connections, rate, seconds):
    start = time.monotonic()
    for index in range(rate * seconds):
        connections[index % len(connections)].sendall(informational())
        time.sleep(max(0, start + (index + 1) / rate - time.monotonic()))


def cost(process, connections, rate, seconds):
    before = cpu_time(process)
    speak(connections, rate, seconds)
    return (cpu_time(process) - before) / (rate * seconds)


def main(host, port, process, clients, rate, seconds):
    connections = connect_all((host, int(port)), clients)
    settle(process)
    least = min(cost(process, connections, rate, seconds // PARTS) for _ in range(PARTS))
    ended = len(select.select(connections[:BATCH], [], [], 0)[0])
    if ended:
        sys.exit(f"{ended} of {BATCH} connections were ended")
    print(f"{1e6 * least:.0f} {100 * rate * least:.1f}")


main(*sys.argv[1:3], *map(int, sys.argv[3:]))
