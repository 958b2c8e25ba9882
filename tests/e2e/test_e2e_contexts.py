"""A context that was carried elsewhere: over TLS, with nothing but a file, as far as its role goes."""

from __future__ import annotations

import json
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.errors import NotAllowed, Unreachable
from tests.e2e.node import Ended, Node

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Elsewhere:
    """A person with a home of their own, who knows of no manager's socket."""

    node: Node
    folder: Path

    def gbnt(self, *words: str, stdin: str | None = None) -> Ended:
        own = {"GBNTCTL_CONFIG": str(self.folder / "config"), "GBNT_DATA_DIR": str(self.folder / "none")}
        environment = {**self.node.environment, **own}
        ended = subprocess.run(
            [*self.node.client, *words], env=environment, capture_output=True, text=True, input=stdin
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


def test_an_exported_context_is_all_that_it_takes_elsewhere(fresh: Node, tmp_path: Path) -> None:
    fresh.start("--advertise-addr", "127.0.0.1")
    exported = fresh.gbnt("config", "export", "--name", "livia", "--ttl", "1h")
    assert exported.code == 0, exported.text
    livia = Elsewhere(fresh, tmp_path)
    assert livia.gbnt("stack", "ls").code == NotAllowed.exit_code

    imported = livia.gbnt("config", "import", "-", stdin=exported.out)
    assert imported.code == 0, imported.text
    assert stat.filemode((tmp_path / "config").stat().st_mode) == "-rw-------"
    assert json.loads(livia.gbnt("node", "ls", "-o", "json").out)[0]["status"] == "ready"
    refused = livia.gbnt("snapshot", "create")
    assert (refused.code, "has the role viewer, which may not do this" in refused.err) == (NotAllowed.exit_code, True)

    [token] = [row for row in fresh.rows("token", "ls") if row["name"] == "livia"]
    assert fresh.ok("token", "rm", "livia") == f"{token['id']} is worthless from now on\n"
    assert livia.gbnt("stack", "ls").code == NotAllowed.exit_code


def test_a_context_with_another_authority_is_turned_away(running: Node, tmp_path: Path) -> None:
    exported = json.loads(running.ok("config", "export"))
    exported["clusters"][0].update(
        {"server": f"https://127.0.0.1:{running.api_port}", "certificate-authority-data": ""}
    )
    stranger = Elsewhere(running, tmp_path)
    assert stranger.gbnt("config", "import", "-", stdin=json.dumps(exported)).code == 0
    ended = stranger.gbnt("stack", "ls")
    assert (ended.code, "showed a certificate that this context's CA did not sign" in ended.err) == (
        Unreachable.exit_code,
        True,
    )
