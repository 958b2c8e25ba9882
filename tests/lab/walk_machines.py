"""Steps of the walk: machines that begin, join, are emptied and lost, and the cluster's state kept and brought back."""

from __future__ import annotations

import json

from tests.e2e.node import Ended, until
from tests.lab.machine import Machine
from tests.lab.walk import Scene, Step, names, rows
from tests.lab.walk_stacks import LIGHT

DONE = Ended(0, "", "")


def serve(scene: Scene) -> Ended:
    scene.rome.start()
    return DONE


def init(scene: Scene) -> Ended:
    """Make the line for the others."""
    ended = scene.rome.gbnt("legion", "init")
    scene.notes["line"] = ended.out.strip()
    return ended


def join(scene: Scene) -> Ended:
    """Paste it on two machines."""
    for machine in (scene.second, scene.third):
        machine.paste(scene.notes["line"])
    for machine in (scene.second, scene.third):
        machine.settle()
    return DONE


def unfit(scene: Scene) -> Ended:
    """A machine whose engine does not answer."""
    return scene.away.run("env", "DOCKER_HOST=unix:///nowhere", *scene.away.client, "doctor")


def statuses(scene: Scene) -> dict[str, str]:
    return {row["name"]: row["status"] for row in scene.store.nodes()}


BEGIN = (
    Step("doctor", says="problem  engine", code=1, do=unfit),
    Step("doctor", "-o json", proof=lambda s, out: "problem" not in {row["result"] for row in rows(out)}),
    Step("health", says="4002", code=3, on="rome"),
    Step("serve", "--log-level loud", says="loud", code=2, on="rome"),
    Step("serve", do=serve, proof=lambda s, out: s.rome.is_well()),
    Step("health", says="ok", on="rome", proof=lambda s, out: s.rome.health()["status"] == "ok"),
    Step("legion init", says="no gbnt of yours serves on this machine", code=1),
    Step("legion init", do=init, proof=lambda s, out: [row["state"] for row in s.store.join_tokens()] == ["good"]),
    Step("legion join", "--token nonsense --manager $manager", says="this is no join token", code=1, on="second"),
    Step(
        "legion join",
        do=join,
        proof=lambda s, out: statuses(s) == {"rome-1": "ready", "rome-2": "ready", "rome-3": "ready"},
    ),
)
"""Three machines become a cluster."""

NODES = (
    Step("node ls", "-o json", proof=lambda s, out: names(out) == list(statuses(s))),
    Step("node ps", "nobody", says='there is no node "nobody"', code=1),
    Step("node ps", "rome-1 -o json", proof=lambda s, out: len(rows(out)) == s.node("rome-1")["tasks"]),
    Step("node inspect", "nobody", says='there is no node "nobody"', code=1),
    Step("node inspect", "rome-2 -o json", proof=lambda s, out: s.second.address in out),
    Step("node update", "rome-2 --availability holiday", says="holiday", code=2),
    Step(
        "node update", "rome-2 --label-add disk=ssd", proof=lambda s, out: s.node("rome-2")["labels"] == {"disk": "ssd"}
    ),
    Step("stack deploy", "-c $light light --detach", proof=lambda s, out: s.runs("light", 3) and s.second.containers()),
    Step(
        "node update",
        "rome-2 --availability drain",
        says="rome-2: is empty",
        proof=lambda s, out: s.second.containers() == [] and s.runs("light", 3, new=1),
    ),
    Step(
        "node update", "rome-2 --availability active", proof=lambda s, out: s.node("rome-2")["availability"] == "active"
    ),
    Step("node promote", "nobody", says='there is no node "nobody"', code=1),
    Step("node promote", "rome-2", proof=lambda s, out: s.node("rome-2")["role"] == "manager"),
    Step("node demote", "rome-1", says="rome-1", code=1),
    Step("node demote", "rome-2", proof=lambda s, out: s.node("rome-2")["role"] == "worker"),
    Step("node rm", "rome-2", says="rome-2", code=1),
    Step("legion status", "--context nobody", says='there is no context "nobody"', code=2),
    Step("legion status", "-o json", proof=lambda s, out: json.loads(out)["id"] == s.rome.cluster),
    Step("legion update", "--pause-above 300", says="300", code=2),
    Step("legion update", "--pause-above 20", says="20 %", proof=lambda s, out: s.store.cluster()["pause_above"] == 20),
    Step("legion join-token", "--ttl 90d", says="30", code=2),
    Step(
        "legion join-token",
        "--role manager --ttl 10m",
        says="gbnt legion join --token",
        proof=lambda s, out: "manager" in {row["role"] for row in s.store.join_tokens()},
    ),
    Step("legion join-token ls", "--context viewer", says="which may not do this", code=4),
    Step("legion join-token ls", "-o json", proof=lambda s, out: noted(s, out) and len(rows(out)) == 2),
    Step("legion join-token rm", "nobody", says="nobody", code=1),
    Step(
        "legion join-token rm",
        "$manager_token",
        says="nobody joins by $manager_token",
        proof=lambda s, out: "revoked" in {row["state"] for row in s.store.join_tokens()},
    ),
)
"""What is done with machines that are well."""


