"""The resolver's sockets: what comes over them, well meant or not."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

import anyio
import pytest
from dnslib import RCODE, DNSRecord

from network.resolver.streams import MOST_CONNECTIONS
from tests.network.conftest import GATEWAY, UPSTREAM, Place, zones

QUESTION = bytes(DNSRecord.question("web").pack())


@pytest.fixture
def served(place: Place) -> Place:
    """A resolver that knows `web`, which has a replica, and `db`, which has none."""

    async def start() -> None:
        keeper = place.keeper()
        await keeper.ensure()
        await keeper.publish(zones(1, web=("10.0.0.1",), db=()))

    anyio.run(start)
    return place


@pytest.fixture
def upstream(place: Place) -> Iterator[socket.socket]:
    """A socket at the address of the machine's own name server."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind((UPSTREAM, place.port))
        server.settimeout(5)
        yield server


@pytest.mark.parametrize("tcp", [False, True])
def test_a_known_name_without_replicas_is_empty_and_asked_of_nobody(served: Place, tcp: bool) -> None:
    for kind in ("A", "AAAA", "ANY"):
        reply = served.ask("db", kind, tcp=tcp)
        assert (reply.header.rcode, reply.rr) == (RCODE.NOERROR, [])
    counters = anyio.run(served.keeper().status).counters
    assert (counters["empty"], counters["forwarded"], counters["unanswered"]) == (3, 0, 0)


def test_other_names_go_upstream_and_come_back(served: Place, upstream: socket.socket) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        question = DNSRecord.question("example.com")
        client.sendto(bytes(question.pack()), (GATEWAY, served.port))
        packet, resolver = upstream.recvfrom(512)
        upstream.sendto(bytes(DNSRecord.parse(packet).reply().pack()), resolver)
        client.settimeout(5)
        reply, source = client.recvfrom(512)
    assert source == (GATEWAY, served.port)
    assert DNSRecord.parse(reply).header.id == question.header.id


@pytest.mark.parametrize("tcp", [False, True])
def test_an_upstream_that_refuses_is_told_at_once(served: Place, tcp: bool) -> None:
    assert served.ask("example.com", tcp=tcp).header.rcode == RCODE.SERVFAIL


def test_several_questions_over_one_connection(served: Place) -> None:
    with socket.create_connection((GATEWAY, served.port), timeout=5) as client:
        client.sendall((struct.pack("!H", len(QUESTION)) + QUESTION) * 3)
        stream = client.makefile("rb")
        for _ in range(3):
            (size,) = struct.unpack("!H", stream.read(2))
            assert str(DNSRecord.parse(stream.read(size)).a.rdata) == "10.0.0.1"


def test_connections_that_only_idle_do_not_starve_datagrams_or_grow_without_end(served: Place) -> None:
    idle = [socket.create_connection((GATEWAY, served.port), timeout=5) for _ in range(MOST_CONNECTIONS)]
    with socket.create_connection((GATEWAY, served.port), timeout=5) as one_too_many:
        assert one_too_many.recv(1) == b""
    assert served.addresses("web") == {"10.0.0.1"}
    for connection in idle:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
        connection.close()
    assert served.addresses("web", tcp=True) == {"10.0.0.1"}


def test_garbage_does_not_stop_it(served: Place) -> None:
    chance = random.Random(53)
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        for number in range(3_000):
            packet = bytearray(QUESTION)
            for _ in range(chance.randrange(1, 6)):
                packet[chance.randrange(len(packet))] = chance.randrange(256)
            client.sendto(packet[: chance.randrange(len(packet) + 1)], (GATEWAY, served.port))
            if number % 50 == 0:
                assert served.addresses("web") == {"10.0.0.1"}
    for size in (0, 1, 11, 12, 500, 65_535):
        with socket.create_connection((GATEWAY, served.port), timeout=5) as client:
            client.sendall(struct.pack("!H", size) + chance.randbytes(size // 2))
    assert served.addresses("web") == {"10.0.0.1"}
    assert served.addresses("web", tcp=True) == {"10.0.0.1"}
    assert "Traceback" not in (served.directory / "resolver.log").read_text()
