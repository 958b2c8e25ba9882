"""The machines: listed, looked at, changed, emptied, taken out; and what concerns all of them."""

import json
from collections.abc import Sequence
from typing import get_args

import pytest

from cli.commands.node import STATUSES, Availability
from cli.emptying import Emptying, Stuck
from cli.errors import Unreachable
from cli.follow import TimedOut
from cli.live import Line
from cluster import model
from portal.shapes import LeaverRow
from tests.cli.conftest import Run
from tests.cli.manager import Answer, HangUp, Manager, listing, problem
from tests.cli.rows import Row, leaving, node, task

CLUSTER: Row = {"name": "rome", "id": "c-1", "version": "0.1.0", "revision": 7, "epoch": 1, "node": "n1"}
ALARM = "no tasks are replaced: 2 of 3 machines were lost at once; if they are really gone: `gbnt legion confirm-loss`"


def cluster(alarm: str = "") -> Answer:
    return Answer({**CLUSTER, "alarm": alarm, "pause_above": 50, "privileged": "auto", "privileged_taken": False})


def changed(name: str, words: str) -> Answer:
    return Answer({"revision": 8, "changes": {name: words}, "detail": {}})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.emptying.TICK", 0.0)
    monkeypatch.setattr("time.time", lambda: 1_300.0)


# -- looking -----------------------------------------------------------------------------------------------------------


def test_nodes_are_listed(gbnt: Run, manager: Manager):
    ill = node("rome", role="manager", status="unavailable", message="it does not answer", engine_version="")
    manager.on("GET /v1/nodes", listing(ill, node(availability="drain", labels={"gpu": "nvidia", "ssd": ""})))
    manager.on("GET /v1/cluster", cluster())
    ran = gbnt("node", "ls")
    assert ran.out.splitlines() == [
        "NAME  ROLE     STATUS       AVAILABILITY  ADDRESS    TASKS  CPUS  MEMORY  ENGINE    NOTE",
        "rome  manager  unavailable  active        192.0.2.7  0      2     8.0 GB  -         it does not answer",
        "gaul  worker   ready        drain         192.0.2.7  0      2     8.0 GB  20.10.24  -",
    ]
    assert ran.err == ""
    wide = gbnt("node", "ls", "-o", "wide").out.splitlines()
    assert wide[0].split()[-5:] == ["DISK", "GPUS", "ID", "RELEASE", "LABELS"]
    assert wide[2].endswith("41 GB free  -     id-of-gaul  0.1.0    gpu=nvidia, ssd")
    assert json.loads(gbnt("node", "ls", "-o", "json").out)[1]["labels"] == {"gpu": "nvidia", "ssd": ""}


def test_an_alarm_is_seen_by_whoever_looks_at_the_machines(gbnt: Run, manager: Manager):
    manager.on("GET /v1/nodes", listing(node(status="down"), node("iberia", availability="pause")))
    manager.on("GET /v1/cluster", cluster(ALARM))
    assert gbnt("node", "ls").err == f"alarm: {ALARM}\n"
    assert gbnt("legion", "status").out.splitlines() == [
        "Cluster:          c-1",
        "Manager:          rome (gbnt 0.1.0), at revision 7",
        "Machines:         1 down, 1 ready (of these 1 pause)",
        "Replacement:      pauses where more than 50 % of them are lost at once",
        "Privileged keys:  refused, since there is more than one machine: `gbnt legion update --privileged allow`",
        f"Alarm:            {ALARM}",
    ]
    assert json.loads(gbnt("legion", "status", "-o", "json").out)["alarm"] == ALARM


