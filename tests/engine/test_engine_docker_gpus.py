"""GPUs in what engines of several kinds say of themselves."""

from typing import Any

import pytest

from cluster.capacity import Gpus
from engine.docker_gpus import gpu_runtime, gpus


def counted(kind: str, value: int) -> dict[str, Any]:
    return {"DiscreteResourceSpec": {"Kind": kind, "Value": value}}


def named(kind: str, value: str) -> dict[str, Any]:
    return {"NamedResourceSpec": {"Kind": kind, "Value": value}}


def found(*ids: str, source: str = "cdi") -> list[dict[str, str]]:
    return [{"Source": source, "ID": id} for id in ids]


@pytest.mark.parametrize("info", [{}, {"GenericResources": None, "DiscoveredDevices": None, "Runtimes": None}])
def test_an_engine_that_knows_nothing_of_gpus_has_none(info: dict[str, Any]):
    assert (gpus(info), gpu_runtime(info)) == ((), "")


def test_what_people_declared_is_counted_and_named_by_kind():
    declared = [named("NVIDIA-GPU", "GPU-b"), counted("gpu", 2), named("NVIDIA-GPU", "GPU-a"), counted("ssd", 3)]
    assert gpus({"GenericResources": declared}) == (
        Gpus("NVIDIA-GPU", "declared", 2, ("GPU-a", "GPU-b")),
        Gpus("gpu", "declared", 2),
    )


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"), ("0", "1")),
        (("nvidia.com/gpu=0", "nvidia.com/gpu=GPU-1f", "nvidia.com/gpu=all"), ("0",)),
        (("nvidia.com/gpu=GPU-1f", "nvidia.com/gpu=all"), ("GPU-1f",)),
        (("nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1", "nvidia.com/gpu=MIG-7"), ("0:0", "0:1")),
        (("nvidia.com/gpu=all",), ("all",)),
    ],
)
def test_a_card_that_cdi_names_several_times_is_one(ids: tuple[str, ...], names: tuple[str, ...]):
    assert gpus({"DiscoveredDevices": found(*ids)}) == (Gpus("nvidia.com/gpu", "discovered", len(names), names),)


def test_only_gpus_of_cdi_are_taken_for_gpus():
    devices = found("amd.com/gpu=0", "vendor.com/nic=eth1", "management.nvidia.com/gpu=all")
    devices += found("other.com/gpu=0", source="other")
    assert gpus({"DiscoveredDevices": devices}) == (Gpus("amd.com/gpu", "discovered", 1, ("0",)),)


def test_a_runtime_is_a_hint_and_no_gpu():
    info = {"Runtimes": {"runc": {"path": "runc"}, "nvidia": {"path": "nvidia-container-runtime"}}}
    assert (gpus(info), gpu_runtime(info)) == ((), "nvidia")
