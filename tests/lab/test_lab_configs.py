"""A config on a worker: brought from the manager, and there for a restart while no manager is."""

from __future__ import annotations

import pytest

from tests.e2e.configs import container_of, deploy, read, reader
from tests.e2e.node import until
from tests.lab.lab import Lab
from tests.lab.machine import Machine

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_task_on_a_worker_reads_its_config_and_is_restarted_with_it_while_the_manager_is_down(legion: Lab):
    rome, second, _ = legion.machines
    content = "".join(f"line {number}\n" for number in range(50_000))
    deploy(rome, reader("reader", content.encode(), constraints=(f"node.hostname == {second.name}",)))
    first = until(lambda: container_of(second, "reader"), "a container on the worker")
    assert read(second, first) == content
    assert not (rome.data / "configs").exists()

    rome.kill9()
    second.docker("kill", first)
    again = until(lambda: now if (now := container_of(second, "reader")) != first else "", "a restart on the worker")
    assert read(second, again) == content
    second.kill9()
    second.launch()
    second.docker("kill", again)
    last = until(lambda: now if (now := container_of(second, "reader")) != again else "", "a restart after a kill")
    assert read(second, last) == content

    rome.start()
    until(lambda: attempts(rome) == [(3, "running")], "a manager that knows of the restarts")


def attempts(manager: Machine) -> list[tuple[int, str]]:
    return [(row["attempt"], row["state"]) for row in manager.rows("task", "ls")]
