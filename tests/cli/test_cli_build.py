"""What of a folder goes into a build, and how it gets there."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from cli.build import CHUNK, archive
from cli.dockerignore import is_excluded, rules, walk
from cli.errors import BadInput
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager


@pytest.mark.parametrize(
    ("patterns", "path", "excluded"),
    [
        ("*.log", "a.log", True),
        ("*.log", "logs/a.log", False),
        ("**/*.log", "logs/deep/a.log", True),
        ("**/*.log", "a.log", True),
        ("logs", "logs/a.txt", True),
        ("/logs/", "logs/a.txt", True),
        ("logs/**", "logs/a.txt", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/z", "a/z", True),
        ("*\n!keep", "keep", False),
        ("*\n!keep", "drop", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README-public.md", False),
        ("?.txt", "ab.txt", False),
        ("[a-c].txt", "b.txt", True),
        ("[^a-c].txt", "b.txt", False),
        ("# *.txt", "a.txt", False),
        ("a+b", "a+b", True),
        ("./x/../logs", "logs", True),
        ("\\*.txt", "a.txt", False),
        ("logs\n!logs/keep", "logs/keep", False),
        ("", "a", False),
    ],
)
def test_dockerignore_is_read_as_docker_reads_it(patterns: str, path: str, excluded: bool):
    assert is_excluded(path, rules(patterns)) is excluded


@pytest.fixture
def folder(home: Path) -> Path:
    root = home / "app"
    (root / "src").mkdir(parents=True)
    (root / "logs").mkdir()
    (root / "Dockerfile").write_text("FROM busybox\n")
    (root / "src" / "main.py").write_bytes(b"x" * (CHUNK + 1))
    (root / "logs" / "a.log").write_text("no")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("run.sh")
    (root / "src" / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    return root


def unpacked(chunks: list[bytes]) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        return {member.name: member for member in tar.getmembers()}


def test_the_archive_holds_the_folder_without_what_is_ignored(folder: Path):
    (folder / ".dockerignore").write_text("logs\nDockerfile\n.dockerignore\n")
    chunks = list(archive(folder, folder / "Dockerfile"))
    members = unpacked(chunks)
    assert set(members) == {".dockerignore", "Dockerfile", "link", "run.sh", "src", "src/main.py", "src/up"}
    assert members["run.sh"].mode == 0o755
    assert (members["link"].issym(), members["link"].linkname) == (True, "run.sh")
    assert members["src/main.py"].size == CHUNK + 1
    assert {(member.uid, member.gid) for member in members.values()} == {(0, 0)}
    assert max(map(len, chunks)) <= CHUNK


def test_a_folder_that_is_left_out_is_entered_only_where_something_may_come_back(folder: Path):
    assert "logs/a.log" not in list(walk(folder, rules("logs")))
    (folder / "logs" / "keep").write_text("")
    found = list(walk(folder, rules("logs\n!logs/keep")))
    assert "logs/keep" in found
    assert "logs/a.log" not in found


def test_a_dockerfile_outside_the_folder_is_sent_along(folder: Path):
    other = folder.parent / "Dockerfile.prod"
    other.write_text("FROM scratch\n")
    assert ".gbnt.dockerfile" in unpacked(list(archive(folder, other)))


def test_a_file_that_shrinks_while_it_is_read_breaks_the_build(folder: Path):
    pieces = archive(folder, folder / "Dockerfile")
    for piece in pieces:
        if piece.startswith(b"src/main.py"):
            os.truncate(folder / "src" / "main.py", 10)
            break
    with pytest.raises(BadInput, match="became shorter"):
        list(pieces)


def test_a_deploy_builds_first_and_runs_what_was_built(gbnt: Run, manager: Manager, folder: Path):
    (folder / "compose.yaml").write_text(
        "name: shop\nservices:\n  web:\n    build:\n      context: .\n      args: {V: '1'}\n  api: {image: busybox}\n"
    )
    manager.on("POST /v1/builds", Lines({"line": "Step 1/1\n"}, {"image_id": "sha256:abc", "node": "n1"}))
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 1, "changes": {"web": "created"}}))
    ran = gbnt("stack", "deploy", "-c", str(folder / "compose.yaml"), "-d")
    assert ran.err.splitlines() == ["building shop-web:latest", "Step 1/1", "shop: web created"]
    build, put = manager.asked
    assert build.query == {
        "tag": "shop-web:latest",
        "dockerfile": "Dockerfile",
        "buildargs": '{"V": "1"}',
        "labels": "{}",
    }
    assert build.headers["Transfer-Encoding"] == "chunked"
    assert "src/main.py" in unpacked([build.body])
    services = json.loads(put.body)["spec"]["services"]
    assert [(services[name]["image_id"], services[name]["built_on"]) for name in ("web", "api")] == [
        ("sha256:abc", "n1"),
        ("", ""),
    ]


def test_a_build_that_fails_changes_nothing(gbnt: Run, manager: Manager, folder: Path):
    (folder / "compose.yaml").write_text("name: shop\nservices:\n  web: {build: .}\n")
    manager.on("POST /v1/builds", Lines({"line": "Step 1/1"}, {"error": "the command returned 1"}))
    ran = gbnt("stack", "deploy", "-c", str(folder / "compose.yaml"))
    assert (ran.status, ran.err.splitlines()[-1]) == (1, "error: the command returned 1")
    assert len(manager.asked) == 1

    (folder / "Dockerfile").unlink()
    ran = gbnt("stack", "deploy", "-c", str(folder / "compose.yaml"))
    assert ran.status == 2
    assert ran.err.endswith(f"error: shop-web:latest is to be built from {folder}/Dockerfile, which does not exist\n")
