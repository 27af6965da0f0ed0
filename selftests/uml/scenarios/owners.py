# SPDX-License-Identifier: GPL-2.0
"""Owners of connections that die, and SAs that move between connections."""
import random
import time

from . import scenario
from .netlink import OUT, Netlink, fortinet, rfc9329
from .process import Deadline, enter
from .tunnel import ADDRESS, SPI, Tunnel


@scenario
def killed_owners(seconds, v=0, framing=rfc9329):
    """Owners are killed under traffic and come back."""
    with Tunnel(v, framing=framing) as tunnel:
        responder, initiator = tunnel.owners(busy=True)
        tunnel.traffic()
        deadline = Deadline(seconds)
        while deadline:
            time.sleep(random.random())
            tunnel.stop(initiator)
            if random.random() < 0.3:
                tunnel.stop(responder)
                responder = tunnel.start(tunnel.responder)
            initiator = tunnel.start(tunnel.initiator, True)
        tunnel.expect_flow()


@scenario
def killed_owners_v6(seconds):
    """The same with IPv6."""
    killed_owners(seconds, 1)


def rebinder(tunnel):
    """Moves the SAs between connections, unbinds and binds them, as fast as it can."""
    enter("a")
    netlink = Netlink()
    socks, ids = [], []
    while True:
        action = random.randrange(6)
        if len(socks) < 2:
            sock = tunnel.connect()
            sock.send(b"IKETCP")
            replaces = random.choice(ids) if ids and action % 2 else None
            number = netlink.attach(sock.fileno(), replaces, tunnel.framing())
            if number > 0:
                socks.append(sock)
                ids.append(number)
                tunnel.bind(netlink, "a", sock)
            else:
                sock.close()
        elif action == 0 and random.random() < 0.2:
            index = random.randrange(len(socks))
            socks.pop(index).close()
            ids.pop(index)
        elif action == 1:
            netlink.unbind(OUT, SPI["a"], ADDRESS["b"][tunnel.v])
        elif action == 2 and random.random() < 0.2:
            netlink.unbind_all()
        else:
            tunnel.bind(netlink, "a", random.choice(socks))


@scenario
def killed_owners_fortinet(seconds):
    """The same with the fortinet framing."""
    for v in (0, 1):
        killed_owners(seconds, v, fortinet)


@scenario
def rebinding(seconds, framing=rfc9329, meanwhile=rfc9329):
    """SAs move between connections under traffic."""
    with Tunnel(framing=framing) as tunnel:
        tunnel.start(tunnel.responder)
        tunnel.framing = meanwhile
        pid = tunnel.start(rebinder, tunnel)
        tunnel.traffic()
        time.sleep(seconds)
        tunnel.stop(pid)
        tunnel.framing = framing
        tunnel.start(tunnel.initiator)
        tunnel.expect_flow()


@scenario
def rebinding_fortinet(seconds):
    """The same between connections of both framings."""
    rebinding(seconds, fortinet, lambda: random.choice((rfc9329, fortinet))())
