"""Files of configs on a disk: whole, owned as asked, told in words where that cannot be."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from actors.configs import Unplaced
from cli.config_folder import FileConfigs
from cluster.configs import ConfigFile, digest_of
from cluster.container import ContainerSpec
from cluster.spec import Mount
from engine.fake import FakeEngine, FakeImage

pytestmark = pytest.mark.trio

FILE = ConfigFile("conf", "/etc/app.conf", digest=digest_of(b"salve"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "configs"


@pytest.fixture
def folder(place: Path) -> FileConfigs:
    """The folder of a gbnt that is in no container."""
    return FileConfigs(place, FakeEngine(), place.parent / "no-mountinfo")


def seen(path: str) -> tuple[bytes, str, int, int]:
    """What is in a file, its mode and its owner."""
    found = os.stat(path)
    return Path(path).read_bytes(), f"{stat.S_IMODE(found.st_mode):o}", found.st_uid, found.st_gid


def names(place: Path) -> list[str]:
    return [path.name for path in place.iterdir()]


def spoil(path: Path, how: str) -> None:
    match how:
        case "content":
            path.write_bytes(b"vale!")
        case "mode":
            path.chmod(0o600)
        case "owner":
            os.chown(path, 7, 7)


async def test_a_file_is_found_as_it_was_written_and_its_folder_is_its_owner_s(folder: FileConfigs, place: Path):
    assert await folder.find(FILE) == ""
    await folder.put(FILE, b"salve")
    path = await folder.find(FILE)
    assert path == str(place / FILE.file_name)
    assert seen(path) == (b"salve", "444", 0, 0)
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o700


async def test_a_file_has_the_owner_and_the_mode_that_were_asked_for(folder: FileConfigs):
    wanted = replace(FILE, uid=101, gid=102, mode=0o4750)
    await folder.put(wanted, b"salve")
    assert seen(await folder.find(wanted)) == (b"salve", "4750", 101, 102)
    assert await folder.find(FILE) == ""


@pytest.mark.parametrize("how", ["content", "mode", "owner"])
async def test_a_file_that_somebody_changed_is_as_good_as_none(folder: FileConfigs, how: str):
    await folder.put(FILE, b"salve")
    path = await folder.find(FILE)
    spoil(Path(path), how)
    assert await folder.find(FILE) == ""
    await folder.put(FILE, b"salve")
    assert await folder.find(FILE) == path


async def test_what_is_not_named_goes_and_so_does_what_a_killed_writer_left(folder: FileConfigs, place: Path):
    await folder.keep(())  # before there is anything
    other = replace(FILE, mode=0o400)
    await folder.put(FILE, b"salve")
    await folder.put(other, b"salve")
    os.link(place / FILE.file_name, place / f".{FILE.file_name}.half")
    await folder.keep({other.file_name})
    assert names(place) == [other.file_name]


async def test_a_place_that_takes_no_file_is_told(place: Path, folder: FileConfigs):
    os.mkfifo(place)
    with pytest.raises(Unplaced, match=f"it cannot be written into {place}: File exists"):
        await folder.put(FILE, b"salve")
    with pytest.raises(Unplaced, match=f"it cannot be read in {place}: Not a directory"):
        await folder.find(FILE)


def contained(place: Path, container: str) -> Path:
    """What the kernel says of the mounts of a process in this container."""
    told = place.parent / "mountinfo"
    told.write_text(f"2 1 8:1 /var/lib/docker/containers/{container}/hostname /etc/hostname rw - ext4 /dev/sda rw\n")
    return told


async def engine_with(mount: Mount) -> tuple[FakeEngine, str]:
    """An engine on which gbnt's own container runs, and the id of that."""
    engine = FakeEngine()
    engine.images["gbnt"] = FakeImage(local=True)
    return engine, await engine.create(ContainerSpec("gbnt", "gbnt", {}, mounts=(mount,)))


async def test_in_a_container_the_engine_s_own_path_is_given(place: Path):
    engine, own = await engine_with(Mount("bind", str(place.parent), "/srv/gbnt"))
    folder = FileConfigs(place, engine, contained(place, own))
    await folder.put(FILE, b"salve")
    assert await folder.find(FILE) == f"/srv/gbnt/configs/{FILE.file_name}"
    calls = engine.calls["container"]
    await folder.find(FILE)
    assert engine.calls["container"] == calls


async def test_in_a_container_without_a_volume_there_the_way_out_is_told(place: Path):
    engine, own = await engine_with(Mount("bind", "/elsewhere", "/srv/gbnt"))
    with pytest.raises(Unplaced, match=r"inside gbnt's own container, gbnt, .*: start gbnt with a volume there"):
        await FileConfigs(place, engine, contained(place, own)).find(FILE)


async def test_in_a_container_that_has_the_engine_in_it_both_have_one_path(place: Path):
    folder = FileConfigs(place, FakeEngine(), contained(place, "ab" * 32))
    await folder.put(FILE, b"salve")
    assert await folder.find(FILE) == str(place / FILE.file_name)
