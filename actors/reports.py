"""What an agent has to tell the Senate, until that has it: how its machine is, and what was seen of its tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import anyio

from actors import protocol
from actors.machine import Machine
from actors.places import SENATE
from cluster.assignment import Observation
from cluster.capacity import Disk, told
from engine.port import EngineInfo
from supervisor.actor import Context
from supervisor.errors import ActorError
from supervisor.message import message
from supervisor.ref import Ref

RESEND = 2.0


@message("reports.again/1")
@dataclass(frozen=True, slots=True)
class Again:
    """A timer's tick: what was sent last is not confirmed yet."""


class Reports:
    """An agent's way to its Senate. Of each task the newest observation counts, and they are told in batches."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._batch = 0
        self._sent: tuple[int, dict[str, int]] | None = None
        self._unconfirmed: dict[str, Observation] = {}
        self._here = protocol.ProvisionsNow((), (), ())
        self._named: frozenset[str] = frozenset()
        self.node = protocol.NodeReport(
            machine.node,
            machine.name,
            machine.address,
            "starting",
            "is starting",
            role=machine.role,
            version=machine.version,
            link_port=machine.link_port,
        )

    @property
    def waiting(self) -> int:
        """How many tasks the Senate does not know the newest of."""
        return len(self._unconfirmed)

    def tell_node(self, report: protocol.NodeReport, ctx: Context) -> None:
        """Tell it until it is durable; a newer report takes this one's place."""
        self.node = report
        ctx.spawn("report", partial(_insist, self._senate(ctx), report))

    def tell_ready(self, info: EngineInfo, disk: Disk, here: protocol.ProvisionsNow | None, ctx: Context) -> None:
        """Tell that the engine answers, and what it says; `here` is None where what it has is told already."""
        report = replace(
            self.node if here is None else self._provided(here),
            status="ready",
            message="ready",
            engine_version=info.version,
            engine_api=info.api_version,
            engine_id=info.id,
            os=info.os,
            arch=info.arch,
            cpus=info.cpus,
            memory=info.memory,
            disk=told(self.node.disk, disk),
            gpus=info.gpus,
            gpu_runtime=info.gpu_runtime,
            labels=info.labels,
        )
        self.tell_node(report, ctx)

    def tell_provisions(self, here: protocol.ProvisionsNow, ctx: Context) -> None:
        """Tell which networks and volumes are here, and which should not be."""
        self.tell_node(replace(self._provided(here), stuck=here.stuck), ctx)

    def name_volumes(self, names: frozenset[str], ctx: Context) -> None:
        """Stacks name these volumes: their data count as the cluster's, whoever made them. Told where that is news."""
        self._named = names
        report = self._provided(self._here)
        if report.volumes != self.node.volumes:
            self.tell_node(report, ctx)

    def tell_disk(self, seen: Disk, ctx: Context) -> None:
        """Tell how the engine's disk is, where that is news."""
        disk = told(self.node.disk, seen)
        if disk != self.node.disk:
            self.tell_node(replace(self.node, disk=disk), ctx)

    def tell(self, seen: Observation, ctx: Context) -> None:
        """Tell what was seen of a task, as soon as the last batch is confirmed."""
        self._unconfirmed[seen.task] = seen
        self._send(ctx)

    def forget(self, task: str) -> None:
        """The task is no more this machine's to tell of."""
        self._unconfirmed.pop(task, None)

    def confirm(self, batch: int, ctx: Context) -> None:
        """The Senate has a batch."""
        if self._sent is None or self._sent[0] != batch:
            return
        for task, sequence in self._sent[1].items():
            if task in self._unconfirmed and self._unconfirmed[task].sequence <= sequence:
                del self._unconfirmed[task]
        self._sent = None
        ctx.timers.cancel("resend")
        self._send(ctx)

    def again(self, ctx: Context) -> None:
        """Send once more what is not confirmed."""
        self._sent = None
        self._send(ctx)

    def _send(self, ctx: Context) -> None:
        if self._sent is not None or not self._unconfirmed:
            return
        self._batch += 1
        self._sent = (self._batch, {task: seen.sequence for task, seen in self._unconfirmed.items()})
        news = tuple(self._unconfirmed.values())
        self._senate(ctx).tell(protocol.Observed(self._machine.node, str(ctx.address), self._batch, news))
        ctx.timers.start("resend", RESEND, Again())

    def _provided(self, here: protocol.ProvisionsNow) -> protocol.NodeReport:
        self._here = here
        volumes = tuple(sorted({*here.volumes, *self._named.intersection(here.other_volumes)}))
        return replace(self.node, networks=here.networks, volumes=volumes, used_subnets=here.used_subnets)

    def _senate(self, ctx: Context) -> Ref:
        return ctx.ref(self._machine.at_manager(SENATE, ctx.address))


async def _insist(senate: Ref, report: protocol.NodeReport) -> None:
    while True:
        try:
            if isinstance(await senate.ask(report, timeout=RESEND), protocol.Accepted):
                return
        except ActorError:
            pass  # the Senate is not there, or is slow
        await anyio.sleep(RESEND)
