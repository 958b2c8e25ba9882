"""The keys of a service that are about its machine: the kernel's settings, devices, namespaces, resolvers."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.privileges import Device, DeviceRequest, Privileges
from cluster.spec import Attachment, Resources
from cluster.tuning import BlockIo, Rate, Tuning, Ulimit
from tests.cluster.compose.files import loaded, one_service, refused, service

GOOD: list[tuple[str, dict[str, Any]]] = [
    (
        "domainname: shop.example\nmac_address: 02:42:ac:11:00:02",
        {"domainname": "shop.example", "mac_address": "02:42:ac:11:00:02"},
    ),
    ("platform: linux/arm64\ngroup_add: [video, 44]", {"platform": "linux/arm64", "group_add": ("video", "44")}),
    (
        "dns: 9.9.9.9\ndns_search: [a.example]\ndns_opt: ['ndots:2']",
        {"dns": ("9.9.9.9",), "dns_search": ("a.example",), "dns_options": ("ndots:2",)},
    ),
    (
        "shm_size: 64m\nmemswap_limit: -1\nmem_swappiness: 10",
        {"tuning": Tuning(shm_size=2**26, memory_swap=-1, memory_swappiness=10)},
    ),
    (
        "ulimits: {nproc: 99, nofile: {soft: 10, hard: 20}}",
        {"tuning": Tuning(ulimits=(Ulimit("nofile", 10, 20), Ulimit("nproc", 99, 99)))},
    ),
    (
        "sysctls: [net.core.somaxconn=1024]\ncpuset: 0-1\ncpu_shares: 73",
        {"tuning": Tuning(sysctls={"net.core.somaxconn": "1024"}, cpuset="0-1", cpu_shares=73)},
    ),
    ("oom_score_adj: -500\noom_kill_disable: true", {"tuning": Tuning(oom_score_adj=-500, oom_kill_disable=True)}),
    ("cpu_period: 50ms\ncpu_quota: 25000", {"tuning": Tuning(cpu_period=50_000, cpu_quota=25_000)}),
    (
        "blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 1mb}]}",
        {"tuning": Tuning(block_io=BlockIo(300, device_read_bps=(Rate("/dev/sda", 2**20),)))},
    ),
    (
        "devices: [/dev/fuse, '/dev/a:/dev/b:r']",
        {"privileges": Privileges((Device("/dev/fuse", "/dev/fuse"), Device("/dev/a", "/dev/b", "r")))},
    ),
    (
        "devices: ['nvidia.com/gpu=0']",
        {"privileges": Privileges(requests=(DeviceRequest("cdi", 0, ("nvidia.com/gpu=0",)),))},
    ),
    ("gpus: all", {"privileges": Privileges(requests=(DeviceRequest("", -1, (), ("gpu",)),))}),
    (
        "deploy: {resources: {reservations: {devices: [{capabilities: [gpu, tpu], device_ids: ['1'], driver: cdi}]}}}",
        {"privileges": Privileges(requests=(DeviceRequest("cdi", 0, ("1",), ("gpu", "tpu")),))},
    ),
    (
        "pid: host\nipc: private\nuts: host\nruntime: kata",
        {"privileges": Privileges(pid="host", ipc="private", uts="host", runtime="kata")},
    ),
    (
        "security_opt: [no-new-privileges:true, seccomp=unconfined]",
        {"privileges": Privileges(security_opt=("no-new-privileges:true", "seccomp=unconfined"))},
    ),
    ("mem_reservation: 64m", {"reserved": Resources(memory=2**26)}),
    ("annotations: {a: b}", {"annotations": {"a": "b"}}),
    (
        "networks: {default: {mac_address: '02:42:ac:11:00:02', link_local_ips: [169.254.8.8], driver_opts: {a: b}, "
        "gw_priority: 2}}",
        {"networks": (Attachment("default", (), "", "02:42:ac:11:00:02", ("169.254.8.8",), {"a": "b"}, 2),)},
    ),
]


@pytest.mark.parametrize(("text", "fields"), GOOD)
def test_a_key_is_in_the_spec(text: str, fields: dict[str, Any]) -> None:
    spec = service(text)
    assert {name: getattr(spec, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("mac_address: nonsense", "4:18", '"nonsense" is no MAC address'),
        ("ulimits: {nofile: {soft: 20, hard: 10}}", "4:15", "the soft limit is above the hard one"),
        ("dns: nine", "4:10", '"nine" is no IP address'),
        ("oom_score_adj: 2000", "4:20", "2000"),
        ("cgroup: mine", "4:13", '"mine"'),
    ],
)
def test_a_bad_value_is_refused_at_its_place(text: str, place: str, words: str) -> None:
    (error,) = refused(one_service(text))
    assert error.startswith(f"c.yml:{place}: error: services.web.")
    assert words in error


def test_a_file_of_a_seccomp_profile_keeps_a_stack_from_being_deployed() -> None:
    (refusal,) = loaded(one_service("security_opt: ['seccomp=./profile.json']")).refusals
    assert "a file of a seccomp profile is not supported yet" in refusal.message
