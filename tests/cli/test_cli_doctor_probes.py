"""What doctor sees: sockets that are really taken, files as kernels write them, and firewalls in their own words."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.doctor.facts import Down, Engine, EngineNetwork, Firewall, Kernel, Reach, Route, Rule, Space
from cli.doctor.finding import Unseen
from cli.doctor.probes.engine import engine, engine_of
from cli.doctor.probes.firewall import firewalld_of, ufw_of
from cli.doctor.probes.kernel import kernel
from cli.doctor.probes.machine import memory, routes, space, synchronised
from cli.doctor.probes.ports import listening, port, reach
from transport.identity.joining import Address


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


# -- ports -------------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_has_a_holder(taken: int, free: int):
    found = port(taken, "API")
    assert isinstance(found.holder, str)
    assert found.holder.endswith(f"(pid {os.getpid()})")
    assert not found.ours
    assert port(free, "API").holder == ""


def test_a_connection_comes_about_or_not(taken: int, free: int):
    assert reach(Address("127.0.0.1", taken)) == Reach(f"127.0.0.1:{taken}")
    assert reach(Address("127.0.0.1", free)) == Reach(f"127.0.0.1:{free}", "connection refused")


def test_a_knock_is_heard_only_where_one_listens(taken: int, free: int):
    with listening(free) as ours:
        assert ours.heard() is False
        socket.create_connection(("127.0.0.1", free)).close()
        assert ours.heard() is True
    with listening(taken) as theirs:
        assert theirs.heard() is None


# -- the machine -------------------------------------------------------------------------------------------------------

ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
"""


def test_routes_but_the_default_one(tmp_path: Path):
    (tmp_path / "route").write_text(ROUTES)
    assert routes(tmp_path / "route") == (Route("172.17.0.0/16", "docker0"), Route("192.0.2.0/24", "eth0"))
    assert isinstance(routes(tmp_path / "nothing"), Unseen)


def test_memory(tmp_path: Path):
    (tmp_path / "meminfo").write_text("MemTotal:  2048 kB\nMemFree: 1 kB\nMemAvailable:  1024 kB\nHugePages_Total: 0\n")
    found = memory(tmp_path / "meminfo")
    assert not isinstance(found, Unseen)
    assert (found.total, found.available) == (2 << 20, 1 << 20)
    assert isinstance(memory(tmp_path / "nothing"), Unseen)


def test_a_folder_that_is_not_there_yet_lies_where_it_will(tmp_path: Path):
    here, later = space("data", tmp_path), space("data", tmp_path / "a" / "b")
    assert isinstance(here, Space)
    assert isinstance(later, Space)
    assert (here.size, here.inodes) == (later.size, later.inodes)
    assert later.path == f"{tmp_path}/a/b"
    (tmp_path / "file").write_text("")
    assert isinstance(space("data", tmp_path / "file" / "below"), Unseen)


def test_the_kernel_says_whether_its_clock_is_kept():
    assert synchronised() in (True, False)


# -- the kernel --------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("proc/sys/net/ipv4", "sys/module/bridge", "boot", f"lib/modules/{os.uname().release}"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/sys/net/ipv4/ip_forward").write_text("1\n")
    (tmp_path / "proc/filesystems").write_text("nodev\tproc\n\text4\n")
    return tmp_path


def test_a_kernel_that_shows_little(root: Path):
    assert kernel(root) == Kernel(os.uname().release, frozenset({"bridge"}))


def test_a_kernel_that_shows_all(root: Path):
    modules = root / "lib/modules" / os.uname().release
    (modules / "modules.builtin").write_text("kernel/net/netfilter/nf_tables.ko\n")
    (modules / "modules.dep").write_text(
        "kernel/drivers/net/vxlan.ko.xz: kernel/net/a.ko.xz\nkernel/net/ip-x.ko.zst:\n"
    )
    (root / "proc/filesystems").write_text("nodev\toverlay\n")
    (root / "proc/sys/net/bridge").mkdir()
    (root / "proc/sys/net/ipv4/ip_forward").write_text("0\n")
    (root / "proc/config.gz").write_bytes(gzip.compress(b"# made\nCONFIG_VXLAN=m\n# CONFIG_BRIDGE is not set\n"))
    assert kernel(root) == Kernel(
        os.uname().release,
        frozenset({"bridge", "overlay", "br_netfilter"}),
        {"CONFIG_VXLAN": "m"},
        frozenset({"nf_tables"}),
        frozenset({"vxlan", "ip_x"}),
        forwards=False,
    )