def test_a_node_is_shown_on_a_page(gbnt: Run, manager: Manager):
    drained = node(
        status="down",
        message="nothing was heard of gaul for 5 s",
        availability="drain",
        labels={"gpu": "nvidia"},
        reserved_cpus=0.5,
        reserved_memory=512_000_000,
        certificate_expires=1_300.0 + 9 * 86_400,
        volumes=["shop_data"],
        tasks=1,
        leaving=[leaving()],
    )
    manager.on("GET /v1/nodes/gaul", Answer(drained))
    manager.on("GET /v1/tasks", listing(task(node="gaul")))
    assert gbnt("node", "inspect", "gaul").out.splitlines() == [
        "Name:           gaul",
        "Id:             id-of-gaul",
        "Role:           worker",
        "Status:         down for 5m: nothing was heard of gaul for 5 s",
        "Availability:   drain",
        "Address:        192.0.2.7",
        "Platform:       linux/x86_64",
        "CPUs:           2, of which 0.5 reserved",
        "Memory:         8.0 GB, of which 512 MB reserved",
        "Disk:           41 GB free of 64 GB (/var/lib/docker)",
        "GPUs:           -",
        "Release:        gbnt 0.1.0",
        "Engine:         20.10.24",
        "Labels:         gpu=nvidia",
        "Engine labels:  -",
        "Certificate:    expires in 9d",
        "Volumes:        shop_data",
        "Tasks:          1",
        "",
        "Not gone yet:",
        "TASK        STATE    WAITS",
        "shop-web-1  running  waits for its turn",
        "",
        "TASK        STATE    SINCE  NOTE",
        "shop-web-1  running  5m     -",
    ]
    assert manager.asked[-1].query == {"node": "gaul"}
    found = json.loads(gbnt("node", "inspect", "gaul", "-o", "json").out)
    assert (found["id"], found["tasks_there"][0]["name"]) == ("id-of-gaul", "shop-web-1")


def test_gpus_and_what_is_unknown_of_a_disk_are_shown(gbnt: Run, manager: Manager):
    discovered = {"kind": "nvidia.com/gpu", "source": "discovered", "count": 2, "names": ["0", "1"]}
    declared = {"kind": "GPU", "source": "declared", "count": 4, "names": []}
    unseen = {"path": "/srv", "total": None, "free": None, "unknown": "gbnt does not see /srv"}
    gaul = node(gpus=[discovered, declared], gpu_runtime="nvidia", disk=unseen)
    manager.on("GET /v1/nodes/gaul", Answer(gaul))
    manager.on("GET /v1/nodes/iberia", Answer(node("iberia", gpu_runtime="nvidia")))
    manager.on("GET /v1/nodes", listing(gaul))
    manager.on("GET /v1/tasks", listing())
    manager.on("GET /v1/cluster", cluster())
    shown = gbnt("node", "inspect", "gaul", "iberia").out.splitlines()
    assert [line for line in shown if line.startswith(("Disk:", "GPUs:"))] == [
        "Disk:           unknown: gbnt does not see /srv",
        "GPUs:           2 nvidia.com/gpu, 4 GPU (declared)",
        "Disk:           41 GB free of 64 GB (/var/lib/docker)",
        "GPUs:           none reported, though the engine has the runtime nvidia",
    ]
    wide = gbnt("node", "ls", "-o", "wide").out.splitlines()[1]
    assert "unknown  2 nvidia.com/gpu, 4 GPU (declared)  id-of-gaul" in wide


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ((), ["rome", "gaul", "iberia"]),
        (("role=worker",), ["gaul", "iberia"]),
        (("status=down", "status=ready", "name=i"), ["iberia"]),
        (("name=rome", "name=gaul", "role=manager"), ["rome"]),
        (("label=ssd",), ["rome", "gaul"]),
        (("label=ssd=", "availability=active"), ["rome"]),
        (("label=gpu=nvidia", "label=ssd"), ["rome", "gaul", "iberia"]),
        (("label=gpu=amd",), []),
    ],
)
def test_filters_of_one_key_widen_and_those_of_another_narrow(
    gbnt: Run, manager: Manager, filters: tuple[str, ...], names: list[str]
):
    rome = node("rome", role="manager", labels={"ssd": ""})
    gaul = node("gaul", labels={"ssd": "fast"}, availability="drain")
    manager.on("GET /v1/nodes", listing(rome, gaul, node("iberia", status="down", labels={"gpu": "nvidia"})))
    manager.on("GET /v1/cluster", cluster())
    ran = gbnt("node", "ls", "-o", "json", *(word for text in filters for word in ("--filter", text)))
    assert [row["name"] for row in json.loads(ran.out)] == names
    assert gbnt("node", "ls", "-f", "name=x").err == "none of them is as the filters say\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "role",
            '"role" is no filter: write it as KEY=VALUE; the keys are name, id, role, status, availability, label',
        ),
        ("name=", '"name=" is no filter: write it as KEY=VALUE'),
        ("labels=x", 'there is no filter "labels" (did you mean "label"?); the keys are name, id, role'),
        ("status=read", 'status is never "read" (did you mean "ready"?); it is one of starting, ready'),
        ("role=boss", 'role is never "boss"; it is one of manager, worker'),
    ],
)
def test_a_filter_that_there_is_not_asks_nobody(gbnt: Run, manager: Manager, text: str, said: str):
    ran = gbnt("node", "ls", "--filter", text)
    assert (ran.status, said in ran.err, ran.out) == (2, True, "")
    assert manager.asked == []


