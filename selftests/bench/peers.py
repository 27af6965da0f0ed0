# SPDX-License-Identifier: GPL-2.0
"""What is compared: the ways for packets between the two gateways' networks.

Each is a context manager, which takes the name of a cipher.
"""
import contextlib
import socket
import subprocess
import tempfile

from network import LAN, LINGER_RESET, NET, OTHER, OUTER, entered, inside, ip, over_ipv6, run

PORT = 4500
TCP_ULP = 31
UDP_ENCAP, UDP_ENCAP_ESPINUDP = 100, 2
TABLE = 4500  # for routes by the module's device
TUNNEL = {"ga": "192.0.2.1", "gb": "192.0.2.2"}  # OpenVPN's own addresses
SPI = {"ga": "0x1001", "gb": "0x1002"}  # of what they send
ALGORITHMS = {
    "null": 'auth digest_null "" enc cipher_null ""',
    "gcm": f"aead rfc4106(gcm(aes)) 0x{1234567890:040d} 128",
}


@contextlib.contextmanager
def sas(cipher, extra=lambda name, sender: ""):
    """SAs and policies of a tunnel on both gateways; with what `extra` says of
    the SA of a sender at a gateway."""
    try:
        for name, other in OTHER.items():
            for sender in OTHER:
                ip(name, f"xfrm state add src {OUTER[sender]} dst {OUTER[OTHER[sender]]} "
                         f"proto esp spi {SPI[sender]} reqid 1 mode tunnel replay-window 128 "
                         f"flag esn af-unspec {ALGORITHMS[cipher]} {extra(name, sender)}")
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
    family = socket.AF_INET6 if ":" in OUTER["gb"] else socket.AF_INET
    with entered("gb"):
        listener = socket.create_server((OUTER["gb"], PORT), family=family)
    with entered("ga"):
        left = socket.create_connection((OUTER["gb"], PORT))
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
def attached(name, sock, *framing):
    """This module on a socket, in a framing, with the gateway's SAs."""
    bound = [("out", "spi", SPI[name], "daddr", OUTER[OTHER[name]]),
             ("in", "spi", SPI[OTHER[name]], "daddr", OUTER[name])]
    run(*inside(name, "esptcp", "attach", str(sock.fileno()), *framing), pass_fds=[sock.fileno()])
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
    return lambda _name, sender: f"encap espintcp {ports[sender]} 0.0.0.0"


@contextlib.contextmanager
def none(_cipher):
    """No IPsec, and this module not loaded."""
    run("rmmod", "esptcp")
    try:
        yield
    finally:
        run("modprobe", "esptcp")


@contextlib.contextmanager
def idle(_cipher, *framing):
    """No IPsec for what is measured, beside a connection of this module."""
    with connection() as conns, attached("ga", conns["ga"], *framing), \
            attached("gb", conns["gb"], *framing):
        yield


def idle_fortinet(cipher):
    """The same with the fortinet framing, which looks at all TCP that comes in."""
    return idle(cipher, "framing", "fortinet")


@contextlib.contextmanager
def without_offload():
    """Without esp4_offload, which cuts large packets up behind XFRM instead of
    before. Debian does not load it; this module does, and an SA keeps to what
    there was when it was made."""
    run("modprobe", "-r", "esp4_offload")
    try:
        yield
    finally:
        run("modprobe", "esp4_offload")


@contextlib.contextmanager
def esp(cipher):
    """ESP, IP protocol 50."""
    with without_offload(), sas(cipher):
        yield


@contextlib.contextmanager
def esp_offload(cipher):
    """The same with esp4_offload."""
    with sas(cipher):
        yield


@contextlib.contextmanager
def udp(cipher):
    """ESP in UDP."""
    with without_offload(), udp_offload(cipher):
        yield


@contextlib.contextmanager
def udp_offload(cipher):
    """The same with esp4_offload."""
    with contextlib.ExitStack() as stack:
        for name in OTHER:
            with entered(name):
                sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((OUTER[name], PORT))
            sock.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP)
        stack.enter_context(sas(cipher, lambda _name, sender: f"encap espinudp {PORT} {PORT} 0.0.0.0"))
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


@contextlib.contextmanager
def esp_ipv6(cipher):
    """Plain ESP between IPv6 addresses of the gateways."""
    with over_ipv6(), esp(cipher):
        yield


