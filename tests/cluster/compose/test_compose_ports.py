"""`ports` and `expose`."""

from __future__ import annotations

import pytest

from cluster.spec import Port
from tests.cluster.compose.files import one_service, refused, service


def ports(*entries: str) -> tuple[Port, ...]:
    return service("ports:\n" + "".join(f"  - {entry}\n" for entry in entries)).ports


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("80", Port(80)),
        ("'8080:80'", Port(80, 8080)),
        ("22:22", Port(22, 22)),
        ("0:80", Port(80)),
        ("'53:53/UDP'", Port(53, 53, protocol="udp")),
        ("127.0.0.1:8080:80", Port(80, 8080, host_ip="127.0.0.1")),
        ("127.0.0.1::5000", Port(5000, host_ip="127.0.0.1")),
        ("'[::1]:80:80'", Port(80, 80, host_ip="::1")),
        ("8080-8090:80", Port(80, 8080, 8090)),
        ("{target: 80, published: 8080, protocol: udp, mode: host}", Port(80, 8080, protocol="udp", mode="host")),
        ("{target: 80, published: '8080-8081', host_ip: 10.0.0.1}", Port(80, 8080, 8081, host_ip="10.0.0.1")),
        ("{target: 80}", Port(80)),
    ],
)
def test_a_port_is_read(entry: str, expected: Port) -> None:
    assert ports(entry) == (expected,)


def test_equal_ranges_are_pairs() -> None:
    assert ports("8000-8001:80-81") == (Port(80, 8000), Port(81, 8001))


def test_a_range_of_targets_is_one_port_each() -> None:
    assert ports("80-81") == (Port(80), Port(81))


def test_the_same_port_twice_is_one() -> None:
    assert ports("8080:80", "{target: 80, published: 8080}") == (Port(80, 8080),)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("99999:80", '"99999" is no port: the largest is 65535'),
        ("'80:99999'", '"99999" is no port: the largest is 65535'),
        ("{target: 99999}", '"99999" is not between 1 and 65535'),
        ("{target: 80, published: 99999}", '"99999" is no port: the largest is 65535'),
        ("{target: 80, published: 100000000000000000000}", "is no port"),
        ("{target: 80, mode: foo}", '"foo" is none of ingress, host'),
        ("{target: 80, protocol: foo}", '"foo" is none of tcp, udp, sctp'),
        ("{published: 80}", "has no target (name the container's port: target: 80)"),
        ("80/foo", '"foo" is none of tcp, udp, sctp'),
        ("web:80", '"web:80" is no port'),
        ("300.0.0.1:80:80", '"300.0.0.1" is no IP address'),
        ("'0'", "0 is no port of a container"),
        ("90-80", 'the range "90-80" ends before it begins'),
        ("8000-8002:80-81", "3 published ports for 2 of the container (make the ranges equal)"),
        ("1-65535:1-65535", "the stack has too many ports"),
        ("[80]", "must be a text, not a list"),
    ],
)
def test_a_port_that_is_none_is_refused(entry: str, error: str) -> None:
    errors = refused(one_service(f"ports:\n  - {entry}\n"))
    assert len(errors) == 1
    assert errors[0].startswith("c.yml:5:")
    assert "services.web.ports[0]" in errors[0]
    assert error in errors[0]


@pytest.mark.parametrize("value", ["'80:80'", "80", "{80: 80}"])
def test_ports_are_a_list(value: str) -> None:
    assert refused(one_service(f"ports: {value}"))


def test_every_bad_port_is_told() -> None:
    errors = refused(one_service("ports: ['80:99999', '80', 'x']"))
    assert ["ports[0]" in errors[0], "ports[2]" in errors[1]] == [True, True]


def test_expose_is_ports_with_their_protocol() -> None:
    assert service("expose: ['9000', 9001, 9002-9003/udp, '9000/tcp']").expose == (
        "9000/tcp",
        "9001/tcp",
        "9002-9003/udp",
    )


def test_a_port_published_twice_names_the_other_service() -> None:
    text = """\
    services:
      a: {image: x, ports: ["8080:80"]}
      b:
        image: x
        ports:
          - "9000:80"
          - "127.0.0.1:8080:80"
      c: {image: x, ports: ["8080:80/udp"]}
    """
    assert refused(text) == [
        "c.yml:7:9: error: services.b.ports[1]: port 8080/tcp is published already, by a (publish another port)"
    ]


def test_the_place_of_a_port_after_a_range_is_its_own() -> None:
    errors = refused(one_service("ports:\n  - 8000-8004:80-84\n  - 8003:99"))
    assert [error.split(":")[1] for error in errors] == ["6"]


def test_two_addresses_can_publish_one_port() -> None:
    assert len(ports("127.0.0.1:80:80", "127.0.0.2:80:80")) == 2


def test_replicas_cannot_share_a_port() -> None:
    assert refused(one_service("deploy: {replicas: 3}\nports:\n  - 8080:80")) == [
        "c.yml:6:9: error: services.web.ports[0]: 3 replicas cannot share port 8080"
        ' (publish a range, "8080-8082:80", or leave the published port out)'
    ]


@pytest.mark.parametrize("port", ["8080-8082:80", "80", "0:80"])
def test_replicas_with_a_port_each_are_good(port: str) -> None:
    assert service(f"scale: 3\nports: ['{port}']").replicas == 3
