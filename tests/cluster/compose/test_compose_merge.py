"""One file over another: what is merged, appended and replaced, and what is said where neither can be."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.compose.findings import ComposeError
from tests.cluster.compose.files import joined


def over(base: str, later: str, rest: str = "") -> dict[str, Any]:
    """The service `web` whose keys are `base`, with those of `later` laid over."""
    first = f"services:\n  web:\n    image: nginx\n    {base}\n{rest}"
    found: dict[str, Any] = joined(
        {"a.yml": first, "b.yml": f"services:\n  web:\n    {later}\n"}, "a.yml", "b.yml"
    ).document
    return dict(found["services"]["web"])


@pytest.mark.parametrize(
    ("key", "base", "later", "merged"),
    [
        ("image", "user: ann", "image: redis", "redis"),
        ("environment", "environment: {A: 1, B: 1}", "environment: [B=2, C]", {"A": "1", "B": "2", "C": None}),
        ("labels", "labels: [a=1]", "labels: {b: 2}", {"a": "1", "b": "2"}),
        ("command", "command: [a, b]", "command: c", ["c"]),
        ("command", "command: [a, b]", "command: null", None),
        ("entrypoint", "entrypoint: a", "entrypoint: []", []),
        ("dns_search", "dns_search: a.example", "dns_search: [b.example]", ["a.example", "b.example"]),
        ("tmpfs", "tmpfs: /a", "tmpfs: [/b, /a]", ["/a", "/b"]),
        ("cap_add", "cap_add: [A]", "cap_add: [B, A]", ["A", "B"]),
        ("expose", "expose: [80]", "expose: ['80', 81]", ["80", "81"]),
        ("extra_hosts", "extra_hosts: {a: 10.0.0.1}", "extra_hosts: ['b:10.0.0.2']", ["a=10.0.0.1", "b=10.0.0.2"]),
        ("sysctls", "sysctls: {a: 1}", "sysctls: [a=2]", {"a": "2"}),
        ("ulimits", "ulimits: {a: 1, b: 1}", "ulimits: {a: {soft: 1, hard: 2}}", {"a": {"soft": 1, "hard": 2}, "b": 1}),
        (
            "healthcheck",
            "healthcheck: {test: [CMD, a], interval: 1s}",
            "healthcheck: {test: b}",
            {"test": ["CMD-SHELL", "b"], "interval": "1s"},
        ),
        (
            "logging",
            "logging: {driver: syslog, options: {a: 1}}",
            "logging: {options: {b: 2}}",
            {"driver": "syslog", "options": {"a": "1", "b": "2"}},
        ),
        (
            "logging",
            "logging: {driver: syslog, options: {a: 1}}",
            "logging: {driver: local}",
            {"driver": "local"},
        ),
        (
            "build",
            "build: ./a",
            "build: {target: t}",
            {"context": "/srv/shop/a", "dockerfile": "Dockerfile", "target": "t"},
        ),
        ("scale", "scale: 2", "scale: '3'", 3),
    ],
)
def test_a_key_of_two_files(key: str, base: str, later: str, merged: object):
    assert over(base, later)[key] == merged


def test_ports_are_appended_and_the_same_port_counts_once():
    found = over("ports: ['80:80', '81:81']", "ports: ['82:82', {target: 80, published: 80, mode: host}]")
    assert [(port["target"], port["mode"]) for port in found["ports"]] == [
        (80, "host"),
        (81, "ingress"),
        (82, "ingress"),
    ]


def test_a_mount_takes_the_place_of_the_one_on_its_target():
    found = over("volumes: ['./a:/x', './b:/y:ro']", "volumes: [{type: bind, source: ./c, target: /x/}, './d:/z']")
    assert [(mount["source"], mount["target"]) for mount in found["volumes"]] == [
        ("/srv/shop/c", "/x"),
        ("/srv/shop/b", "/y"),
        ("/srv/shop/d", "/z"),
    ]


def test_devices_and_configs_are_known_by_where_they_are_put():
    found = over("devices: ['/dev/a:/dev/x']", "devices: [{source: /dev/b, target: /dev/x}]")
    assert [device["source"] for device in found["devices"]] == ["/dev/b"]
    found = over("devices: ['/dev/a:/dev/x', '/dev/b:/dev/x:r', /dev/c]", "devices: [/dev/c]")
    assert [device["source"] for device in found["devices"]] == ["/dev/b", "/dev/c"]
    sources = "configs: {a: {content: a}, b: {content: b}}\n"
    found = over("configs: [{source: a, target: /x}]", "configs: [{source: b, target: /x}]", sources)
    assert [config["source"] for config in found["configs"]] == ["b"]


@pytest.mark.parametrize(("kind", "target"), [("configs", "/a"), ("configs", "a"), ("secrets", "/run/secrets/a")])
def test_what_a_service_is_given_is_overridden_where_it_is_put_without_a_word(kind: str, target: str):
    sources = f"{kind}: {{a: {{file: /a}}, b: {{file: /a}}}}\n"
    files = {
        "a.yml": f"services: {{web: {{image: x, {kind}: [a]}}}}\n{sources}",
        "b.yml": f"services: {{web: {{{kind}: [{{source: b, target: {target}}}]}}}}",
        "/a": "a",
    }
    found = joined(files, "a.yml", "b.yml").document["services"]["web"][kind]
    assert [grant["source"] for grant in found] == ["b"]


def test_what_a_service_is_given_twice_is_there_once():
    text = "services: {web: {image: x, configs: [a, {source: a, mode: '0440'}, a]}}\nconfigs: {a: {content: a}}"
    found = joined({"a.yml": text}).document["services"]["web"]["configs"]
    assert found == [{"source": "a"}, {"source": "a", "mode": "0440"}]


def test_names_and_what_is_said_of_them_are_one_map():
    nets = "  db: {image: postgres}\n  cache: {image: redis}\nnetworks: {a: , b: }\n"
    found = over("networks: [a]", "networks: {b: {aliases: [x]}}", nets)
    assert found["networks"] == {"a": None, "b": {"aliases": ["x"]}}
    found = over("depends_on: [db]", "depends_on: {cache: {condition: service_healthy}, db: {required: false}}", nets)
    assert found["depends_on"] == {
        "cache": {"condition": "service_healthy", "required": True},
        "db": {"condition": "service_started", "required": False},
    }


def test_address_ranges_are_known_by_their_subnet():
    first = "networks: {default: {ipam: {config: [{subnet: 10.1.0.0/24}]}}}\nservices: {web: {image: x}}"
    second = "networks: {default: {ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.1}]}}}"
    found = joined({"a.yml": first, "b.yml": second}, "a.yml", "b.yml").document
    assert found["networks"]["default"]["ipam"]["config"] == [{"subnet": "10.1.0.0/24", "gateway": "10.1.0.1"}]


def test_reset_takes_a_key_away_and_override_replaces_it_whole():
    files = {
        "a.yml": """
            services:
              web: {image: nginx, ports: ["80:80"], environment: {A: "1", B: "1"}, command: [x], labels: {a: b}}
              gone: {image: busybox}
        """,
        "b.yml": """
            services:
              web:
                ports: !override ["8443:443"]
                environment: {A: !reset null}
                command: !reset
                labels: !reset {}
              gone: !reset null
        """,
        "c.yml": 'services: {web: {environment: {C: "3"}, expose: !reset []}}',
    }
    services = joined(files, *files).document["services"]
    assert list(services) == ["web"]
    assert services["web"]["environment"] == {"B": "1", "C": "3"}
    assert [port["target"] for port in services["web"]["ports"]] == [443]
    assert services["web"]["command"] is None
    assert not {"labels", "expose"} & set(services["web"])


def test_a_directive_with_nothing_before_it_leaves_what_was_written():
    text = "services:\n  web:\n    image: !override nginx\n    command: !reset [x]\n    ports: !override ['80:80']\n"
    found = joined({"a.yml": text}).document["services"]["web"]
    assert (found["image"], found["command"], len(found["ports"])) == ("nginx", None, 1)


def test_documents_of_one_file_are_merged_in_their_order():
    text = (
        "services: {web: {image: a, environment: {A: 1}}}\n---\n---\nservices: {web: {image: b, environment: {B: 2}}}\n"
    )
    found = joined({"a.yml": text}).document["services"]["web"]
    assert (found["image"], found["environment"]) == ("b", {"A": "1", "B": "2"})


def test_an_error_is_told_at_the_file_and_line_that_it_comes_from():
    files = {"a.yml": "services:\n  web:\n    image: nginx\n    tty: 7\n", "b.yml": "services:\n  web:\n    init: 8\n"}
    with pytest.raises(ComposeError) as caught:
        joined(files, *files)
    assert [finding.summary() for finding in caught.value.findings] == [
        'a.yml:4:10: error: services.web.tty: must be true or false, not "7"',
        'b.yml:3:11: error: services.web.init: must be true or false, not "8"',
    ]


def test_what_cannot_be_merged_names_both_places():
    files = {
        "a.yml": "services:\n  web:\n    image: nginx\n    ports: ['80:80']\n",
        "b.yml": "services: {web: {ports: {a: b}}}",
    }
    with pytest.raises(ComposeError) as caught:
        joined(files, *files)
    assert caught.value.findings[0].summary() == (
        "b.yml:1:18: error: services.web.ports: cannot be merged with what a.yml:4 says: one is a list, the other a map"
        " (write both in one form, or say !override)"
    )


def test_paths_of_all_files_begin_at_the_first_ones_folder():
    files = {"a.yml": "services: {web: {image: x}}", "deep/b.yml": "services: {web: {volumes: ['./data:/data']}}"}
    found = joined(files, *files).document["services"]["web"]
    assert found["volumes"][0]["source"] == "/srv/shop/data"


def test_the_last_name_counts():
    files = {"a.yml": "name: one\nservices: {web: {image: x}}", "b.yml": "name: two"}
    assert joined(files, *files).document["name"] == "two"
