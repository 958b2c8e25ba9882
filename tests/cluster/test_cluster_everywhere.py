"""A global service: one task on each machine that it may be on, and nothing else of it moves when one comes or goes."""

from dataclasses import replace
from typing import Any

from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy
from cluster.decide.services import scale
from cluster.decide.tasks import carry_out
from cluster.everywhere import homes
from cluster.model import Node, Service, State
from cluster.progress import Converged, of_service
from cluster.reconcile import reconcile
from cluster.spec import Mount, Placement, Resources, ServiceSpec, StackSpec, VolumeSpec
from tests.cluster.build import NOW, entropy, node, spec, stack

AGENT = spec("agent", mode="global")
CHANCE = entropy()


def machine(id: str, **fields: Any) -> Node:
    return node(**{"id": id, "name": id, "cpus": 2, "memory": 4, **fields})


def deployed(of: ServiceSpec, *machines: str, others: tuple[ServiceSpec, ...] = (), **fields: Any) -> State:
    state = State(nodes={id: machine(id) for id in machines})
    return state.after(decided(state, stack(of, *others, **fields)).changes)


def decided(state: State, file: StackSpec) -> Decided:
    made = deploy(state, file, entropy())
    assert isinstance(made, Decided)
    return made


def agent(state: State) -> Service:
    return state.services["shop/agent"]


def settled(state: State) -> State:
    """After every step of the service, each of which comes to run, or to its end, at once."""
    for _ in range(20):
        service, tasks = agent(state), state.tasks_of("shop/agent")
        wanted = reconcile(service, tasks, NOW, (), homes(service, tasks, state.nodes.values()))
        after = stepped(state.after(carry_out(state, service, wanted, CHANCE).changes))
        if (after.tasks, after.services) == (state.tasks, state.services):
            return state
        state = after
    raise AssertionError("it never comes to rest")


def stepped(state: State) -> State:
    tasks = {id: task for id, task in state.tasks.items() if task.desired != "remove"}
    for id, task in tasks.items():
        if task.desired == "stop":
            tasks[id] = replace(task, state="stopped")
        elif task.node:
            tasks[id] = replace(task, state="running", ready=True)
    return replace(state, tasks=tasks)


def where(state: State) -> dict[str, str]:
    return {task.node: task.id for task in state.tasks_of("shop/agent") if task.desired == "run"}


def test_each_machine_has_one_and_a_new_machine_gets_one_without_the_others_moving():
    state = settled(deployed(AGENT, "a", "b"))
    before = where(state)
    assert (set(before), agent(state).replicas) == ({"a", "b"}, 2)
    assert isinstance(of_service(state, agent(state)), Converged)
    state = settled(replace(state, nodes={**state.nodes, "0": machine("0")}))
    assert (set(where(state)), agent(state).replicas) == ({"a", "b", "0"}, 3)
    assert before.items() <= where(state).items()


def test_one_that_is_drained_or_gone_or_no_longer_meant_loses_its_own_alone():
    state = settled(deployed(AGENT, "a", "b", "c"))
    before = where(state)
    drained = settled(replace(state, nodes={**state.nodes, "a": machine("a", availability="drain")}))
    assert where(drained) == {id: before[id] for id in ("b", "c")}
    tasks = {id: task for id, task in state.tasks.items() if task.node != "b"}
    removed = settled(replace(state, nodes={id: state.nodes[id] for id in ("a", "c")}, tasks=tasks))
    assert where(removed) == {id: before[id] for id in ("a", "c")}
    labelled = spec("agent", mode="global", placement=Placement(("node.labels.spot not exists",)))
    state = settled(deployed(labelled, "a", "b"))
    spot = settled(replace(state, nodes={**state.nodes, "a": machine("a", labels={"spot": "y"})}))
    assert set(where(spot)) == {"b"}


def test_one_that_is_down_or_paused_keeps_its_own_and_none_takes_its_place():
    state = settled(deployed(AGENT, "a", "b"))
    before = where(state)
    lost = {id: replace(t, unknown="silent", forsaken=True) if t.node == "a" else t for id, t in state.tasks.items()}
    down = machine("a", status="down", replaced=True)
    state = settled(replace(state, nodes={**state.nodes, "a": down}, tasks=lost))
    assert where(state) == before
    paused = settled(replace(state, nodes={**state.nodes, "b": machine("b", availability="pause")}))
    assert where(paused) == before
    assert set(where(settled(replace(state, nodes={**state.nodes, "c": machine("c", status="down")})))) == {"a", "b"}


def test_an_update_goes_from_machine_to_machine_and_stays_on_each():
    state = settled(deployed(AGENT, "a", "b"))
    before = where(state)
    made = decided(state, stack(replace(AGENT, image="busybox:2")))
    assert made.told == {"agent": "updated"}
    state = settled(state.after(made.changes))
    assert set(where(state)) == {"a", "b"}
    assert not set(where(state).values()) & set(before.values())
    again = decided(state, stack(replace(AGENT, image="busybox:2")))
    assert (again.told, again.changes) == ({"agent": "unchanged"}, ())


def test_a_machine_without_room_keeps_its_task_waiting_and_says_why():
    state = settled(deployed(spec("agent", mode="global", reserved=Resources(cpus=1.0)), "a", "b"))
    full = replace(state, nodes={**state.nodes, "c": machine("c", cpus=0)})
    state = settled(full)
    [waiting] = [task for task in state.tasks_of("shop/agent") if not task.node]
    assert waiting.message == "waits for c, which has too few CPUs free (it reserves 1)"
    assert set(where(settled(replace(state, nodes={**state.nodes, "c": machine("c")})))) == {"a", "b", "c"}


def test_it_has_data_of_its_own_on_each_machine_and_ties_nobody_to_any():
    of = spec("agent", mode="global", mounts=(Mount("volume", "/data", "data"),))
    state = deployed(of, "a", "b", others=(spec("web"),), volumes={"data": VolumeSpec("shop_data")})
    state = replace(state, nodes={**state.nodes, "a": machine("a", volumes=("shop_data",))})
    assert set(where(settled(state))) == {"a", "b"}


def test_it_cannot_be_scaled():
    refused = scale(deployed(AGENT, "a"), "shop/agent", 3, entropy())
    assert isinstance(refused, Refusal)
    assert "is global, one task on each machine" in refused.message
