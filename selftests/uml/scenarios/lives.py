# SPDX-License-Identifier: GPL-2.0
"""Everything that the module keeps comes and goes at once: connections, bindings, SAs, namespaces."""
import contextlib
import os
import random
import signal
import socket
import subprocess
import time

from . import scenario
from .netlink import IN, OUT, Netlink, fortinet, rfc9329
from .process import CLONE_NEWNET, Deadline, child, end, libc, unshare_as_root
from .sockets import LINGER_RESET, a_pair, some_frames
from .tunnel import TCP_ULP

OWN, PEER = "10.9.0.1", "10.9.0.2"
SPIS = range(0x1001, 0x1005)

# ESP to PEER would leave by a device that swallows it. Its SAs are their own other ends.
NETWORK = f"""
link set lo up
link add dummy0 type dummy
link set dummy0 up
addr add {OWN}/24 dev dummy0
route add 10.5.0.0/16 dev dummy0
neigh add {PEER} lladdr 02:00:00:00:00:01 dev dummy0
xfrm policy add dst 10.5.0.0/16 dir out tmpl src {OWN} dst {PEER} proto esp reqid 1 mode tunnel
xfrm policy add dst 10.5.0.0/16 dir in tmpl src {OWN} dst {PEER} proto esp reqid 1 mode tunnel
"""


def ip(commands):
    subprocess.run(["ip", "-force", "-batch", "-"], input=commands, text=True, check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Life:
    """A network namespace, in which things are done in any order."""

    def __init__(self, inheritance):
        self.inheritance = inheritance    # a socket by which others take sockets over
        self.pairs = []
        self.ids = []
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.netlink = Netlink()

    def sock(self):
        return random.choice(random.choice(self.pairs))

    def connect(self):
        if len(self.pairs) < 8:
            pair = a_pair(random.choice((socket.AF_INET, socket.AF_INET, socket.AF_INET6)))
            for sock in pair:
                sock.setblocking(False)
            self.pairs.append(pair)

    def attach(self):
        framing = random.choice((rfc9329, fortinet))()
        replaces = random.choice(self.ids) if self.ids and random.random() < 0.4 else None
        number = self.netlink.attach(self.sock().fileno(), replaces, framing)
        if number > 0:
            self.ids.append(number)

    def attach_by_option(self):
        self.sock().setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")

    def bind(self):
        self.netlink.bind(self.sock().fileno(), random.choice((IN, OUT)), random.choice(SPIS), PEER)

    def bind_both_ways(self):
        spi = random.choice(SPIS)
        one, two = random.choice(self.pairs)
        self.netlink.bind(one.fileno(), OUT, spi, PEER)
        self.netlink.bind(two.fileno(), IN, spi, PEER)

    def unbind(self):
        self.netlink.unbind(random.choice((IN, OUT)), random.choice(SPIS), PEER)

    def unbind_all(self):
        if random.random() < 0.2:
            self.netlink.unbind_all()

    def add_sas(self):
        key = "0x" + "0123456789" * 4
        ip("".join(f"xfrm state add src {OWN} dst {PEER} proto esp spi {spi} reqid 1 mode tunnel "
                   f"aead rfc4106(gcm(aes)) {key} 128\n" for spi in SPIS if random.random() < 0.7))

    def delete_sas(self):
        if random.random() < 0.2:
            ip("xfrm state flush\n")
        else:
            ip(f"xfrm state delete src {OWN} dst {PEER} proto esp spi {random.choice(SPIS)}\n")

    def send_packets(self):
        for _ in range(random.randrange(100)):
            self.udp.sendto(bytes(random.choice((10, 1300, 5000, 60000))), ("10.5.0.1", 9))

    def send_message(self):
        self.sock().send(bytes(4) + bytes(random.randrange(28, 9000)))

    def send_frames(self):
        self.sock().send(some_frames())

    def receive(self):
        self.sock().recv(70000)

    def close(self):
        pair = list(self.pairs.pop(random.randrange(len(self.pairs))))
        random.shuffle(pair)
        if random.random() < 0.3:
            pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
        for sock in pair:
            sock.close()

    def shut_down(self):
        if random.random() < 0.2:
            self.sock().shutdown(random.choice((0, 1, 2)))

    def change_device(self):
        name = random.choice(("esptcp0", "dummy0", "lo"))
        ip(f"link set {name} down\nlink set {name} up\nroute add 10.5.0.0/16 dev dummy0\n")

    def bequeath(self):
        """Another namespace's process may keep the socket until later."""
        socket.send_fds(self.inheritance, [b"!"], [self.sock().fileno()])

    ACTIONS = (attach, attach, attach_by_option, bind, bind_both_ways, bind_both_ways, unbind, unbind_all, add_sas,
               delete_sas, send_packets, send_packets, send_packets, send_message, send_frames, receive, close,
               shut_down, change_device, bequeath)

    def live(self, actions):
        # An orphan of TCP keeps its namespace, and that its bindings.
        with contextlib.suppress(OSError), open("/proc/sys/net/ipv4/tcp_orphan_retries", "w", encoding="ascii") as file:
            file.write("1")
        ip(NETWORK)
        for _ in range(actions):
            self.connect()
            with contextlib.suppress(OSError):
                random.choice(self.ACTIONS)(self)


def life(inheritance):
    """As root, or as the root of a user namespace; the end comes in the middle of something."""
    if random.random() < 0.5:
        unshare_as_root()
    else:
        libc.unshare(CLONE_NEWNET)
    Life(inheritance).live(random.choice((30, 100, 300)))
    os.kill(os.getpid(), random.choice((signal.SIGKILL, signal.SIGTERM)))


def heir(inheritance):
    """Has sockets of namespaces that are gone."""
    kept = []
    while True:
        _, fds, _, _ = socket.recv_fds(inheritance, 1, 4)
        kept += fds
        if len(kept) > 20:
            time.sleep(random.random() / 2)
        while len(kept) > 20:
            os.close(kept.pop(random.randrange(len(kept))))


@scenario
def fuzz_lives(seconds):
    """Connections, bindings, SAs and traffic begin and end at once, as do their namespaces."""
    giver, taker = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    giver.setblocking(False)
    keeper = child(heir, taker)
    pids = []
    deadline = Deadline(seconds)
    while deadline:
        pids.append(child(life, giver))
        time.sleep(random.random() / 2)
        if len(pids) > 5:
            end(pids.pop(random.randrange(len(pids))))
    for pid in (*pids, keeper):
        end(pid)
    giver.close()
    taker.close()
