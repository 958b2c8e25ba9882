"""Names inside real containers: through Docker's own resolver to ours, on port 53 of the network's gateway."""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Iterator, Mapping

import anyio
import pytest

from cluster.zones import Zone, Zones
from network.keeper import ResolverKeeper
from tests.network.conftest import Place

pytestmark = pytest.mark.engine

LABEL = "gbnt.test=network"
NETWORKS = {"gbnt-test-front": "198.18.41", "gbnt-test-back": "198.18.42", "gbnt-test-inner": "198.18.43"}
FRONT, BACK, INNER = NETWORKS


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout.strip()


class Lookup:
    """What `nslookup` in one container says about a name: its addresses, or a reason for none."""

    def __init__(self, container: str, name: str, kind: str = "a") -> None:
        done = subprocess.run(
            ["docker", "exec", container, "nslookup", f"-type={kind}", name],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        self.said = done.stdout + done.stderr
        answer = self.said.partition("\n\n")[2]  # before it stands the server's own address
        self.addresses = {line.split()[-1] for line in answer.splitlines() if line.startswith("Address")}


@pytest.fixture(scope="module")
def containers() -> Iterator[Mapping[str, str]]:
    """One container on each network by the network's name, and `both` on the first two; the id of each."""
    try:
        for network, prefix in NETWORKS.items():
            inner = ("--internal",) if network == INNER else ()
            docker("network", "create", "--label", LABEL, *inner, "--subnet", f"{prefix}.0/24", network)
        started = {network: _start(network, NETWORKS[network]) for network in NETWORKS}
        started["both"] = _start(FRONT, NETWORKS[FRONT], NETWORKS[BACK])
        docker("network", "connect", BACK, started["both"])
        yield started
    finally:
        if left := docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split():
            docker("rm", "--force", *left)
        docker("network", "rm", *docker("network", "ls", "--quiet", "--filter", f"label={LABEL}").split())


def _start(network: str, *prefixes: str) -> str:
    servers = [option for prefix in prefixes for option in ("--dns", f"{prefix}.1")]
    options = ("--detach", "--label", LABEL, "--network", network, *servers, "--dns-search", ".")
    return docker("run", *options, "busybox:latest", "sleep", "600")


@pytest.fixture
def keeper(place: Place) -> ResolverKeeper:
    """The keeper of a running resolver on port 53; its upstream refuses."""
    keeper = dataclasses.replace(place, port=53).keeper()
    anyio.run(keeper.ensure)
    return keeper


def publish(keeper: ResolverKeeper, **names: Mapping[str, tuple[str, ...]]) -> None:
    """Put the names of the networks `front`, `back` and `inner` in force."""
    networks = {
        network: Zone(f"{prefix}.1", f"{prefix}.0/24", names.get(network.rpartition("-")[2], {}), network == INNER)
        for network, prefix in NETWORKS.items()
    }
    anyio.run(keeper.publish, Zones(1, networks))
    assert anyio.run(keeper.status).bind_errors == {}


def test_a_service_is_found_and_its_healthy_replicas_followed_at_once(
    keeper: ResolverKeeper, containers: Mapping[str, str]
) -> None:
    for replicas in [("198.18.41.20", "198.18.41.21"), ("198.18.41.21",), (), ("198.18.41.22",)]:
        publish(keeper, front={"web": replicas, "web.shop": replicas})
        assert Lookup(containers[FRONT], "web").addresses == set(replicas)
        assert Lookup(containers[FRONT], "WEB.shop").addresses == set(replicas)
        assert Lookup(containers[FRONT], "web", "aaaa").addresses == set()
    assert anyio.run(keeper.status).counters["unanswered"] == 0


def test_a_name_belongs_to_its_network(keeper: ResolverKeeper, containers: Mapping[str, str]) -> None:
    publish(keeper, front={"web": ("198.18.41.20",)}, back={"db": ("198.18.42.20",)})
    assert Lookup(containers[FRONT], "db").addresses == set()
    assert Lookup(containers[BACK], "web").addresses == set()
    assert Lookup(containers["both"], "web").addresses == {"198.18.41.20"}
    assert Lookup(containers["both"], "db").addresses == {"198.18.42.20"}


def test_an_internal_network_has_its_names_and_nothing_else(
    keeper: ResolverKeeper, containers: Mapping[str, str]
) -> None:
    publish(keeper, inner={"keys": ("198.18.43.20",)})
    assert Lookup(containers[INNER], "keys").addresses == {"198.18.43.20"}
    assert Lookup(containers[INNER], "example.com").addresses == set()
    counters = anyio.run(keeper.status).counters
    assert counters["refused"] > 0
    assert counters["unanswered"] == 0


def test_more_replicas_than_a_datagram_holds_still_give_a_choice(
    keeper: ResolverKeeper, containers: Mapping[str, str]
) -> None:
    many = tuple(f"198.18.41.{last}" for last in range(20, 120))
    publish(keeper, front={"web": many})
    found = Lookup(containers[FRONT], "web").addresses
    assert len(found) > 20
    assert found <= set(many)


def test_a_replica_is_found_by_its_own_name_its_port_and_its_address(
    keeper: ResolverKeeper, containers: Mapping[str, str]
) -> None:
    replicas = ("198.18.41.20", "198.18.41.21")
    names = {"web": replicas, "web.shop": replicas}
    hosts = {replicas[0]: "1.web.shop", replicas[1]: "2.web.shop"}
    front = Zone("198.18.41.1", "198.18.41.0/24", names, hosts=hosts, ports={"web.shop": ((80, "tcp"),)})
    anyio.run(keeper.publish, Zones(1, {FRONT: front}, machines={"rome-1": "192.0.2.1"}))
    asker = containers[FRONT]
    for name in ("tasks.web", "web.shop.gbnt", "tasks.web.shop.gbnt"):
        assert Lookup(asker, name).addresses == set(replicas)
    assert Lookup(asker, "2.web.shop.gbnt").addresses == {replicas[1]}
    assert Lookup(asker, "rome-1.gbnt").addresses == {"192.0.2.1"}
    served = Lookup(asker, "_80._tcp.web.shop.gbnt", "srv").said
    assert all(f"0 1 80 {slot}.web.shop.gbnt" in served for slot in (1, 2))
    assert "2.web.shop.gbnt" in Lookup(asker, "21.41.18.198.in-addr.arpa", "ptr").said
    assert "NXDOMAIN" in Lookup(asker, "web.other.gbnt").said
    assert anyio.run(keeper.status).counters["unanswered"] == 0
