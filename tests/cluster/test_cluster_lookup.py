"""What a name means, and why of that something is in no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.lookup import Found, lookup
from cluster.model import Network, Stack, State, Task
from cluster.spec import Attachment, NetworkSpec
from tests.cluster.build import NOW, node, running, service, spec, stack, state_with

WEB, DB = spec("web", networks=(Attachment("front", ("www",)), Attachment("back"))), spec("db")
FRONT = Network("shop_front", "shop", "front", "10.0.1.0/24", "10.0.1.1", 1500)
BACK = Network("shop_back", "shop", "back", "10.0.2.0/24", "10.0.2.1", 1500)


def shop(*tasks: Task) -> State:
    file = replace(
        stack(WEB, replace(DB, networks=(Attachment("back"),))),
        networks={"front": NetworkSpec("shop_front"), "back": NetworkSpec("shop_back")},
    )
    return replace(
        state_with(node(address="192.0.2.1"), node(id="n2", name="Turin", address="fd00::2")),
        stacks={"shop": Stack("shop", file, NOW, NOW)},
        services={f"shop/{one.name}": service(spec=one) for one in file.services.values()},
        networks={one.name: one for one in (FRONT, BACK)},
        tasks={one.id: one for one in tasks},
    )


FIRST = running(addresses={"shop_front": "10.0.1.5", "shop_back": "10.0.2.5"})
SECOND = running(id="t2", slot=2, node="n2", addresses={"shop_front": "10.0.1.6", "shop_back": "10.0.2.6"})


def found(state: State, name: str) -> list[tuple[str, str, str]]:
    return [(one.network, one.address, one.why) for one in lookup(state, name) or ()]


@pytest.mark.parametrize("name", ["web", "web.shop", "tasks.web", "Web.Shop.gbnt."])
def test_a_service_is_found_on_each_of_its_networks(name: str) -> None:
    assert found(shop(SECOND, FIRST), name) == [
        ("shop_back", "10.0.2.5", ""),
        ("shop_back", "10.0.2.6", ""),
        ("shop_front", "10.0.1.5", ""),
        ("shop_front", "10.0.1.6", ""),
    ]


def test_an_alias_has_no_domain_behind_it() -> None:
    web = replace(WEB, networks=(Attachment("front", ("db.shop",)),))
    state = shop(FIRST, running(id="t9", service="db", addresses={"shop_back": "10.0.2.9"}))
    state = replace(state, services={**state.services, "shop/web": service(spec=web)})
    assert found(state, "db.shop") == [("shop_back", "10.0.2.9", ""), ("shop_front", "10.0.1.5", "")]
    assert found(state, "db.shop.gbnt") == [("shop_back", "10.0.2.9", "")]


def test_an_alias_is_found_where_it_is_one_and_a_replica_by_its_own_name() -> None:
    assert found(shop(FIRST, SECOND), "www") == [("shop_front", "10.0.1.5", ""), ("shop_front", "10.0.1.6", "")]
    assert found(shop(FIRST, SECOND), "2.web.shop.gbnt") == [
        ("shop_back", "10.0.2.6", ""),
        ("shop_front", "10.0.1.6", ""),
    ]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"health": "unhealthy"}, "is unhealthy"),
        ({"health": "starting"}, "is not healthy yet"),
        ({"state": "starting", "message": "making the container"}, "making the container"),
        ({"desired": "ready"}, "waits to take another one's place"),
        ({"desired": "stop", "why": "stopped by hand"}, "stopped by hand"),
        ({"unknown": "its machine is down"}, "its machine is down"),
    ],
)
def test_what_is_in_no_answer_says_why(fields: dict[str, str], why: str) -> None:
    ill = replace(SECOND, **fields)  # type: ignore[arg-type]
    assert found(shop(FIRST, ill), "www") == [("shop_front", "10.0.1.5", ""), ("shop_front", "10.0.1.6", why)]


def test_who_has_ended_is_found_no_more_and_the_name_is_known_all_the_same() -> None:
    assert lookup(shop(replace(FIRST, state="failed")), "web") == ()


def test_a_machine_is_found_by_its_name_where_it_has_an_address_of_ipv4() -> None:
    state = shop(FIRST)
    assert lookup(state, "rome.gbnt") == (Found("", None, "n1", "192.0.2.1"),)
    assert lookup(state, "turin.gbnt") is None


@pytest.mark.parametrize("name", ["rome", "web.gbnt", "web.other", "9.web", "nobody", ""])
def test_what_nobody_is_called_is_nothing(name: str) -> None:
    assert lookup(shop(FIRST), name) is None
