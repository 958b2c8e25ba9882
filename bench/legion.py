"""Three machines of the lab that are one cluster of gbnt's, and one of Docker Swarm's on the same engines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.deploy_floor import COMMAND, IMAGE
from tests.e2e.node import until
from tests.lab.lab import Lab, lab
from tests.lab.machine import Machine

MACHINES = 3
# What a file may ask of the network, and the words for it: none of the service's own, or one on which it has a name.
NETWORKS = {"bridge": "network_mode: bridge", "named": "networks: [default]"}
COMPOSE = """\
version: "3.8"
services:
  web:
    image: {image}
    command: {command}
    stop_grace_period: 0s
    {network}
    deploy: {{replicas: {replicas}}}
"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One of the two: the commands that a person gives on its manager, and what tells the containers that it runs then.

    Those have the label. `slot` is another one, of which replica it is: its number, or as Swarm has it NAME.NUMBER.ID.
    """

    lab: Lab
    label: str
    slot: str
    deploying: Sequence[str]
    removing: Sequence[str]
    listing: Sequence[str]

    @property
    def manager(self) -> Machine:
        """The same machine is that of both."""
        return self.lab.machines[0]

    def deploy(self) -> None:
        """Order the service, and do not wait until it runs."""
        command(self.manager, *self.deploying)

    def remove(self) -> None:
        """Remove it, and wait until no engine has anything of it."""
        command(self.manager, *self.removing)
        until(lambda: not self._slots(self.lab.machines, "-a"), f"engines without {self.label}")

    def running(self, machine: Machine) -> int:
        """How many replicas run on a machine, as its engine says."""
        return len(self._slots([machine]))

    def settle(self, count: int) -> None:
        """Wait until all machines are in the cluster and of so many replicas each runs, once."""
        wanted = sorted(str(slot) for slot in range(1, count + 1))
        what = f"{count} of {self.label} on {MACHINES} machines"
        until(lambda: self._is_whole() and sorted(self._slots(self.lab.machines)) == wanted, what)

    def _is_whole(self) -> bool:
        return command(self.manager, *self.listing).lower().split().count("ready") == MACHINES

    def _slots(self, machines: Sequence[Machine], *options: str) -> list[str]:
        words = ("ps", *options, "--filter", f"label={self.label}", "--format", f'{{{{.Label "{self.slot}"}}}}')
        return [told.split(".")[-2:][0] for machine in machines for told in machine.docker(*words).split()]


@dataclass(frozen=True, slots=True)
class Rivals:
    """Both clusters on the machines of one lab, each with a service for every kind of network."""

    lab: Lab
    ours: Mapping[str, Cluster]
    swarm: Mapping[str, Cluster]

    @property
    def engines(self) -> Sequence[str]:
        return [machine.host.url for machine in self.lab.machines]


@contextmanager
def rivals(replicas: int) -> Iterator[Rivals]:
    """Both are up, each to deploy a service of so many replicas; nothing is left of them afterwards."""
    with lab(MACHINES) as one:
        one.legion()
        files = {network: _write(one.folder / f"{network}.yaml", network, replicas) for network in NETWORKS}
        ours = {network: _ours(one, network, file) for network, file in files.items()}
        swarm = {"bridge": _swarm_service(one, replicas), "named": _swarm_stack(one, files["named"])}
        try:
            form_swarm(one)
            for cluster in (*ours.values(), *swarm.values()):
                cluster.settle(0)
            yield Rivals(one, ours, swarm)
        finally:
            one.each(lambda machine: machine.run("docker", "swarm", "leave", "--force"))


def _write(file: Path, network: str, replicas: int) -> Path:
    words = {"image": IMAGE, "command": json.dumps(COMMAND), "network": NETWORKS[network], "replicas": replicas}
    file.write_text(COMPOSE.format(**words))
    return file


def command(machine: Machine, *words: str) -> str:
    """Run a command on a machine; what it printed. Raises RuntimeError where it fails."""
    ended = machine.run(*words)
    if ended.code:
        raise RuntimeError(f"{' '.join(words)} ended with {ended.code}: {ended.text}")
    return ended.out


def _ours(one: Lab, network: str, file: Path) -> Cluster:
    return Cluster(
        one,
        label=f"gbnt.stack={network}",
        slot="gbnt.slot",
        deploying=("gbnt", "stack", "deploy", "-c", str(file), network, "--detach"),
        removing=("gbnt", "stack", "rm", network, "--yes"),
        listing=("gbnt", "node", "ls"),
    )


def _swarm_service(one: Lab, replicas: int) -> Cluster:
    # `docker stack deploy` would make an overlay network whatever the file says. Without one, and without a registry
    # to ask, it is the least that can be asked of Swarm.
    options = ("--detach", "--no-resolve-image", "--stop-grace-period", "0s", "--replicas", str(replicas))
    return Cluster(
        one,
        label="com.docker.swarm.service.name=bench",
        slot="com.docker.swarm.task.name",
        deploying=("docker", "service", "create", "--name", "bench", *options, IMAGE, *COMMAND),
        removing=("docker", "service", "rm", "bench"),
        listing=("docker", "node", "ls"),
    )


def _swarm_stack(one: Lab, file: Path) -> Cluster:
    return Cluster(
        one,
        label="com.docker.stack.namespace=named",
        slot="com.docker.swarm.task.name",
        deploying=("docker", "stack", "deploy", "--resolve-image", "never", "-c", str(file), "named"),
        removing=("docker", "stack", "rm", "named"),
        listing=("docker", "node", "ls"),
    )


def form_swarm(one: Lab) -> None:
    """Make one swarm of a lab's machines; the first is its manager."""
    first, *others = one.machines
    command(first, "docker", "swarm", "init", "--advertise-addr", first.address)
    token = command(first, "docker", "swarm", "join-token", "--quiet", "worker").strip()
    for machine in others:
        command(machine, "docker", "swarm", "join", "--token", token, f"{first.address}:2377")
