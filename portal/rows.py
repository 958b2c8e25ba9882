"""The cluster's records as the flat objects that the API's lists hold. Pure; times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Iterable

from actors.protocol import SnapshotMade
from cluster import progress
from cluster.capacity import Disk, crowded
from cluster.decide.configs import Held
from cluster.event import Event
from cluster.explaining import said
from cluster.leaving import Leaver
from cluster.model import Node, Service, Stack, State, Task
from cluster.revisions import StackRevision
from cluster.spec import ServiceSpec
from portal.part_rows import attempt_row, gpus_row, host_port_row, port_row
from portal.shapes import (
    ActorRow,
    ConfigRow,
    DiskRow,
    EventRow,
    LeaverRow,
    NodeRow,
    RevisionRow,
    ServiceRow,
    SnapshotRow,
    StackRow,
    TaskRow,
)
from supervisor.inspection import ActorInfo


def node_row(state: State, node: Node) -> NodeRow:
    """A machine, with the number of tasks that it has to run, and what those that have not ended reserve."""
    there = [task for task in state.tasks.values() if task.node == node.id]
    reserved = [state.spec_of(task).reserved for task in there if not task.ended]
    return {
        "id": node.id,
        "name": node.name,
        "role": node.role,
        "status": node.status,
        "message": node.message,
        "warning": crowded(node.disk),
        "availability": node.availability,
        "labels": dict(node.labels),
        "engine_labels": dict(node.engine_labels),
        "address": node.address,
        "engine_id": node.engine_id,
        "engine_version": node.engine_version,
        "cpus": node.cpus,
        "memory": node.memory,
        "reserved_cpus": sum(one.cpus or 0.0 for one in reserved),
        "reserved_memory": sum(one.memory or 0 for one in reserved),
        "disk": _disk_row(node.disk),
        "gpus": list(map(gpus_row, node.gpus)),
        "gpu_runtime": node.gpu_runtime,
        "os": node.os,
        "arch": node.arch,
        "since": node.since,
        "tasks": sum(map(is_wanted, there)),
        "volumes": list(node.volumes),
        "held": list(node.held),
        "version": node.version,
        "certificate_expires": node.certificate_expires,
    }


def _disk_row(disk: Disk) -> DiskRow:
    known = not disk.unknown
    return {
        "path": disk.path,
        "total": disk.total if known else None,
        "free": disk.free if known else None,
        "unknown": disk.unknown,
    }


def leaver_row(leaver: Leaver) -> LeaverRow:
    """A task that has not left its machine yet, and what it waits for."""
    task = leaver.task
    return {"task": task.name, "id": task.id, "state": task.standing, "words": leaver.words, "stuck": leaver.stuck}


def stack_row(state: State, stack: Stack) -> StackRow:
    """A stack; work that is done for good counts neither as wanted nor as running."""
    services = state.services_of(stack.name)
    tasks = state.tasks_in(stack.name)
    status, message = stack_status(state, stack)
    return {
        "name": stack.name,
        "services": len(services),
        "tasks_running": sum(task.serving for task in tasks),
        "tasks_wanted": sum(_tasks_wanted(state, service) for service in services),
        "status": status,
        "message": message,
        "updated_at": stack.updated_at,
        "volumes": sorted(volume.name for volume in stack.spec.volumes.values()),
        "networks": sorted(network.name for network in stack.spec.networks.values()),
    }


def revision_row(revision: StackRevision, newest: int) -> RevisionRow:
    """What a stack said from one deploy on, without spec and sources.

    `by` is empty for the manager's own root. `of` is the number of the revision that it goes back to, if it does.
    """
    return {
        "stack": revision.stack,
        "number": revision.number,
        "at": revision.at,
        "by": revision.by,
        "changes": dict(revision.changes),
        "services": len(revision.spec.services),
        "sources": bool(revision.sources),
        "newest": revision.number == newest,
        "of": revision.of or None,
    }


def stack_status(state: State, stack: Stack) -> tuple[str, str]:
    """A word, and why or what to do where it is not well.

    The word is `removing`, `empty` of services, `stopped`, `running`, `done` where all of it was one-off work that
    ended well, `updating`, or `degraded` where something that is wanted has a problem.
    """
    if stack.removing:
        return "removing", progress.obstacle(state, stack.name)
    services = state.services_of(stack.name)
    if not services:
        return "empty", f"no service is left of it: `gbnt stack rm {stack.name}` removes it"
    if all(service.stopped for service in services):
        return "stopped", ""
    verdict = progress.verdict(state, stack.name)
    if isinstance(verdict, progress.Converged):
        done = all(0 < service.replicas == _tasks_done(state, service) for service in services)
        return "done" if done else "running", ""
    if isinstance(verdict, progress.Failed):
        return "degraded", verdict.reason
    for service in services:
        for task in state.tasks_of(service.key):
            if is_wanted(task) and task.problem:
                return "degraded", f"{service.name}.{task.slot}: {task.problem}"
    return "updating", verdict.reason


def _tasks_wanted(state: State, service: Service) -> int:
    if service.stopped or service.removing:
        return 0
    return max(0, service.replicas - _tasks_done(state, service))


def _tasks_done(state: State, service: Service) -> int:
    """How many of its tasks were one-off work that ended well."""
    return sum(progress.is_done(service, task) for task in state.tasks_of(service.key) if is_wanted(task))


def service_row(state: State, service: Service) -> ServiceRow:
    """A service."""
    return {
        "name": service.key,
        "stack": service.stack,
        "service": service.name,
        "image": service.spec.image,
        "digest": service.spec.digest,
        "mode": service.spec.mode,
        "labels": _labels(service.spec),
        "replicas": service.replicas,
        "running": sum(task.serving for task in state.tasks_of(service.key)),
        "done": _tasks_done(state, service),
        "stopped": service.stopped,
        "revision": service.revision,
        "ports": list(map(port_row, service.spec.ports)),
        "update": service.update,
        "update_message": service.update_message,
        "updated_at": service.updated_at,
    }


def task_row(state: State, task: Task) -> TaskRow:
    """A task, with its node's name and its containers that ended."""
    node, spec = state.nodes.get(task.node), state.spec_of(task)
    return {
        "id": task.id,
        "name": task.name,
        "stack": task.stack,
        "service": task.service,
        "slot": task.slot,
        "node": node.name if node else task.node,
        "desired": task.desired,
        "state": task.standing,
        "health": task.health,
        "message": said(task),
        "problem": task.problem,
        "attempt": task.attempt,
        "crashes": task.crashes,
        "restart_at": task.restart_at,
        "container_id": task.container_id,
        "container_name": task.container_name,
        "image": spec.image,
        "digest": spec.digest,
        "labels": _labels(spec),
        "exit_code": task.exit_code,
        "created_at": task.created_at,
        "since": task.since,
        "started_at": task.started_at,
        "addresses": dict(task.addresses),
        "ports": list(map(host_port_row, task.ports)),
        "gpus": list(task.gpus),
        "past": list(map(attempt_row, task.past)),
        "request": task.request,
    }