def test_filters_know_all_the_words_of_the_model():
    assert set(STATUSES) == set(get_args(model.NodeStatus))
    assert set(get_args(Availability)) == set(get_args(model.Availability))


def test_several_nodes_are_shown_one_below_the_other_and_as_a_list(gbnt: Run, manager: Manager):
    for name in ("gaul", "iberia"):
        manager.on(f"GET /v1/nodes/{name}", Answer(node(name)))
    manager.on("GET /v1/tasks", listing())
    shown = gbnt("node", "inspect", "gaul", "iberia").out
    assert [line.split()[-1] for line in shown.splitlines() if line.startswith("Name:")] == ["gaul", "iberia"]
    found = json.loads(gbnt("node", "inspect", "gaul", "iberia", "-o", "json").out)
    assert [one["name"] for one in found] == ["gaul", "iberia"]


def test_tasks_of_nodes_are_listed(gbnt: Run, manager: Manager):
    manager.on("GET /v1/tasks", listing(task("shop-web-1", node="rome"), task("shop-web-2", node="gaul")))
    assert [line.split()[:2] for line in gbnt("node", "ps").out.splitlines()[1:]] == [
        ["shop-web-2", "gaul"],
        ["shop-web-1", "rome"],
    ]
    gbnt("node", "ps", "gaul", "rome")
    gbnt("task", "ls", "--node", "gaul")
    assert [asked.query for asked in manager.asked] == [{}, {"node": "gaul"}, {"node": "rome"}, {"node": "gaul"}]


# -- changing ----------------------------------------------------------------------------------------------------------


def test_labels_of_several_nodes_change_though_one_is_refused(gbnt: Run, manager: Manager):
    for name in ("gaul", "iberia"):
        manager.on(f"GET /v1/nodes/{name}", Answer(node(name)))
        manager.on(f"PATCH /v1/nodes/id-of-{name}", changed(name, "labels changed"))
    manager.on("GET /v1/nodes/gual", problem(404, "not_found", "there is no node gual; did you mean gaul?"))
    words = (
        "node",
        "update",
        "gaul",
        "iberia",
        "--label-add",
        "gpu=nvidia",
        "--label-add",
        "ssd",
        "--label-rm",
        "disk",
    )
    ran = gbnt(*words)
    assert (ran.status, ran.out) == (0, "gaul: labels changed\niberia: labels changed\n")
    bodies = [json.loads(asked.body) for asked in manager.asked if asked.method == "PATCH"]
    assert bodies == [{"availability": "", "labels": {"gpu": "nvidia", "ssd": "", "disk": None}, "role": ""}] * 2
    wrong = gbnt("node", "update", "gual", "gaul", "--label-rm", "disk")
    assert (wrong.status, wrong.out, wrong.err.splitlines()) == (
        1,
        "gaul: labels changed\n",
        ["error: there is no node gual; did you mean gaul?", "error: 1 of 2 nodes could not be changed"],
    )
    alone = gbnt("node", "update", "gual", "--label-rm", "disk")
    assert (alone.status, alone.err) == (1, "error: there is no node gual; did you mean gaul?\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to change: --availability, --label-add or --label-rm"),
        (("--label-add", "=x"), '"=x" is no label: write it as NAME=VALUE'),
        (("--label-add", "a=1", "--label-rm", "a"), "the label a is to be added and taken away"),
        (("--availability", "lazy"), 'active, pause, drain or maintenance, not "lazy"'),
    ],
)
def test_a_wrong_update_asks_nobody(gbnt: Run, manager: Manager, words: tuple[str, ...], said: str):
    ran = gbnt("node", "update", "gaul", *words)
    assert (ran.status, said in ran.err) == (2, True)
    assert manager.asked == []


def test_a_drain_is_followed_until_the_node_is_empty(gbnt: Run, manager: Manager):
    waits = leaving("shop-web-2", "waits for a machine (2 nodes: 1 is draining, 1 is down)", stuck=True)
    manager.on(
        "GET /v1/nodes/gaul",
        Answer(node()),
    )
    manager.on(
        "GET /v1/nodes/id-of-gaul",
        Answer(node(availability="drain", leaving=[leaving(), waits])),
        HangUp(),
        Answer(node(availability="drain", leaving=[waits])),
        Answer(node(availability="drain")),
    )
    manager.on("PATCH /v1/nodes/id-of-gaul", changed("gaul", "drain: its tasks move elsewhere, one by one"))
    ran = gbnt("node", "update", "gaul", "--availability", "drain")
    assert (ran.status, ran.out) == (0, "gaul: drain: its tasks move elsewhere, one by one\ngaul: is empty\n")
    assert ran.err.splitlines() == [
        "shop-web-1  running: waits for its turn",
        "shop-web-2  running: waits for a machine (2 nodes: 1 is draining, 1 is down)",
        "...  the manager does not answer, waiting for it",
        "shop-web-1  left",
        "shop-web-2  left",
    ]


