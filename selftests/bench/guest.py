#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The network card of a virtual machine, as its host's user space sees it.

    selftests/bench/guest.py GUEST HOST

GUEST and HOST are network namespaces, as files. Each gets a device virtio, and
what one sends the other receives, with a virtio header in front: large packets
of TCP are not cut up in between, and the host's kernel has to believe nothing
that the guest says of them (SKB_GSO_DODGY). Prints "ready", ends when it is
terminated.
"""
import ctypes
import fcntl
import os
import select
import struct
import sys

CLONE_NEWNET = 0x40000000
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 1, 2, 4
LARGEST = 65536 + 64
libc = ctypes.CDLL(None, use_errno=True)


def device(namespace):
    """A tun device whose packets have a virtio header."""
    with open(namespace, "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"virtio",
                                           IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return fd


def main(guest, host):
    """Copy packets both ways."""
    one, two = device(guest), device(host)
    print("ready", flush=True)
    poll = select.poll()
    for fd in (one, two):
        poll.register(fd, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            try:
                os.write(two if fd == one else one, os.read(fd, LARGEST))
            except OSError:
                pass  # a device that is not up, or full


if __name__ == "__main__":
    main(*sys.argv[1:])
