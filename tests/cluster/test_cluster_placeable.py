"""What no machine that is there could ever run is refused at deploy, by name and with what would change it."""

from dataclasses import replace

import pytest

from cluster.capacity import Gpus
from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy
from cluster.decide.placeable import unplaceable
from cluster.model import State
from cluster.privileges import DeviceRequest, Privileges
from cluster.spec import Placement, Resources, ServiceSpec
from tests.cluster.build import entropy, node, service, spec, stack

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
    assert unplaceable(TWO, stack(wanted)).startswith(said)


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
    assert unplaceable(TWO, stack(wanted, spec("db"))) == ""


@pytest.mark.parametrize(("count", "said"), [(1, "is known to have one"), (-1, "is known to have one"), (0, "")])
def test_gpus_that_no_machine_has_are_not_waited_for(count: int, said: str):
    request = DeviceRequest(count=count, capabilities=("gpu",))
    assert said in unplaceable(TWO, stack(spec("web", privileges=Privileges(requests=(request,)))))
    if not said:
        return
    rich = replace(TWO, nodes={"a": replace(ROME, gpus=(Gpus("GPU", "declared", 1),))})
    assert unplaceable(rich, stack(spec("web", privileges=Privileges(requests=(request,))))) == ""
    more = replace(request, count=2)
    assert "has more than 1" in unplaceable(rich, stack(spec("web", privileges=Privileges(requests=(more,)))))


def test_services_that_wait_for_each_other_are_a_circle():
    one, two = asking("node.services == db", name="web"), asking("node.services == cache", name="db")
    three = asking("node.services == web", name="cache")
    assert "web waits for db waits for cache waits for web" in unplaceable(TWO, stack(one, two, three))
    assert unplaceable(TWO, stack(one, two, spec("cache"))) == ""


def test_of_machines_that_were_not_heard_yet_nothing_is_known():
    fresh = State(nodes={"a": node(id="a")})
    assert unplaceable(fresh, stack(asking("node.platform.arch == arm64", "engine.version > 20", cpus=64.0))) == ""
    assert unplaceable(State(), stack(asking("node.labels.gpu exists"))) == ""
    assert "which no machine meets" in unplaceable(fresh, stack(asking("node.labels.gpu exists")))


def test_a_deploy_is_refused_unless_it_is_ahead_and_what_runs_already_is_not():
    wanted = stack(asking("node.labels.gpu exists"))
    refused = deploy(TWO, wanted, entropy())
    assert isinstance(refused, Refusal)
    assert (refused.code, "(--ahead)" in refused.message) == ("conflict", True)
    assert isinstance(deploy(TWO, wanted, entropy(), ahead=True), Decided)
    running = replace(TWO, services={"shop/web": service(spec=wanted.services["web"])})
    assert unplaceable(running, wanted) == ""
    assert unplaceable(running, stack(asking("node.labels.gpu not exists", "node.id == c"))) != ""