@contextlib.contextmanager
def esptcp_ipv6(cipher):
    """This module, likewise."""
    with over_ipv6(), esptcp(cipher):
        yield


@contextlib.contextmanager
def segments(cipher, *framing):
    """This module, with a TCP header for each ESP packet."""
    with connection() as conns, attached("ga", conns["ga"], *framing), \
            attached("gb", conns["gb"], *framing), sas(cipher):
        yield


def fortinet(cipher):
    """This module, fortinet framing."""
    return segments(cipher, "framing", "fortinet")


def fortinet_advancing(cipher):
    """The same with sequence numbers that firewalls accept."""
    return segments(cipher, "framing", "fortinet", "profile", "advancing")


@contextlib.contextmanager
def esptcp_large(cipher):
    """This module, where packets inside the tunnel may be larger than the
    network's: their route has another MTU, and ESP one by the module's device."""
    with connection() as conns, attached("ga", conns["ga"]), attached("gb", conns["gb"]), \
            sas(cipher):
        for name, other in OTHER.items():
            ip(name, f"rule add from {OUTER[name]} to {OUTER[other]} ipproto esp lookup {TABLE}",
               f"route add default dev esptcp0 table {TABLE}",
               f"route change {NET[other]} via {OUTER[other]} src {LAN[name]} mtu 65535")
        try:
            yield
        finally:
            for name, other in OTHER.items():
                ip(name, f"route change {NET[other]} via {OUTER[other]} src {LAN[name]}",
                   f"route del default table {TABLE}", f"rule del lookup {TABLE}")


@contextlib.contextmanager
def mixed(cipher, ours):
    """One gateway with this module, the other with the kernel's own ESP in TCP."""
    theirs = OTHER[ours]
    with connection() as conns, attached(ours, conns[ours]):
        conns[theirs].setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"espintcp")
        encap = espintcp_encap(conns)
        with sas(cipher, lambda name, sender: encap(name, sender) if name == theirs else ""):
            yield


def to_espintcp(cipher):
    """This module sends to the kernel's own ESP in TCP."""
    return mixed(cipher, "ga")


def from_espintcp(cipher):
    """The kernel's own ESP in TCP sends to this module."""
    return mixed(cipher, "gb")


@contextlib.contextmanager
def openvpn_process(name, *options):
    """OpenVPN on a gateway, until it says that it is ready; then what comes from
    the tunnel is forwarded."""
    command = ["openvpn", "--dev", "tun0", "--port", str(PORT), "--ifconfig", TUNNEL[name],
               TUNNEL[OTHER[name]], "--data-ciphers", "AES-128-GCM", "--tcp-nodelay", *options]
    with subprocess.Popen(inside(name, *command), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.stdout.read()


def openvpn_wait(process):
    """Wait until it is ready."""
    said = []
    for line in process.stdout:
        if "Initialization Sequence Completed" in line:
            return
        said.append(line)
    raise RuntimeError(f"openvpn: {''.join(said)}")


@contextlib.contextmanager
def openvpn(cipher):
    """OpenVPN over TCP, which encrypts in user space."""
    if cipher != "gcm":
        raise RuntimeError("OpenVPN is measured with gcm only")
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = f"{directory}/certificate", f"{directory}/key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", "/CN=bench", "-keyout", key, "-out", certificate)
        fingerprint = run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint",
                          "-sha256").strip().partition("=")[2]
        tls = ["--cert", certificate, "--key", key, "--peer-fingerprint", fingerprint]
        with openvpn_process("gb", "--proto", "tcp-server", "--tls-server", "--dh", "none",
                             *tls) as server, \
                openvpn_process("ga", "--proto", "tcp-client", "--tls-client", "--remote", B,
                                *tls) as client:
            openvpn_wait(client)
            openvpn_wait(server)
            for name, other in OTHER.items():
                ip(name, f"route add {NET[other]} dev tun0 src {LAN[name]} metric 1")
                ip(name, f"route del {NET[other]} via {OUTER[other]}")
            try:
                yield
            finally:
                for name, other in OTHER.items():
                    ip(name, f"route add {NET[other]} via {OUTER[other]} src {LAN[name]}")


PEERS = {peer.__name__: peer for peer in
         (none, idle, idle_fortinet, esp, esp_offload, esp_ipv6, udp, udp_offload, espintcp, esptcp,
          esptcp_ipv6, fortinet, fortinet_advancing, esptcp_large, to_espintcp, from_espintcp,
          openvpn)}
