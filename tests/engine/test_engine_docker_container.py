"""Containers to and from Docker's JSON."""

from typing import Any

import pytest

from cluster.container import ContainerSpec, Endpoint, PortBinding
from cluster.privileges import Device, DeviceRequest, Privileges
from cluster.spec import Healthcheck, Logging, Mount, Resources
from cluster.tuning import BlockIo, Rate, Tuning, Ulimit
from engine.docker_container import container_info, create_body, engine_event, seconds
from engine.port import BoundPort

OLD, NEW = (1, 41), (1, 52)


def body(api: tuple[int, int] = NEW, default_log_driver: str = "json-file", **changes: Any) -> dict[str, Any]:
    return create_body(ContainerSpec("web", "shop:1", {}, **changes), api=api, default_log_driver=default_log_driver)


def test_the_engine_never_restarts():
    assert body()["HostConfig"]["RestartPolicy"] == {"Name": "no"}


def test_what_is_none_keeps_the_images_own():
    assert not {"Cmd", "Entrypoint", "Healthcheck", "StopSignal"} & set(body())
    assert not {"Init", "NanoCpus", "Memory", "PidsLimit"} & set(body()["HostConfig"])


def test_a_command_and_an_entrypoint_are_given_as_lists_also_when_empty():
    made = body(command=("serve", "-v"), entrypoint=())
    assert (made["Cmd"], made["Entrypoint"]) == (["serve", "-v"], [])


def test_an_old_engine_is_given_the_first_network_alone():
    endpoints = (Endpoint("front", "10.0.0.2"), Endpoint("back"))
    old, new = body(OLD, endpoints=endpoints), body(NEW, endpoints=endpoints)
    assert old["NetworkingConfig"]["EndpointsConfig"] == {"front": {"IPAMConfig": {"IPv4Address": "10.0.0.2"}}}
    assert set(new["NetworkingConfig"]["EndpointsConfig"]) == {"front", "back"}
    assert old["HostConfig"]["NetworkMode"] == new["HostConfig"]["NetworkMode"] == "front"


def test_what_the_file_does_not_set_is_left_to_the_engine():
    known = {"RestartPolicy", "NetworkMode", "PortBindings", "Binds", "Mounts", "Tmpfs", "Dns", "DnsSearch"}
    known |= {"DnsOptions", "ExtraHosts", "CapAdd", "CapDrop", "Privileged", "ReadonlyRootfs", "LogConfig"}
    assert set(body()["HostConfig"]) == known


def test_kernel_settings_have_the_engines_names():
    tuning = Tuning(
        shm_size=1 << 26,
        memory_swap=-1,
        memory_swappiness=0,
        cpuset="0-1",
        oom_score_adj=-500,
        ulimits=(Ulimit("nofile", 1024, 2048),),
        sysctls={"net.core.somaxconn": "1024"},
        block_io=BlockIo(weight=300, device_read_bps=(Rate("/dev/sda", 1 << 20),)),
    )
    made = body(tuning=tuning)["HostConfig"]
    assert made["ShmSize"] == 1 << 26
    assert (made["MemorySwap"], made["MemorySwappiness"], made["OomScoreAdj"]) == (-1, 0, -500)
    assert made["CpusetCpus"] == "0-1"
    assert made["Ulimits"] == [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]
    assert made["Sysctls"] == {"net.core.somaxconn": "1024"}
    assert (made["BlkioWeight"], made["BlkioDeviceReadBps"]) == (300, [{"Path": "/dev/sda", "Rate": 1 << 20}])
    assert "CpuShares" not in made


