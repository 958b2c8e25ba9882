"""Fifteen deployments that cannot come true, to Docker Swarm and to gbnt on the same two engines: what each says.

One JSON line a case, with the words of both: of Swarm those of its command, and of the task that it then has. The table
in `docs/placement.md` comes from here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from bench.legion import IMAGE, command, form_swarm
from tests.lab.lab import lab
from tests.lab.machine import Machine

MACHINES = 2
PATIENCE = 12.0
CASES: Mapping[str, str] = {
    "a constraint on a key that there is not": "deploy: {placement: {constraints: [node.rol == manager]}}",
    "a constraint with one =": "deploy: {placement: {constraints: [node.role = manager]}}",
    "a label that no machine has": "deploy: {placement: {constraints: [node.labels.gpu == nvidia]}}",
    "a machine that there is not": "deploy: {placement: {constraints: [node.hostname == carthage]}}",
    "two constraints that no machine meets at once": (
        "deploy: {placement: {constraints: [node.role == manager, node.role == worker]}}"
    ),
    "a spread over what is no key": "deploy: {placement: {preferences: [{spread: zone}]}}",
    "more CPUs than any machine has": 'deploy: {resources: {reservations: {cpus: "512"}}}',
    "more memory than any machine has": "deploy: {resources: {reservations: {memory: 4000g}}}",
    "a reservation above its limit": "deploy: {resources: {limits: {memory: 64m}, reservations: {memory: 128m}}}",
    "more replicas than machines may have": "deploy: {replicas: 3, placement: {max_replicas_per_node: 1}}",
    "more replicas than ports": "ports: [{target: 80, published: 18080, mode: host}]\n    deploy: {replicas: 3}",
    "a GPU that no machine has": (
        "deploy: {resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: gpu, value: 1}}]}}}"
    ),
    "a key with a slip": "deploy: {replcas: 3}",
    "a folder that is not there": (
        "volumes: [{type: bind, source: /no/such/folder, target: /data, bind: {create_host_path: false}}]"
    ),
    "a program that is not there": "entrypoint: [/no/such/program]",
}
FILE = """\
services:
  web:
    image: %s
    command: [sleep, "1000"]
    stop_grace_period: 0s
    %s
"""


def run() -> None:
    """Deploy each to both, and print what they say."""
    with lab(MACHINES) as one:
        one.legion()
        try:
            form_swarm(one)
            for number, (case, keys) in enumerate(CASES.items()):
                text = FILE % (IMAGE, keys)
                ours, theirs = one.folder / f"case{number}.yaml", one.folder / f"case{number}.swarm.yaml"
                ours.write_text(text)
                theirs.write_text(f"version: '3.8'\n{text}")  # without which Swarm takes none
                manager, name = one.machines[0], f"case{number}"
                told = {"swarm": _swarm(manager, theirs, name), "ours": _ours(manager, ours, name)}
                print(json.dumps({"bench": "impossible", "case": case, **told}), flush=True)
        finally:
            one.each(lambda machine: machine.run("docker", "swarm", "leave", "--force"))


def _ours(manager: Machine, file: Path, name: str) -> dict[str, object]:
    """The words and exit status of the command, which waits for the outcome."""
    ended = manager.run("gbnt", "stack", "deploy", "-c", str(file), name, "--timeout", f"{PATIENCE:g}s")
    manager.run("gbnt", "stack", "rm", name, "--yes")
    return {"exit": ended.code, "said": ended.err.strip().splitlines()}


def _swarm(manager: Machine, file: Path, name: str) -> dict[str, object]:
    """The words and exit status of its command, and the states of its tasks after a while, with their errors."""
    ended = manager.run("docker", "stack", "deploy", "--resolve-image", "never", "-c", str(file), name)
    if ended.code:
        return {"exit": ended.code, "said": ended.text.strip().splitlines()}
    time.sleep(PATIENCE)  # it has no end to wait for: what it says by then is what a person sees
    form = "{{.CurrentState}}: {{.Error}}"
    tasks = command(manager, "docker", "stack", "ps", name, "--no-trunc", "--format", form).splitlines()
    manager.run("docker", "stack", "rm", name)
    return {"exit": ended.code, "said": ended.text.strip().splitlines(), "tasks": tasks}
