"""What `gbnt stack adopt` does: looks, plans, asks, and takes over, or goes on with what was begun."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cli.adopt.files import find
from cli.adopt.old import OldContainers
from cli.adopt.record import Record, RecordFile
from cli.adopt.takeover import Takeover
from cli.adopt.words import described, row
from cli.asking import confirm
from cli.client import Client
from cli.context import config_path
from cli.deploy import built, kept
from cli.docker_config import sign_ins
from cli.errors import BadInput, CliError, NotFound
from cli.output import Output, show_value
from cli.words import did_you_mean
from cluster.adoption.plan import Plan, Wish, plan
from cluster.adoption.project import Project
from cluster.registries import registries_of
from cluster.spec import StackSpec
from engine.port import EngineInfo

if TYPE_CHECKING:
    from portal.shapes import NodeRow

UNCHANGED = "nothing was changed"
BEGUN = (
    "the adoption of {0} was broken off, and goes on; `gbnt stack adopt {0} --undo` starts the old containers instead"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person said; an empty `stack` is called as the project, no `files` are those that it was run by."""

    project: str
    stack: str = ""
    files: tuple[str, ...] = ()
    leave_anonymous: bool = False
    keep: bool = False
    dry_run: bool = False
    yes: bool = False
    timeout: float | None = None
    output: Output = Output()

    @property
    def name(self) -> str:
        """What the stack is called."""
        return self.stack or self.project


def adopt(client: Client, wanted: Wanted) -> None:
    """Have a stack serve in place of what `docker compose` runs. Raises CliError; the old containers run then."""
    old = OldContainers()
    engine = old.engine()
    machine, alone = _machine(client, engine)
    file = RecordFile(config_path().parent / "adopt", wanted.project, engine.id)
    takeover = Takeover(client, old, file, wanted.timeout)
    with file.alone():
        record, stacks = file.load(), {str(stack["name"]) for stack in client.stacks()}
        if record is not None and record.serves and record.stack in stacks:
            _finish(takeover, record, wanted)
            return
        if record is None and wanted.name in stacks:
            raise BadInput(f"there is a stack {wanted.name} already: choose another name with --name")
        project = _project(old, record, wanted)
        found = find(project, wanted.name, wanted.files)
        decided = _planned(project, found.spec, machine, alone, wanted)
        _tell(decided, found.command, wanted)
        if wanted.dry_run:
            return
        spec, sources = _prepared(client, old, decided.spec), kept(found.sources)
        begun = record or Record(project.name, wanted.name, decided.stops, decided.networks)
        _end(takeover, takeover.deploy(replace(begun, serves=False), spec, sources), wanted)
        if not wanted.output.is_table:
            show_value(row(decided, found.command, "adopted"), wanted.output)


def undo(client: Client, project: str, *, yes: bool) -> None:
    """Go back to what `docker compose` ran, where its containers are still there. Raises CliError, NotFound."""
    old = OldContainers()
    file = RecordFile(config_path().parent / "adopt", project, old.engine().id)
    with file.alone():
        record = file.load()
        if record is None:
            raise NotFound(f"no adoption of {project} was begun here, or it came to its end: there is no way back")
        there = {one.back.id for one in old.project(project).containers}
        gone = [one.name for one in record.containers if one.id not in there]
        if gone:
            raise CliError(f"{', '.join(gone)} of {project} was removed already: `gbnt stack adopt {project}` goes on")
        print(
            f"The stack {record.stack} is removed, but for its volumes; the old containers run again.", file=sys.stderr
        )
        confirm("Go back?", yes=yes, otherwise=UNCHANGED)
        Takeover(client, old, file).undo(record)