def test_what_is_opened_of_the_machine_has_the_engines_names():
    privileges = Privileges(
        devices=(Device("/dev/fuse", "/dev/fuse", "rw"),),
        requests=(DeviceRequest("nvidia", -1, (), ("gpu", "compute")), DeviceRequest("cdi", ids=("nvidia.com/gpu=1",))),
        security_opt=("no-new-privileges", "systempaths=unconfined"),
        pid="host",
        uts="host",
    )
    made = body(privileges=privileges)["HostConfig"]
    assert made["Devices"] == [{"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rw"}]
    assert made["DeviceRequests"] == [
        {"Driver": "nvidia", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu", "compute"]], "Options": {}},
        {"Driver": "cdi", "Count": 0, "DeviceIDs": ["nvidia.com/gpu=1"], "Capabilities": [], "Options": {}},
    ]
    assert (made["SecurityOpt"], made["MaskedPaths"], made["ReadonlyPaths"]) == (["no-new-privileges"], [], [])
    assert (made["PidMode"], made["UTSMode"]) == ("host", "host")
    assert not {"IpcMode", "CgroupnsMode", "Runtime"} & set(made)


def test_a_place_on_a_network_has_all_that_the_file_gives_it():
    place = Endpoint("front", "10.0.0.2", "02:42:ac:11:00:02", ("169.254.1.1",), {"speed": "1"}, 7)
    assert body(endpoints=(place,))["NetworkingConfig"]["EndpointsConfig"]["front"] == {
        "IPAMConfig": {"IPv4Address": "10.0.0.2", "LinkLocalIPs": ["169.254.1.1"]},
        "MacAddress": "02:42:ac:11:00:02",
        "DriverOpts": {"speed": "1"},
        "GwPriority": 7,
    }


def test_without_networks_the_mode_counts():
    assert body(network_mode="host")["HostConfig"]["NetworkMode"] == "host"


@pytest.mark.parametrize(
    ("logging", "engines_own", "expected"),
    [
        (Logging(), "json-file", {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}),
        (Logging(), "journald", {"Type": "journald", "Config": {}}),
        (
            Logging("", {"max-file": "9"}),
            "json-file",
            {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "9"}},
        ),
        (Logging("local", {"max-size": "1m"}), "json-file", {"Type": "local", "Config": {"max-size": "1m"}}),
        (Logging("json-file"), "journald", {"Type": "json-file", "Config": {}}),
    ],
)
def test_logs_rotate_unless_the_file_or_the_engine_says_otherwise(logging, engines_own, expected):
    assert body(default_log_driver=engines_own, logging=logging)["HostConfig"]["LogConfig"] == expected


def test_ports_are_exposed_and_bound():
    ports = (
        PortBinding(80, host_port=8080),
        PortBinding(80, host_ip="127.0.0.1", host_port=9000, host_port_last=9009),
        PortBinding(53, "udp"),
    )
    made = body(ports=ports, expose=("9000-9001", "7000/udp"))
    assert made["HostConfig"]["PortBindings"] == {
        "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "127.0.0.1", "HostPort": "9000-9009"}],
        "53/udp": [{"HostIp": "", "HostPort": ""}],
    }
    assert set(made["ExposedPorts"]) == {"80/tcp", "53/udp", "9000/tcp", "9001/tcp", "7000/udp"}


def test_a_host_path_is_made_where_that_is_wanted():
    mounts = (
        Mount("bind", "/data", "/srv/data", read_only=True, selinux="z", propagation="rslave"),
        Mount("bind", "/etc/web", "/srv/web", create_host_path=False),
        Mount("volume", "/var/db", "shop_db", no_copy=True),
        Mount("tmpfs", "/tmp/x", tmpfs_size=1024, tmpfs_mode=0o1777),
    )
    config = body(mounts=mounts, tmpfs=("/run:size=1m", "/tmp"))["HostConfig"]
    assert config["Binds"] == ["/srv/data:/data:z,rslave,ro"]
    assert config["Mounts"] == [
        {"Type": "bind", "Target": "/etc/web", "Source": "/srv/web", "ReadOnly": False},
        {
            "Type": "volume",
            "Target": "/var/db",
            "Source": "shop_db",
            "ReadOnly": False,
            "VolumeOptions": {"NoCopy": True},
        },
        {"Type": "tmpfs", "Target": "/tmp/x", "ReadOnly": False, "TmpfsOptions": {"SizeBytes": 1024, "Mode": 0o1777}},
    ]
    assert config["Tmpfs"] == {"/run": "size=1m", "/tmp": ""}


def test_a_check_is_in_nanoseconds_and_inherits_what_it_leaves_out():
    check = Healthcheck(("CMD", "true"), interval=0.5, timeout=3, retries=2, start_interval=1)
    expected = {"Test": ["CMD", "true"], "Interval": 500_000_000, "Timeout": 3_000_000_000, "Retries": 2}
    assert body(OLD, healthcheck=check)["Healthcheck"] == expected
    assert body(NEW, healthcheck=check)["Healthcheck"] == {**expected, "StartInterval": 1_000_000_000}
    assert body(healthcheck=Healthcheck(interval=30))["Healthcheck"] == {"Interval": 30_000_000_000}


