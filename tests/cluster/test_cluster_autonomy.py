"""What a task does while its machine hears no manager."""

from dataclasses import replace

import pytest

from cluster.assignment import Assignment
from cluster.autonomy import LABEL, Policy, halted, held, policy_of
from cluster.compose.checks import validate
from cluster.execution import HALT, Create, Seen, Situation, Start, Stop, Wait, decide
from cluster.spec import RestartPolicy, ServiceSpec
from tests.cluster.build import NOW, spec, stack, task


def service(policy: str) -> ServiceSpec:
    return spec("web", deploy_labels={LABEL: policy}, restart=RestartPolicy(delay=0.0))


def assignment(policy: Policy, **changed: object) -> Assignment:
    return Assignment(replace(task(id="t1", node="n1"), **changed), service(policy))  # type: ignore[arg-type]


def test_a_service_says_it_by_a_label_of_either_kind():
    assert policy_of(spec("web")) == "run"
    assert policy_of(service("hold")) == "hold"
    assert policy_of(spec("web", labels={LABEL: "stop"})) == "stop"
    assert policy_of(spec("web", labels={LABEL: "stop"}, deploy_labels={LABEL: "hold"})) == "hold"


def test_the_policy_is_no_part_of_what_runs():
    assert service("hold").revision() == service("run").revision()


def test_what_is_no_policy_is_refused_at_its_place():
    [finding] = validate(stack(service("halt")))
    assert finding.path == f"services.web.deploy.labels.{LABEL}"
    assert "halt" in finding.message
    assert "run, hold, stop" in finding.hint


@pytest.mark.parametrize(
    ("policy", "starts", "goes_on"), [("run", True, True), ("hold", False, True), ("stop", False, False)]
)
def test_alone_a_policy_decides(policy: Policy, starts: bool, goes_on: bool):
    given = assignment(policy, attempt=1)
    up = Seen("c1", "web-1", 1, "running", started_at=NOW - 100)
    situation = Situation(
        given,
        up,
        NOW,
        image_ready=True,
        held=held(given.spec, alone=True),
        halted=halted(given.spec, alone=True),
        told_state="running",
    )
    assert isinstance(decide(situation).step, Wait if goes_on else Stop)
    again = decide(replace(situation, seen=replace(up, phase="ended", exit_code=1, finished_at=NOW - 50)))
    assert isinstance(again.step, Create) == starts
    if policy == "hold":
        assert again.message == f"waits for a manager to be heard, for {LABEL} is hold"
    made = decide(replace(situation, seen=replace(up, phase="created")))
    assert isinstance(made.step, Start) == starts


@pytest.mark.parametrize("policy", ["run", "hold", "stop"])
def test_with_a_manager_none_of_it_counts(policy: Policy):
    given = assignment(policy)
    assert held(given.spec, alone=False) == ""
    assert not halted(given.spec, alone=False)


@pytest.mark.parametrize(
    "restart", [RestartPolicy(), RestartPolicy("none"), RestartPolicy("on-failure", max_attempts=1)]
)
def test_what_was_halted_begins_again_with_a_manager_whatever_its_policy_of_restarts(restart: RestartPolicy):
    over = Seen("c1", "web-1", 1, "ended", exit_code=0, finished_at=NOW)
    given = Assignment(task(id="t1", node="n1"), spec("web", deploy_labels={LABEL: "stop"}, restart=restart))
    situation = Situation(given, over, NOW, image_ready=True, stopping=HALT, told_state="running")
    assert decide(situation).step == Create(2)
    assert isinstance(decide(replace(situation, held="a manager")).step, Wait)