def test_a_drain_is_not_followed_where_nobody_wants_to_wait_or_it_was_taken_back(gbnt: Run, manager: Manager):
    manager.on("GET /v1/nodes/gaul", Answer(node(availability="drain", leaving=[leaving()])))
    manager.on("GET /v1/nodes/id-of-gaul", Answer(node(availability="active")))
    manager.on("PATCH /v1/nodes/id-of-gaul", changed("gaul", "unchanged"))
    ran = gbnt("node", "update", "gaul", "--availability", "drain", "--detach")
    assert (ran.status, ran.out, ran.err) == (0, "gaul: nothing to change\n", "")
    ran = gbnt("node", "update", "gaul", "--availability", "maintenance")
    assert (ran.status, "gaul is active again: somebody took it back" in ran.err) == (1, True)


def test_a_node_that_is_removed_while_it_is_emptied_is_told_of_by_its_name(gbnt: Run, manager: Manager):
    manager.on("GET /v1/nodes/gaul", Answer(node()))
    manager.on("PATCH /v1/nodes/id-of-gaul", changed("gaul", "drain"))
    manager.on("GET /v1/nodes/id-of-gaul", problem(404, "not_found", "there is no node id-of-gaul"))
    ran = gbnt("node", "update", "gaul", "--availability", "drain")
    assert (ran.status, ran.out) == (1, "gaul: drain\n")
    assert ran.err == "error: gaul was removed meanwhile: what it ran is replaced elsewhere\n"


def test_the_watching_ends_by_its_deadline_and_says_that_the_rest_goes_on(gbnt: Run, manager: Manager):
    manager.on("GET /v1/nodes/gaul", Answer(node()))
    manager.on("GET /v1/nodes/id-of-gaul", Answer(node(availability="drain", leaving=[leaving()])))
    manager.on("PATCH /v1/nodes/id-of-gaul", changed("gaul", "drain"))
    ran = gbnt("node", "update", "gaul", "--availability", "drain", "--timeout", "0")
    assert ran.status == 1
    assert "what was asked for goes on: `gbnt node inspect gaul` shows it" in ran.err
    assert ran.err.endswith("error: not all tasks have left after 0 s\n")


def test_roles_change_and_nodes_are_removed(gbnt: Run, manager: Manager):
    manager.on("GET /v1/nodes/gaul", Answer(node()))
    manager.on("PATCH /v1/nodes/id-of-gaul", changed("gaul", "is a manager, which does not vote yet"))
    manager.on(
        "DELETE /v1/nodes/id-of-gaul", problem(409, "conflict", "node gaul is ready"), changed("gaul", "removed")
    )
    assert gbnt("node", "promote", "gaul").out == "gaul: is a manager, which does not vote yet\n"
    gbnt("node", "demote", "gaul")
    roles = [json.loads(asked.body)["role"] for asked in manager.asked if asked.method == "PATCH"]
    assert roles == ["manager", "worker"]
    assert gbnt("node", "rm", "gaul").status == 1
    assert gbnt("node", "rm", "gaul", "--force").out == "gaul: removed\n"
    assert [asked.query for asked in manager.asked if asked.method == "DELETE"] == [{}, {"force": "1"}]


def test_of_several_that_are_to_be_emptied_those_that_were_not_refused_are_waited_for(gbnt: Run, manager: Manager):
    for name in ("gaul", "iberia"):
        manager.on(f"GET /v1/nodes/{name}", Answer(node(name)))
    manager.on("PATCH /v1/nodes/id-of-gaul", problem(409, "conflict", "node gaul was removed"))
    manager.on("PATCH /v1/nodes/id-of-iberia", changed("iberia", "drain"))
    manager.on("GET /v1/nodes/id-of-iberia", Answer(node("iberia", availability="drain")))
    ran = gbnt("node", "update", "gaul", "iberia", "--availability", "drain")
    assert (ran.status, ran.out) == (1, "iberia: drain\niberia: is empty\n")
    assert ran.err == "error: node gaul was removed\nerror: 1 of 2 nodes could not be changed\n"


