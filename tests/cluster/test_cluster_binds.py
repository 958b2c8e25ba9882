"""Binds of paths: asked where a task may go, refused where they have to be there, and told where nobody knows."""

from __future__ import annotations

from typing import Any

from cluster.binds import Presence, judge, to_look_for
from cluster.decide.decision import Decided
from cluster.decide.deploy import deploy
from cluster.model import State
from cluster.spec import Mount, Placement, Resources, StackSpec
from tests.cluster.build import entropy, node, spec, stack, state_with

CONF = "/srv/shop/conf"
ROME, GAUL = node(id="n1", name="rome"), node(id="n2", name="gaul", role="worker")
TWO = state_with(ROME, GAUL)
HERE, GONE = Presence(), Presence((CONF,))


def binds(*, makes: bool = False, **fields: Any) -> StackSpec:
    mount = Mount("bind", "/etc/app", CONF, create_host_path=makes)
    return stack(spec("web", mounts=(Mount("tmpfs", "/tmp"), mount), **fields))


def deployed(state: State, wanted: StackSpec) -> State:
    decision = deploy(state, wanted, entropy())
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes)


def test_every_machine_that_a_task_may_go_to_is_asked_and_no_other():
    assert to_look_for(TWO, binds()) == {"n1": (CONF,), "n2": (CONF,)}
    workers = Placement(("node.role == worker",))
    assert to_look_for(TWO, binds(placement=workers)) == {"n2": (CONF,)}
    drained = state_with(ROME, node(id="n2", name="gaul", availability="drain"))
    assert to_look_for(drained, binds()) == {"n1": (CONF,)}
    assert to_look_for(TWO, stack(spec("web"))) == {}


def test_a_path_that_has_to_be_there_keeps_the_deploy_back_at_its_mount():
    judged = judge(TWO, binds(), {"n1": HERE, "n2": GONE})
    [problem] = judged.problems
    assert (problem.path, problem.message) == (("services", "web", "volumes", 1), f"{CONF} is not on gaul")
    assert "deploy.placement.constraints" in problem.hint
    assert judged.warnings == ()


def test_a_path_that_is_made_is_a_warning_at_its_mount_on_however_many_machines():
    judged = judge(TWO, binds(makes=True), {"n1": HERE, "n2": GONE})
    assert judged.problems == ()
    assert judged.warnings == (f"services.web.volumes[1]: {CONF} is not on gaul: a task of web finds it empty there",)
    alone = judge(state_with(ROME), binds(makes=True), {"n1": GONE})
    assert alone.problems == ()
    assert alone.warnings == (f"services.web.volumes[1]: {CONF} is not on rome: a task of web finds it empty there",)


def test_a_path_that_is_there_where_the_deploy_came_from_has_to_be_where_a_task_may_go():
    [problem] = judge(state_with(ROME), binds(makes=True), {"n1": GONE}, (CONF,)).problems
    assert (problem.path, problem.message) == (("services", "web", "volumes", 1), f"{CONF} is not on rome")
    assert problem.hint.startswith("it is here: copy it there")
    assert judge(state_with(ROME), binds(makes=True), {"n1": HERE}, (CONF,)).problems == ()
    assert judge(state_with(ROME), binds(makes=True), {"n1": GONE}, ("/srv/other",)).problems == ()


def test_what_nobody_knows_is_said_and_keeps_nothing_back():
    judged = judge(TWO, binds(), {"n1": Presence(unknown="a file system there does not answer")})
    assert judged.problems == ()
    assert judged.warnings == (
        f"whether {CONF} is on gaul is not known: it does not answer",
        f"whether {CONF} is on rome is not known: a file system there does not answer",
    )


def test_of_a_service_that_stays_as_it_is_nothing_is_asked():
    state = deployed(TWO, binds())
    assert to_look_for(state, binds(image="web:2")) == {}
    assert judge(state, binds(image="web:2"), {}).warnings == ()
    assert to_look_for(state, binds(placement=Placement(("node.role == worker",)))) == {"n2": (CONF,)}
    assert to_look_for(state, binds(reserved=Resources(cpus=1.0))) == {"n1": (CONF,), "n2": (CONF,)}
