"""What no machine that is there could ever run is refused at deploy, by name and with what would change it."""

from dataclasses import replace
from typing import Any

import pytest

from cluster.capacity import Gpus
from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy
from cluster.model import State
from cluster.privileges import DeviceRequest, Privileges
from cluster.spec import Healthcheck, Placement, Port, Resources, ServiceSpec
from tests.cluster.build import entropy, misplaced, node, service, spec, stack

GB = 10**9
ROME = node(
    id="a", name="rome", cpus=4, memory=8 * GB, arch="amd64", engine_version="24", labels={"disk": "ssd", "zone": "x"}
)
OSLO = node(id="b", name="oslo", role="worker", cpus=8, memory=4 * GB, arch="arm64", engine_version="24", status="down")
TWO = State(nodes={"a": ROME, "b": OSLO})


def asking(*constraints: str, name: str = "web", **reserved: float) -> ServiceSpec:
    return spec(name, placement=Placement(constraints), reserved=Resources(**reserved))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            asking("node.labels.gpu == nvidia"),
            "service web asks for node.labels.gpu == nvidia, which no machine meets (2 nodes: 2 lack label "
            "gpu=nvidia): `gbnt node update oslo --label-add gpu=nvidia` would change that",
        ),
        (
            asking("node.hostname == paris"),
            "service web asks for node.hostname == paris, which no machine meets (2 nodes: 2 are not node.hostname "
            "paris)",
        ),
        (
            asking("node.role == worker", "node.platform.arch == amd64"),
            "service web asks for what no machine is at once: node.role == worker, node.platform.arch == amd64",
        ),
        (asking("node.role == worker", "node.role != worker"), "service web asks for what no machine is at once"),
        (asking("stack.name == blog"), "service web asks for stack.name == blog, which no machine meets"),
        (
            asking(cpus=16.0),
            "service web reserves 16 CPUs, and the machine with most of those that it may go to, oslo, has 8",
        ),
        (
            asking("node.role == manager", cpus=6.0),
            "service web reserves 6 CPUs, and the machine with most of those that it may go to, rome, has 4",
        ),
        (asking(memory=9 * GB), "service web reserves 9000 MB of memory"),
        (asking("node.services == cach"), "service web names cach in node.services == cach, which is no service of"),
        (asking("node.services == blog/db"), "service web waits for a task of blog/db, and there is no such service"),
        (asking("node.services == web"), "service web could never start its first task: web waits for web"),
    ],
)
def test_what_no_machine_could_run_is_said(wanted: ServiceSpec, said: str):
    assert misplaced(TWO, stack(wanted)).startswith(said)


@pytest.mark.parametrize(
    "wanted",
    [
        asking("node.role == worker"),  # which is down, and comes back
        asking("node.labels.disk == ssd", "node.labels.zone in (x, y)", cpus=4.0),
        asking("node.services != blog/db"),
        asking("node.services in (web, db)"),
        asking("stack.name == shop"),
    ],
)
def test_what_some_machine_could_run_is_not(wanted: ServiceSpec):
    assert misplaced(TWO, stack(wanted, spec("db"))) == ""


@pytest.mark.parametrize(("count", "said"), [(1, "is known to have one"), (-1, "is known to have one"), (0, "")])
def test_gpus_that_no_machine_has_are_not_waited_for(count: int, said: str):
    request = DeviceRequest(count=count, capabilities=("gpu",))
    assert said in misplaced(TWO, stack(spec("web", privileges=Privileges(requests=(request,)))))
    if not said:
        return
    rich = replace(TWO, nodes={"a": replace(ROME, gpus=(Gpus("GPU", "declared", 1),))})
    assert misplaced(rich, stack(spec("web", privileges=Privileges(requests=(request,))))) == ""
    more = replace(request, count=2)
    assert "has more than 1" in misplaced(rich, stack(spec("web", privileges=Privileges(requests=(more,)))))


def test_services_that_wait_for_each_other_are_a_circle():
    one, two = asking("node.services == db", name="web"), asking("node.services == cache", name="db")
    three = asking("node.services == web", name="cache")
    assert "web waits for db waits for cache waits for web" in misplaced(TWO, stack(one, two, three))
    assert misplaced(TWO, stack(one, two, spec("cache"))) == ""


