# SPDX-License-Identifier: GPL-2.0
"""TCP flows through the network of the benchmarks.

They send what lies in memory already, throw away what arrives, and make few and
large system calls: what a program does with the data is not to be measured, and
user-mode Linux is slow at it. Each end of a flow has a thread of this process, on its
namespace's CPU.
"""
import contextlib
import os
import socket
import struct
import threading

from network import CPU, LINGER_RESET, entered

BLOCK = 1 << 20  # octets in one system call
TCP_INFO_BYTES_RECEIVED = 128  # offset in struct tcp_info


def send(cpu, sock, data):
    """Send until somebody shuts the socket down."""
    os.sched_setaffinity(0, {cpu})
    with contextlib.suppress(OSError):
        while os.sendfile(sock.fileno(), data, 0, BLOCK):
            pass


def discard(cpu, sock):
    """Receive until somebody shuts the socket down."""
    os.sched_setaffinity(0, {cpu})
    buffer = bytearray(BLOCK)
    with contextlib.suppress(OSError):
        while sock.recv_into(buffer, BLOCK, socket.MSG_WAITALL | socket.MSG_TRUNC):
            pass


def connect(client, server, address, source):
    """A connection from one namespace to another: its two ends."""
    with entered(server):
        listener = socket.create_server((address, 0))
    with listener:
        with entered(client):
            left = socket.create_connection(listener.getsockname(), 10, (source, 0))
        left.settimeout(None)
        return left, listener.accept()[0]


class Flows:
    """Flows from one namespace to an address of another, until they are closed."""

    def __init__(self, client, source, server, address, count=1):
        self.data = os.memfd_create("data")
        os.write(self.data, os.urandom(BLOCK))
        self.left, self.right = [], []
        self.threads = []
        for _ in range(count):
            left, right = connect(client, server, address, source)
            self.left.append(left)
            self.right.append(right)
            self.threads += [threading.Thread(target=send, args=(CPU[client], left, self.data)),
                             threading.Thread(target=discard, args=(CPU[server], right))]
        for thread in self.threads:
            thread.start()

    def octets(self):
        """How many have arrived so far."""
        return sum(struct.unpack_from("Q", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136),
                                      TCP_INFO_BYTES_RECEIVED)[0] for sock in self.right)

    def close(self):
        """End them at once."""
        for sock in self.left + self.right:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        for sock in self.left + self.right:
            sock.close()
        os.close(self.data)
