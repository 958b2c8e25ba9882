"""What the resolver says: a name belongs to a network, and a known name is never forwarded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.zones import EMPTY, FORWARD, REFUSE, Answer, Zone, Zones, answer, canonical, service_names

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
