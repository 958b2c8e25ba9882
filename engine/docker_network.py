"""Networks, volumes and images in Docker's own JSON."""

from __future__ import annotations

from typing import Any

from engine.port import ImageInfo, NetworkInfo, NetworkRequest, VolumeInfo

JSON = dict[str, Any]

MTU_OPTION = "com.docker.network.driver.mtu"


def network_body(request: NetworkRequest) -> JSON:
    """The body of `/networks/create`."""
    options = dict(request.options)
    if request.mtu:
        options[MTU_OPTION] = str(request.mtu)
    return {
        "Name": request.name,
        # Without it engines before 25 make a second network of that name.
        "CheckDuplicate": True,
        "Driver": "bridge",
        "Internal": request.internal,
        "Labels": dict(request.labels),
        "Options": options,
        "IPAM": {"Driver": "default", "Config": [{"Subnet": request.subnet, "Gateway": request.gateway}]},
    }


def network_info(found: JSON) -> NetworkInfo:
    """The network that `/networks/{id}` describes."""
    pools: list[JSON] = found["IPAM"].get("Config") or []
    return NetworkInfo(
        id=found["Id"],
        name=found["Name"],
        labels=found["Labels"] or {},
        subnets=tuple(pool["Subnet"] for pool in pools),
        gateway=next((pool["Gateway"] for pool in pools if pool.get("Gateway")), ""),
        containers=tuple(found.get("Containers") or ()),
    )


def volume_info(found: JSON) -> VolumeInfo:
    """A volume of `/volumes`."""
    return VolumeInfo(name=found["Name"], labels=found["Labels"] or {}, driver=found["Driver"])


def image_info(found: JSON) -> ImageInfo:
    """The image that `/images/{name}/json` describes."""
    test = ((found.get("Config") or {}).get("Healthcheck") or {}).get("Test") or []
    return ImageInfo(
        id=found["Id"],
        tags=tuple(found["RepoTags"] or ()),
        digests=tuple(found["RepoDigests"] or ()),
        healthcheck=bool(test) and test[0] != "NONE",
    )
