"""`gbnt backup`: what goes into the file, what comes out of it, and every way in which neither happens."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import run
from typing import Any

import pytest

from cli.backup import create as creating
from cli.backup import passphrase as passphrases
from cli.backup import restore as restoring
from cli.backup.archive import Backup, Manifest, packed
from cli.backup.seal import Cost, seal
from cli.home import Home
from portal.sockets import listen_unix
from store.lock import StoreLock
from store.schema import NEWEST
from tests.cli.conftest import Run
from tests.cli.state import ROME, look, make_state, tree
from transport.identity import ClusterCA

CHEAP = Cost(doublings=1, block=1, passes=1)
OURS = "correct horse battery"
PARTS = ["node.json", "ca.pem", "first-credentials", "gbnt.db"]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating, "COST", CHEAP)


@pytest.fixture
def passphrase(home: Path) -> tuple[str, str]:
    (home / "passphrase").write_text(f"{OURS}\n")
    return ("--passphrase-file", str(home / "passphrase"))


@pytest.fixture
def rome(home: Path) -> Home:
    return make_state(home / "data")


@pytest.fixture
def backup(gbnt: Run, rome: Home, passphrase: tuple[str, str], home: Path) -> Path:
    assert gbnt("backup", "create", "rome.backup", *passphrase).status == 0
    return home / "rome.backup"


# -- what comes back -------------------------------------------------------------------------------------------------


def test_a_lost_machine_is_rebuilt_and_its_state_counts_as_an_older_one(
    gbnt: Run, rome: Home, backup: Path, passphrase: tuple[str, str], home: Path
):
    ran = gbnt(
        "backup", "restore", "rome.backup", *passphrase, "--data-dir", "new/gaul", "--advertise-addr", "192.0.2.7"
    )
    assert ran.status == 0
    assert ran.out == f"gbnt serve --data-dir {home}/new/gaul --advertise-addr 192.0.2.7\n"
    assert ROME.cluster in ran.err
    assert OURS not in ran.err

    gaul = Home(home / "new" / "gaul")
    assert gaul.known() == ROME
    assert (gaul.keys / "ca.pem").read_bytes() == (rome.keys / "ca.pem").read_bytes()
    assert gaul.credentials.read_bytes() == rome.credentials.read_bytes()
    assert not (gaul.keys / "server.pem").exists()
    seen = look(gaul.store)
    assert seen.tasks == ["web.0", "web.1", "web.2"]
    assert seen.revision > 1_000_000
    assert seen.epoch > 1_000
    assert seen.held.startswith('"restored from gbnt-')
    (snapshot,) = gaul.snapshots.iterdir()
    assert (look(snapshot).revision, look(snapshot).held) == (3, ""), "the state as it was is there, too"
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home / "new" / "gaul").rglob("*")}
    assert {path for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == set()
    assert stat.S_IMODE((home / "new" / "gaul").stat().st_mode) == 0o700
    assert [path.name for path in (home / "new").iterdir()] == ["gaul"]


def test_what_is_made_anew_is_of_the_same_authority(backup: Path, gbnt: Run, rome: Home, passphrase: tuple[str, str]):
    gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul")
    there = ClusterCA(Path("gaul/pki"), ROME.cluster, lambda: 1_800_000_000.0)
    assert there.fingerprint == ClusterCA(rome.keys, ROME.cluster, lambda: 1_800_000_000.0).fingerprint
    assert there.server_certificate(["rome"], ["192.0.2.7"]).exists()


def test_a_second_restore_of_one_backup_goes_on_above_what_the_first_one_may_have_handed_out(
    gbnt: Run, backup: Path, passphrase: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    now = backup.stat().st_mtime
    for name, later in (("one", 60.0), ("two", 3600.0)):
        monkeypatch.setattr("cli.commands.backup.time.time", lambda later=later: now + later)
        assert gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", name).status == 0
    one, two = (look(Home(Path(name)).store) for name in ("one", "two"))
    assert two.revision > one.revision + 3000
    assert two.epoch > one.epoch + 3000


def test_a_backup_is_shown_without_its_secrets(gbnt: Run, backup: Path, rome: Home, passphrase: tuple[str, str]):
    ran = gbnt("backup", "inspect", "rome.backup", *passphrase, "-o", "json")
    shown = json.loads(ran.out)
    assert {name: shown[name] for name in ("format", "cluster", "node", "name", "revision", "schema")} == {
        "format": 1,
        "cluster": ROME.cluster,
        "node": ROME.node,
        "name": "rome",
        "revision": 3,
        "schema": NEWEST,
    }
    assert [part["name"] for part in shown["parts"]] == PARTS
    assert "PRIVATE KEY" not in ran.out + ran.err


# -- what is made ----------------------------------------------------------------------------------------------------


def test_the_file_is_private_and_says_nothing_of_its_content(gbnt: Run, backup: Path, rome: Home):
    content = backup.read_bytes()
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    for secret in (b"PRIVATE", b"SQLite", b"rome", ROME.cluster.encode(), rome.credentials.read_bytes()):
        assert secret not in content


def test_the_data_directory_is_as_it_was(gbnt: Run, rome: Home, passphrase: tuple[str, str]):
    before = tree(rome.path)
    ran = gbnt("backup", "create", *passphrase)
    assert ran.status == 0
    (made,) = ran.out.splitlines()
    assert made.startswith("gbnt-rome-2")
    assert made.endswith(".backup")
    assert tree(rome.path) == before
    assert sorted(path.name for path in Path().iterdir()) == sorted(["data", "passphrase", made])


def test_a_manager_that_serves_is_backed_up_with_all_that_it_acknowledged(
    gbnt: Run, rome: Home, passphrase: tuple[str, str]
):
    lock = StoreLock(rome.store)
    with closing(sqlite3.connect(rome.store, isolation_level=None)) as writer:
        writer.execute("INSERT INTO tasks (key, version, body) VALUES ('late.0', 4, '{}')")
        assert rome.store.with_name("gbnt.db-wal").stat().st_size, "the row is in the log alone"
        assert gbnt("backup", "create", "rome.backup", *passphrase).status == 0
        writer.execute("INSERT INTO tasks (key, version, body) VALUES ('late.1', 5, '{}')")
    lock.release()
    assert gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul").status == 0
    assert look(Home(Path("gaul")).store).tasks == ["late.0", "web.0", "web.1", "web.2"]


def test_a_used_first_credential_is_not_missed(gbnt: Run, rome: Home, passphrase: tuple[str, str]):
    rome.credentials.unlink()
    gbnt("backup", "create", "rome.backup", *passphrase)
    assert gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul").status == 0
    assert not Path("gaul/first-credentials").exists()


def test_it_can_be_piped(rome: Home, passphrase: tuple[str, str], gbnt: Run):
    words = [sys.executable, "-m", "gubernator", "backup", "create", "-", "--passphrase-file", "-"]
    ran = run(words, input=OURS.encode(), capture_output=True, check=True)
    Path("piped").write_bytes(ran.stdout)
    assert gbnt("backup", "inspect", "piped", *passphrase).status == 0
    assert b"rome, node w7k2m0q4t1zb of the cluster gjhc7xpyn8ta, at revision 3 of" in ran.stderr


def test_whoever_waits_is_told_how_far_it_is(
    gbnt: Run, rome: Home, passphrase: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(creating, "TELL_EVERY", 0.0)
    ran = gbnt("backup", "create", "rome.backup", *passphrase)
    assert re.search(r"\n131 kB of (\d+ kB) are written\n(?:.+\n)*\1 of \1 are written\n", ran.err), ran.err


# -- what is refused -------------------------------------------------------------------------------------------------


def test_a_file_that_is_there_is_never_replaced(gbnt: Run, backup: Path, passphrase: tuple[str, str]):
    before = backup.read_bytes()
    ran = gbnt("backup", "create", "rome.backup", *passphrase)
    assert (ran.status, ran.err) == (
        1,
        "error: rome.backup is there already: choose another name, or remove it first\n",
    )
    assert backup.read_bytes() == before


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(
    gbnt: Run, rome: Home, passphrase: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    assert "cannot write nowhere/x: No such file" in gbnt("backup", "create", "nowhere/x", *passphrase).err

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ran = gbnt("backup", "create", "x", *passphrase)
    assert (ran.status, "cannot write x: No space left" in ran.err) == (1, True)
    assert sorted(path.name for path in Path().iterdir()) == ["data", "passphrase"]


@pytest.mark.parametrize("lacks", ["node.json", "pki/ca.pem", "store/gbnt.db"])
def test_what_nothing_can_be_rebuilt_from_is_no_backup(gbnt: Run, rome: Home, passphrase: tuple[str, str], lacks: str):
    (rome.path / lacks).unlink()
    ran = gbnt("backup", "create", "rome.backup", *passphrase)
    assert ran.status == 1
    assert f"is no data directory of a manager ({Path(lacks).name} are not there): name it by --data-dir" in ran.err
    assert not Path("rome.backup").exists()


def test_a_folder_without_anything_is_left_so(gbnt: Run, passphrase: tuple[str, str]):
    assert gbnt("backup", "create", *passphrase).status == 1
    assert [path.name for path in Path().iterdir()] == ["passphrase"]


def test_a_worker_is_told_that_it_needs_none(gbnt: Run, rome: Home, passphrase: tuple[str, str]):
    rome.store.unlink()
    rome.legion.write_text("{}")
    assert "joined a cluster, and has nothing that its manager" in gbnt("backup", "create", "x", *passphrase).err


@pytest.mark.parametrize("damaged", ["pki/ca.pem", "store/gbnt.db", "node.json"])
def test_what_is_damaged_is_told_before_it_is_needed(gbnt: Run, rome: Home, passphrase: tuple[str, str], damaged: str):
    (rome.path / damaged).write_bytes(b"rubbish " * 1000)
    ran = gbnt("backup", "create", "rome.backup", *passphrase)
    assert ran.status == 1
    assert damaged in ran.err
    assert not Path("rome.backup").exists()


def test_a_folder_that_is_not_empty_is_left_alone(gbnt: Run, backup: Path, rome: Home, passphrase: tuple[str, str]):
    before = tree(rome.path)
    ran = gbnt("backup", "restore", "rome.backup", *passphrase)
    assert (ran.status, "is not empty: choose another --data-dir, or --force" in ran.err) == (1, True)
    assert tree(rome.path) == before


@pytest.mark.parametrize("there", ["nothing", "an empty folder"])
def test_an_empty_place_is_taken(gbnt: Run, backup: Path, passphrase: tuple[str, str], there: str):
    if there == "an empty folder":
        Path("gaul").mkdir()
    assert gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul").status == 0
    assert Home(Path("gaul")).known() == ROME


def test_force_keeps_what_is_there_and_the_resolver_that_serves(
    gbnt: Run, backup: Path, rome: Home, passphrase: tuple[str, str]
):
    (rome.run / "resolver.pid").write_text("1")
    before = tree(rome.path, but=lambda name: name.startswith(("run", "resolver.pid")))
    ran = gbnt("backup", "restore", "rome.backup", *passphrase, "--force")
    assert ran.status == 0
    (aside,) = Path().glob("data.before-restore-*")
    assert f"what was there is in {aside.absolute()}\n" in ran.err
    assert tree(aside) == before
    assert (rome.run / "resolver.pid").read_text() == "1"
    assert look(rome.store).tasks == ["web.0", "web.1", "web.2"]


def test_a_gbnt_that_serves_there_keeps_its_folder(gbnt: Run, backup: Path, rome: Home, passphrase: tuple[str, str]):
    lock = StoreLock(rome.store)
    before = tree(rome.path)
    ran = gbnt("backup", "restore", "rome.backup", *passphrase, "--force")
    lock.release()
    assert (ran.status, f"is in use by another gbnt (pid {os.getpid()}): stop that one" in ran.err) == (1, True)
    assert tree(rome.path) == before


def test_a_worker_that_serves_there_keeps_its_folder(gbnt: Run, backup: Path, rome: Home, passphrase: tuple[str, str]):
    with listen_unix(rome.admin_socket):
        ran = gbnt("backup", "restore", "rome.backup", *passphrase, "--force")
    assert (ran.status, f"a gbnt serves from {rome.path}: stop that one" in ran.err) == (1, True)
    assert rome.known() == ROME


def test_a_second_restore_at_the_same_time_waits_for_the_first_one_s_end(
    gbnt: Run, backup: Path, passphrase: tuple[str, str], home: Path
):
    descriptor = os.open(home, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    ran = gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul")
    os.close(descriptor)
    assert (ran.status, "another `gbnt backup restore` works in" in ran.err) == (1, True)
    assert not Path("gaul").exists()


def test_a_mounted_volume_is_told_where_to_restore_to_instead(gbnt: Run, backup: Path, passphrase: tuple[str, str]):
    ran = gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "/proc")
    assert "/proc is where a disk or a volume is mounted" in ran.err
    assert "as --data-dir /proc/gbnt, and serve from there" in ran.err


def test_a_link_to_a_folder_is_followed(gbnt: Run, backup: Path, passphrase: tuple[str, str], home: Path):
    Path("disk/gaul").mkdir(parents=True)
    Path("link").symlink_to(home / "disk" / "gaul")
    assert gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "link").status == 0
    assert Path("link").is_symlink()
    assert Home(Path("disk/gaul")).known() == ROME


def test_another_passphrase_and_a_damaged_file_are_two_things(gbnt: Run, backup: Path, passphrase: tuple[str, str]):
    Path("other").write_text("some other passphrase")
    told = gbnt("backup", "restore", "rome.backup", "--passphrase-file", "other", "--data-dir", "gaul")
    assert told.err == (
        "error: rome.backup is not opened by this passphrase: it is wrong, or the file's beginning is damaged\n"
    )
    content = backup.read_bytes()
    backup.write_bytes(content[:-200])
    told = gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul")
    assert told.err == (
        "error: rome.backup is damaged: something in it was changed, or is missing; take another copy of it\n"
    )
    backup.write_bytes(b"PK\3\4 something else")
    assert "rome.backup is no backup of gbnt's" in gbnt("backup", "inspect", "rome.backup", *passphrase).err
    assert "there is no file nothing" in gbnt("backup", "inspect", "nothing", *passphrase).err
    assert not Path("gaul").exists()


NAMES = ["../../etc/passwd", "/etc/passwd", "pki/ca.pem", "", "node.json\0"]
MANIFEST = Manifest("c", "n", "rome", "0.1.0", 1_772_366_400.0, 1, NEWEST)
NEEDED = {"node.json": b"{}", "ca.pem": b"pem", "gbnt.db": b"db"}


def hostile(**changed: object) -> Iterator[bytes]:
    """A backup that somebody made who knows the passphrase, with these changes to its manifest."""
    written, *parts = packed(Backup(MANIFEST, NEEDED))
    manifest = json.dumps({**json.loads(written[4:]), **changed}).encode()
    yield len(manifest).to_bytes(4, "big") + manifest
    yield from parts


def listed(*names: str, size: int = 2) -> list[dict[str, object]]:
    return [{"name": name, "size": size, "sha256": ""} for name in names]


@pytest.mark.parametrize(
    "content",
    [
        [],
        [b"\0\0\0"],
        [b"\xff\xff\xff\xff{}"],
        [b"\0\0\0\2[]"],
        hostile(format=2),
        hostile(parts=[]),
        hostile(parts=5),
        hostile(parts=[5]),
        hostile(parts=listed("node.json", size=10**12)),
        hostile(parts=listed("node.json", size=-1)),
        hostile(parts=listed("node.json", "node.json", "node.json", "node.json")),
        *(packed(Backup(MANIFEST, {**NEEDED, name: b"evil"})) for name in NAMES),
        hostile(gate="open"),
        hostile(schema=NEWEST + 1),
        packed(Backup(MANIFEST, {"node.json": b"{}"})),
        [*packed(Backup(MANIFEST, NEEDED)), b"more"],
    ],
)
def test_whoever_knows_the_passphrase_cannot_make_it_write_elsewhere(
    gbnt: Run, passphrase: tuple[str, str], content: list[bytes]
):
    Path("x").write_bytes(b"".join(seal(content, OURS, b"s" * 32, CHEAP)))
    ran = gbnt("backup", "restore", "x", *passphrase, "--data-dir", "a/b/gaul")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert not Path("a").exists()


def test_a_state_that_is_none_changes_nothing(gbnt: Run, passphrase: tuple[str, str]):
    Path("x").write_bytes(b"".join(seal(packed(Backup(MANIFEST, NEEDED)), OURS, b"s" * 32, CHEAP)))
    ran = gbnt("backup", "restore", "x", *passphrase, "--data-dir", "gaul")
    assert (ran.status, "is not a sound store" in ran.err) == (1, True)
    assert sorted(path.name for path in Path().iterdir()) == ["passphrase", "x"]


@pytest.mark.parametrize("words", [("--data-dir", "gaul"), ("--force",)])
def test_a_disk_that_refuses_changes_nothing(
    gbnt: Run,
    backup: Path,
    rome: Home,
    passphrase: tuple[str, str],
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = tree(Path())
    monkeypatch.setattr(os, "fsync", full)
    ran = gbnt("backup", "restore", "rome.backup", *passphrase, *words)
    assert (ran.status, "No space left on device" in ran.err) == (1, True)
    assert tree(Path()) == before | {"data/store/gbnt.db.lock": tree(Path())["data/store/gbnt.db.lock"]}


def test_a_place_that_was_taken_meanwhile_keeps_what_is_there(
    gbnt: Run, backup: Path, rome: Home, passphrase: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    build = restoring._build

    def slowly(*arguments: Any) -> int:
        revision = build(*arguments)
        Home(Path("gaul"))  # a gbnt begins there
        return revision

    monkeypatch.setattr(restoring, "_build", slowly)
    ran = gbnt("backup", "restore", "rome.backup", *passphrase, "--data-dir", "gaul")
    assert (ran.status, "Directory not empty" in ran.err) == (1, True)
    assert sorted(path.name for path in Path("gaul").iterdir()) == ["run", "store"]
    assert not Path(".gaul.restoring").exists()


# -- the passphrase --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "there is no passphrase in passphrase: write one into it"),
        (" \n", "there is no passphrase in passphrase: write one into it"),
        ("short\n", "the passphrase has 5 characters, and whoever has the file may try as many as they like"),
    ],
)
def test_a_passphrase_that_protects_nothing_is_refused(gbnt: Run, rome: Home, given: str, said: str):
    Path("passphrase").write_text(given)
    ran = gbnt("backup", "create", "x", "--passphrase-file", "passphrase")
    assert (ran.status, said in ran.err) == (2, True)
    assert not Path("x").exists()


def test_the_environment_says_it(gbnt: Run, rome: Home, passphrase: tuple[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GBNT_BACKUP_PASSPHRASE", OURS)
    assert gbnt("backup", "create", "x").status == 0
    monkeypatch.delenv("GBNT_BACKUP_PASSPHRASE")
    monkeypatch.setenv("GBNT_BACKUP_PASSPHRASE_FILE", passphrase[1])
    assert gbnt("backup", "inspect", "x").status == 0


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ([OURS, OURS], 0, "rome, node"),
        ([OURS, "another passphrase"], 2, "the two passphrases are not the same"),
        (["short", "short"], 2, "has 5 characters"),
    ],
)
def test_a_terminal_is_asked_twice(
    gbnt: Run, rome: Home, monkeypatch: pytest.MonkeyPatch, typed: list[str], status: int, said: str
):
    answers = iter(typed)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(passphrases, "getpass", lambda prompt: next(answers))
    ran = gbnt("backup", "create", "x")
    assert (ran.status, said in ran.err) == (status, True)
    assert Path("x").exists() == (status == 0)


def test_how_an_accent_was_typed_does_not_matter(gbnt: Run, rome: Home):
    Path("composed").write_text("caf\u00e9 au lait, Rome\n")
    Path("apart").write_text("cafe\u0301 au lait, Rome")
    assert gbnt("backup", "create", "x", "--passphrase-file", "composed").status == 0
    assert gbnt("backup", "inspect", "x", "--passphrase-file", "apart").status == 0


def test_without_a_terminal_nobody_is_asked(gbnt: Run, rome: Home):
    ran = gbnt("backup", "create", "x")
    assert (ran.status, "a passphrase is needed: name a file with it by --passphrase-file" in ran.err) == (2, True)
