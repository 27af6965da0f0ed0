# SPDX-License-Identifier: GPL-2.0
"""Streams that no peer sends, against attached sockets."""
import contextlib
import errno
import random
import socket
import struct
import time

from . import scenario
from .netlink import fortinet, rfc9329
from .process import CLONE_NEWNET, Deadline, child, end, enter, libc, sh, succeeds
from .sockets import LINGER_RESET, a_pair, frame
from .tunnel import SPI, TCP_ULP, Tunnel

MAX_MESSAGE = 65533


def a_length():
    return random.choice((0, 1, 3, 4, 7, 8, 31, 32, 100, 1400, random.randrange(3000), MAX_MESSAGE))


def a_message():
    """IKE, ESP of an SA that is bound or of none, and what is neither."""
    start = random.choice((bytes(4), bytes(4), struct.pack(">I", SPI["a"]), b"\xff\xff\xff\xff", random.randbytes(4)))
    return (start + random.randbytes(MAX_MESSAGE - 4))[:a_length()]


def a_stream(frames, errors):
    """Frames in a row; with errors, some octets are wrong and the end is missing."""
    stream = bytearray(b"".join(frame(a_message()) for _ in range(random.randrange(frames))))
    if errors and stream:
        for _ in range(random.randrange(3)):
            stream[random.randrange(len(stream))] = random.choice((0, 1, 255))
        if random.random() < 0.3:
            del stream[random.randrange(len(stream)):]
    return bytes(stream)


def send_in_pieces(sock, stream):
    sock.setsockopt(socket.SOL_TCP, socket.TCP_NODELAY, random.randrange(2))
    at = 0
    while at < len(stream):
        n = random.choice((1, 2, 5, 6, 7, random.randrange(1, 3000), 65536))
        sock.sendall(stream[at:at + n])
        at += n


def ike_messages(stream):
    """What RFC 9329 says that the owner reads, and whether the stream is out of step."""
    found, at = [], 0
    while len(stream) - at >= 2:
        length = struct.unpack_from(">H", stream, at)[0]
        if length < 2:
            return found, True
        if length > len(stream) - at:
            break
        message = stream[at + 2:at + length]
        if len(message) >= 32 and message.startswith(bytes(4)):
            found.append(message)
        at += length
    return found, False


def read_messages(sock):
    """What the owner reads, and whether the module ended the connection."""
    found = []
    while True:
        try:
            message = sock.recv(65536)
        except OSError:
            return found, True
        if not message:
            return found, False
        found.append(message)


def describe(messages, ended):
    return f"messages of {[len(message) for message in messages]}, {'' if ended else 'not '}ended by the module"


def compare(deadline):
    """The owner of an attached socket reads what is in the stream, in its order, nothing else."""
    libc.unshare(CLONE_NEWNET)
    sh("ip link set lo up")
    compared = 0
    while deadline:
        one, two = a_pair(random.choice((socket.AF_INET, socket.AF_INET6)))
        stream = a_stream(8, errors=True)[:150000]    # or its messages do not fit into the queue
        writer = child(write_all, one, two, stream)
        one.close()
        two.settimeout(30)
        if random.random() < 0.5:
            time.sleep(random.random() / 50)    # some of it has come before
        try:
            two.setsockopt(socket.SOL_TCP, TCP_ULP, b"esptcp")
            seen, wanted = read_messages(two), ike_messages(stream)
            assert seen == wanted, f"{stream.hex()}: {describe(*seen)} instead of {describe(*wanted)}"
            compared += 1
        except OSError as error:
            assert error.errno == errno.ENOTCONN, error    # all of it has come before, and the end
        two.close()
        end(writer, 0)
    assert compared, "nothing compared"


def write_all(one, two, stream):
    two.close()
    with contextlib.suppress(OSError):
        send_in_pieces(one, stream)
        one.shutdown(socket.SHUT_WR)
        one.recv(1)


def attacker(tunnel):
    """Connects, sends what it likes and goes in some way."""
    enter("a")
    while True:
        with tunnel.connect() as sock, contextlib.suppress(OSError):
            sock.settimeout(1)
            sock.send(random.choice((b"IKETCP",) * 8 + (b"IKE", b"GET / ", random.randbytes(6))))
            for _ in range(random.randrange(1, 6)):
                send_in_pieces(sock, a_stream(20, errors=random.random() < 0.3))
                if random.random() < 0.1:
                    sock.send(b"!", socket.MSG_OOB)
                if random.random() < 0.3:
                    sock.recv(random.choice((1, 100000)), socket.MSG_DONTWAIT)
            if random.random() < 0.3:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
            elif random.random() < 0.3:
                sock.shutdown(random.choice((socket.SHUT_WR, socket.SHUT_RDWR)))


UNAUTH = "/sys/module/esptcp/parameters/ike_unauth_bytes"


@scenario
def fuzz_streams(seconds):
    """Random streams against a responder; what an owner reads is as the RFC says."""
    # The RFC has no lower limit for messages of strangers.
    with open(UNAUTH, "w", encoding="ascii") as file:
        file.write("1000000")
    deadline = Deadline(seconds)
    readers = [child(compare, deadline) for _ in range(2)]
    for framing in (rfc9329, fortinet):
        with Tunnel(random.randrange(2), framing=framing) as tunnel:
            responder = tunnel.start(tunnel.responder)
            attackers = [tunnel.start(attacker, tunnel) for _ in range(3)]
            time.sleep(seconds / 2)
            for pid in attackers:
                tunnel.stop(pid)
            tunnel.start(tunnel.initiator)
            tunnel.expect_flow()
            tunnel.stop(responder)
    if not all([succeeds(pid) for pid in readers]):
        raise RuntimeError("an owner read what it should not, or not what it should")
