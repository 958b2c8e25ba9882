"""The kernel's features that containers and their networks need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cli.doctor.facts import Kernel
from cli.doctor.finding import Finding, Unseen, ok, problem, unseen, warning

FORWARD = "net.ipv4.ip_forward"


@dataclass(frozen=True, slots=True)
class Feature:
    """A module by its name and its build option, what it is for, and how grave its lack is."""

    module: str
    option: str
    purpose: str
    lacking: Callable[[str, str, str], Finding]


FEATURES = (
    Feature("bridge", "CONFIG_BRIDGE", "networks of containers", problem),
    Feature("overlay", "CONFIG_OVERLAY_FS", "images that share their layers", warning),
    Feature("br_netfilter", "CONFIG_BRIDGE_NETFILTER", "rules between containers of one network", warning),
    Feature("nf_tables", "CONFIG_NF_TABLES", "rules for published ports", warning),
    Feature("vxlan", "CONFIG_VXLAN", "networks that span machines", warning),
)


def judged(kernel: Kernel) -> Iterator[Finding]:
    """Each feature: there, to be loaded, or lacking; and whether packets are passed on."""
    for feature in FEATURES:
        yield _feature(kernel, feature)
    if isinstance(kernel.forwards, Unseen):
        yield unseen("ip_forward", kernel.forwards)
    elif kernel.forwards:
        yield ok("ip_forward", "on")
    else:
        yield problem(
            "ip_forward",
            "off: containers reach nobody beyond this machine",
            f"echo {FORWARD}=1 | sudo tee /etc/sysctl.d/99-gbnt.conf && sudo sysctl --system",
        )


def _feature(kernel: Kernel, feature: Feature) -> Finding:
    check, module = f"kernel {feature.module}", feature.module
    option = None if kernel.config is None else kernel.config.get(feature.option, "n")
    if module in kernel.present:
        return ok(check, "there")
    if option == "y" or module in (kernel.builtin or ()):
        return ok(check, "built in")
    if module in (kernel.loadable or ()):
        return ok(check, "a module, loaded when it is needed")
    if option == "n" or (kernel.builtin is not None and kernel.loadable is not None):
        fix = f"install all modules of {kernel.release} (on Ubuntu linux-modules-extra), or another kernel"
        return feature.lacking(check, f"lacking, which is for {feature.purpose}", fix)
    return unseen(
        check, Unseen(f"{kernel.release} shows neither its options nor its modules"), f"sudo modprobe {module}"
    )