def test_limits_and_the_grace_period_are_in_the_engines_units():
    made = body(resources=Resources(cpus=0.1, memory=1 << 20, pids=7), stop_grace_period=1.5, init=True)
    limits = {"NanoCpus": 100_000_000, "Memory": 1 << 20, "PidsLimit": 7, "Init": True}
    assert limits.items() <= made["HostConfig"].items()
    assert made["StopTimeout"] == 2


# -- and back -------------------------------------------------------------------------------------------------------


def inspected(**state: Any) -> dict[str, Any]:
    return {
        "Id": "c1",
        "Name": "/web",
        "Created": "2026-01-02T03:04:05.678901234Z",
        "Config": {"Image": "shop:1", "Labels": None},
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "Error": "",
            "StartedAt": "2026-01-02T03:04:06Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            **state,
        },
        "NetworkSettings": {
            "Networks": {
                "front": {"IPAddress": "10.0.0.2", "IPAMConfig": {"IPv4Address": "10.0.0.2"}},
                "back": {"IPAddress": "", "IPAMConfig": {"IPv4Address": "10.0.1.2"}},
                "side": {"IPAddress": "", "IPAMConfig": None},
            },
            "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None},
        },
        "Mounts": [
            {"Type": "volume", "Source": "/var/lib/docker/volumes/data/_data", "Destination": "/data"},
            {"Type": "tmpfs", "Source": "", "Destination": "/scratch"},
        ],
    }


def test_a_running_container_is_read():
    info = container_info(inspected())
    assert (info.name, info.image, info.labels, info.exit_code) == ("web", "shop:1", {}, None)
    assert info.addresses == {"front": "10.0.0.2", "back": "10.0.1.2"}
    assert info.ports == (BoundPort(80, "tcp", "0.0.0.0", 8080),)
    assert info.mounts == {"/data": "/var/lib/docker/volumes/data/_data"}
    assert (info.health, info.finished_at) == ("", 0.0)


def test_the_last_words_of_the_check_are_kept():
    log = [{"Output": "first"}, {"Output": "no route to 10.0.0.9\n"}]
    info = container_info(inspected(Health={"Status": "unhealthy", "Log": log}))
    assert (info.health, info.health_log) == ("unhealthy", "no route to 10.0.0.9")


def test_an_ended_container_has_its_code_and_whether_memory_ran_out():
    info = container_info(inspected(Status="exited", ExitCode=137, OOMKilled=True, FinishedAt="2026-01-02T03:04:07Z"))
    assert (info.exit_code, info.oom_killed, info.finished_at - info.started_at) == (137, True, 1.0)


def test_a_program_that_ended_before_its_start_was_noted_ran_for_no_time():
    info = container_info(inspected(Status="exited", ExitCode=3, FinishedAt="2026-01-02T03:04:05Z"))
    assert info.finished_at == info.started_at == seconds("2026-01-02T03:04:06Z")


def test_times_are_seconds_since_the_epoch():
    assert seconds("0001-01-01T00:00:00Z") == 0.0
    assert seconds("1970-01-01T00:00:01.5Z") == 1.5
    assert seconds("1970-01-01T02:00:00.123456789+02:00") == 0.123456


@pytest.mark.parametrize(
    ("action", "attributes", "expected"),
    [
        ("die", {"exitCode": "3", "image": "shop", "name": "web", "tier": "front"}, ("die", 3, "")),
        ("health_status: healthy", {"tier": "front"}, ("health", None, "healthy")),
        ("start", {"tier": "front", "exitCode": "0"}, ("start", None, "")),
    ],
)
def test_an_event_is_read(action, attributes, expected):
    event = engine_event({"Action": action, "Actor": {"ID": "c1", "Attributes": attributes}, "timeNano": 2_500_000_000})
    assert (event.action, event.exit_code, event.health) == expected
    assert (event.container, event.at, event.labels) == ("c1", 2.5, {"tier": "front"})