def noted(scene: Scene, out: str) -> bool:
    [scene.notes["manager_token"]] = [row["id"] for row in rows(out) if row["role"] == "manager"]
    return True


def leave(scene: Scene) -> Ended:
    """Twice: what systemd does not run is stopped by whoever started it."""
    first = scene.third.gbnt("legion", "leave")
    assert (first.code, "stop it, and run `gbnt legion leave` again" in first.err) == (1, True), first.text
    scene.third.stop()
    return scene.third.gbnt("legion", "leave")


def lose(scene: Scene) -> Ended:
    """A machine is lost, which is more than the cluster replaces by itself."""
    scene.second.kill9()
    until(lambda: scene.store.cluster()["alarm"], "an alarm")
    return scene.away.gbnt("legion", "confirm-loss")


def restore(scene: Scene) -> Ended:
    """Go back to before what was deployed since, while the manager is stopped."""
    scene.rome.deploy(LIGHT, "late", "--detach")
    until(lambda: scene.ids("light"), "a container that the snapshot does not know")
    scene.rome.stop()
    ended = scene.rome.gbnt("snapshot", "restore", scene.notes["snapshot"])
    scene.rome.start()
    return ended


def held(machine: Machine) -> list[str]:
    return [name for row in machine.api.nodes() for name in row["held"]]


STATE = (
    Step("snapshot create", "--context viewer", says="which may not do this", code=4),
    Step(
        "snapshot create",
        proof=lambda s, out: bool(s.notes.setdefault("snapshot", out.strip())) and kept(s, out.strip()),
    ),
    Step("snapshot ls", "--filter colour=red", says="colour", code=2),
    Step("snapshot ls", "-o json", proof=lambda s, out: all(kept(s, name) for name in names(out))),
    Step("snapshot restore", "gbnt-19990101", says="gbnt-19990101", code=1, on="rome"),
    Step(
        "snapshot restore",
        do=restore,
        says="start gbnt again",
        proof=lambda s, out: s.stack("late") == {} and s.ids("light") and held(s.rome),
    ),
    Step("snapshot confirm", "--context viewer", says="which may not do this", code=4),
    Step("snapshot confirm", proof=lambda s, out: not s.ids("light")),
    Step("backup create", "$folder/rome.backup --passphrase-file $folder/none", says="none", code=2, on="rome"),
    Step(
        "backup create",
        "$folder/rome.backup --passphrase-file $passphrase",
        says="rome.backup",
        on="rome",
        proof=lambda s, out: (s.away.folder / "rome.backup").exists(),
    ),
    Step("backup inspect", "$folder/rome.backup --passphrase-file $shop", says="passphrase", code=1),
    Step(
        "backup inspect",
        "$folder/rome.backup --passphrase-file $passphrase -o json",
        proof=lambda s, out: json.loads(out)["cluster"] == s.rome.cluster,
    ),
    Step("backup restore", "$folder/nothing.backup --passphrase-file $passphrase", says="there is no file", code=1),
    Step(
        "backup restore",
        "$folder/rome.backup --passphrase-file $passphrase --data-dir $folder/again",
        says="gbnt serve --data-dir",
        proof=lambda s, out: (
            json.loads((s.away.folder / "again" / "node.json").read_text())["cluster"] == s.rome.cluster
        ),
    ),
)
"""The cluster's state is kept, and brought back."""


def kept(scene: Scene, name: str) -> bool:
    """Whether the manager has a snapshot of that name."""
    return (scene.rome.data / "snapshots" / f"{name}.db").exists()


def reset(scene: Scene) -> Ended:
    """Of a machine that the cluster has forgotten."""
    return scene.second.gbnt("reset", "--yes")


LOSSES = (
    Step("legion leave", says="is no node's", code=1),
    Step(
        "legion leave",
        do=leave,
        says="this machine may join again",
        proof=lambda s, out: "rome-3" not in statuses(s) and s.third.docker("ps", "-aq") == "",
    ),
    Step("legion confirm-loss", "--context viewer", says="which may not do this", code=4),
    Step("legion confirm-loss", do=lose, says="rome-2: ", proof=lambda s, out: s.store.cluster()["alarm"] == ""),
    Step("node rm", "rome-2 --force", proof=lambda s, out: list(statuses(s)) == ["rome-1"]),
    Step("reset", says="--yes", code=2, on="second"),
    Step("reset", do=reset, proof=lambda s, out: not (s.second.data / "node.json").exists()),
    Step("completion", "tcsh", says="must be bash, zsh or fish", code=2),
    Step(
        "completion", "bash", says="_GBNT_COMPLETE", proof=lambda s, out: s.away.run("bash", "-n", "-c", out).code == 0
    ),
    Step("version", do=lambda s: s.away.run("sh", "-c", full(s)), says="No space left on device", code=1),
    Step("version", says="gbnt ", proof=lambda s, out: s.store.cluster()["version"] in out),
)
"""Machines go, in order and otherwise; and what no manager is asked for."""


def full(scene: Scene) -> str:
    return f"{' '.join(scene.away.client)} version >/dev/full"
