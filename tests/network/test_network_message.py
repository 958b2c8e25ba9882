"""DNS on the wire: what is well formed is read, what is hostile is a value."""

from __future__ import annotations

import pytest
from dnslib import EDNS0, QTYPE, RCODE, DNSHeader, DNSQuestion, DNSRecord
from hypothesis import given
from hypothesis import strategies as st

from cluster.zones import Answer, Server
from network.resolver import message
from network.resolver.message import Malformed, Query

QUESTION = DNSRecord.question("Web.Shop", "A")
MANY = [f"10.0.{third}.{fourth}" for third in range(4) for fourth in range(1, 255)]


def found(addresses: list[str]) -> Answer:
    return Answer("answer", tuple(addresses))


def read(record: DNSRecord) -> Query:
    query = message.read(bytes(record.pack()))
    assert isinstance(query, Query)
    return query


def test_a_question_is_read() -> None:
    query = read(QUESTION)
    assert (query.name, query.kind, query.udp_size, query.edns) == ("Web.Shop.", "A", 512, False)


@pytest.mark.parametrize(("offered", "used"), [(100, 512), (512, 512), (1000, 1000), (1232, 1232), (65_535, 1232)])
def test_the_size_that_a_client_offers_is_used_within_bounds(offered: int, used: int) -> None:
    record = DNSRecord.question("web")
    record.add_ar(EDNS0(udp_len=offered))
    assert read(record).udp_size == used


def test_a_reply_repeats_the_question_as_it_was_spelt_and_lives_for_no_time() -> None:
    reply = DNSRecord.parse(message.answered(read(QUESTION), found(["10.0.0.1", "10.0.0.2"]), 512))
    assert (reply.header.id, reply.header.qr, reply.header.rcode, reply.header.tc) == (QUESTION.header.id, 1, 0, 0)
    assert str(reply.q.qname) == "Web.Shop."
    assert [(str(record.rdata), record.ttl) for record in reply.rr] == [("10.0.0.1", 0), ("10.0.0.2", 0)]


def test_no_addresses_are_no_error() -> None:
    reply = DNSRecord.parse(message.answered(read(QUESTION), found([]), 512))
    assert (reply.header.rcode, reply.rr) == (RCODE.NOERROR, [])


@pytest.mark.parametrize("size", [512, 600, 1000, 1232])
@pytest.mark.parametrize("edns", [False, True])
def test_what_does_not_fit_is_left_out_and_said(size: int, edns: bool) -> None:
    record = DNSRecord.question("web")
    if edns:
        record.add_ar(EDNS0(udp_len=size))
    wire = message.answered(read(record), found(MANY), size)
    reply = DNSRecord.parse(wire)
    assert size - 32 < len(wire) <= size
    assert reply.header.tc == 1
    assert [str(found.rdata) for found in reply.rr] == MANY[: len(reply.rr)]


def test_over_tcp_everything_fits() -> None:
    reply = DNSRecord.parse(message.answered(read(QUESTION), found(MANY), message.MAX_SIZE))
    assert (reply.header.tc, len(reply.rr)) == (0, len(MANY))


def test_a_server_s_record_has_its_address_beside_it() -> None:
    servers = (Server(80, "1.web.shop.gbnt", "10.0.0.1"), Server(80, "2.web.shop.gbnt", "10.0.0.2"))
    query = read(DNSRecord.question("_80._tcp.web", "SRV"))
    reply = DNSRecord.parse(message.answered(query, Answer("answer", servers=servers), 512))
    assert [str(one.rdata) for one in reply.rr] == ["0 1 80 1.web.shop.gbnt.", "0 1 80 2.web.shop.gbnt."]
    assert [(str(one.rname), str(one.rdata)) for one in reply.ar] == [
        ("1.web.shop.gbnt.", "10.0.0.1"),
        ("2.web.shop.gbnt.", "10.0.0.2"),
    ]


@pytest.mark.parametrize("size", [512, 700, 1232])
def test_servers_that_do_not_fit_are_left_out_with_their_addresses(size: int) -> None:
    names = ["a" * 60, *(["b"] * 40)]
    servers = tuple(Server(80, f"{name}{n}.gbnt", "10.0.0.1") for n, name in enumerate(names))
    wire = message.answered(read(DNSRecord.question("web", "SRV")), Answer("answer", servers=servers), size)
    reply = DNSRecord.parse(wire)
    assert len(wire) <= size
    assert (reply.header.tc, len(reply.rr)) == (1, len(reply.ar))