def _labels(spec: ServiceSpec) -> dict[str, str]:
    return {**spec.labels, **spec.deploy_labels}


def is_wanted(task: Task) -> bool:
    """Whether the cluster means the task to run."""
    return task.desired in ("ready", "run")


def present(tasks: Iterable[Task]) -> list[Task]:
    """The tasks that are wanted, or the newest of their slot: what a person asks about first."""
    ordered = sorted(tasks, key=lambda task: (task.stack, task.service, task.slot, task.created_at, task.id))
    newest = {(task.service_key, task.slot): task.id for task in ordered}
    return [task for task in ordered if is_wanted(task) or newest[task.service_key, task.slot] == task.id]


def config_row(state: State, held: Held) -> ConfigRow:
    """A config without its content, and which services read it."""
    config = held.config
    return {
        "name": config.name,
        "stack": held.stack,
        "key": held.key,
        "size": config.size,
        "digest": config.digest,
        "labels": dict(config.labels),
        "services": list(held.readers),
        "updated_at": state.stacks[held.stack].updated_at,
    }


def event_row(event: Event) -> EventRow:
    """Something that changed."""
    return {
        "revision": event.revision,
        "number": event.number,
        "at": event.at,
        "kind": event.kind,
        "subject": event.subject,
        "message": event.message,
        "request": event.request,
    }


def snapshot_row(snapshot: SnapshotMade) -> SnapshotRow:
    """A snapshot that is kept."""
    return {
        "name": snapshot.name,
        "size": snapshot.size,
        "revision": snapshot.revision,
        "created_at": snapshot.created_at,
    }


def actor_row(info: ActorInfo) -> ActorRow:
    """A live actor."""
    return {
        "address": str(info.address),
        "kind": info.kind,
        "state": str(info.state),
        "incarnation": info.incarnation,
        "mailbox": info.mailbox,
        "capacity": info.capacity,
        "processed": info.processed,
        "restarts": info.restarts,
        "last_failure": info.last_failure,
        "last_failure_at": info.last_failure_at,
        "started_at": info.started_at,
        "children": list(info.children),
        "detail": dict(info.detail),
    }
