"""The whole file: its name, networks, gates, and how findings look."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cluster.compose.checks import validate
from cluster.compose.findings import ComposeError, Finding
from cluster.compose.gates import find_cycle
from cluster.compose.loader import Source, load
from cluster.compose.names import is_image
from cluster.privileges import DeviceRequest, Privileges
from cluster.spec import Attachment, NetworkSpec, Port, Resources, ServiceSpec, StackSpec, fingerprint
from tests.cluster.compose.files import findings, loaded, one_service, reader, refused

WEB = "services: {web: {image: nginx}}\n"


def test_the_name_is_the_argument_else_the_files_else_the_folders() -> None:
    assert loaded(f"name: own\n{WEB}", project="given").spec.name == "given"
    assert loaded(f"name: own\n{WEB}").spec.name == "own"
    assert loaded(WEB).spec.name == "shop"


@pytest.mark.parametrize(("folder", "name"), [("/a/My.Shop_1", "myshop_1"), ("/a/_-x", "x")])
def test_a_folder_is_made_a_name(folder: str, name: str) -> None:
    source = Source(f"{folder}/compose.yaml", WEB.encode())
    assert load([source], project=None, variables={}, read=reader({})).spec.name == name


def test_a_folder_without_a_name_asks_for_one() -> None:
    with pytest.raises(ComposeError, match="the stack has no name"):
        load([Source("/compose.yaml", WEB.encode())], project=None, variables={}, read=reader({}))


def test_bad_names_are_refused() -> None:
    assert 'name: "My Shop" cannot be a stack\'s name' in refused(f"name: My Shop\n{WEB}")[0]
    assert "must be a text, not a number" in refused(f"name: 7\n{WEB}")[0]
    assert refused(WEB, project="My Shop")[0].startswith('error: "My Shop" cannot be a stack\'s name')  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["web", "Web2", "my.web", "my_web", "my-web", '"9"'])
def test_good_service_names(name: str) -> None:
    assert loaded(f"services: {{{name}: {{image: x}}}}").spec.services


@pytest.mark.parametrize("name", ["-a", "_a", "..", "a/b", "a b", "ü", "a" * 300, "a-"])
def test_bad_service_names(name: str) -> None:
    assert len(refused(f'services: {{"{name}": {{image: x}}}}')) == 1


def test_a_service_is_called_by_its_key() -> None:
    [found] = validate(StackSpec("shop", {"web": ServiceSpec("\0", "web:1")}))
    assert (found.path, found.hint) == ("services.web.name", 'write "name": "web"')


@pytest.mark.parametrize("platform", [" ", "linux/", "/amd64", "linux/arm64/v8/x", "linux == x"])
def test_a_platform_that_is_none(platform: str) -> None:
    [found] = validate(StackSpec("shop", {"web": ServiceSpec("web", "web:1", platform=platform)}))
    assert (found.path, found.hint) == ("services.web.platform", 'write it as in "linux/arm64"')


@pytest.mark.parametrize("platform", ["", "linux", "linux/amd64", "linux/arm64/v8"])
def test_platforms(platform: str) -> None:
    assert validate(StackSpec("shop", {"web": ServiceSpec("web", "web:1", platform=platform)})) == ()


@pytest.mark.parametrize(("parent", "paths"), [("m-" + "x" * 300, ["services.web.cgroup_parent"]), ("/a/b" * 90, [])])
def test_a_control_group_that_no_kernel_has_room_for(parent: str, paths: list[str]) -> None:
    web = ServiceSpec("web", "web:1", privileges=Privileges(cgroup_parent=parent))
    assert [found.path for found in validate(StackSpec("shop", {"web": web}))] == paths


@pytest.mark.parametrize("subnet", [" ", "../../x", "10.1.0.1/24", "10.1.0.0/33"])
def test_a_subnet_that_is_none(subnet: str) -> None:
    spec = StackSpec(
        "shop", {"web": ServiceSpec("web", "web:1")}, {"default": NetworkSpec("shop_default", subnet=subnet)}
    )
    assert [found.path for found in validate(spec)] == ["networks.default.subnet"]


def test_service_names_that_dns_cannot_tell_apart() -> None:
    assert 'differs from "Web" in case only' in refused("services: {Web: {image: x}, web: {image: x}}")[0]


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "nginx:1.27",
        "library/nginx",
        "a.example:5000/team/app:v1.2_3",
        "localhost/x",
        "x@sha256:" + "a" * 64,
        "a__b--c.d/e",
    ],
)
def test_good_images(image: str) -> None:
    assert is_image(image)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "Nginx",
        "a b",
        "a:",
        "a:b:c",
        "a/",
        "/a",
        "x@sha256:12",
        "a\nb",
        "{{x}}",
        "a" * 300,
        "-a",
        "a..b",
        "http://a/b",
    ],
)
def test_bad_images(image: str) -> None:
    assert not is_image(image)


def test_networks_of_a_service_and_of_the_file() -> None:
    rest = """\
