# SPDX-License-Identifier: GPL-2.0
"""What is compared: the ways for packets between the two gateways' networks.

Each is a context manager, which takes the name of a cipher.
"""
import contextlib
import socket
import struct

from network import B, NET, OTHER, OUTER, entered, inside, ip, run

PORT = 4500
TCP_ULP = 31
UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
LINGER_RESET = struct.pack("ii", 1, 0)
SPI = {"ga": "0x1001", "gb": "0x1002"}  # of what they send
ALGORITHMS = {
    "null": 'auth digest_null "" enc cipher_null ""',
    "gcm": f"aead rfc4106(gcm(aes)) 0x{1234567890:040d} 128",
}


@contextlib.contextmanager
def sas(cipher, encap=lambda sender: ""):
    """SAs and policies of a tunnel on both gateways."""
    try:
        for name, other in OTHER.items():
            for sender in OTHER:
                ip(name, f"xfrm state add src {OUTER[sender]} dst {OUTER[OTHER[sender]]} "
                         f"proto esp spi {SPI[sender]} reqid 1 mode tunnel replay-window 128 "
                         f"flag esn {ALGORITHMS[cipher]} {encap(sender)}")
            for direction, source, target in (("out", name, other), ("in", other, name),
                                              ("fwd", other, name)):
                ip(name, f"xfrm policy add src {NET[source]} dst {NET[target]} dir {direction} "
                         f"tmpl src {OUTER[source]} dst {OUTER[target]} proto esp reqid 1 "
                         f"mode tunnel")
        yield
    finally:
        for name in OTHER:
            ip(name, "xfrm policy flush", "xfrm state flush")


@contextlib.contextmanager
def connection():
    """A TCP connection from A to B, with the stream prefix: a socket for each."""
    with entered("gb"):
        listener = socket.create_server((B, PORT))
    with entered("ga"):
        left = socket.create_connection((B, PORT))
    right, _ = listener.accept()
    listener.close()
    try:
        left.sendall(b"IKETCP")
        if right.recv(6, socket.MSG_WAITALL) != b"IKETCP":
            raise RuntimeError("the stream prefix did not arrive")
        yield {"ga": left, "gb": right}
    finally:
        for sock in (left, right):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
            sock.close()


@contextlib.contextmanager
def attached(name, sock):
    """This module on a socket, with the gateway's SAs."""
    bound = [("out", "spi", SPI[name], "daddr", OUTER[OTHER[name]]),
             ("in", "spi", SPI[OTHER[name]], "daddr", OUTER[name])]
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"esptcp")
    for sa in bound:
        run(*inside(name, "esptcp", "bind", "fd", str(sock.fileno()), *sa), pass_fds=[sock.fileno()])
    try:
        yield
    finally:
        for sa in bound:
            run(*inside(name, "esptcp", "unbind", *sa))


def espintcp_encap(conns):
    """The encapsulation of the kernel's own ESP in TCP."""
    port = conns["ga"].getsockname()[1]
    ports = {"ga": f"{port} {PORT}", "gb": f"{PORT} {port}"}
    return lambda sender: f"encap espintcp {ports[sender]} 0.0.0.0"


@contextlib.contextmanager
def none(_cipher):
    """No IPsec."""
    yield


@contextlib.contextmanager
def esp(cipher):
    """ESP, IP protocol 50."""
    with sas(cipher):
        yield


@contextlib.contextmanager
def udp(cipher):
    """ESP in UDP."""
    with contextlib.ExitStack() as stack:
        for name in OTHER:
            with entered(name):
                sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((OUTER[name], PORT))
            sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
        stack.enter_context(sas(cipher, lambda sender: f"encap espinudp {PORT} {PORT} 0.0.0.0"))
        yield


@contextlib.contextmanager
def espintcp(cipher):
    """The kernel's own ESP in TCP, where it was built in."""
    with connection() as conns:
        for sock in conns.values():
            sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"espintcp")
        with sas(cipher, espintcp_encap(conns)):
            yield


@contextlib.contextmanager
def esptcp(cipher):
    """This module, RFC 9329 framing."""
    with connection() as conns, attached("ga", conns["ga"]), attached("gb", conns["gb"]), \
            sas(cipher):
        yield


PEERS = {peer.__name__: peer for peer in (none, esp, udp, espintcp, esptcp)}
