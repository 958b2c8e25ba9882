"""What the resolver says: a name belongs to a network, and a known name is never forwarded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.zones import EMPTY, FORWARD, REFUSE, UNKNOWN, Answer, Server, Zone, Zones, answer, canonical, service_names

FRONT = Zone("10.0.1.1", "10.0.1.0/24", {"web": ("10.0.1.5", "10.0.1.6"), "api": (), "shared": ("10.0.1.9",)})
BACK = Zone("10.0.2.1", "10.0.2.0/24", {"db": ("10.0.2.5",), "shared": ("10.0.2.9",)})
VAULT = Zone("10.0.3.1", "10.0.3.0/24", {"keys": ("10.0.3.5",)}, internal=True)
ZONES = Zones(
    serial=7,
    networks={"front": FRONT, "back": BACK, "vault": VAULT},
    clients={
        "10.0.1.7": ("front", "back"),
        "10.0.2.7": ("back", "front"),
        "10.0.3.7": ("vault",),
        "10.0.3.8": ("vault", "front"),
    },
)


@pytest.mark.parametrize(
    ("client", "gateway", "name", "kind", "expected"),
    [
        pytest.param("10.0.1.7", "10.0.1.1", "web", "A", Answer("answer", ("10.0.1.5", "10.0.1.6")), id="known"),
        pytest.param(
            "10.0.1.7", "10.0.1.1", "WeB.", "A", Answer("answer", ("10.0.1.5", "10.0.1.6")), id="case and dot"
        ),
        pytest.param("10.0.1.7", "10.0.1.1", "web", "AAAA", EMPTY, id="no IPv6"),
        pytest.param("10.0.1.7", "10.0.1.1", "web", "MX", EMPTY, id="no other type"),
        pytest.param("10.0.1.7", "10.0.1.1", "db", "ANY", Answer("answer", ("10.0.2.5",)), id="second network"),
        pytest.param("10.0.1.7", "10.0.1.1", "api", "A", EMPTY, id="none healthy stays here"),
        pytest.param("10.0.1.7", "10.0.1.1", "example.com", "A", FORWARD, id="not ours"),
        pytest.param(
            "10.0.1.7", "10.0.1.1", "shared", "A", Answer("answer", ("10.0.1.9",)), id="first network decides"
        ),
        pytest.param(
            "10.0.2.7", "10.0.1.1", "shared", "A", Answer("answer", ("10.0.2.9",)), id="whatever gateway asked"
        ),
        pytest.param(
            "10.0.1.200", "10.0.1.1", "web", "A", Answer("answer", FRONT.names["web"]), id="not announced yet"
        ),
        pytest.param("10.0.1.200", "10.0.2.1", "db", "A", FORWARD, id="another network's gateway gives no names"),
        pytest.param("10.0.2.1", "10.0.2.1", "db", "A", Answer("answer", ("10.0.2.5",)), id="the machine itself"),
        pytest.param("127.0.0.1", "10.0.2.1", "db", "A", Answer("answer", ("10.0.2.5",)), id="loopback"),
        pytest.param("192.0.2.1", "10.0.1.1", "web", "A", REFUSE, id="a stranger gets no names"),
        pytest.param("192.0.2.1", "10.0.1.1", "example.com", "A", REFUSE, id="a stranger gets nothing forwarded"),
        pytest.param("10.0.3.7", "10.0.3.1", "keys", "A", Answer("answer", ("10.0.3.5",)), id="internal names"),
        pytest.param("10.0.3.7", "10.0.3.1", "example.com", "A", REFUSE, id="internal alone asks nobody outside"),
        pytest.param("10.0.3.7", "10.0.1.1", "example.com", "A", REFUSE, id="nor through another gateway"),
        pytest.param("10.0.3.8", "10.0.3.1", "example.com", "A", FORWARD, id="internal and another"),
    ],
)
def test_answer(client: str, gateway: str, name: str, kind: str, expected: Answer) -> None:
    assert answer(ZONES, client, gateway, name, kind) == expected


WEB = ("10.0.1.5", "10.0.1.6")
SHOP = Zone(
    "10.0.1.1",
    "10.0.1.0/24",
    {"web": WEB, "web.shop": WEB, "db": ("10.0.1.9",)},
    hosts={WEB[0]: "1.web.shop", WEB[1]: "2.web.shop", "10.0.1.7": "3.web.shop"},
    ports={"web.shop": ((53, "udp"), (80, "tcp"))},
)
FULL = Zones(networks={"front": SHOP}, machines={"rome-1": "192.0.2.1", "gaul.example.com": "192.0.2.2"})


def asked(name: str, kind: str = "A") -> Answer:
    return answer(FULL, "10.0.1.7", "10.0.1.1", name, kind)


@pytest.mark.parametrize(
    "name", ["web", "web.shop", "web.shop.gbnt", "tasks.web", "tasks.web.shop", "TASKS.Web.shop.gbnt."]
)
def test_a_service_s_names_all_mean_its_healthy_replicas(name: str) -> None:
    assert asked(name) == Answer("answer", WEB)


def test_what_others_call_an_alias_takes_no_name_with_the_domain_behind_it() -> None:
    names = {"db.shop": ("10.0.1.5", "10.0.1.66"), "db.shop.gbnt": ("10.0.1.66",), "rome-1.gbnt": ("10.0.1.66",)}
    hosts = {"10.0.1.5": "1.db.shop", "10.0.1.66": "1.thief.other"}
    zones = Zones(networks={"front": Zone("10.0.1.1", "10.0.1.0/24", names, hosts=hosts)}, machines=FULL.machines)

    def told(name: str) -> tuple[str, ...]:
        return answer(zones, "10.0.1.7", "10.0.1.1", name, "A").addresses

    assert told("db.shop.gbnt") == told("1.db.shop.gbnt") == ("10.0.1.5",)
    assert told("rome-1.gbnt") == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("1.web.shop.gbnt", WEB[:1]),
        ("2.web.shop", WEB[1:]),
        ("3.web.shop.gbnt", ()),
        ("tasks.9.web.shop.gbnt", ()),
        ("rome-1.gbnt", ("192.0.2.1",)),
        ("gaul.example.com.gbnt", ("192.0.2.2",)),
    ],
)
def test_one_replica_and_one_machine_have_names_of_their_own(name: str, addresses: tuple[str, ...]) -> None:
    assert asked(name) == Answer("answer", addresses)
    assert asked(name, "AAAA") == EMPTY


@pytest.mark.parametrize("name", ["gbnt", "web.gbnt", "tasks.web.gbnt", "2.web.gbnt", "web.other.gbnt", "tasks.gbnt"])
def test_what_nothing_is_called_in_our_domain_is_asked_of_nobody(name: str) -> None:
    assert asked(name) == UNKNOWN
    assert asked(name, "SRV") == UNKNOWN


def test_the_machines_are_no_stranger_s_to_know() -> None:
    assert answer(FULL, "192.0.2.9", "10.0.1.1", "rome-1.gbnt", "A") == REFUSE


ONE, TWO = Server(80, "1.web.shop.gbnt", WEB[0]), Server(80, "2.web.shop.gbnt", WEB[1])


@pytest.mark.parametrize("name", ["_tcp.web", "_80._tcp.web.shop.gbnt", "_tcp.tasks.web"])
def test_where_a_service_serves(name: str) -> None:
    assert asked(name, "SRV") == Answer("answer", servers=(ONE, TWO))


def test_where_it_serves_is_by_port_and_by_replica() -> None:
    ports = sorted(server.port for server in asked("web", "SRV").servers)
    assert ports == [53, 53, 80, 80]
    assert asked("_tcp.2.web.shop.gbnt", "SRV").servers == (TWO,)
    assert asked("_81._tcp.web", "SRV") == asked("db", "SRV") == EMPTY
    assert asked("_tcp.example.com", "SRV") == FORWARD


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.1.5", Answer("answer", host="1.web.shop.gbnt")),
        ("10.0.1.7", Answer("answer", host="3.web.shop.gbnt")),
        ("10.0.1.200", UNKNOWN),
        ("192.0.2.1", FORWARD),
    ],
)
def test_whose_an_address_is(address: str, expected: Answer) -> None:
    name = ".".join(reversed(address.split("."))) + ".in-addr.arpa"
    assert asked(name, "PTR") == expected
    assert asked(name, "A") == (EMPTY if expected.host else expected)


@pytest.mark.parametrize(
    "name", ["in-addr.arpa", ".in-addr.arpa", "x.in-addr.arpa", "1.10.in-addr.arpa", "_.in-addr.arpa"]
)
def test_what_is_no_address_turned_round_is_forwarded(name: str) -> None:
    assert asked(name, "PTR") == FORWARD


def test_no_zones_refuse_everybody() -> None:
    assert answer(Zones(), "127.0.0.1", "10.0.1.1", "web", "A") == REFUSE


def test_a_client_whose_network_is_gone_is_refused() -> None:
    assert answer(Zones(clients={"10.0.1.7": ("front",)}), "10.0.1.7", "10.0.1.1", "web", "A") == REFUSE


def test_gateways_are_what_to_listen_on() -> None:
    assert ZONES.gateways() == {"10.0.1.1": "front", "10.0.2.1": "back", "10.0.3.1": "vault"}


def test_a_service_answers_to_its_name_its_full_name_and_its_aliases() -> None:
    assert service_names("shop", "Web", ("www", "web")) == ("web", "web.shop", "www")


addresses = st.ip_addresses(v=4).map(str)
names = st.sampled_from(["web", "api", "shared", "db", "keys", "example.com", "WEB."])


@given(
    client=addresses | st.sampled_from(sorted(ZONES.clients)), gateway=addresses, name=names, kind=st.text(max_size=5)
)
def test_a_name_known_in_scope_is_never_forwarded_and_others_never_answered(
    client: str, gateway: str, name: str, kind: str
) -> None:
    said = answer(ZONES, client, gateway, name, kind)
    known = {found for network in ZONES.clients.get(client, ()) for found in ZONES.networks[network].names}
    if canonical(name) in known:
        assert said.verdict == "answer"
    assert said.verdict == "answer" or not said.addresses
    everything = {address for zone in ZONES.networks.values() for found in zone.names.values() for address in found}
    assert set(said.addresses) <= everything
