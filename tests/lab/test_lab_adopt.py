"""`gbnt stack adopt` on a machine of a cluster: the stack stays where its data are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.lab import Lab, lab
from tests.lab.machine import Machine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(300)]

FILE = """
services:
  db:
    image: busybox
    command: sh -c 'test -e /data/rows || echo precious > /data/rows; exec sleep 1000'
    init: true
    stop_grace_period: 0s
    volumes: [data:/data]
volumes: {data: {}}
"""


@pytest.fixture
def two() -> Iterator[Lab]:
    """Two machines that are one cluster; the first is its manager."""
    with lab(2) as one:
        one.legion()
        yield one


def rows_of(machine: Machine) -> str:
    """What the stack's database has on a machine that has it."""
    (db,) = machine.docker("ps", "-q", "--filter", "label=gbnt.service=db").split()
    return machine.docker("exec", db, "cat", "/data/rows")


def test_a_project_of_a_worker_stays_there_and_so_it_does_when_its_file_is_deployed_again(two: Lab) -> None:
    manager, worker = two.machines
    (worker.folder / "config").write_text((manager.folder / "config").read_text().replace("127.0.0.1", manager.address))
    file = worker.folder / "docker-compose.yml"
    file.write_text(f'version: "3.8"{FILE}')
    assert (done := worker.run("docker-compose", "-f", str(file), "-p", "shop", "up", "-d")).code == 0, done.text

    elsewhere = manager.gbnt("stack", "adopt", "shop", "--yes")
    assert (elsewhere.code, 'runs no project "shop" here' in elsewhere.err) == (1, True), elsewhere.text
    done = worker.gbnt("stack", "adopt", "shop", "--yes")
    assert (done.code, "bound to this machine" in done.err) == (0, True), done.text
    assert rows_of(worker) == "precious\n"

    assert manager.deploy(FILE, "shop").code == 0
    (task,) = [row for row in manager.rows("task", "ls") if row["state"] == "running"]
    assert (task["node"], rows_of(worker)) == ("rome-2", "precious\n")
