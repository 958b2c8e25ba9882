"""Paths of a machine that give it away, however they are written, and those that do not."""

import pytest

from cluster.paths import GIVING, GIVING_TO_WRITERS, gives_machine

HOME = "/home/nero"


@pytest.mark.parametrize(
    "path",
    [
        *GIVING,
        "/",
        "//",
        "/.",
        "/srv/..",
        "//etc",
        "/etc/shadow",
        "/etc/./cron.d/",
        "/srv/../../etc",
        "/run",
        "/var",
        "/var/lib",
        "/var/run",
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/user/1000/docker.sock",
        "/var/lib/docker/volumes/shop_data/_data",
        "/var/lib/gubernator/pki",
        "/dev/sda",
        "/proc/1/root",
        "/root",
        "/root/",
        "/root/.ssh",
        "/root/.gbntctl/config",
        "/home",
        HOME,
        f"{HOME}/.ssh/authorized_keys",
    ],
)
def test_what_gives_the_machine_gives_it_to_who_only_reads_too(path: str):
    assert gives_machine(path)
    assert gives_machine(path, read_only=True)


@pytest.mark.parametrize("path", [*GIVING_TO_WRITERS, "/usr/local/bin", "/lib/modules", "/var/spool/cron/crontabs"])
def test_what_root_runs_gives_it_to_who_writes(path: str):
    assert gives_machine(path)
    assert not gives_machine(path, read_only=True)


@pytest.mark.parametrize("path", ["/etc/localtime", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"])
def test_a_file_that_anyone_may_know_does_not_as_long_as_it_is_read(path: str):
    assert gives_machine(path)
    assert not gives_machine(path, read_only=True)


@pytest.mark.parametrize(
    "path",
    [
        "/srv/data",
        "/mnt",
        "/opt/app/etc",
        "/tmp/x",
        "/etcetera",
        "/runner",
        "/var/log",
        "/var/lib/dockers",
        "/var/running",
        "/root/app/data",
        f"{HOME}/app/.env",
        "/homes",
        "/etc/../srv",
    ],
)
def test_any_other_does_not(path: str):
    assert not gives_machine(path)
