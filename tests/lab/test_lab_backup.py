"""The manager's machine is lost and rebuilt from its backup at another address: its workers find it there."""

from __future__ import annotations

import json
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.node import until
from tests.lab.lab import Lab, lab
from tests.lab.machine import Machine
from tests.lab.sightings import Sight, sights, slots
from tests.lab.switch import GATEWAY, address

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

REPLICAS = 9
WANTED = Counter({f"web.{slot}": 1 for slot in range(1, REPLICAS + 1)})
OTHER = address(77)


@pytest.fixture
def shop(service) -> Iterator[Lab]:
    """Four machines, three of them a legion on which a service runs; nothing is on the fourth."""
    with lab(4) as four:
        rome, second, third, _ = four.machines
        four.legion(rome, second, third)
        rome.bring_up(service(REPLICAS), "shop")
        yield four


def backed_up(manager: Machine) -> Path:
    (manager.folder / "passphrase").write_text("correct horse battery")
    manager.extra["GBNT_BACKUP_PASSPHRASE_FILE"] = str(manager.folder / "passphrase")
    return Path(manager.ok("backup", "create", str(manager.folder.parent / "rome.backup")).strip())


def rebuild(machine: Machine, backup: Path, where: str) -> None:
    """Restore there, and start by the line that the command prints."""
    line = machine.ok("backup", "restore", str(backup), "--advertise-addr", where)
    assert line == f"gbnt serve --data-dir {machine.data} --advertise-addr {where}\n"
    machine.start(*shlex.split(line)[2:])


def nodes(manager: Machine) -> dict[str, tuple[str, str]]:
    """Each node's status and address by its name."""
    return {row["name"]: (row["status"], row["address"]) for row in manager.rows("node", "ls")}


def met(worker: Machine) -> str:
    """Where a worker looks for its manager first when it starts; empty where that is the place it joined by."""
    place = json.loads((worker.data / "legion.json").read_text())["met"]
    return place["host"] if place else ""


def is_whole(manager: Machine, machines: Sequence[Machine]) -> bool:
    """Whether exactly what is wanted runs on these machines, and the manager says so too."""
    told = Counter(f"web.{row['slot']}" for row in manager.rows("task", "ls") if row["state"] == "running")
    ready = [status for status, _ in nodes(manager).values()] == ["ready"] * 3
    return ready and told == WANTED and slots(machines) == WANTED


def of(machines: Sequence[Machine], seen: Sequence[Sight]) -> list[Sight]:
    return [sight for sight in seen if sight.machine in {machine.name for machine in machines}]


def test_on_another_machine_it_makes_its_own_containers_again_and_touches_no_worker_s(shop: Lab):
    rome, second, third, gaul = shop.machines
    workers = (second, third)
    before, known = sights(workers), {row["name"]: row["id"] for row in rome.rows("node", "ls")}
    backup = backed_up(rome)
    rome.power_off()

    gaul.extra |= {"GBNT_BACKUP_PASSPHRASE_FILE": rome.extra["GBNT_BACKUP_PASSPHRASE_FILE"]}
    rebuild(gaul, backup, gaul.address)
    until(lambda: is_whole(gaul, (gaul, *workers)), "a whole legion")
    assert sights(workers) == before
    assert {row["name"]: row["id"] for row in gaul.rows("node", "ls")} == known
    assert nodes(gaul) == {
        "rome-1": ("ready", gaul.address),
        "rome-2": ("ready", second.address),
        "rome-3": ("ready", third.address),
    }
    # They keep where it is now, for when they start anew.
    until(lambda: [met(worker) for worker in workers] == [gaul.address] * 2, "workers that know where it is")
    second.stop()
    second.start()
    until(lambda: is_whole(gaul, (gaul, *workers)), "a whole legion")
    assert sights(workers) == before


def test_at_another_address_of_a_machine_whose_containers_go_on_none_is_touched(shop: Lab):
    rome, second, third, _ = shop.machines
    machines = (rome, second, third)
    before = sights(machines)
    assert slots(machines) == WANTED
    backup = backed_up(rome)
    rome.kill9()
    rome.end_resolver()
    shutil.rmtree(rome.data)
    rome.host.space.link(
        f"addr del {rome.address}/24 dev eth0", f"addr add {OTHER}/24 dev eth0", f"route add default via {GATEWAY}"
    )

    rebuild(rome, backup, OTHER)
    until(lambda: is_whole(rome, machines), "a whole legion")
    assert sights(machines) == before
    assert nodes(rome)["rome-1"] == ("ready", OTHER)
    assert [row for row in rome.rows("task", "ls") if row["attempt"] != 1] == []