def _machine(client: Client, engine: EngineInfo) -> tuple[NodeRow, bool]:
    """The node of this machine, and whether it is alone."""
    nodes = client.nodes()
    found = [node for node in nodes if node["engine_id"] == engine.id]
    if len(found) > 1:  # of a copied disk the engines have one id
        found = [node for node in found if node["name"] == engine.hostname]
    if len(found) != 1:
        raise CliError(
            "it cannot be told which machine of the cluster has this engine: run this where docker compose runs the "
            f"project, after it has joined (`gbnt legion join`), by the name {engine.hostname} if its disk is a copy"
        )
    node = found[0]
    if node["availability"] != "active":
        name = node["name"]
        raise CliError(f"{name} takes no new tasks: `gbnt node update {name} --availability active` changes that")
    return node, len(nodes) == 1


def _project(old: OldContainers, record: Record | None, wanted: Wanted) -> Project:
    """What is there, or was when it was begun. Raises CliError where that is not what is wanted now."""
    found = old.project(wanted.project)
    if not any(one.service for one in found.containers):
        known = old.projects()
        listed = f"it runs {', '.join(known)}" if known else "it runs nothing"
        hint = did_you_mean(wanted.project, known)
        raise NotFound(f'docker compose runs no project "{wanted.project}" here{hint}; {listed}')
    if record is None:
        return found
    print(BEGUN.format(record.project), file=sys.stderr)
    if record.stack != wanted.name:
        raise BadInput(f"the adoption of {record.project} as the stack {record.stack} was begun: --name {record.stack}")
    known_ids = {one.id for one in record.containers}
    new = [one.back for one in found.containers if one.service and one.back.id not in known_ids]
    if names := " ".join(one.name for one in new if one.running):
        raise CliError(f"containers were started since the adoption was begun: docker stop {names} first")
    return found.as_before(record.containers)


def _planned(project: Project, spec: StackSpec, machine: NodeRow, alone: bool, wanted: Wanted) -> Plan:
    if machine["role"] != "manager" and any(service.build for service in spec.services.values()):
        raise BadInput("the file builds images, which are built on the manager's machine: push them, and name them")
    return plan(project, spec, Wish("" if alone else str(machine["id"]), wanted.leave_anonymous))


def _tell(decided: Plan, command: str, wanted: Wanted) -> None:
    """Show the plan, and ask. Raises BadInput where it is not to be done."""
    lines = "\n".join(described(decided, command))
    obstacles = "".join(f"\n  {words}" for words in decided.obstacles)
    if wanted.dry_run:
        if not wanted.output.is_table:
            show_value(row(decided, command, "obstructed" if obstacles else "planned"), wanted.output)
        else:
            print(lines)
    else:
        print(lines, file=sys.stderr)
    if obstacles:
        raise BadInput(f"{decided.project} cannot be adopted as it is, and nothing was changed:{obstacles}")
    if not wanted.dry_run:
        confirm("Take it over?", yes=wanted.yes, otherwise=UNCHANGED)


def _prepared(client: Client, old: OldContainers, spec: StackSpec) -> StackSpec:
    """All that takes long, while the old containers run: images."""
    services = spec.services.values()
    old.pull(services, sign_ins(registries_of(services)))
    return built(client, spec)


def _finish(takeover: Takeover, record: Record, wanted: Wanted) -> None:
    """What is left to do where the stack serves: the old containers were kept, or the end was broken off."""
    names = ", ".join(one.name for one in record.containers)
    print(f"{record.project} is the stack {record.stack}, and its old containers are left: {names}", file=sys.stderr)
    if not (wanted.dry_run or wanted.keep):
        confirm("Remove them?", yes=wanted.yes)
        takeover.finish(record)


def _end(takeover: Takeover, record: Record, wanted: Wanted) -> None:
    if wanted.keep:
        names = ", ".join(one.name for one in record.containers)
        command = f"gbnt stack adopt {record.project}"
        print(f"kept, stopped: {names}; `{command}` removes them, `{command} --undo` goes back", file=sys.stderr)
    else:
        takeover.finish(record)
    print(f"{record.project} is the stack {record.stack}", file=sys.stderr)
