"""What Docker says of its room and its containers, in the forms of several releases."""

from __future__ import annotations

import pytest

from cluster.usage import KeptContainer, KeptImage, KeptVolume, Share, Usage
from engine.docker_load import machine_load
from engine.docker_stats import sample_of
from engine.docker_usage import usage_of

IMAGES = [
    {"Id": "sha256:a", "RepoTags": ["web:1"], "RepoDigests": ["web@sha256:d"], "Size": 100, "SharedSize": 30},
    {"Id": "sha256:b", "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"], "Size": 50, "SharedSize": -1},
]
CONTAINERS = [
    {"Id": "c1", "Names": ["/shop"], "ImageID": "sha256:a", "State": "exited", "Labels": {"x": "y"}, "SizeRw": 7}
]
VOLUMES = [
    {"Name": "data", "Labels": None, "UsageData": {"Size": 9, "RefCount": 1}},
    {"Name": "far", "Labels": {}, "UsageData": {"Size": -1, "RefCount": -1}},
]
CACHE = [
    {"Size": 10, "InUse": True, "Shared": False},
    {"Size": 20, "InUse": False, "Shared": False},
    {"Size": 40, "InUse": False, "Shared": True},
]
MEANT = Usage(
    images=(
        KeptImage("sha256:a", ("web:1",), ("web@sha256:d",), 100, 30, 1),
        KeptImage("sha256:b", (), (), 50, 50, 0),
    ),
    containers=(KeptContainer("c1", "shop", "sha256:a", "exited", {"x": "y"}, 7),),
    volumes=(KeptVolume("data", {}, 9, 1), KeptVolume("far", {}, None, None)),
    cache=Share(3, 1, 70, 20),
    layers=120,
)


@pytest.mark.parametrize(
    "told",
    [
        {"LayersSize": 120, "Images": IMAGES, "Containers": CONTAINERS, "Volumes": VOLUMES, "BuildCache": CACHE},
        {
            "ImageUsage": {"TotalSize": 120, "Items": IMAGES},
            "ContainerUsage": {"Items": CONTAINERS},
            "VolumeUsage": {"Items": VOLUMES},
            "BuildCacheUsage": {"Items": CACHE},
        },
    ],
)
def test_both_forms_of_what_is_kept_mean_the_same(told):
    assert usage_of(told) == MEANT


def test_an_engine_that_keeps_nothing_says_null():
    assert (
        usage_of({"LayersSize": 0, "Images": None, "Containers": None, "Volumes": None, "BuildCache": None}) == Usage()
    )


def stats(**fields):
    return {
        "read": "2026-11-26T22:36:48.5Z",
        "pids_stats": {"current": 3},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
        "memory_stats": {"usage": 1000, "limit": 5000, "stats": {"inactive_file": 300}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "read", "value": 5}, {"op": "write", "value": 6}]},
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 10, "tx_bytes": 20}},
        **fields,
    }


def test_counters_are_added_up_and_memory_is_without_what_could_be_dropped():
    sample = sample_of(stats())
    assert sample is not None
    assert (sample.cpu_seconds, sample.memory, sample.memory_limit, sample.pids) == (2.5, 700, 5000, 3)
    assert (sample.received, sample.sent, sample.read, sample.written) == (11, 22, 5, 6)


def test_the_older_control_groups_count_under_other_names():
    older = {"usage": 1000, "limit": 5000, "stats": {"inactive_file": 1, "total_inactive_file": 400}}
    blocks = {"io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "Sync", "value": 9}]}
    sample = sample_of(stats(memory_stats=older, blkio_stats=blocks))
    assert sample is not None
    assert (sample.memory, sample.read, sample.written) == (600, 5, 0)


def test_what_is_not_counted_is_unknown_and_what_does_not_run_has_no_counters():
    sample = sample_of(stats(memory_stats={}, blkio_stats={"io_service_bytes_recursive": None}, networks=None))
    assert sample is not None
    assert (sample.memory, sample.received, sample.read) == (None, None, None)
    assert sample_of(stats(read="0001-01-01T00:00:00Z", pids_stats={})) is None
    for lacking in ("read", "cpu_stats"):
        assert sample_of({key: value for key, value in stats().items() if key != lacking}) is None


def test_the_load_of_another_machine_is_not_taken_for_this_one_s():
    assert "tcp://10.0.0.1:2375" in machine_load("tcp://10.0.0.1:2375").unknown
