# SPDX-License-Identifier: GPL-2.0
"""The module's generic netlink family."""
import random
import socket
import struct

IN, OUT = 0, 1


class Netlink:
    """The module's generic netlink family. Errors are returned, not raised."""
    ATTACH, CONN_GET, BIND, UNBIND, BINDING_GET, STATS_GET = range(1, 7)
    CONN_SET = 10

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.socket.bind((0, 0))
        self.socket.settimeout(20)
        self.seq = 0
        self.family = 16
        reply = self.request(3, [(2, b"esptcp\0")], flags=1)
        self.family = self.attributes(reply)[1][0]

    @staticmethod
    def attributes(reply, at=20):
        found = {}
        while reply and at + 4 <= len(reply):
            length, kind = struct.unpack_from("HH", reply, at)
            if length < 4:
                break
            found[kind & 0x3fff] = struct.unpack_from("H" if length == 6 else "I", reply, at + 4) \
                if length in (6, 8) else reply[at + 4:at + length]
            at += (length + 3) & ~3
        return found

    def send(self, command, attributes, flags):
        self.seq += 1
        payload = struct.pack("BBH", command, 1, 0)
        for kind, value in attributes:
            payload += struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
        self.socket.send(struct.pack("IHHII", 16 + len(payload), self.family, flags, self.seq, 0)
                         + payload)

    def request(self, command, attributes, flags=5):
        """The reply, or a negative errno."""
        self.send(command, attributes, flags)
        reply = None
        while True:
            answer = self.socket.recv(65536)
            kind = struct.unpack_from("H", answer, 4)[0]
            if kind == 2:  # NLMSG_ERROR
                return struct.unpack_from("i", answer, 16)[0] or reply
            reply = answer
            if not flags & 4:
                return reply

    def dump(self, command):
        self.send(command, [], 0x301)
        while True:
            answer = self.socket.recv(65536)
            at = 0
            while at < len(answer):
                length, kind = struct.unpack_from("IH", answer, at)
                if kind in (2, 3):
                    return
                at += (length + 3) & ~3

    def attach(self, fd, replaces=None, framing=()):
        """The connection's id, or a negative errno."""
        more = [(4, struct.pack("I", replaces))] if replaces else []
        more += framing
        reply = self.request(self.ATTACH, [(2, struct.pack("I", fd)), *more])
        return reply if isinstance(reply, int) else self.attributes(reply)[1][0]

    @staticmethod
    def sa(direction, spi, address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(3, struct.pack("I", direction)), (4, struct.pack(">I", spi)),
                (5, socket.inet_pton(family, address))]

    def bind(self, fd, direction, spi, address):
        return self.request(self.BIND, [(2, struct.pack("I", fd)),
                                        *self.sa(direction, spi, address)])

    def unbind(self, direction, spi, address):
        return self.request(self.UNBIND, self.sa(direction, spi, address))

    def unbind_all(self):
        return self.request(self.UNBIND, [(6, b"")])


def rfc9329():
    """The attributes of a request to attach."""
    return []


def profile(*attributes):
    nest = b"".join(struct.pack("HHI", 8, *attribute) for attribute in attributes)
    return [(3, struct.pack("I", 1)), (20 | 0x8000, nest)]


def fortinet():
    """The fortinet framing with a profile of several, which all understand each other."""
    return profile(*random.choice(((), ((1, 1),), ((3, 0), (5, 0)), ((3, 2), (5, 3), (2, 0x18)))))
