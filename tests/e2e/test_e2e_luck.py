"""Bad luck on a real engine: a deploy ends with the reason in words, and the task tries again less and less often."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from tests.e2e.node import Ended, Node, free_port, node, until
from tests.engine.registry import Registry
from tests.lab.engine import OwnEngine, own_engine

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

ONE = """
services:
  web:
    image: {image}
    command: {command}
    init: true
"""
SLEEP = '[sleep, "1000"]'


def one_service(image: str = "busybox", command: str = SLEEP, port: int = 0) -> str:
    ports = f'    ports: ["{port}:80"]\n' if port else ""
    return ONE.format(image=image, command=command) + ports


def assert_told(ended: Ended, reason: str) -> None:
    """A failure, its reason, and no traceback."""
    assert ended.code == 1, ended.text
    assert reason in ended.err
    assert "gbnt task inspect" in ended.err, "the next step"
    assert "Traceback" not in ended.text


def assert_backs_off(one: Node, reason: str, *pauses: str) -> None:
    """Each pause is seen, in this order, beside its reason."""
    for pause in pauses:
        await_message(one, f"{reason}; trying again in {pause}")


def await_message(one: Node, *texts: str) -> None:
    """Wait until a task says one of these."""
    said = [re.escape(text) for text in texts]
    until(lambda: any(re.search("|".join(said), task["message"]) for task in one.rows("task", "ls")), texts[0])


def runs(one: Node, service: str = "web") -> bool:
    return any(task["service"] == service and task["state"] == "running" for task in one.rows("task", "ls"))


def test_an_image_that_does_not_exist_is_named_and_asked_for_less_and_less_often(alone: Node, tmp_path: Path) -> None:
    with Registry.serving(tmp_path) as registry:
        image = f"{registry.address}/nobody/nothing:1"
        reason = f"the registry has no image {image}; check its name and tag"
        assert_told(alone.deploy(one_service(image), "shop"), reason)
        assert_backs_off(alone, reason, "5 s", "10 s")
        alone.docker("tag", "busybox", image)
        until(lambda: runs(alone), "a task that found its image after all")


@contextmanager
def held_by_process(one: Node, port: int) -> Iterator[None]:
    with socket.create_server(("0.0.0.0", port)):
        yield


@contextmanager
def held_by_container(one: Node, port: int) -> Iterator[None]:
    name = f"holds-{port}"
    one.docker("run", "-d", "--init", "--name", name, "-p", f"{port}:80", "busybox", "sleep", "1000")
    yield
    one.docker("rm", "-f", name)


@pytest.mark.parametrize("held", [held_by_process, held_by_container])
def test_a_port_that_is_taken_is_named_and_the_task_has_it_once_it_is_free(
    alone: Node, held: Callable[[Node, int], AbstractContextManager[None]]
) -> None:
    port = free_port()
    reason = f"port {port} of this machine is already in use; publish another one or stop what holds it"
    with held(alone, port):
        assert_told(alone.deploy(one_service(port=port), "shop"), reason)
        assert_backs_off(alone, reason, "2 s", "4 s")
        assert len(alone.containers(running=False)) <= 1, "no heap of containers that never ran"
    until(lambda: runs(alone), "a task that has its port")
    (container,) = alone.containers(running=False)
    assert container["State"]["Running"]


def test_a_container_that_exits_at_once_ends_the_deploy_with_its_exit_code_and_last_words(alone: Node) -> None:
    command = """sh -c 'echo reading /etc/shop.conf; echo "no such file" >&2; exit 3'"""
    ended = alone.deploy(one_service(command=command), "shop")
    assert_told(ended, "web.1: keeps failing: exit 3")
    assert "its last lines:" in ended.err
    assert "  | reading /etc/shop.conf" in ended.err
    assert "  | no such file" in ended.err
    # The pause doubles with each crash: 1, 2, 4 s, less up to a fifth by chance.
    await_message(alone, "restarting in 4 s (exit 3)", "restarting in 3 s (exit 3)")
    (task,) = alone.rows("service", "ps", "shop/web")
    assert all(attempt["exit_code"] == 3 for attempt in task["past"])


def test_with_the_engine_stopped_a_deploy_says_how_to_start_it_and_is_done_once_it_is_back(
    alone: Node, engine: OwnEngine
) -> None:
    engine.end()
    ended = alone.deploy(one_service(), "shop")
    assert_told(ended, "does not answer; start it with `systemctl start docker`")
    engine.start()
    until(lambda: runs(alone), "a task that runs on the engine that came back")
    assert len(alone.containers(running=False)) == 1


@contextmanager
def image_of(megabytes: int) -> Iterator[str]:
    """A local image of so much that no compression makes less."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("noise")
        entry.size = megabytes * 1_000_000
        archive.addfile(entry, BytesIO(os.urandom(entry.size)))
    name = f"gbnt-e2e-large-{os.getpid()}"
    subprocess.run(["docker", "import", "-", name], input=packed.getvalue(), stdout=subprocess.DEVNULL, check=True)
    try:
        yield name
    finally:
        subprocess.run(["docker", "image", "rm", name], stdout=subprocess.DEVNULL, check=True)


def test_a_disk_that_is_full_on_a_pull_is_said_and_the_pull_tried_less_and_less_often(tmp_path: Path) -> None:
    with Registry.serving(tmp_path) as registry, image_of(40) as image:
        registry.push(image, "large")
    with own_engine(disk="24m") as engine, engine.space.network(), node(engine=engine.url) as one:
        one.start()
        with Registry.serving(tmp_path) as registry:
            reason = "no space is left on the disk where the Docker Engine keeps its data"
            assert_told(one.deploy(one_service(f"{registry.address}/large"), "shop"), reason)
            assert_backs_off(one, reason, "2 s", "4 s")


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing more fits, whatever was freed in between."""
    filler = disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4k", "oflag=append", "conv=notrunc"], capture_output=True)
    yield
    filler.unlink(missing_ok=True)


def store_of(one: Node) -> dict[str, object]:
    """What health says of the store; empty where nobody answers."""
    return dict(one.health().get("checks", {}).get("store", {}))


def test_on_a_full_disk_gbnt_starts_refuses_changes_in_words_and_goes_on_by_itself(fresh: Node) -> None:
    fresh.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", fresh.data], check=True)
    try:
        fresh.start()
        assert fresh.deploy(one_service(), "shop").code == 0
        before = {container["Id"] for container in fresh.containers()}
        with full(fresh.data):
            fresh.kill9()
            fresh.start()
            assert {container["Id"] for container in fresh.containers()} == before
            with full(fresh.data):
                until(lambda: fresh.gbnt("token", "create", "one-more").code, "a change that is refused")
                refused = fresh.gbnt("token", "create", "one-more")
                assert "nothing was changed: no space is left for" in refused.err
                assert store_of(fresh)["ok"] is False
                ended = fresh.gbnt("health", "--port", str(fresh.telemetry_port))
                assert (ended.code, "free some, and it goes on by itself" in ended.out) == (1, True)
        until(lambda: store_of(fresh).get("ok"), "a store that takes changes again, though nobody asked for one")
        assert {container["Id"] for container in fresh.containers()} == before
        fresh.stop()
    finally:
        fresh.clean()
        subprocess.run(["umount", "--lazy", fresh.data], check=True)
