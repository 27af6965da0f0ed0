# SPDX-License-Identifier: GPL-2.0
"""The network of the benchmarks: two gateways, and a client behind each.

    ca ---------- ga ---------- gb ---------- cb
    10.1.0.2  .1   198.51.100.1 .2   10.2.0.1  .2

Namespaces of this process; they end with close().
"""
import contextlib
import ctypes
import os
import pathlib
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
LINGER_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing ends a connection at once
libc = ctypes.CDLL(None, use_errno=True)

A, B = "198.51.100.1", "198.51.100.2"
LAN = {"ga": "10.1.0.1", "gb": "10.2.0.1"}
CLIENT = {"ca": "10.1.0.2", "cb": "10.2.0.2"}
NET = {"ga": "10.1.0.0/24", "gb": "10.2.0.0/24"}
OUTER = {"ga": A, "gb": B}  # what the peers use: see over_ipv6()
IPV6 = {"ga": "2001:db8::1", "gb": "2001:db8::2"}
OTHER = {"ga": "gb", "gb": "ga"}
NAMES = ("ca", "ga", "gb", "cb")
# Each side has a CPU, if there are two.
CPU = {"ca": 0, "ga": 0, "gb": 1 % os.cpu_count(), "cb": 1 % os.cpu_count()}


def run(*command, **kwargs):
    """Run a command, return what it printed; its errors are exceptions."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, **kwargs)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def namespace(name):
    """The name that `ip netns` knows it by."""
    return f"bench-{os.getpid()}-{name}"


def ip(name, *lines):
    """Commands of ip(8) in a namespace."""
    done = subprocess.run(["ip", "-n", namespace(name), "-batch", "-"], input="\n".join(lines),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")


def inside(name, *command):
    """A command line that runs in a namespace."""
    return ["nsenter", f"--net=/run/netns/{namespace(name)}", *command]


@contextlib.contextmanager
def entered(name):
    """This thread is in the namespace meanwhile: sockets are made there."""
    with open("/proc/thread-self/ns/net", "rb") as home, \
            open(f"/run/netns/{namespace(name)}", "rb") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


def link(left, right, device, left_address, right_address):
    """A veth pair between two namespaces."""
    ip(left, f"link add {device} type veth peer name {device} netns {namespace(right)}")
    for name, address in ((left, left_address), (right, right_address)):
        ip(name, f"link set {device} up", f"addr add {address}/24 dev {device}")


def merge(name):
    """Merge what arrives (GRO), as network cards do unless told otherwise; veth does
    not unless told so. It is for what comes out of tunnels, too."""
    for device in ("lan", "wan") if name in OTHER else ("lan",):
        run(*inside(name, "ethtool", "-K", device, "gro", "on"))


def steer(name):
    """Have a namespace's CPU handle what its devices receive. veth leaves packets to
    the CPU that sends, where one of two gateways would do the other's work."""
    run("ip", "netns", "exec", namespace(name), "sh", "-c",
        "for f in /sys/class/net/*/queues/rx-*/rps_cpus; do "
        f"[ ! -e $f ] || echo {1 << CPU[name]:x} > $f; done")


def path(delay, loss):
    """What the network between the gateways does: a round trip in ms, and a loss
    in percent each way. Packets are lost one by one: what a gateway hands down
    in one piece, to be cut up later, would be lost in one piece."""
    for name, device in (("ca", "lan"), ("cb", "lan"), ("ga", "wan"), ("gb", "wan")):
        ip(name, f"link set {device} gso_max_segs {1 if loss else 65535}")
    for name in ("ga", "gb"):
        netns = namespace(name)
        subprocess.run(["tc", "-n", netns, "qdisc", "del", "dev", "wan", "root"],
                       stderr=subprocess.DEVNULL, check=False)
        if delay or loss:
            run("tc", "-n", netns, "qdisc", "add", "dev", "wan", "root", "netem", "limit", "100000",
                "delay", f"{delay / 2}ms", "loss", f"{loss}%")


@contextlib.contextmanager
def jumbo():
    """The clients' networks have packets of 9000 octets meanwhile; what path MTU
    discovery has found before is forgotten."""
    def lan_mtu(mtu):
        for name in NAMES:
            ip(name, f"link set lan mtu {mtu}", "route flush cache")

    lan_mtu(9000)
    try:
        yield
    finally:
        lan_mtu(1500)


@contextlib.contextmanager
def over_ipv6():
    """The gateways use IPv6 between them meanwhile."""
    OUTER.update(IPV6)
    try:
        yield
    finally:
        OUTER.update({"ga": A, "gb": B})


@contextlib.contextmanager
def guest():
    """Client A is a virtual machine on gateway A meanwhile: see guest.py."""
    program = str(pathlib.Path(__file__).with_name("guest.py"))
    with subprocess.Popen([sys.executable, program, f"/run/netns/{namespace('ca')}",
                           f"/run/netns/{namespace('ga')}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("guest.py has failed")
            ip("ca", f"addr del {CLIENT['ca']}/24 dev lan", "link set virtio up",
               f"addr add {CLIENT['ca']}/32 dev virtio", "route add default dev virtio")
            ip("ga", "link set virtio up", f"route add {CLIENT['ca']} dev virtio")
            yield
        finally:
            process.terminate()
    ip("ca", f"addr add {CLIENT['ca']}/24 dev lan", f"route add default via {LAN['ga']}")


def build():
    """Make the namespaces, links and routes."""
    for name in NAMES:
        run("ip", "netns", "add", namespace(name))
        ip(name, "link set lo up")
    link("ca", "ga", "lan", CLIENT["ca"], LAN["ga"])
    link("cb", "gb", "lan", CLIENT["cb"], LAN["gb"])
    link("ga", "gb", "wan", A, B)
    for name, address in IPV6.items():
        ip(name, f"addr add {address}/64 dev wan nodad")
    for client, gateway in (("ca", "ga"), ("cb", "gb")):
        ip(client, f"route add default via {LAN[gateway]}")
        ip(gateway, f"route add {NET[OTHER[gateway]]} via {OUTER[OTHER[gateway]]} "
                    f"src {LAN[gateway]}")
        run(*inside(gateway, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
    for name in NAMES:
        # One peer's flows must not begin with what another's have learned.
        run(*inside(name, "sysctl", "-qw", "net.ipv4.tcp_no_metrics_save=1"))
        merge(name)
        steer(name)


def close():
    """Undo build()."""
    for name in NAMES:
        subprocess.run(["ip", "netns", "del", namespace(name)], stderr=subprocess.DEVNULL,
                       check=False)