def test_a_loss_is_confirmed_and_the_threshold_chosen(gbnt: Run, manager: Manager):
    manager.on("POST /v1/cluster/confirm-loss", changed("gaul", "3 tasks replaced elsewhere from now on"))
    manager.on("PATCH /v1/cluster", changed("pause_above", "pauses where more than 80 % are lost"))
    assert gbnt("legion", "confirm-loss").out == "gaul: 3 tasks replaced elsewhere from now on\n"
    assert gbnt("legion", "update", "--pause-above", "80").out == "replacement pauses where more than 80 % are lost\n"
    assert json.loads(manager.asked[-1].body) == {"pause_above": 80}
    assert gbnt("legion", "update", "--pause-above", "101").status == 2


def test_it_is_chosen_whether_privileged_keys_are_taken(gbnt: Run, manager: Manager):
    manager.on("PATCH /v1/cluster", changed("privileged", "are refused"))
    assert gbnt("legion", "update", "--privileged", "refuse").out == "privileged keys are refused\n"
    assert json.loads(manager.asked[-1].body) == {"privileged": "refuse"}
    nothing = gbnt("legion", "update")
    assert (nothing.status, "--pause-above or --privileged" in nothing.err) == (2, True)


# -- following ---------------------------------------------------------------------------------------------------------


class Seen:
    """A display that remembers."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []

    def show(self, lines: Sequence[Line]) -> None:
        self.lines.append([line.text(0) for line in lines])

    def close(self) -> None:
        self.lines.append([])


def test_what_only_a_person_can_mend_is_waited_for_no_longer_than_it_may_come_loose():
    now, seen = [0.0], Seen()
    stuck = leaving("shop-db-1", "waits for a machine (2 nodes: why)", stuck=True)
    answers = [[stuck], [stuck, leaving()], [stuck], [stuck], [stuck], []]

    def sleep(seconds: float) -> None:
        now[0] += 5.0

    with pytest.raises(Stuck) as caught:
        Emptying(lambda: answers.pop(0), seen, clock=lambda: now[0], sleep=sleep).wait()
    assert (now[0], seen.lines[-1]) == (20.0, [])
    assert str(caught.value) == (
        "what is left cannot leave by itself (shop-db-1: waits for a machine (2 nodes: why)): mend that, or remove "
        "what is to run no more; `gbnt node update NODE --availability active` takes it all back"
    )


def test_a_drain_that_cannot_end_fails_and_says_that_the_rest_goes_on(
    gbnt: Run, manager: Manager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cli.emptying.STUCK_FOR", 0.0)
    manager.on("GET /v1/nodes/gaul", Answer(node()))
    waits = leaving("shop-db-1", "waits for a machine (why)", stuck=True)
    manager.on("GET /v1/nodes/id-of-gaul", Answer(node(availability="drain", leaving=[waits])))
    manager.on("PATCH /v1/nodes/id-of-gaul", changed("gaul", "drain"))
    ran = gbnt("node", "update", "gaul", "--availability", "drain")
    assert (ran.status, ran.out) == (1, "gaul: drain\n")
    assert "what was asked for goes on: `gbnt node inspect gaul` shows it" in ran.err
    assert "error: what is left cannot leave by itself (shop-db-1: waits for a machine (why)): mend" in ran.err


def test_a_manager_that_stays_away_is_not_waited_for_for_ever():
    now, seen = [0.0], Seen()

    def remaining() -> list[LeaverRow]:
        raise Unreachable("nobody answers")

    def sleep(seconds: float) -> None:
        now[0] += 10.0

    with pytest.raises(Unreachable):
        Emptying(remaining, seen, patience=30.0, clock=lambda: now[0], sleep=sleep).wait()
    assert (now[0], seen.lines[-1]) == (30.0, [])
    with pytest.raises(TimedOut, match="after 20 s"):
        Emptying(remaining, seen, clock=lambda: now[0], sleep=sleep).wait(20.0)


def test_a_machine_whose_disk_is_nearly_full_says_so_beside_what_else_there_is(gbnt: Run, manager: Manager):
    full = "its disk is 91 % full: `gbnt system df` says of what"
    gaul, rome = node("gaul", warning=full), node("rome", status="down", message="no beat", warning=full)
    manager.on("GET /v1/nodes", listing(gaul, rome))
    manager.on("GET /v1/cluster", Answer({"alarm": ""}))
    out = gbnt("node", "ls", "--no-trunc").out.splitlines()
    assert out[1].endswith(f"  {full}")
    assert out[2].endswith(f"  no beat; {full}")
