"""What doctor makes of what it saw: fixtures of facts, and for each fault the finding and its fix."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.doctor.examination import judged
from cli.doctor.facts import (
    Back,
    Down,
    Engine,
    EngineNetwork,
    Facts,
    Firewall,
    Kernel,
    Manager,
    Memory,
    Port,
    Reach,
    Route,
    Rule,
    Space,
)
from cli.doctor.finding import Finding, Unseen
from cli.doctor.report import drawn, summary

GIB = 1024**3
UNSEEN = Unseen("no rights")

ENGINE = Engine("28.0.1", driver="overlay2", cgroups="2", limits=True, live_restore=True, swarm="inactive")
BACK = Back("192.0.2.7:4003", True, "", heard=True, name_taken=False)
MANAGER = Manager("rome", (Reach("rome:4000"), Reach("rome:4003")), ahead=0.4, back=BACK)
KERNEL = Kernel("6.1.0", frozenset({"bridge", "overlay", "br_netfilter", "nf_tables", "vxlan"}))
SPACE = Space("gbnt's data", "/var/lib/gubernator", size=100 * GIB, free=60 * GIB, inodes=1000, free_inodes=900)
WELL = Facts(
    role="worker",
    pool="10.201.0.0/16",
    ports=(Port(4000, "API"), Port(4002, "telemetry"), Port(4003, "links between nodes")),
    manager=MANAGER,
    engine=ENGINE,
    kernel=KERNEL,
    firewalls=(),
    spaces=(SPACE,),
    memory=Memory(8 * GIB, 4 * GIB),
    routes=(Route("192.0.2.0/24", "eth0"),),
    synchronised=True,
)


def against(facts: Facts) -> list[Finding]:
    """What is not well."""
    return [finding for finding in judged(facts) if finding.result != "ok"]


def only(facts: Facts) -> Finding:
    """The one thing that is not well. Whatever it is, there is a fix."""
    found = against(facts)
    assert len(found) == 1, found
    assert found[0].fix
    return found[0]


def test_a_machine_that_is_well_has_nothing_to_mend():
    assert against(WELL) == []
    assert all(finding.fix == "" for finding in judged(WELL))


def test_what_is_not_seen_is_never_well():
    blind = replace(
        WELL,
        ports=(Port(4000, "API", UNSEEN),),
        manager=replace(MANAGER, ahead=UNSEEN, back=UNSEEN),
        engine=UNSEEN,
        kernel=Kernel("6.1.0", frozenset(), forwards=UNSEEN),
        firewalls=UNSEEN,
        spaces=(UNSEEN,),
        memory=UNSEEN,
        routes=UNSEEN,
        synchronised=UNSEEN,
    )
    found = list(judged(blind))
    assert {one.check for one in found if one.result == "ok"} == {"to rome:4000", "to rome:4003"}
    assert all(one.found.startswith("not seen: ") and one.fix for one in found if one.result != "ok")
    assert {one.result for one in found} == {"ok", "warning"}


# -- ports -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "role", "result"),
    [
        (Port(4000, "API", "nginx (pid 7)"), "", "problem"),
        (Port(4000, "API", "nginx (pid 7)"), "manager", "problem"),
        (Port(4000, "API", "nginx (pid 7)"), "worker", "warning"),
        (Port(4003, "links between nodes", "nginx (pid 7)"), "worker", "problem"),
        (Port(4002, "telemetry", "nginx (pid 7)"), "worker", "problem"),
    ],
)
def test_a_taken_port(port: Port, role: str, result: str):
    found = only(replace(WELL, ports=(port,), role=role))
    assert (found.check, found.result) == (f"port {port.number}", result)
    assert "taken by nginx (pid 7)" in found.found


def test_a_port_that_gbnt_has_is_no_fault():
    assert against(replace(WELL, ports=(Port(4000, "API", "gbnt (pid 7)", ours=True),))) == []


def test_a_manager_that_is_not_reached():
    silent = Reach("rome:4003", "no answer within 3 s", silent=True)
    found = only(replace(WELL, manager=replace(MANAGER, reaches=(silent,))))
    assert (found.check, found.result, found.found) == ("to rome:4003", "problem", "no answer within 3 s")
    assert found.fix.startswith("let 4003/tcp through")
    refused = Reach("rome:4003", "connection refused")
    assert "gbnt serve" in only(replace(WELL, manager=replace(MANAGER, reaches=(refused,)))).fix


@pytest.mark.parametrize(("role", "result"), [("worker", "warning"), ("", "warning"), ("manager", "problem")])
def test_a_manager_that_does_not_reach_back(role: str, result: str):
    back = Back("192.0.2.7:4003", False, "no answer within 3 s", heard=False, name_taken=False)
    found = only(replace(WELL, manager=replace(MANAGER, back=back), role=role))
    assert (found.check, found.result) == ("back from rome", result)
    assert found.found == "cannot connect to 192.0.2.7:4003: no answer within 3 s"
    assert "4003/tcp" in found.fix


def test_a_manager_that_reaches_another_machine_instead():
    back = replace(BACK, heard=False)
    assert "another machine answers" in only(replace(WELL, manager=replace(MANAGER, back=back))).found
    here = replace(BACK, heard=None)
    assert against(replace(WELL, manager=replace(MANAGER, back=here))) == []


def test_a_name_that_another_node_has():
    back = replace(BACK, name_taken=True)
    found = only(replace(WELL, manager=replace(MANAGER, back=back)))
    assert (found.check, found.result, "--node-name" in found.fix) == ("host name", "warning", True)


# -- clock -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "result", "words"),
    [
        (6.0, "warning", "6 s ahead of that of rome"),
        (-6.0, "warning", "6 s behind that of rome"),
        (301.0, "problem", "301 s ahead of that of rome: a node that far off is refused"),
        (-9000.0, "problem", "9000 s behind that of rome: a node that far off is refused"),
    ],
)
def test_a_clock_that_differs(ahead: float, result: str, words: str):
    found = only(replace(WELL, manager=replace(MANAGER, ahead=ahead)))
    assert (found.check, found.result, found.found) == ("clock", result, words)
    assert "timedatectl" in found.fix


@pytest.mark.parametrize("ahead", [0.0, 5.0, -5.0])
def test_a_clock_that_agrees(ahead: float):
    assert against(replace(WELL, manager=replace(MANAGER, ahead=ahead))) == []


def test_a_clock_that_nobody_keeps():
    assert only(replace(WELL, synchronised=False)).check == "time sync"


# -- engine ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "check", "result", "words"),
    [
        ({"refused": "Docker Engine 19.03 speaks API 1.12 to 1.40"}, "engine", "problem", "speaks API"),
        ({"rootless": True}, "rootless", "problem", "without root"),
        ({"cgroups": "1"}, "cgroups", "warning", "cgroup v1"),
        ({"limits": False}, "cgroups", "warning", "without limits"),
        ({"live_restore": False}, "live-restore", "warning", "restarts all containers"),
        ({"driver": "vfs"}, "storage", "warning", "vfs"),
        ({"swarm": "active"}, "swarm", "warning", "in a Docker Swarm (active)"),
        ({"swarm": "locked"}, "swarm", "warning", "in a Docker Swarm (locked)"),
    ],
)
def test_an_engine_that_is_not_as_it_should_be(changed: dict[str, object], check: str, result: str, words: str):
    found = only(replace(WELL, engine=replace(ENGINE, **changed)))  # type: ignore[arg-type]
    assert (found.check, found.result) == (check, result)
    assert words in found.found


def test_an_engine_that_does_not_answer():
    found = against(replace(WELL, engine=Down("the Docker Engine does not answer")))
    assert [(one.check, one.result) for one in found] == [("engine", "problem"), ("subnets", "warning")]


# -- kernel ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kernel",
    [
        Kernel("6.1.0", KERNEL.present - {"vxlan"}, config={"CONFIG_VXLAN": "y"}),
        Kernel("6.1.0", KERNEL.present - {"vxlan"}, builtin=frozenset({"vxlan"})),
        Kernel("6.1.0", KERNEL.present - {"vxlan"}, builtin=frozenset(), loadable=frozenset({"vxlan"})),
        Kernel("6.1.0", KERNEL.present - {"vxlan"}, config={"CONFIG_VXLAN": "m"}, loadable=frozenset({"vxlan"})),
    ],
)
def test_a_feature_is_found_in_any_of_several_places(kernel: Kernel):
    assert against(replace(WELL, kernel=kernel)) == []


@pytest.mark.parametrize(
    ("module", "kernel", "result"),
    [
        ("vxlan", {"config": {"CONFIG_BRIDGE": "y"}}, "warning"),
        ("vxlan", {"builtin": frozenset({"bridge"}), "loadable": frozenset({"veth"})}, "warning"),
        (
            "vxlan",
            {"config": {"CONFIG_VXLAN": "m"}, "builtin": frozenset(), "loadable": frozenset({"veth"})},
            "warning",
        ),
        ("bridge", {"config": {"CONFIG_VXLAN": "y"}}, "problem"),
    ],
)
def test_a_feature_that_lacks(module: str, kernel: dict[str, object], result: str):
    found = only(replace(WELL, kernel=Kernel("6.1.0", KERNEL.present - {module}, **kernel)))  # type: ignore[arg-type]
    assert (found.check, found.result) == (f"kernel {module}", result)
    assert found.found.startswith("lacking")


def test_a_module_that_may_be_lacking_is_not_called_there():
    kernel = Kernel("6.1.0", KERNEL.present - {"vxlan"}, config={"CONFIG_VXLAN": "m"})
    found = only(replace(WELL, kernel=kernel))
    assert (found.result, found.fix) == ("warning", "sudo modprobe vxlan")


def test_a_kernel_that_passes_nothing_on():
    found = only(replace(WELL, kernel=replace(KERNEL, forwards=False)))
    assert (found.check, found.result, "net.ipv4.ip_forward=1" in found.fix) == ("ip_forward", "problem", True)


# -- firewall ----------------------------------------------------------------------------------------------------------

ALL = (Rule(4000, 4003, "tcp"), Rule(4789, 4789, ""), Rule(53, 53, "", "10.201.0.0/16"))


def test_a_firewall_that_lets_everything_in():
    for firewall in (Firewall("ufw", False, ALL), Firewall("firewalld", True, (), "trusted")):
        assert against(replace(WELL, firewalls=(firewall,))) == []


def test_a_closed_firewall_is_opened_by_one_command():
    rules = (Rule(4000, 4000, "tcp"), Rule(53, 53, ""))
    found = only(replace(WELL, firewalls=(Firewall("ufw", False, rules),)))
    assert (found.check, found.result) == ("firewall", "warning")
    assert found.found == "ufw keeps out 4003/tcp, 4789/udp"
    assert found.fix == "sudo ufw allow 4003/tcp && sudo ufw allow 4789/udp"
    found = only(replace(WELL, firewalls=(Firewall("firewalld", False, (Rule(4789, 4789, "tcp"),), "public"),)))
    assert found.check == "firewall public"
    assert found.fix == (
        "sudo firewall-cmd --permanent --zone=public --add-port=4000/tcp --add-port=4003/tcp --add-port=4789/udp && "
        "sudo firewall-cmd --reload"
    )


@pytest.mark.parametrize("rule", [(), (Rule(53, 53, "udp"),), (Rule(53, 53, "", "192.0.2.0/24"),)])
def test_a_firewall_that_keeps_containers_from_asking_for_names(rule: tuple[Rule, ...]):
    found = only(replace(WELL, firewalls=(Firewall("ufw", False, (*ALL[:2], *rule)),)))
    assert (found.result, found.found) == ("warning", "ufw keeps out containers' questions for names (53)")
    assert found.fix == "sudo ufw allow from 10.201.0.0/16 to any port 53"


def test_the_first_rule_of_a_firewall_counts():
    kept_out = Rule(4003, 4003, "tcp", allows=False)
    found = only(replace(WELL, firewalls=(Firewall("ufw", True, (kept_out, *ALL)),)))
    assert found.found == "ufw keeps out 4003/tcp"
    assert against(replace(WELL, firewalls=(Firewall("ufw", False, (*ALL, kept_out)),))) == []


def test_a_firewall_that_is_open_to_some_says_to_whom():
    firewall = Firewall("ufw", False, (*ALL[:1], Rule(4789, 4789, "udp", "10.0.0.0/8"), *ALL[2:]))
    findings = judged(replace(WELL, firewalls=(firewall,)))
    found = next(one for one in findings if one.check == "firewall")
    assert (found.result, found.found) == ("ok", "ufw lets a node's ports in, some from 10.0.0.0/8 alone")


# -- subnets -----------------------------------------------------------------------------------------------------------


def test_a_network_of_the_engine_in_the_cluster_s_range():
    engine = replace(ENGINE, networks=(EngineNetwork("old", ("fd00::/64", "10.201.7.0/24")),))
    found = only(replace(WELL, engine=engine))
    assert (found.check, found.result) == ("subnets", "warning")
    assert found.found == "the engine's network old (10.201.7.0/24) lies in the cluster's range 10.201.0.0/16"
    assert "docker network rm old" in found.fix
    assert "--network-pool 10.202.0.0/16" in found.fix


def test_a_network_of_the_engine_that_covers_the_range():
    engine = replace(ENGINE, networks=(EngineNetwork("old", ("10.192.0.0/10",)),))
    assert only(replace(WELL, engine=engine)).result == "problem"


def test_a_way_that_leads_into_the_cluster_s_range():
    found = only(replace(WELL, routes=(Route("10.0.0.0/8", "tun0"),)))
    assert (found.result, found.found) == (
        "problem",
        "10.0.0.0/8 is reached through tun0, and lies in the cluster's range 10.201.0.0/16",
    )


def test_gbnt_s_own_networks_are_no_clash():
    engine = replace(ENGINE, networks=(EngineNetwork("shop_default", ("10.201.0.0/24",), ours=True),))
    assert against(replace(WELL, engine=engine, routes=(Route("10.201.0.0/24", "shop0"),))) == []


def test_a_bridge_of_an_engine_that_is_not_seen_is_no_clash_of_its_own():
    found = against(replace(WELL, engine=UNSEEN, routes=(Route("10.201.0.0/24", "br-1f2e"),)))
    assert [(one.check, one.result) for one in found] == [("engine", "warning"), ("subnets", "warning")]


# -- room --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "free_inodes", "result", "words"),
    [
        (15, 900, "warning", "85 % full, of 107 GB"),
        (5, 900, "problem", "95 % full, of 107 GB"),
        (60, 100, "warning", "90 % full, of its files"),
        (60, 0, "problem", "100 % full, of its files"),
    ],
)
def test_a_full_disk(free: int, free_inodes: int, result: str, words: str):
    found = only(replace(WELL, spaces=(replace(SPACE, free=free * GIB, free_inodes=free_inodes),)))
    assert (found.check, found.result) == ("disk of gbnt's data", result)
    assert found.found.endswith(words)


def test_a_disk_that_counts_no_files():
    assert against(replace(WELL, spaces=(replace(SPACE, inodes=0, free_inodes=0),))) == []


@pytest.mark.parametrize(("mebibytes", "result"), [(511, "warning"), (159, "problem")])
def test_little_memory(mebibytes: int, result: str):
    assert only(replace(WELL, memory=Memory(GIB, mebibytes * 1024**2))).result == result


# -- the report --------------------------------------------------------------------------------------------------------


def test_a_report_has_symbols_only_on_a_terminal():
    findings = [Finding("disk", "ok", "fine"), Finding("swarm", "warning", "in one", "leave it")]
    assert drawn(findings, symbols=False).splitlines() == [
        "RESULT   CHECK  FOUND",
        "ok       disk   fine",
        "warning  swarm  in one",
        "    fix: leave it",
    ]
    assert drawn(findings, symbols=True).splitlines()[1:] == [
        "✓ ok       disk   fine",
        "! warning  swarm  in one",
        "    fix: leave it",
    ]
    assert summary(findings) == "1 warning"
    assert summary(findings[:1]) == "all is well"
