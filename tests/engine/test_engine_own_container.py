"""gbnt in a container: which one that is, and what the engine calls a file in it."""

import pytest

from engine.own_container import outside, own_container

ID = "4a6c6d8f" * 8
ROOT = "1 0 0:1 / / rw - overlay overlay rw"


@pytest.mark.parametrize(
    "line",
    [
        f"2 1 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw",
        f"2 1 8:1 /docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw",
        f"2 1 0:2 /overlay-containers/{ID}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw",
    ],
)
def test_the_container_is_known_by_what_its_engine_mounts_in_it(line: str):
    assert own_container(f"{ROOT}\n{line}\n") == ID


@pytest.mark.parametrize(
    "line",
    [
        "2 1 8:1 /etc/hostname /etc/hostname rw - ext4 /dev/sda1 rw",
        f"2 1 8:1 /var/lib/docker/containers/{ID}/mounts/shm /dev/shm rw - tmpfs tmpfs rw",
        "",
    ],
)
def test_a_process_on_the_machine_itself_is_in_none(line: str):
    assert own_container(f"{ROOT}\n{line}\n") == ""


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/var/lib/gbnt/configs", "/srv/volumes/gbnt/_data/configs"),
        ("/var/lib/gbnt/configs/deeper", "/mnt/fast/deeper"),
        ("/var/lib/gbnt", "/srv/volumes/gbnt/_data"),
        ("/var/lib/gbnt-2/configs", ""),
        ("/root", ""),
    ],
)
def test_a_path_is_where_the_nearest_mount_above_it_says(path: str, real: str):
    mounts = {"/var/lib/gbnt": "/srv/volumes/gbnt/_data", "/run/docker.sock": "/run/docker.sock"}
    if path.endswith("deeper"):
        mounts["/var/lib/gbnt/configs"] = "/mnt/fast"
    assert outside(path, mounts) == real