def test_build_options_lie_beside_some_kernels(root: Path):
    (root / "boot" / f"config-{os.uname().release}").write_text("CONFIG_VXLAN=y\n")
    assert kernel(root).config == {"CONFIG_VXLAN": "y"}


# -- firewalls ---------------------------------------------------------------------------------------------------------

UFW = """\
Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
4000/tcp                   ALLOW IN    Anywhere
4001:4003/tcp              LIMIT IN    Anywhere
4789/udp                   ALLOW IN    10.0.0.0/8
22                         DENY IN     Anywhere
53                         ALLOW IN    Anywhere
4000 on eth0               ALLOW IN    Anywhere
4000/tcp (v6)              ALLOW IN    Anywhere (v6)
80 (v6)                    REJECT IN   Anywhere (v6)
"""

FIREWALLD = """\
public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources:
  services: dhcpv6-client ssh
  ports: 4000-4003/tcp 4789/udp
  protocols:
  forward: yes
  rich rules:
"""


def test_what_ufw_says():
    rules = (
        Rule(4000, 4000, "tcp"),
        Rule(4001, 4003, "tcp"),
        Rule(4789, 4789, "udp", "10.0.0.0/8"),
        Rule(22, 22, "", allows=False),
        Rule(53, 53, ""),
    )
    assert ufw_of(UFW) == (Firewall("ufw", False, rules),)
    assert ufw_of(UFW.replace("Default: deny", "Default: allow"))[0].open
    assert ufw_of("Status: inactive\n") == ()


def test_what_firewalld_says():
    rules = (Rule(4000, 4003, "tcp"), Rule(4789, 4789, "udp"))
    assert firewalld_of("public", FIREWALLD) == Firewall("firewalld", False, rules, "public")
    trusted = FIREWALLD.replace("target: default", "target: ACCEPT").replace("4000-4003/tcp 4789/udp", "")
    assert firewalld_of("trusted", trusted) == Firewall("firewalld", True, (), "trusted")


# -- the engine --------------------------------------------------------------------------------------------------------


def test_an_engine_in_its_own_words():
    info = {
        "Driver": "overlay2",
        "CgroupVersion": "2",
        "MemoryLimit": True,
        "CpuCfsQuota": True,
        "LiveRestoreEnabled": True,
        "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"],
        "Swarm": {"NodeID": "x", "LocalNodeState": "active"},
        "DockerRootDir": "/srv/docker",
    }
    network = {"Id": "1", "Name": "shop_default", "Labels": {"gbnt.cluster": "c"}, "IPAM": {"Config": None}}
    pools = {"Config": [{"Subnet": "10.201.0.0/24"}]}
    networks = [network, {**network, "IPAM": pools}, {**network, "Name": "old", "Labels": None, "IPAM": pools}]
    found = engine_of({"Version": "28.0.1"}, info, networks)
    assert found == Engine(
        "28.0.1",
        rootless=True,
        driver="overlay2",
        cgroups="2",
        limits=True,
        live_restore=True,
        swarm="active",
        root="/srv/docker",
        networks=(
            EngineNetwork("shop_default", ("10.201.0.0/24",), ours=True),
            EngineNetwork("old", ("10.201.0.0/24",)),
        ),
    )
    assert engine_of({}, info, [], is_local=False).root == ""


def test_an_engine_that_is_not_there(tmp_path: Path):
    assert isinstance(engine(f"unix://{tmp_path}/nothing"), Down)
    assert isinstance(engine("rubbish"), Down)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"])
def test_what_is_no_engine(tmp_path: Path, answer: bytes):
    import threading

    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"{tmp_path}/s")
        sock.listen()

        def speak() -> None:
            while True:
                try:
                    there, _ = sock.accept()
                except OSError:
                    return
                with there:
                    there.recv(4096)
                    there.sendall(answer)

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        assert isinstance(engine(f"unix://{tmp_path}/s"), Down)
        sock.shutdown(socket.SHUT_RDWR)
        thread.join()
