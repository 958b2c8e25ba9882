"""Binds of a real machine's paths: one that has to be there keeps the deploy back at its line."""

from __future__ import annotations

import os

import pytest

from tests.e2e.node import Node

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

SHOP = f"binder{os.getpid()}"
FILE = """\
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    init: true
    volumes:
      - {type: bind, source: ./conf, target: /etc/conf, bind: {create_host_path: false}}
"""


def test_a_path_that_the_machine_lacks_is_refused_at_its_line_and_deployed_once_it_is_there(running: Node) -> None:
    for options in (("--dry-run",), ("--detach",)):
        refused = running.deploy(FILE, SHOP, "--resolve-image", "never", *options)
        assert refused.code == 1
        folder = running.folder / SHOP
        assert f":7:9: error: services.web.volumes[0]: {folder}/conf is not on " in refused.err
    assert not running.rows("stack", "ls")
    (folder / "conf").mkdir()
    (folder / "conf" / "app").write_text("salve")
    deployed = running.deploy(FILE, SHOP, "--resolve-image", "never")
    assert (deployed.code, "warning" in deployed.err) == (0, False), deployed.text
    [container] = running.containers()
    assert running.docker("exec", container["Id"], "cat", "/etc/conf/app") == "salve"


MADE = FILE.replace(", bind: {create_host_path: false}", "")


def test_a_path_that_is_made_is_a_warning_at_its_line_once(running: Node) -> None:
    warned = running.deploy(MADE, SHOP, "--resolve-image", "never")
    folder = running.folder / SHOP
    assert f":7:9: warning: services.web.volumes[0]: {folder}/conf is not on " in warned.err, warned.text
    assert (folder / "conf").is_dir()
    assert "warning" not in running.deploy(MADE, SHOP, "--resolve-image", "never").err
