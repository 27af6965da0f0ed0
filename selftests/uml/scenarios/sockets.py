# SPDX-License-Identifier: GPL-2.0
"""The calls of an attached socket's owner, and how connections end."""
import contextlib
import os
import random
import signal
import socket
import struct
import threading
import time

from . import scenario
from .process import CLONE_NEWNET, Deadline, child, end, libc, sh
from .tunnel import TCP_ULP

LINGER_RESET = struct.pack("ii", 1, 0)


def a_pair(family):
    address = ("127.0.0.1", "::1")[family == socket.AF_INET6]
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen(1)
        one = socket.socket(family)
        one.connect(listener.getsockname())
        two, _ = listener.accept()
    return one, two


def frame(message):
    return struct.pack(">H", len(message) + 2) + message


def some_frames():
    kinds = (b"", b"\xff", bytes(4), bytes(4) + os.urandom(100), os.urandom(500),
             bytes(4) + os.urandom(20000), b"\0\0\1\0" + os.urandom(3))
    return b"".join(frame(random.choice(kinds)) for _ in range(random.randrange(30)))


def one_life(fates):
    """Attach an end of a pair, or both, and let them end in some way."""
    pair = list(a_pair(random.choice((socket.AF_INET, socket.AF_INET6))))
    random.shuffle(pair)
    one, two = pair
    for sock in pair:
        sock.settimeout(0.01)
    with contextlib.suppress(OSError):
        two.send(some_frames())
        one.setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")
        if random.random() < 0.3:
            two.setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")
        one.send(bytes(4) + os.urandom(random.randrange(1, 65000)), socket.MSG_DONTWAIT)
    fate = random.choice(fates)
    with contextlib.suppress(OSError):
        fate(one, two)
    one.close()
    two.close()


def fate_reset(one, two):
    sock = random.choice((one, two))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    sock.close()


def fate_shutdown(one, two):
    random.choice((one, two)).shutdown(random.choice((0, 1, 2)))
    one.recv(100)


def fate_corrupt(one, two):
    two.send(some_frames() + bytes(8))
    one.recv(100)


def fate_unread(one, two):
    while two.send(some_frames() or b"\0\2"):
        pass


def fate_part(one, two):
    large = frame(bytes(4) + os.urandom(random.randrange(28, 32000)))
    two.send(large * random.randrange(4) + large[:random.randrange(len(large))])
    one.recv(random.randrange(1, 65536))


def fate_none(_one, _two):
    pass


def lives(fates=(fate_reset, fate_shutdown, fate_corrupt, fate_unread, fate_part, fate_none)):
    sh("ip link set lo up", check=False)
    while True:
        one_life(fates)


@scenario
def churn(seconds, *fates):
    """Connections that begin and end at once, in several processes, some of them killed."""
    def in_new_namespace():
        libc.unshare(CLONE_NEWNET)
        lives(*fates)
    pids = []
    deadline = Deadline(seconds)
    while deadline:
        pids.append(child(in_new_namespace))
        time.sleep(0.5)
        if len(pids) > 4:
            end(pids.pop(random.randrange(len(pids))))
    for pid in pids:
        end(pid)


def tcp_pages():
    """What TCP's account of memory says."""
    with open("/proc/net/sockstat", encoding="ascii") as file:
        words = next(line for line in file if line.startswith("TCP:")).split()
    return int(words[words.index("mem") + 1])


@contextlib.contextmanager
def tcp_memory(limits):
    """TCP has so much memory meanwhile."""
    path = "/proc/sys/net/ipv4/tcp_mem"
    with open(path, encoding="ascii") as file:
        before = file.read()

    def write(value):
        with open(path, "w", encoding="ascii") as file:
            file.write(value)
    write(limits)
    try:
        yield
    finally:
        write(before)


@scenario
def strangers(seconds):
    """Parts of large IKE messages, while TCP's memory runs short. All of it comes back."""
    with tcp_memory("100 200 300"):
        churn(seconds, (fate_part, fate_unread, fate_reset))
    deadline = Deadline(20)
    # each CPU may keep 1 MiB to itself
    while tcp_pages() > 256 * os.cpu_count():
        if not deadline:
            raise RuntimeError(f"{tcp_pages()} pages are still charged to TCP")
        time.sleep(0.5)


def uses_socket(sock, deadline):
    actions = (
        lambda: sock.send(bytes(4) + os.urandom(random.randrange(1, 65000)),
                          random.choice((0, socket.MSG_DONTWAIT))),
        lambda: sock.recv(random.choice((0, 10, 70000)), random.choice((0, socket.MSG_TRUNC))),
        lambda: sock.setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp"),
        lambda: sock.getsockopt(socket.SOL_TCP, socket.TCP_INFO, 200),
        lambda: sock.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, random.randrange(2)),
        lambda: sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, random.randrange(100000)),
        lambda: sock.shutdown(random.choice((0, 1))) if random.random() < 0.02 else None,
        lambda: sock.getsockopt(socket.SOL_TCP, TCP_ULP, 20),
        lambda: sock.connect(("127.0.0.1", 1)) if random.random() < 0.1 else None,
        lambda: sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET),
    )
    while deadline and sock.fileno() >= 0:
        with contextlib.suppress(OSError):
            random.choice(actions)()


def shared_socket():
    """Threads and processes that use one socket, until it is closed."""
    libc.unshare(CLONE_NEWNET)
    sh("ip link set lo up")
    while True:
        one, two = a_pair(random.choice((socket.AF_INET, socket.AF_INET6)))
        for sock in (one, two):
            sock.settimeout(0.05)
            if random.random() < 0.9:
                sock.setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")
        deadline = Deadline(1)
        pids = [child(uses_socket, sock, deadline) for sock in (one, two) for _ in range(2)]
        threads = [threading.Thread(target=uses_socket, args=(sock, deadline))
                   for sock in (one, two) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(random.random())
        one.close()
        two.close()
        for thread in threads:
            thread.join()
        for pid in pids:
            end(pid, random.choice((0, signal.SIGKILL)))


@scenario
def shared_sockets(seconds):
    """Processes and threads that send, receive, shut down and close the same sockets."""
    pids = [child(shared_socket) for _ in range(3)]
    time.sleep(seconds)
    for pid in pids:
        end(pid)
