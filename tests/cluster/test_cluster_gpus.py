"""GPUs are given by name: no card to two tasks, none that is not there; of an unknown number to one at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.assignment import Assignment
from cluster.capacity import Gpus
from cluster.containers import container_for
from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy
from cluster.decide.placeable import hopes
from cluster.decide.tasks import carry_out
from cluster.gpus import Wish, assigned, cards_of, deal, wish_of
from cluster.model import Node, State, Task
from cluster.placement import offer
from cluster.privileges import ALL, DeviceRequest, Privileges
from cluster.reconcile import reconcile
from cluster.spec import Placement, ServiceSpec, StackSpec
from tests.cluster.build import NOW, entropy, misplaced, node, spec, stack, state_with, task

CDI = Gpus("nvidia.com/gpu", "discovered", 2, ("0", "1"))
BY_ID = Gpus("NVIDIA-GPU", "declared", 2, ("GPU-a", "GPU-b"))
COUNTED = Gpus("gpu", "declared", 2)
ROOM = {"cpus": 4, "memory": 8 * 10**9}


def gpu(count: int = 0, *ids: str, driver: str = "nvidia") -> DeviceRequest:
    return DeviceRequest(driver, count, ids, ("gpu",))


def asking(*requests: DeviceRequest, name: str = "web", **fields: Any) -> ServiceSpec:
    return spec(name, privileges=Privileges(requests=requests), **fields)


def machine(*gpus: Gpus, **fields: Any) -> Node:
    return node(**{**ROOM, "gpus": gpus, **fields})


def after(state: State, wanted: StackSpec) -> State:
    """The state once a stack is deployed and all of its services have asked for their tasks."""
    decided = deploy(state, wanted, entropy())
    assert isinstance(decided, Decided), decided
    state = state.after(decided.changes)
    numbers = iter(f"t{number}" for number in range(len(state.tasks), 100))
    for one in state.services_of(wanted.name):
        steps = reconcile(one, state.tasks_of(one.key), NOW)
        made = carry_out(state, one, steps, replace(entropy(), new_id=numbers.__next__))
        state = state.after(made.changes)
    return state


def cards(state: State) -> dict[str, tuple[str, ...]]:
    return {one.name: one.gpus for one in state.tasks.values() if one.node}


def waiting(state: State) -> list[str]:
    return [one.message for one in state.tasks.values() if not one.node]


# -- what there is, and what is asked --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ((), ()),
        ((CDI,), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        ((BY_ID, CDI), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),  # the same cards twice
        ((replace(BY_ID, count=3), CDI), ("NVIDIA-GPU=GPU-a", "NVIDIA-GPU=GPU-b", "NVIDIA-GPU=0")),
        ((COUNTED, Gpus("vgpu", "declared", 1)), ("gpu=0", "gpu=1", "vgpu=2")),
    ],
)
def test_a_machine_s_cards_are_those_of_the_source_that_tells_of_most(found: tuple[Gpus, ...], names: tuple[str, ...]):
    assert cards_of(found) == names


@pytest.mark.parametrize(
    ("requests", "wish"),
    [
        ((), None),
        ((DeviceRequest("other", 3),), None),
        ((gpu(0),), None),
        ((gpu(1), DeviceRequest(count=2, capabilities=("gpu",))), Wish(3)),
        ((gpu(1), gpu(-1)), Wish(ALL)),
        ((gpu(0, "all"),), Wish(ALL, ("all",))),
        ((gpu(1), gpu(0, "0", "1"), gpu(0, "1")), Wish(1, ("0", "1"))),
        (
            (DeviceRequest("cdi", ids=("nvidia.com/gpu=0", "acme.com/nic=0", "management.nvidia.com/gpu=all")),),
            Wish(0, ("nvidia.com/gpu=0",)),
        ),
    ],
)
def test_requests_add_up(requests: tuple[DeviceRequest, ...], wish: Wish | None):
    assert wish_of(requests) == wish


# -- which cards -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gpus", "wish", "held", "given"),
    [
        (CDI, Wish(1), (), ("nvidia.com/gpu=0",)),
        (CDI, Wish(1), ("nvidia.com/gpu=0",), ("nvidia.com/gpu=1",)),
        (CDI, Wish(1), ("gpu=0",), ("nvidia.com/gpu=1",)),  # as it was called when it was declared only
        (CDI, Wish(1), ("amd.com/gpu=0",), ("nvidia.com/gpu=0",)),
        (CDI, Wish(1, ("0",)), (), ("nvidia.com/gpu=1", "nvidia.com/gpu=0")),
        (CDI, Wish(0, ("nvidia.com/gpu=1",)), ("nvidia.com/gpu=0",), ("nvidia.com/gpu=1",)),
        (CDI, Wish(ALL), (), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (CDI, Wish(0, ("GPU-a",)), (), ("nvidia.com/gpu=0", "nvidia.com/gpu=1")),  # which may be either
        (BY_ID, Wish(0, ("GPU-b",)), ("NVIDIA-GPU=GPU-a",), ("NVIDIA-GPU=GPU-b",)),
        (COUNTED, Wish(1), ("gpu=0",), ("gpu=1",)),
    ],
)
def test_cards_that_nobody_has_are_given_by_name(gpus: Gpus, wish: Wish, held: tuple[str, ...], given: tuple[str, ...]):
    assert deal(wish, machine(gpus), held, counted=True).cards == given


@pytest.mark.parametrize(
    ("gpus", "wish", "held", "why"),
    [
        (CDI, Wish(1), ("nvidia.com/gpu=0", "nvidia.com/gpu=1"), "have too few GPUs free (it asks for 1)"),
        (CDI, Wish(2, ("0",)), (), "have too few GPUs free (it asks for 2 and GPU 0)"),
        (CDI, Wish(ALL), ("nvidia.com/gpu=1",), "have too few GPUs free (it asks for all)"),
        (CDI, Wish(0, ("0",)), ("nvidia.com/gpu=0",), "have GPU 0 taken by another task"),
        (CDI, Wish(0, ("0", "7")), (), "lack GPU 7"),
        (CDI, Wish(0, ("amd.com/gpu=0",)), (), "lack amd.com/gpu=0"),
        (CDI, Wish(0, ("GPU-a",)), ("nvidia.com/gpu=1",), "have too few GPUs free (it asks for GPU-a)"),
        (BY_ID, Wish(0, ("GPU-c",)), (), "lack GPU-c"),
    ],
)
def test_a_card_that_is_taken_or_not_there_is_given_to_nobody(gpus: Gpus, wish: Wish, held: tuple[str, ...], why: str):
    dealt = deal(wish, machine(gpus), held, counted=True)
    assert (dealt.cards, dealt.against) == ((), why)


def test_beside_a_task_whose_cards_have_no_names_nothing_is_given():
    assert deal(Wish(1), machine(CDI), unnamed=True, counted=True).against
    assert deal(Wish(0, ("1",)), machine(CDI), unnamed=True, counted=True).against


# -- from the file to the engine -------------------------------------------------------------------------------------


def test_two_tasks_of_one_card_each_have_two_cards_and_a_third_waits():
    state = after(state_with(machine(CDI)), stack(asking(gpu(1), replicas=2), asking(gpu(1), name="zoo")))
    assert cards(state) == {"shop-web-1": ("nvidia.com/gpu=0",), "shop-web-2": ("nvidia.com/gpu=1",)}
    assert waiting(state) == ["waits for a machine (1 node: 1 has too few GPUs free (it asks for 1))"]


def test_who_names_a_card_has_it_and_who_does_not_care_gets_the_other():
    state = after(state_with(machine(CDI)), stack(asking(gpu(0, "0")), asking(gpu(1), name="zoo")))
    assert cards(state) == {"shop-web-1": ("nvidia.com/gpu=0",), "shop-zoo-1": ("nvidia.com/gpu=1",)}


def test_a_task_that_follows_another_in_its_slot_finds_its_cards_free():
    one = after(state_with(machine(replace(CDI, count=1, names=("0",)))), stack(asking(gpu(1))))
    up = {id: replace(known, state="running", ready=True) for id, known in one.tasks.items()}
    two = after(replace(one, tasks=up), stack(asking(gpu(1), image="other")))
    assert [known.gpus for known in two.tasks.values()] == [("nvidia.com/gpu=0",)] * 2


def requests_of(of: ServiceSpec, gpus: tuple[str, ...]) -> tuple[DeviceRequest, ...]:
    known: Task = task(gpus=gpus)
    return container_for(Assignment(known, of), 1, "rome", {}, {}, {}).privileges.requests


def test_the_engine_is_told_the_cards_and_no_number():
    of = asking(gpu(2), gpu(0, "GPU-a"), DeviceRequest("fpga", 1), gpu(1, driver="cdi"))
    own = tuple(f"nvidia.com/gpu={name}" for name in ("1", "2", "3", "GPU-a"))
    assert requests_of(of, own) == (
        gpu(0, "1", "2"),
        gpu(0, "GPU-a"),
        DeviceRequest("fpga", 1),
        gpu(0, "nvidia.com/gpu=3", driver="cdi"),
    )


def test_all_of_them_and_those_without_names_are_asked_for_as_they_were():
    assert requests_of(asking(gpu(-1)), cards_of([CDI])) == (gpu(-1),)
    assert requests_of(asking(gpu(1)), ()) == (gpu(1),)
    plain = Privileges(pid="host")
    assert assigned(plain, ()) == plain


# -- of an unknown number --------------------------------------------------------------------------------------------

UNKNOWN = state_with(machine(gpu_runtime="nvidia"))


def test_where_nobody_knows_the_number_one_task_at_a_time_has_them():
    wanted = stack(asking(gpu(1)), asking(gpu(-1), name="zoo"))
    state = after(UNKNOWN, wanted)
    assert cards(state) == {"shop-web-1": ()}
    assert waiting(state) == [
        "waits for a machine (1 node: 1 has GPUs that nobody has counted, and a task that has some)"
    ]
    assert hopes(UNKNOWN, wanted)[0] == (
        "service web asks for GPUs, and how many rome has is not known: they go to one task at a time, or to such as "
        "name their own; node-generic-resources in the engine's daemon.json tells the number"
    )
    assert hopes(state, wanted) == ()


@pytest.mark.parametrize(("second", "placed"), [("1", 2), ("0", 1), ("GPU-a", 1), ("nvidia.com/gpu=0", 1)])
def test_where_nobody_knows_the_number_those_that_name_their_own_are_beside_each_other(second: str, placed: int):
    state = after(UNKNOWN, stack(asking(gpu(0, "0")), asking(gpu(0, second), name="zoo")))
    assert len(cards(state)) == placed
    assert cards(state)["shop-web-1"] == ("0",)
    assert "a task that has some" in waiting(after(state, stack(asking(gpu(1)), name="blog")))[-1]


def test_a_runtime_is_no_hope_where_another_machine_tells_its_number():
    both = state_with(machine(gpu_runtime="nvidia"), machine(CDI, id="n2", name="gaul"))
    assert set(cards(after(both, stack(asking(gpu(1), replicas=2)))).values()) == {*zip(cards_of([CDI]), strict=True)}
    assert hopes(both, stack(asking(gpu(1)))) == ()
    there = asking(gpu(1), placement=Placement(("node.hostname == rome",)))
    assert "no machine that it may go to is known to have one" in misplaced(both, stack(there))


def test_a_machine_that_gets_the_runtime_is_another_offer_to_those_who_wait():
    assert offer(machine()) != offer(machine(gpu_runtime="nvidia"))


def test_neither_without_a_runtime_nor_where_no_gpu_is_asked_for_is_anything_hoped():
    assert hopes(UNKNOWN, stack(spec())) == ()
    assert hopes(state_with(machine()), stack(asking(gpu(1)))) == ()
    assert "is known to have one" in misplaced(state_with(machine()), stack(asking(gpu(1))))


def test_a_card_that_no_machine_has_is_refused_at_the_deploy_whatever_the_service_had_before():
    state = after(state_with(machine(CDI)), stack(asking(gpu(1))))
    refused = deploy(state, stack(asking(gpu(0, "7"))), entropy())
    assert isinstance(refused, Refusal)
    assert "asks for GPU 7, and no machine that it may go to has that" in refused.message


def test_a_card_by_its_cdi_name_is_taken_where_an_engine_lists_none_and_once_only():
    of = DeviceRequest("cdi", ids=("nvidia.com/gpu=0",))
    state = after(state_with(machine()), stack(asking(of), asking(of, name="zoo")))
    assert cards(state) == {"shop-web-1": ("nvidia.com/gpu=0",)}