networks:
  front: {driver: bridge, internal: true, ipam: {config: [{subnet: 10.5.0.0/24}]}, labels: {a: b}}
  back: {external: true, name: office}
  unused:
"""
    file = loaded(one_service("networks: {front: {aliases: [w], ipv4_address: 10.5.0.9}, back: }", rest))
    assert file.spec.services["web"].networks == (Attachment("back"), Attachment("front", ("w",), "10.5.0.9"))
    assert file.spec.networks == {
        "back": NetworkSpec("office", external=True),
        "front": NetworkSpec("shop_front", internal=True, subnet="10.5.0.0/24", labels={"a": "b"}),
    }


def test_the_default_network_is_there_only_where_used() -> None:
    assert loaded(WEB).spec.networks == {"default": NetworkSpec("shop_default")}
    assert loaded(one_service("network_mode: none")).spec.networks == {}


@pytest.mark.parametrize(
    ("keys", "rest", "message"),
    [
        ("networks: [gone]", "", 'there is no network "gone"'),
        (
            "networks: {a: {ipv4_address: 10.9.0.1}}",
            "networks: {a: {ipam: {config: [{subnet: 10.5.0.0/24}]}}}",
            "is not an address",
        ),
        ("networks: {a: {ipv4_address: x}}", "networks: {a: }", '"x" is no IPv4 address'),
        ("networks: {a: {ipv4_address: 10.9.0.1}}\nscale: 2", "networks: {a: }", "2 replicas cannot share the address"),
        ("networks: [a]", "networks: {a: {ipam: {config: [{subnet: 10.5.0.1/24}]}}}", '"10.5.0.1/24" is no subnet'),
    ],
)
def test_bad_networks(keys: str, rest: str, message: str) -> None:
    assert message in refused(one_service(keys, rest))[0]


def test_a_driver_that_is_not_gbnts_is_refused() -> None:
    assert "macvlan" in refused(one_service("networks: [a]", "networks: {a: {driver: macvlan}}"))[0]


def test_an_unknown_dependency_names_the_services() -> None:
    assert refused(one_service("depends_on:\n  - db\n  - cache", "  db: {image: x}\n")) == [
        'c.yml:6:9: error: services.web.depends_on.cache: there is no service "cache" (the services are db, web)'
    ]


def test_a_dependency_that_is_not_required_may_be_left_out() -> None:
    keys = "depends_on: {debug: {condition: service_started, required: false}}"
    file = loaded(one_service(keys, "  debug: {image: x, profiles: [debug]}\n"))
    assert list(file.spec.services) == ["web"]
    assert file.warnings == file.refusals == ()


def test_a_cycle_is_printed() -> None:
    text = """\
    services:
      a: {image: x, depends_on: [b]}
      b: {image: x, depends_on: {c: {condition: service_healthy}}}
      c:
        image: x
        depends_on:
          - a
    """
    assert refused(text) == [
        "c.yml:2:30: error: services.a.depends_on.b: services wait for each other: a -> b -> c -> a"
        " (remove one of these dependencies)"
    ]


def test_a_service_that_waits_for_itself() -> None:
    assert "wait for each other: web -> web" in refused(one_service("depends_on: [web]"))[0]


def test_waiting_for_health_that_is_switched_off() -> None:
    text = one_service(
        "depends_on: {db: {condition: service_healthy}}", "  db: {image: x, healthcheck: {disable: true}}\n"
    )
    assert '"db" never gets healthy' in refused(text)[0]


def test_long_chains_are_walked() -> None:
    names = [f"s{n}" for n in range(50_000)]
    chain = {name: [following] for name, following in pairwise(names)} | {names[-1]: []}
    assert find_cycle(chain) == []
    assert len(find_cycle(chain | {names[-1]: [names[0]]})) == len(names) + 1


@given(st.dictionaries(st.integers(0, 7).map(str), st.lists(st.integers(0, 7).map(str), max_size=3)))
def test_a_cycle_is_found_where_there_is_one(edges: dict[str, list[str]]) -> None:
    cycle = find_cycle(edges)
    assert all(after in edges[before] for before, after in pairwise(cycle))
    left = {name: {one for one in following if one in edges} for name, following in edges.items()}
    while ends := {name for name, following in left.items() if not following}:
        left = {name: following - ends for name, following in left.items() if name not in ends}
    assert bool(cycle) == bool(left)
    assert not cycle or cycle[0] == cycle[-1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: {}", "there are no services"),
        ("version: '3'", "there are no services"),
        ("services: 7", "must be a map, not a number"),
        ("servces: {}", 'unknown key (did you mean "services"?)'),
        ("services: {web: {image: x, profiles: [a]}}", "every service is left out"),
    ],
)
def test_files_with_nothing_to_deploy(text: str, message: str) -> None:
    assert message in refused(text)[0]


def test_two_files_that_mean_the_same_are_equal() -> None:
    first = one_service(
        "environment: [A=1, B=2]\nports: ['8080:80']\ndepends_on: [db, cache]\ncommand: a b",
        "  db: {image: x}\n  cache: {image: x}\n",
    )
    second = """\
    x-comment: {other: way}
    services:
      cache: {image: x}
      db: {image: x, networks: []}
      web:
        depends_on: {cache: , db: {condition: service_started}}
        image: nginx
        command: [a, b]
        environment: {B: "2", A: 1}
        ports: [{target: 80, published: "8080", protocol: tcp}]
    """
    assert fingerprint(loaded(first).spec) == fingerprint(loaded(second).spec)


def test_a_finding_quotes_the_line_and_points_at_the_column() -> None:
    finding = findings(one_service("enviroment: {A: 1}"))[0]
    assert finding.render() == (
        'c.yml:4:5: error: services.web.enviroment: unknown key (did you mean "environment"?)\n'
        "      enviroment: {A: 1}\n"
        "      ^"
    )


def test_a_long_line_is_quoted_around_its_column() -> None:
    finding = findings(f"x-a: {'y' * 500}\nservices: {{web: {{image: x, x-b: '{'z' * 500}', tty: 7}}}}")[0]
    shown, caret = finding.render().splitlines()[1:]
    assert len(shown) <= 122
    assert shown[caret.index("^")] == "7"


def test_at_most_twenty_errors_are_told() -> None:
    assert len(refused(one_service("\n".join(f"wrong{n}: 1" for n in range(50))))) == 20


def test_every_stage_tells_all_its_errors() -> None:
    errors = refused(one_service("tty: 7\nuser: 8\nports: [x, 99999]\nrestart: sometimes"))
    assert [error.split(":")[1] for error in errors] == ["4", "5", "6", "6", "7"]


def test_the_server_checks_a_spec_again() -> None:
    good = loaded(WEB).spec
    assert validate(good) == ()
    web = replace(good.services["web"], image="NO", replicas=-1, ports=(Port(0),), environment={"": "x"})
    broken = StackSpec("Bad Name", {"web": web, "x y": ServiceSpec("x y", "x", networks=(Attachment("gone"),))})
    assert {(found.path, found.line, found.code) for found in validate(broken)} == {
        ("name", 0, "name"),
        ("services.web.image", 0, "image"),
        ("services.web.environment.", 0, "name"),
        ("services.web.deploy.replicas", 0, "range"),
        ("services.web.ports[0]", 0, "range"),
        ("services.web.networks.default", 0, "undefined"),
        ("services.x y", 0, "name"),
        ("services.x y.networks.gone", 0, "undefined"),
    }


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("cpus", {"reserved": Resources(cpus=-4.0)}),
        ("cpus", {"reserved": Resources(cpus=float("nan"))}),
        ("cpus", {"reserved": Resources(cpus=float("inf"))}),
        ("memory", {"reserved": Resources(memory=-5)}),
        ("devices", {"privileges": Privileges(requests=(DeviceRequest(count=-2, capabilities=("gpu",)),))}),
    ],
)
def test_no_reservation_makes_room_for_others(what: str, fields: dict[str, Any]) -> None:
    good = loaded(WEB).spec
    assert [(found.path, found.code) for found in validate(replace(good, services={"web": web(good, **fields)}))] == [
        (f"services.web.deploy.resources.reservations.{what}", "range")
    ]


@pytest.mark.parametrize("count", [-1, 0, 2])
def test_no_reservation_and_all_devices_are_in_range(count: int) -> None:
    good = loaded(WEB).spec
    all_of_them = Privileges(requests=(DeviceRequest(count=count, capabilities=("gpu",)),))
    whole = web(good, reserved=Resources(cpus=0.0, memory=0), privileges=all_of_them)
    assert validate(replace(good, services={"web": whole})) == ()


def web(of: StackSpec, **fields: Any) -> ServiceSpec:
    return replace(of.services["web"], **fields)


def test_a_finding_without_a_file_is_one_line() -> None:
    assert Finding("", 0, 0, "services.web", "is wrong").render() == "error: services.web: is wrong"


_KEYS = st.sampled_from(
    """
    services web image command ports volumes networks environment deploy replicas depends_on
    healthcheck test build x-a name default tmpfs restart env_file resources limits target
    """.split()  # noqa: SIM905
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(["web", "80:80", "./a:/b", "1s", "${A:-b}", "a b", "10m", "", "always", "A=1", "\x00", "1-9:1-9"]),
    st.text(max_size=5),
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=15,
)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_tree_is_a_spec_or_an_error(top: dict[str, object], keys: dict[str, object]) -> None:
    document = {**top, "services": {"web": {"image": "nginx", **keys}}}
    with contextlib.suppress(ComposeError):
        spec = loaded(yaml.safe_dump(document).encode()).spec
        assert validate(spec) == ()
