#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Send packets as a guest's network card does: not cut up, and uncounted.

    lib/virtio.py DEVICE SOURCE TARGET TIMES KIND...

Makes a tun device whose packets have a virtio header, prints "ready", waits
for SIGUSR1, writes each KIND of packet in turn, as often as TIMES says, prints
"done", and keeps the device until it is terminated. The kernel marks these
packets SKB_GSO_DODGY, with gso_segs 0.

    small     100 octets, which are not cut up
    tcp       5000 octets in segments of 1000
    tiny      600 octets in segments of 1, or what the kernel makes of that
    udp       5000 octets to be fragmented, which says that it is TCP
    short     TCP without data that says that it has segments of 1000
    header    5000 octets of a TCP whose header has a length of 0
    checksum  5000 octets in segments of 1000, with the checksum elsewhere
"""
import fcntl
import ipaddress
import os
import signal
import socket
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
NEEDS_CSUM = 1
GSO_NONE, GSO_TCPV4, GSO_TCPV6 = 0, 1, 4
TCP_HEADER, TCP_CHECKSUM = 20, 16
ACK_PSH = 0x18


def open_tun(name):
    """A tun device with virtio headers."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                           IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    return fd


def folded(total):
    """An Internet checksum, not inverted."""
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def words(data):
    """Their sum."""
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


class Sender:
    """Writes packets from one address to another."""

    def __init__(self, fd, source, target):
        self.fd = fd
        self.source = ipaddress.ip_address(source).packed
        self.target = ipaddress.ip_address(target).packed
        self.ipv6 = len(self.source) == 16
        self.number = 0

    def ip_header(self, protocol, length):
        """In front of so many octets."""
        if self.ipv6:
            return struct.pack("!IHBB", 6 << 28, length, protocol, 64) + self.source + self.target
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, self.number & 0xFFFF, 0x4000, 64,
                             protocol, 0) + self.source + self.target
        return header[:10] + struct.pack("!H", folded(words(header)) ^ 0xFFFF) + header[12:]

    def tcp(self, data, offset=TCP_HEADER // 4):
        """A TCP segment whose checksum is left to the network card."""
        self.number += len(data)
        pseudo = words(self.source + self.target) + socket.IPPROTO_TCP + TCP_HEADER + len(data)
        return struct.pack("!HHIIBBHHH", 9, 9, self.number & 0xFFFFFFFF, 1, offset << 4, ACK_PSH,
                           1000, folded(pseudo), 0) + data

    def write(self, protocol, payload, gso_size=0, start=0):
        """Write a packet; the checksum begins @start octets behind the IP header."""
        header = self.ip_header(protocol, len(payload))
        gso_type = (GSO_TCPV6 if self.ipv6 else GSO_TCPV4) if gso_size else GSO_NONE
        try:
            os.write(self.fd, struct.pack("=BBHHHH", NEEDS_CSUM, gso_type, len(header) + TCP_HEADER,
                                          gso_size, len(header) + start, TCP_CHECKSUM)
                     + header + payload)
        except OSError:
            pass  # the kernel may refuse what is forged

    def send(self, kind):
        """One packet of a kind."""
        number = struct.pack("!I", self.number)
        if kind == "small":
            self.write(socket.IPPROTO_TCP, self.tcp(number * 25))
        elif kind == "tcp":
            self.write(socket.IPPROTO_TCP, self.tcp(number * 1250), 1000)
        elif kind == "tiny":
            self.write(socket.IPPROTO_TCP, self.tcp(number * 150), 1)
        elif kind == "udp":
            self.write(socket.IPPROTO_UDP, self.tcp(number * 1250), 1000)
        elif kind == "short":
            self.write(socket.IPPROTO_TCP, self.tcp(b""), 1000)
        elif kind == "header":
            self.write(socket.IPPROTO_TCP, self.tcp(number * 1250, 0), 1000)
        elif kind == "checksum":
            self.write(socket.IPPROTO_TCP, self.tcp(number * 1250), 1000, 100)
        else:
            raise SystemExit(f"virtio.py: no kind {kind}")


def main(device, source, target, times, *kinds):
    """Make the device, and send when told to."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    sender = Sender(open_tun(device), source, target)
    print("ready", flush=True)
    signal.sigwait({signal.SIGUSR1})
    for _ in range(int(times)):
        for kind in kinds:
            sender.send(kind)
    print("done", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
