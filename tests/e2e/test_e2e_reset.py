"""`gbnt reset` of a node that really ran: nothing of it is left, and nothing of others is touched."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.node import Node, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

FILE = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    volumes: [data:/data]
volumes: {data: {}}
"""


def labelled(node: Node, kind: str, cluster: str) -> list[str]:
    words = {"container": ("ps", "-aq"), "network": ("network", "ls", "-q"), "volume": ("volume", "ls", "-q")}[kind]
    return node.docker(*words, "--filter", f"label=gbnt.cluster={cluster}").split()


def runs(pid: str) -> bool:
    """Whether a process is there; one that only waits for its exit status to be fetched has no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def test_a_node_that_ran_leaves_nothing(running: Node) -> None:
    stack = f"reset{os.getpid()}"
    running.bring_up(FILE, stack)
    foreign = running.docker(
        "run", "--detach", "--label", f"gbnt.cluster={uuid4().hex}", "busybox", "sleep", "1000"
    ).strip()
    try:
        cluster, resolver = running.cluster, (running.data / "run" / "resolver.pid").read_text().strip()
        refused = running.gbnt("reset", "--yes")
        assert (refused.code, "stop it first, where it was started" in refused.err) == (1, True)
        running.stop()
        asked = running.gbnt("reset", stdin="")
        assert asked.code == 2
        for named in (f"{stack}-web-1-", f"{stack}_default", f"process {resolver}", f"in {running.data}: "):
            assert named in asked.err
        assert len(labelled(running, "container", cluster)) == 1

        done = running.gbnt("reset", "--yes")
        assert (done.code, done.out) == (0, "nothing else of gbnt is left on this machine\n"), done.text
        assert f"kept the volumes {stack}_data" in done.err
        assert "gbnt config delete-context" in done.err
        assert not running.data.exists()
        until(lambda: not runs(resolver), "a resolver that ended")
        assert (labelled(running, "container", cluster), labelled(running, "network", cluster)) == ([], [])
        assert labelled(running, "volume", cluster) == [f"{stack}_data"]
        assert running.docker("inspect", "--format", "{{.State.Running}}", foreign) == "true\n"
        again = running.gbnt("reset", "--yes")
        assert (again.code, "there is nothing of gbnt in" in again.err) == (1, True)
        running.docker("volume", "rm", f"{stack}_data")
    finally:
        running.docker("rm", "--force", foreign)


def test_volumes_go_where_a_person_says_so(running: Node) -> None:
    stack = f"reset{os.getpid()}v"
    running.bring_up(FILE, stack)
    cluster = running.cluster
    running.stop()
    done = running.gbnt("reset", "--yes", "--volumes")
    assert (done.code, f"volume: {stack}_data with all data in them" in done.err) == (0, True), done.text
    assert labelled(running, "volume", cluster) == []