def test_whose_an_address_is() -> None:
    query = read(DNSRecord.question("5.1.0.10.in-addr.arpa", "PTR"))
    reply = DNSRecord.parse(message.answered(query, Answer("answer", host="1.web.shop.gbnt"), 512))
    assert [(one.rtype, str(one.rdata)) for one in reply.rr] == [(QTYPE.PTR, "1.web.shop.gbnt.")]


def test_what_nothing_is_called_is_no_domain() -> None:
    reply = DNSRecord.parse(message.unknown(read(QUESTION)))
    assert (reply.header.rcode, reply.rr, str(reply.q.qname)) == (RCODE.NXDOMAIN, [], "Web.Shop.")


def several() -> DNSRecord:
    record = DNSRecord.question("web")
    record.add_question(DNSQuestion("db"))
    return record


@pytest.mark.parametrize(
    ("packet", "rcode"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"\0" * 11, None, id="half a header"),
        pytest.param(bytes(QUESTION.reply().pack()), None, id="a reply"),
        pytest.param(bytes(DNSRecord(DNSHeader(opcode=5, qr=0)).pack()), RCODE.NOTIMP, id="an update"),
        pytest.param(bytes(DNSRecord(DNSHeader(qr=0)).pack()), RCODE.FORMERR, id="no question"),
        pytest.param(bytes(several().pack()), RCODE.FORMERR, id="two questions"),
        pytest.param(bytes(QUESTION.pack())[:-3], RCODE.FORMERR, id="cut off"),
        pytest.param(
            bytes(QUESTION.pack())[:12] + b"\xc0\x0c\0\1\0\1", RCODE.FORMERR, id="a name that points at itself"
        ),
        pytest.param(bytes(DNSRecord(q=DNSQuestion("version.bind", QTYPE.TXT, 3)).pack()), RCODE.NOTIMP, id="chaos"),
    ],
)
def test_what_is_no_question_gets_its_reason_or_silence(packet: bytes, rcode: int | None) -> None:
    malformed = message.read(packet)
    assert isinstance(malformed, Malformed)
    if rcode is None:
        assert malformed.reply is None
    else:
        assert malformed.reply is not None
        header = DNSRecord.parse(malformed.reply).header
        assert (header.id, header.qr, header.rcode) == (int.from_bytes(packet[:2], "big"), 1, rcode)


@given(packet=st.binary(max_size=600))
def test_random_bytes_never_raise(packet: bytes) -> None:
    check(packet)


@given(
    start=st.sampled_from([b"\0\1\1\0\0\1\0\0\0\0\0\0", b"\0\1\1\0\0\1\0\0\0\0\0\1"]),
    rest=st.lists(
        st.sampled_from([b"\0", b"\x3f", b"\x40", b"\xc0\x0c", b"\xff", b"\3web", b"\0\1\0\1", b"\0\0\x29\x04\xd0"])
        | st.binary(max_size=4),
        max_size=40,
    ).map(b"".join),
)
def test_almost_questions_never_raise(start: bytes, rest: bytes) -> None:
    check(start + rest)


@given(data=st.data())
def test_questions_with_bytes_changed_never_raise(data: st.DataObject) -> None:
    record = DNSRecord.question("web.shop", "A")
    record.add_ar(EDNS0(udp_len=1232))
    packet = bytearray(record.pack())
    for _ in range(data.draw(st.integers(1, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(packet))


def check(packet: bytes) -> None:
    """Reading gives a value, and a question can be answered, whatever stands in it."""
    query = message.read(packet)
    if isinstance(query, Query):
        reply = message.answered(query, found(MANY[:50]), query.udp_size)
        assert len(reply) <= query.udp_size
        assert message.matches(reply, packet)


def test_a_reply_matches_its_question_alone() -> None:
    packet = bytes(DNSRecord.question("web").pack())
    other = bytes(DNSRecord.question("wed").pack())
    reply = message.answered(read(DNSRecord.parse(packet)), found([]), 512)
    assert message.matches(reply, packet)
    assert message.matches(message.failure(packet, message.SERVFAIL), packet)
    assert not message.matches(reply, packet[:2] + other[2:])
    assert not message.matches(reply, b"\xff\xff" + packet[2:])
    assert not message.matches(packet, packet)
    assert not message.matches(b"", packet)
