"""A stack whose service reads a config, deployed by the API as a client does it that has read the files."""

from __future__ import annotations

from typing import Any

from cli.connect import connect
from cluster.configs import ConfigFile, ConfigSpec, encoded
from cluster.spec import Placement, ServiceSpec, StackSpec
from tests.e2e.node import Node, Row

TARGET = "/etc/app/app.conf"


def reader(name: str, content: bytes, **fields: Any) -> StackSpec:
    """A service `web` that stays, and reads this content; `fields` are those of its file."""
    placement = Placement(fields.pop("constraints", ()))
    web = ServiceSpec(
        "web",
        "busybox",
        command=("sleep", "1000"),
        init=True,
        pull_policy="never",
        stop_grace_period=0.0,
        network_mode="none",
        placement=placement,
        configs=(ConfigFile("app", TARGET, **fields),),
    )
    return StackSpec(name, {"web": web}, configs={"app": ConfigSpec(f"{name}_app", content=encoded(content))})


def deploy(node: Node, spec: StackSpec) -> Row:
    """Have the manager take it; what it says of each service."""
    client = connect(socket_first=True, environment=node.environment)
    return dict(client.deploy(spec.name, {"spec": spec, "resolve": "never"})["changes"])


def container_of(node: Node, stack: str) -> str:
    """The id of the stack's one container that runs; empty where there is another number of them."""
    ids = [one["Id"] for one in node.containers(f"label=gbnt.stack={stack}")]
    return ids[0] if len(ids) == 1 else ""


def read(node: Node, container: str) -> str:
    """What a container reads there."""
    return node.docker("exec", container, "cat", TARGET)
