# SPDX-License-Identifier: GPL-2.0
"""Two gateways, a and b, in network namespaces, and a tunnel between them."""
import contextlib
import os
import random
import signal
import socket
import struct
import time

from .netlink import IN, OUT, Netlink, rfc9329
from .process import Deadline, child, end, enter, namespace, sh

TCP_ULP = 31
ADDRESS = {"a": ("10.9.0.1", "fd09::1"), "b": ("10.9.0.2", "fd09::2")}
INNER = {"a": ("192.168.91.1", "fd91::1"), "b": ("192.168.92.1", "fd92::1")}
KEY = "0x" + "0123456789" * 4
SPI = {"a": 0x1000, "b": 0x2000}  # of what a and b send


class Tunnel:
    """Two namespaces, SAs and policies between them. v is 0 for IPv4, 1 for IPv6."""

    def __init__(self, v=0, algorithm=f"aead 'rfc4106(gcm(aes))' {KEY} 128", framing=rfc9329):
        self.v = v
        self.framing = framing
        self.algorithm = algorithm
        self.children = []
        self.port = 4500

    def __enter__(self):
        self.remove()
        for name in "ab":
            sh(f"ip netns add {namespace(name)}")
            sh(f"ip -n {namespace(name)} link set lo up")
        sh(f"ip link add v netns {namespace('a')} type veth peer name v netns {namespace('b')}")
        for name, other in ("ab", "ba"):
            self.gateway(name, other)
        self.add_sas()
        time.sleep(0.5)
        return self

    def __exit__(self, *error):
        for pid in self.children:
            end(pid)
        self.remove()

    @staticmethod
    def remove():
        for name in "ab":
            if os.path.exists(f"/run/netns/{namespace(name)}"):
                sh(f"ip netns del {namespace(name)}")

    @staticmethod
    def gateway(name, other):
        ip = f"ip -n {namespace(name)}"
        # An orphan of TCP keeps its namespace, and that its bindings.
        sh(f"ip netns exec {namespace(name)} sysctl -w net.ipv4.tcp_orphan_retries=1")
        sh(f"{ip} link set v up")
        for v, (address, inner) in enumerate(zip(ADDRESS[name], INNER[name])):
            length, width = (24, 32) if v == 0 else (64, 128)
            nodad = "nodad" if v else ""
            sh(f"{ip} addr add {address}/{length} dev v {nodad}")
            sh(f"{ip} addr add {inner}/{width} dev lo {nodad}")
            sh(f"{ip} route add {INNER[other][v]} via {ADDRESS[other][v]} src {inner}")

    def add_sas(self):
        for name in "ab":
            self.add_sas_of(name)
        for name, other in ("ab", "ba"):
            self.add_policies(name, other)

    def add_sas_of(self, name):
        for sender, receiver in ("ab", "ba"):
            sh(f"ip -n {namespace(name)} xfrm state add src {ADDRESS[sender][self.v]} "
               f"dst {ADDRESS[receiver][self.v]} proto esp spi {SPI[sender]} reqid 1 "
               f"mode tunnel replay-window 64 {self.algorithm}")

    def add_policies(self, name, other):
        local, remote = ADDRESS[name][self.v], ADDRESS[other][self.v]
        inside, outside = INNER[name][self.v], INNER[other][self.v]
        ip = f"ip -n {namespace(name)} xfrm policy add"
        sh(f"{ip} src {inside} dst {outside} dir out "
           f"tmpl src {local} dst {remote} proto esp reqid 1 mode tunnel")
        sh(f"{ip} src {outside} dst {inside} dir in "
           f"tmpl src {remote} dst {local} proto esp reqid 1 mode tunnel")

    def start(self, function, *args):
        pid = child(function, *args)
        self.children.append(pid)
        return pid

    def stop(self, pid, number=signal.SIGKILL):
        end(pid, number)
        self.children.remove(pid)

    def in_namespace(self, name, command):
        """Start a command that lasts; returns its process id."""
        def run():
            enter(name)
            with open(os.devnull, "r+b") as null:
                for fd in range(3):
                    os.dup2(null.fileno(), fd)
            os.execvp("sh", ["sh", "-c", f"exec {command}"])
        return self.start(run)

    def listener(self):
        family = (socket.AF_INET, socket.AF_INET6)[self.v]
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((ADDRESS["b"][self.v], self.port))
        sock.listen(8)
        return sock

    def connect(self):
        family = (socket.AF_INET, socket.AF_INET6)[self.v]
        sock = socket.socket(family, socket.SOCK_STREAM)
        for _ in range(200):
            with contextlib.suppress(OSError):
                sock.connect((ADDRESS["b"][self.v], self.port))
                return sock
            time.sleep(0.05)
        raise TimeoutError("connect")

    def bind(self, netlink, name, sock):
        other = "b" if name == "a" else "a"
        return (netlink.bind(sock.fileno(), OUT, SPI[name], ADDRESS[other][self.v]),
                netlink.bind(sock.fileno(), IN, SPI[other], ADDRESS[name][self.v]))

    def attach(self, netlink, sock):
        """With the framing that is wanted, or it is set afterwards."""
        framing = self.framing()
        if framing and random.random() < 0.5:
            netlink.attach(sock.fileno(), None, framing)
            return
        sock.setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")
        if framing:
            netlink.request(Netlink.CONN_SET, [(2, struct.pack("I", sock.fileno())), *framing])

    def responder(self):
        """Own b's connections, the newest has the SAs. An earlier one is kept for a while."""
        enter("b")
        netlink = Netlink()
        with self.listener() as listener:
            connections = []
            while True:
                sock, _ = listener.accept()
                sock.settimeout(5)
                with contextlib.suppress(OSError):
                    if sock.recv(6, socket.MSG_WAITALL) != b"IKETCP":
                        continue
                    self.attach(netlink, sock)
                    self.bind(netlink, "b", sock)
                    connections.append(sock)
                for old in connections[:-2]:
                    old.close()
                del connections[:-2]

    def initiator(self, busy=False):
        """Own a's connection."""
        enter("a")
        netlink = Netlink()
        sock = self.connect()
        sock.send(b"IKETCP")
        self.attach(netlink, sock)
        self.bind(netlink, "a", sock)
        while True:
            if busy:
                with contextlib.suppress(BlockingIOError):
                    sock.send(bytes(4) + os.urandom(random.randrange(1, 3000)), socket.MSG_DONTWAIT)
            time.sleep(0.001 if busy else 100)

    def owners(self, busy=False):
        return self.start(self.responder), self.start(self.initiator, busy)

    def traffic(self, size=1000, interval=0.002):
        """Both ways, of packets that wait for no answer, and TCP."""
        for name, other in ("ab", "ba"):
            self.in_namespace(name, f"ping -q -i {interval} -s {size} {INNER[other][self.v]}")
        self.in_namespace("b", f"iperf3 -s -B {INNER['b'][self.v]}")
        time.sleep(1)
        self.in_namespace("a", f"iperf3 -t 1000 --bidir -c {INNER['b'][self.v]}")

    def flows(self):
        """Whether an answer comes back, within 20 s."""
        deadline = Deadline(20)
        while deadline:
            if not sh(f"ip netns exec {namespace('a')} ping -q -c 1 -W 1 {INNER['b'][self.v]}",
                      check=False):
                return True
        return False

    def expect_flow(self):
        if not self.flows():
            sh(f"ip netns exec {namespace('a')} cat /proc/net/esptcp_stat /proc/net/xfrm_stat "
               "| grep -v '[ \t]0$'; false")
