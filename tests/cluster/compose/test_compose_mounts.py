"""`volumes` and `tmpfs` of a service, and the file's own volumes."""

from __future__ import annotations

import pytest

from cluster.spec import Mount, VolumeSpec
from tests.cluster.compose.files import FOLDER, loaded, one_service, refused, service

DATA = "volumes: {data: }\n"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("data:/var/lib", Mount("volume", "/var/lib", "data")),
        ("data:/var/lib/:ro,nocopy", Mount("volume", "/var/lib", "data", read_only=True, no_copy=True)),
        ("/var/lib", Mount("volume", "/var/lib")),
        ("./conf:/etc/conf:ro", Mount("bind", "/etc/conf", f"{FOLDER}/conf", read_only=True)),
        ("../x:/x", Mount("bind", "/x", "/srv/x")),
        (".:/x", Mount("bind", "/x", FOLDER)),
        ("/etc:/x:rslave", Mount("bind", "/x", "/etc", propagation="rslave")),
        ("~/x:/x:Z", Mount("bind", "/x", "/people/me/x", selinux="Z")),
        ("{type: bind, source: conf, target: /x}", Mount("bind", "/x", f"{FOLDER}/conf")),
        (
            "{type: bind, source: /a, target: /x, bind: {create_host_path: false, propagation: shared}}",
            Mount("bind", "/x", "/a", create_host_path=False, propagation="shared"),
        ),
        (
            "{type: volume, source: data, target: /x, read_only: true, volume: {nocopy: true}}",
            Mount("volume", "/x", "data", read_only=True, no_copy=True),
        ),
        (
            "{type: tmpfs, target: /x, tmpfs: {size: 10m, mode: 0o1777}}",
            Mount("tmpfs", "/x", tmpfs_size=10 * 2**20, tmpfs_mode=0o1777),
        ),
        ("{type: tmpfs, target: /x, tmpfs: {mode: '1777'}}", Mount("tmpfs", "/x", tmpfs_mode=0o1777)),
    ],
)
def test_a_mount_is_read(entry: str, expected: Mount) -> None:
    spec = service(f"volumes:\n  - {entry}\n", DATA)
    assert spec.mounts == (expected,)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("dta:/x", 'there is no volume "dta"'),
        ("a/b:/x", '"a/b" is neither a path nor a volume (for a path write "./a/b")'),
        ("data:/x:readonly", '"readonly" is no option of a mount'),
        ("data:x", 'the target "x" is not absolute (write "/x")'),
        (
            "v:/v:nocopy,ro",
            "(one letter and a colon are a drive: name the volume otherwise, or write the mount as a map)",
        ),
        ("data:ro", "(quote the whole mount: between [ and ] a comma ends it)"),
        ("'data:'", '"data:" is no mount'),
        ("aa:bb:cc:dd", '"aa:bb:cc:dd" is no mount'),
        ("'C:\\x:/x'", "is a path of Windows"),
        ("{type: cluster, target: /x}", "a mount of type cluster is not supported"),
        ("{target: /x}", "has no type"),
        ("{type: bind, target: /x}", "a mount of type bind has no source"),
        ("{type: tmpfs, source: a, target: /x}", "a tmpfs has no source"),
        ("{type: tmpfs, target: /x, tmpfs: {size: -1}}", "is no size"),
        ("{type: tmpfs, target: /x, tmpfs: {mode: '9'}}", "is no file mode"),
        ("data:/", "cannot be a target"),
        ("7", 'must be a text, not a number (quote it: "7")'),
    ],
)
def test_a_mount_that_is_none_is_refused(entry: str, error: str) -> None:
    errors = refused(one_service(f"volumes:\n  - {entry}\n", DATA))
    assert len(errors) == 1
    assert errors[0].startswith("c.yml:5:")
    assert error in errors[0]


def test_two_mounts_on_one_target_are_refused() -> None:
    errors = refused(one_service("tmpfs: /run:size=1m\nvolumes: ['data:/x', './y:/x/', 'data:/run']", DATA))
    assert len(errors) == 2
    assert '"/x" is mounted already' in errors[0]
    assert '"/run" is mounted already' in errors[1]


def test_tmpfs_is_one_or_several() -> None:
    assert service("tmpfs: /run:size=10m,mode=1777").tmpfs == ("/run:size=10m,mode=1777",)
    assert service("tmpfs: [/run, /tmp]").tmpfs == ("/run", "/tmp")


def test_only_the_volumes_that_a_service_mounts_are_kept() -> None:
    rest = """\
name: shop
volumes:
  data: {driver: local, driver_opts: {size: 5}, labels: [a=b]}
  named: {name: my-data}
  foreign: {external: true}
  old: {external: {name: older}}
  unused:
"""
    file = loaded(one_service("volumes: ['data:/a', 'named:/b', 'foreign:/c', 'old:/d']", rest))
    assert file.spec.volumes == {
        "data": VolumeSpec("shop_data", driver="local", options={"size": "5"}, labels={"a": "b"}),
        "named": VolumeSpec("my-data"),
        "foreign": VolumeSpec("foreign", external=True),
        "old": VolumeSpec("older", external=True),
    }
    assert [warning.code for warning in file.warnings] == ["deprecated"]


def test_an_external_volume_has_no_driver() -> None:
    errors = refused(one_service("", "volumes: {data: {external: true, driver: local}}"))
    assert errors == ["c.yml:4:11: error: volumes.data: is external, and has driver (remove one of the two)"]
