"""Pages of facts: of one machine with what runs there, and of all machines together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cli.table import Column, column, printable, render
from cli.task_words import note, state
from cli.words import age, countdown, size, span

if TYPE_CHECKING:
    from portal.part_rows import GpusRow
    from portal.shapes import ClusterShown, DiskRow, LeaverRow, NodeRow, NodeShown, TaskRow

_PRIVILEGED = {
    ("auto", True): "taken, while there is but one machine",
    ("auto", False): "refused, since there is more than one machine: `gbnt legion update --privileged allow`",
    ("allow", True): "taken",
    ("refuse", False): "refused",
}
LEAVING: tuple[Column[LeaverRow], ...] = (
    column("TASK", "task"),
    column("STATE", "state"),
    column("WAITS", "words", flexible=True),
)


def sheet(node: NodeShown, tasks: Sequence[TaskRow], now: float, width: int | None = None) -> str:
    """The machine's row, and its tasks' rows, for a person; tables are cut to `width` cells."""
    lines = [page(_facts(node, now))]
    if node["leaving"]:
        lines += ["", "Not gone yet:", render(node["leaving"], LEAVING, width)]
    if tasks:
        columns: tuple[Column[TaskRow], ...] = (
            column("TASK", "name"),
            Column("STATE", lambda row: state(row, now)),
            Column("SINCE", lambda row: age(row["since"], now)),
            Column("NOTE", note, flexible=True),
        )
        lines += ["", render(tasks, columns, width)]
    return "\n".join(lines)


def page(facts: Iterable[tuple[str, str]]) -> str:
    """Names and what belongs to each, a line each."""
    known = list(facts)
    longest = max(len(name) for name, _ in known)
    return "\n".join(f"{name + ':':<{longest + 1}}  {printable(text)}" for name, text in known)


def facts_of_legion(cluster: ClusterShown, nodes: Sequence[NodeRow]) -> Iterator[tuple[str, str]]:
    """How the cluster is, and its alarm where there is one."""
    words = Counter[str](node["status"] for node in nodes)
    kept = Counter[str](node["availability"] for node in nodes if node["availability"] != "active")
    yield "Cluster", cluster["id"]
    yield "Manager", f"{cluster['name']} (gbnt {cluster['version']}), at revision {cluster['revision']}"
    yield "Machines", (_counted(words) or "-") + (f" (of these {_counted(kept)})" if kept else "")
    yield "Replacement", f"pauses where more than {cluster['pause_above']} % of them are lost at once"
    yield "Privileged keys", _PRIVILEGED[cluster["privileged"], cluster["privileged_taken"]]
    yield "Alarm", cluster["alarm"] or "-"


def _counted(words: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {word}" for word, number in words.items())


def note_of(node: NodeRow) -> str:
    """Why a machine is as it is, where its status does not say it all, and what it warns of."""
    said = ("" if node["message"] == node["status"] else node["message"], node.get("warning"))
    return "; ".join(text for text in said if text)


def labels(given: Mapping[str, str]) -> str:
    """`disk=ssd, gpu=nvidia`."""
    return ", ".join(f"{name}={value}" if value else name for name, value in sorted(given.items()))


def _disk(found: DiskRow) -> str:
    """`41 GB free of 62 GB (/var/lib/docker)`, or why that is unknown."""
    if found["free"] is None or found["total"] is None:
        return f"unknown: {found['unknown']}"
    return f"{size(found['free'])} free of {size(found['total'])} ({found['path']})"


def gpus(found: Sequence[GpusRow]) -> str:
    """`2 nvidia.com/gpu, 4 GPU (declared)`."""
    return ", ".join(
        f"{one['count']} {one['kind']}{' (declared)' if one['source'] == 'declared' else ''}" for one in found
    )


def _gpus(node: NodeRow) -> str:
    runtime = node["gpu_runtime"]
    hint = f"none reported, though the engine has the runtime {runtime}" if runtime else "-"
    return gpus(node["gpus"]) or hint


def _facts(node: NodeRow, now: float) -> Iterator[tuple[str, str]]:
    reason = note_of(node)
    yield "Name", node["name"]
    yield "Id", node["id"]
    yield "Role", node["role"]
    yield "Status", f"{node['status']} for {age(node['since'], now)}{f': {reason}' if reason else ''}"
    yield "Availability", node["availability"]
    yield "Address", node["address"]
    yield "Platform", f"{node['os']}/{node['arch']}" if node["os"] else "-"
    yield "CPUs", _of(f"{node['cpus']}", f"{node['reserved_cpus']:g}" if node["reserved_cpus"] else "")
    reserved = size(node["reserved_memory"]) if node["reserved_memory"] else ""
    yield "Memory", _of(size(node["memory"]) if node["memory"] else "-", reserved)
    yield "Disk", _disk(node["disk"])
    yield "GPUs", _gpus(node)
    yield "Release", f"gbnt {node['version']}" if node["version"] else "-"
    yield "Engine", node["engine_version"] or "-"
    yield "Labels", labels(node["labels"]) or "-"
    yield "Engine labels", labels(node["engine_labels"]) or "-"
    yield "Certificate", _certificate(node["certificate_expires"], now)
    yield "Volumes", ", ".join(node["volumes"]) or "-"
    if node["held"]:
        yield "Held", f"{', '.join(node['held'])}: unknown since a restore, until `gbnt snapshot confirm`"
    yield "Tasks", str(node["tasks"])


def _of(whole: str, reserved: str) -> str:
    return f"{whole}, of which {reserved} reserved" if reserved else whole


def _certificate(expires: float, now: float) -> str:
    if not expires:
        return "none yet"
    left = countdown(expires, now)
    return f"expires in {span(left)}" if left else f"expired {age(expires, now)} ago: `gbnt legion join` it again"
