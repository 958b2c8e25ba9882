"""Names are the cluster's and the same everywhere; who asks on a machine is that machine's own."""

from dataclasses import replace

from cluster.model import Network, Stack, State, Task
from cluster.naming import MOST_PORTS, clients, machines, names
from cluster.spec import Attachment, NetworkSpec, Port
from tests.cluster.build import NOW, node, running, service, spec, stack, state_with, task

WEB, DB = spec("web", networks=(Attachment("front", ("www",)), Attachment("back"))), spec("db")
FRONT = Network("shop_front", "shop", "front", "10.0.1.0/24", "10.0.1.1", 1500)
BACK = Network("shop_back", "shop", "back", "10.0.2.0/24", "10.0.2.1", 1500, internal=True)
BOTH = {"shop_front": "10.0.1.5", "shop_back": "10.0.2.5"}


def shop(*tasks: Task) -> State:
    file = replace(
        stack(WEB, replace(DB, networks=(Attachment("back"),))),
        networks={"front": NetworkSpec("shop_front"), "back": NetworkSpec("shop_back")},
    )
    return replace(
        state_with(node(), node(id="n2", name="turin")),
        stacks={"shop": Stack("shop", file, NOW, NOW)},
        services={f"shop/{one.name}": service(spec=one) for one in file.services.values()},
        networks={one.name: one for one in (FRONT, BACK, replace(FRONT, name="bare", gateway=""))},
        tasks={one.id: one for one in tasks},
    )


def test_a_service_is_known_on_each_of_its_networks_by_every_replica_that_serves():
    far = running(id="t2", slot=2, node="n2", addresses={"shop_front": "10.0.1.4", "shop_back": "10.0.2.4"})
    ill = running(id="t3", slot=3, health="unhealthy", addresses={"shop_front": "10.0.1.9"})
    zones = names(shop(running(addresses=BOTH), far, ill))
    web = ("10.0.1.4", "10.0.1.5")
    assert zones["shop_front"].names == {"web": web, "web.shop": web, "www": web}
    hosts = {"10.0.1.5": "1.web.shop", "10.0.1.4": "2.web.shop", "10.0.1.9": "3.web.shop"}
    assert zones["shop_front"].hosts == hosts
    assert zones["shop_back"].names["web"] == ("10.0.2.4", "10.0.2.5")
    assert (zones["shop_back"].internal, zones["shop_front"].internal) == (True, False)


def test_where_no_replica_serves_those_are_answered_that_may():
    here = running(addresses=BOTH, unknown="the engine hangs")
    there = running(id="t2", slot=2, node="n2", addresses={"shop_back": "10.0.2.4"})

    def answered(*tasks: Task, **fields: object) -> tuple[str, ...]:
        state = shop(*tasks)
        ailing = node(**{"status": "unavailable", **fields})
        return names(replace(state, nodes={**state.nodes, "n1": ailing}))["shop_back"].names["web"]

    assert answered(here) == ("10.0.2.5",)
    assert answered(here, there) == ("10.0.2.4",)
    assert answered(here, replaced=True) == answered(here, status="down") == ()
    assert answered(replace(here, health="unhealthy")) == ()


def test_what_a_service_publishes_is_known_where_it_is() -> None:
    web = replace(WEB, ports=(Port(80, 8080), Port(80, 8081), Port(53, protocol="udp")))
    state = shop()
    published = replace(state, services={**state.services, "shop/web": service(spec=web)})
    ports = {name: zone.ports for name, zone in names(published).items()}
    assert ports == {key: {"web.shop": ((53, "udp"), (80, "tcp"))} for key in ("shop_front", "shop_back")}


def test_of_a_long_range_of_ports_the_first_are_known() -> None:
    web = replace(WEB, ports=tuple(Port(target) for target in range(1000, 3000)))
    state = shop()
    zones = names(replace(state, services={**state.services, "shop/web": service(spec=web)}))
    assert [port for port, _ in zones["shop_front"].ports["web.shop"]] == list(range(1000, 1000 + MOST_PORTS))


def test_machines_are_known_by_their_addresses_of_ipv4() -> None:
    nodes = {"n1": node(address="192.0.2.1"), "n2": node(id="n2", name="Turin", address="fd00::2")}
    assert machines(replace(shop(), nodes=nodes)) == {"rome": "192.0.2.1"}


def test_a_service_without_replicas_is_known_and_answers_with_nothing():
    assert names(shop())["shop_back"].names == {"db": (), "db.shop": (), "web": (), "web.shop": ()}


def test_a_network_without_a_gateway_has_no_names_and_nobody_asks_there():
    there = running(addresses={"bare": "10.0.9.5", **BOTH})
    assert names(shop(there)).keys() == {"shop_front", "shop_back"}
    assert clients(shop(there))["n1"] == dict.fromkeys(BOTH.values(), ("shop_front", "shop_back"))


def test_each_machine_has_its_own_clients_until_their_tasks_end():
    tasks = (
        running(addresses=BOTH),
        task(id="t2", node="n2", addresses={"shop_back": "10.0.2.6"}),
        running(id="t3", state="stopped", addresses={"shop_back": "10.0.2.7"}),
        running(id="t4", node="gone", addresses={"shop_back": "10.0.2.8"}),
    )
    asking = clients(shop(*tasks))
    assert asking["n1"].keys() == set(BOTH.values())
    assert asking["n2"] == {"10.0.2.6": ("shop_back",)}
    assert asking.keys() == {"n1", "n2"}
