"""DNS messages on the wire: read one question, write one reply. Pure; hostile bytes give a value, never an exception.

Sources: RFC 1035 (messages), RFC 6891 (EDNS), RFC 2308 (an empty answer is NOERROR without records), RFC 2782 (SRV).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from dnslib import EDNS0, PTR, QTYPE, RCODE, RR, SRV, A, DNSError, DNSHeader, DNSQuestion, DNSRecord

from cluster.zones import Answer

HEADER_SIZE = 12
PLAIN_UDP_SIZE = 512
OWN_UDP_SIZE = 1232  # what crosses every path unfragmented (DNS flag day 2020)
MAX_SIZE = 65_535
LEAST_RECORD = 16  # an A record whose name was there before: no more of them are packed than may fit

FORMERR: int = RCODE.FORMERR
SERVFAIL: int = RCODE.SERVFAIL
NOTIMP: int = RCODE.NOTIMP
REFUSED: int = RCODE.REFUSED
NXDOMAIN: int = RCODE.NXDOMAIN

_CLASS_IN = 1
_MOST_EXTRAS = 2  # a client sends EDNS and perhaps a signature; thousands of records are an attack on the parser


@dataclass(frozen=True, slots=True)
class Query:
    """One well-formed question. `packet` is what arrived; `udp_size` what the client can take in a datagram."""

    packet: bytes
    id: int
    recursion: bool
    name: str
    kind: str
    edns: bool
    udp_size: int
    question: DNSQuestion


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a question that can be answered. `reply` is what to send back; None where silence is the only safe reply."""

    reply: bytes | None


def read(packet: bytes) -> Query | Malformed:
    """Read a packet that came from a client."""
    if len(packet) < HEADER_SIZE or packet[2] & 0x80:
        return Malformed(None)  # an answer to a reply would let two servers talk for ever
    if packet[2] & 0x78:
        return Malformed(failure(packet, NOTIMP))
    questions, answers, authorities, extras = struct.unpack_from("!HHHH", packet, 4)
    if questions != 1 or answers or authorities or extras > _MOST_EXTRAS:
        return Malformed(failure(packet, FORMERR))
    try:
        record = DNSRecord.parse(packet)
    except (DNSError, ValueError, IndexError, struct.error):
        return Malformed(failure(packet, FORMERR))
    question = record.questions[0]
    if question.qclass != _CLASS_IN:
        return Malformed(failure(packet, NOTIMP))
    edns = next((extra for extra in record.ar if extra.rtype == QTYPE.OPT), None)
    return Query(
        packet=packet,
        id=record.header.id,
        recursion=bool(record.header.rd),
        name=str(question.qname),
        kind=str(QTYPE.get(question.qtype)),
        edns=edns is not None,
        udp_size=min(OWN_UDP_SIZE, max(PLAIN_UDP_SIZE, edns.edns_len)) if edns else PLAIN_UDP_SIZE,
        question=question,
    )


def answered(query: Query, found: Answer, size: int) -> bytes:
    """A reply with a record of TTL 0 for each thing that was found, no longer than `size` bytes.

    What does not fit is left out and the reply marked truncated (TC): a client that knows how asks again over TCP, and
    the others have, as the caller shuffles, a fair choice of what there is all the same.
    """
    records = list(islice(_records(query, found), size // LEAST_RECORD + 1))
    wire = bytes(_reply(query, records).pack())
    if len(wire) <= size:
        return wire
    each = (len(wire) - len(_reply(query, ()).pack())) / len(records)
    kept = len(records) - int((len(wire) - size) / each) - 1
    while len(wire := _truncated(query, records[:kept])) > size:
        kept -= 1  # those that were left out were shorter than the others
    return wire


def _truncated(query: Query, records: Sequence[tuple[RR, ...]]) -> bytes:
    reply = _reply(query, records)
    reply.header.tc = 1
    return bytes(reply.pack())


def unknown(query: Query) -> bytes:
    """A reply that nothing is so called."""
    reply = _reply(query, ())
    reply.header.rcode = NXDOMAIN
    return bytes(reply.pack())


def failure(packet: bytes, rcode: int) -> bytes:
    """A reply that only says no, to any packet with a whole header. The question, maybe unreadable, is left out."""
    ident, flags = struct.unpack_from("!HH", packet)
    kept = flags & 0x7900  # the opcode and RD come back as they were asked
    return struct.pack("!HHHHHH", ident, 0x8080 | kept | rcode, 0, 0, 0, 0)


def matches(reply: bytes, packet: bytes) -> bool:
    """Whether `reply` answers the question in `packet`: the same id and the same question (RFC 5452, section 9.1)."""
    if len(reply) < HEADER_SIZE or reply[:2] != packet[:2] or not reply[2] & 0x80:
        return False
    if reply[4:6] == b"\0\0":
        return True  # some servers leave the question out of a failure
    end = _question_end(packet)
    return reply[HEADER_SIZE:end].lower() == packet[HEADER_SIZE:end].lower()


def rcode(reply: bytes) -> int:
    """The response code in a reply's header."""
    return reply[3] & 0x0F


def _question_end(packet: bytes) -> int:
    at = HEADER_SIZE
    while at < len(packet) and 0 < packet[at] < 0x40:
        at += packet[at] + 1
    return at + 5  # the root label (or half a pointer, as good for a comparison), type and class


def _records(query: Query, found: Answer) -> Iterator[tuple[RR, ...]]:
    """Each record of an answer, with what goes into the additional section beside it."""
    name = query.question.qname
    for address in found.addresses:
        yield (RR(name, QTYPE.A, ttl=0, rdata=A(address)),)
    for server in found.servers:
        # One as good as another: the same priority and weight.
        record = RR(name, QTYPE.SRV, ttl=0, rdata=SRV(0, 1, server.port, server.host))
        yield record, RR(server.host, QTYPE.A, ttl=0, rdata=A(server.address))
    if found.host:
        yield (RR(name, QTYPE.PTR, ttl=0, rdata=PTR(found.host)),)


def _reply(query: Query, records: Sequence[tuple[RR, ...]]) -> DNSRecord:
    header = DNSHeader(id=query.id, qr=1, aa=1, ra=1, rd=int(query.recursion))
    reply = DNSRecord(header, q=query.question)
    for record, *beside in records:
        reply.add_answer(record)
        for one in beside:
            reply.add_ar(one)
    if query.edns:
        reply.add_ar(EDNS0(udp_len=OWN_UDP_SIZE))
    return reply