def test_of_machines_that_were_not_heard_yet_nothing_is_known():
    fresh = State(nodes={"a": node(id="a")})
    assert misplaced(fresh, stack(asking("node.platform.arch == arm64", "engine.version > 20", cpus=64.0))) == ""
    assert misplaced(State(), stack(asking("node.labels.gpu exists"))) == ""
    assert "which no machine meets" in misplaced(fresh, stack(asking("node.labels.gpu exists")))


def test_a_deploy_is_refused_unless_it_is_ahead_and_what_runs_already_is_not():
    wanted = stack(asking("node.labels.gpu exists"))
    refused = deploy(TWO, wanted, entropy())
    assert isinstance(refused, Refusal)
    assert (refused.code, "(--ahead)" in refused.message) == ("conflict", True)
    assert isinstance(deploy(TWO, wanted, entropy(), ahead=True), Decided)
    running = replace(TWO, services={"shop/web": service(spec=wanted.services["web"])})
    assert misplaced(running, wanted) == ""
    assert misplaced(running, stack(asking("node.labels.gpu not exists", "node.id == c"))) != ""


GPU = Privileges(requests=(DeviceRequest(count=1, capabilities=("gpu",)),))


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"placement": Placement(("node.id == c",))}, "asks for node.id == c"),
        ({"reserved": Resources(cpus=64.0)}, "reserves 64 CPUs"),
        ({"platform": "linux/riscv64"}, "asks for node.platform.os == linux"),
        ({"privileges": GPU}, "asks for 1 GPU,"),
    ],
)
def test_a_service_that_runs_is_refused_other_wishes_and_not_those_that_it_has(wishes: dict[str, Any], said: str):
    wanted = spec(**wishes)
    before = replace(TWO, services={"shop/web": service(spec=spec())})
    assert misplaced(before, stack(wanted)).startswith(f"service web {said}")
    same = replace(TWO, services={"shop/web": service(spec=wanted)})
    assert misplaced(same, stack(wanted)) == ""
    assert misplaced(same, stack(replace(wanted, image="next", ports=(Port(80, 8080),)))) == ""


def test_what_no_machine_has_at_once_is_refused_though_each_part_of_it_is_somewhere():
    large, roomy = node(id="a", name="rome", cpus=16, memory=GB), node(id="b", name="oslo", cpus=1, memory=64 * GB)
    state = State(nodes={"a": large, "b": roomy})
    both = asking(cpus=8.0, memory=32 * GB)
    assert misplaced(state, stack(both)) == (
        "service web asks for what no machine that it may go to has at once (2 nodes: 1 lacks 32000 MB of memory, "
        "1 lacks 8 CPUs): `gbnt node ls -o wide` shows what each has"
    )
    assert misplaced(state, stack(asking(cpus=8.0))) == misplaced(state, stack(asking(memory=32 * GB))) == ""
    unheard = State(nodes={**state.nodes, "c": node(id="c")})
    assert misplaced(unheard, stack(both)) == ""


def test_an_engine_and_gpus_and_memory_have_to_be_on_one_machine():
    card = (Gpus("GPU", "declared", 1),)
    old = node(id="a", name="rome", cpus=4, memory=8 * GB, engine_api="1.41", gpus=card)
    new = node(id="b", name="oslo", cpus=4, memory=2 * GB, engine_api="1.47")
    state = State(nodes={"a": old, "b": new})
    checked = spec(healthcheck=Healthcheck(start_interval=1.0), privileges=GPU)
    assert "(2 nodes: 1 lacks Docker Engine 25.0 for healthcheck.start_interval, 1 lacks 1 GPU)" in misplaced(
        state, stack(checked)
    )
    large = replace(checked, privileges=Privileges(), reserved=Resources(memory=4 * GB))
    assert ", 1 lacks 4000 MB of memory)" in misplaced(state, stack(large))
    assert misplaced(state, stack(replace(large, reserved=Resources(memory=GB)))) == ""
    on_old = replace(checked, privileges=Privileges(), placement=Placement(("node.hostname == rome",)))
    assert "(1 node: 1 lacks Docker Engine 25.0" in misplaced(state, stack(on_old))
