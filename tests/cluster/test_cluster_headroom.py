"""An update that starts first and could only wait for its own predecessor is warned of at the deploy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.capacity import Gpus
from cluster.headroom import cramped
from cluster.model import Node, State
from cluster.privileges import DeviceRequest, Privileges
from cluster.spec import Attachment, Mount, Placement, Resources, ServiceSpec, UpdatePolicy
from tests.cluster.build import node, spec, stack, state_with

GB = 10**9
STARTS_FIRST = UpdatePolicy(order="start-first")
THREE_OF_FOUR = Resources(cpus=3.0)
ONE_EACH = Placement(max_replicas_per_node=1)
GPU = Privileges(requests=(DeviceRequest(count=1, capabilities=("gpu",)),))
ALL_GPUS = Privileges(requests=(DeviceRequest(count=-1, capabilities=("gpu",)),))


def machine(name: str, **fields: Any) -> Node:
    return node(**{"id": name, "name": name, "cpus": 4, "memory": 8 * GB, **fields})


def starting_first(**fields: Any) -> ServiceSpec:
    return spec(**{"update": STARTS_FIRST, "networks": (Attachment("own"),), **fields})


def warned(state: State, *services: ServiceSpec) -> list[str]:
    return list(cramped(state, stack(*services)))


ONE, TWO = state_with(machine("a")), state_with(machine("a"), machine("b"))


def test_it_is_said_with_how_many_there_is_room_for_and_what_to_do():
    assert warned(ONE, starting_first(reserved=THREE_OF_FOUR)) == [
        "service web: an update starts a task beside the one before it (start-first), and where its tasks may be there "
        "is room for 1 of them, of which there are 1: it would wait for ever; write update_config.order: stop-first"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"placement": ONE_EACH},
        {"reserved": Resources(memory=5 * GB)},
        {"privileges": GPU},
        {"privileges": ALL_GPUS},
        {"replicas": 4, "reserved": Resources(cpus=1.0)},
    ],
)
def test_one_machine_is_full_with_what_it_has_and_two_are_not(fields: dict[str, Any]):
    card = (Gpus("GPU", "declared", 1),)
    one, two = state_with(machine("a", gpus=card)), state_with(machine("a", gpus=card), machine("b", gpus=card))
    assert len(warned(one, starting_first(**fields))) == 1
    assert warned(two, starting_first(**fields)) == []
    assert warned(one, starting_first(**fields, replicas=0) if "replicas" not in fields else spec()) == []
    assert warned(one, replace(starting_first(**fields), update=UpdatePolicy())) == []


def test_of_two_machines_one_counts_where_tasks_are_together_or_each_has_its_own():
    cramped_one = starting_first(reserved=THREE_OF_FOUR)
    assert warned(TWO, cramped_one) == []
    assert len(warned(TWO, cramped_one, spec("db", networks=(Attachment("own"),)))) == 1
    assert warned(TWO, cramped_one, spec("db", networks=(Attachment("other"),))) == []
    assert len(warned(TWO, replace(cramped_one, mounts=(Mount("volume", "/data", "data"),)))) == 1
    assert len(warned(TWO, replace(cramped_one, mode="global"))) == 1
    assert warned(TWO, replace(cramped_one, mode="global", reserved=Resources(cpus=2.0))) == []


def test_machines_that_tasks_may_not_go_to_do_not_count_and_of_one_that_was_not_heard_nothing_is_known():
    here = starting_first(reserved=THREE_OF_FOUR, placement=Placement(("node.hostname == a",)))
    assert len(warned(TWO, here)) == 1
    assert len(warned(state_with(machine("a"), machine("b", availability="drain")), replace(here))) == 1
    assert warned(state_with(machine("a", cpus=0, memory=0)), here) == []
    assert warned(state_with(machine("b")), here) == []
