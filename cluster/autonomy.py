"""What a task does while its machine hears no manager: the label `gbnt.disconnected` of its service.

`run`, the default, goes on as ever. `hold` lets what runs run, and starts nothing: it may run elsewhere since. `stop`
stops it too, once a manager would have replaced it. A volume of this machine is no reason for either: its task can run
nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

from cluster.spec import ServiceSpec

LABEL = "gbnt.disconnected"
Policy = Literal["run", "hold", "stop"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

LEFT_ALONE = 60.0
"""Seconds after a manager said that it stops until its machines act as if it were lost."""


def policy_of(spec: ServiceSpec) -> Policy:
    """What the service's label says; `run` where it says nothing that counts."""
    said = spec.deploy_labels.get(LABEL, spec.labels.get(LABEL, ""))
    return next((policy for policy in POLICIES if policy == said), "run")


def wrong_labels(spec: ServiceSpec) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where in a service the label says what is no policy, and what it says."""
    for path, labels in ((("deploy", "labels"), spec.deploy_labels), (("labels",), spec.labels)):
        said = labels.get(LABEL, "run")
        if said not in POLICIES:
            yield (*path, LABEL), said


def held(spec: ServiceSpec, alone: bool) -> str:
    """Why nothing of this service may be started on a machine that is alone; empty where it may."""
    policy = policy_of(spec)
    return f"a manager to be heard, for {LABEL} is {policy}" if alone and policy != "run" else ""


def halted(spec: ServiceSpec, alone: bool) -> bool:
    """Whether what runs of this service is to be stopped on a machine that is alone."""
    return alone and policy_of(spec) == "stop"
