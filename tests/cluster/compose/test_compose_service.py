"""The keys of one service."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.spec import (
    Attachment,
    Build,
    Dependency,
    Healthcheck,
    Logging,
    Placement,
    Resources,
    RestartPolicy,
    ServiceSpec,
    UpdatePolicy,
)
from tests.cluster.compose.files import FOLDER, loaded, one_service, refused, service

DB = "  db: {image: postgres}\n"


def test_a_service_with_an_image_is_supervised_and_on_the_default_network() -> None:
    assert service("") == ServiceSpec(
        "web", "nginx", networks=(Attachment("default"),), restart=RestartPolicy("any"), replicas=1
    )


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("command: ", {"command": None}),
    ("command: ''", {"command": ()}),
    ("command: []", {"command": ()}),
    ("command: [sleep, 10]", {"command": ("sleep", "10")}),
    ("""command: echo 'a b' "c d" e\\ f # g""", {"command": ("echo", "a b", "c d", "e f")}),
    ("""command: "sh -c 'a && b'" """, {"command": ("sh", "-c", "a && b")}),
    ("entrypoint: /run.sh --opt='x y'", {"entrypoint": ("/run.sh", "--opt=x y")}),
    ("user: '10:20'\nworking_dir: /app\nhostname: h1", {"user": "10:20", "working_dir": "/app", "hostname": "h1"}),
    ("init: false\ntty: true\nstdin_open: true", {"init": False, "tty": True, "stdin_open": True}),
    ("read_only: true\nprivileged: true", {"read_only": True, "privileged": True}),
    ("stop_signal: SIGINT\nstop_grace_period: 1m30s", {"stop_signal": "SIGINT", "stop_grace_period": 90.0}),
    ("cap_add: [CAP_SYS_TIME, net_raw]\ncap_drop: [all]", {"cap_add": ("SYS_TIME", "NET_RAW"), "cap_drop": ("ALL",)}),
    ("extra_hosts: ['a:1.2.3.4', b=5.6.7.8, 'v6=[::1]']", {"extra_hosts": ("a:1.2.3.4", "b:5.6.7.8", "v6:::1")}),
    ("extra_hosts: {a: 1.2.3.4, h: host-gateway}", {"extra_hosts": ("a:1.2.3.4", "h:host-gateway")}),
    ("logging: {driver: syslog, options: {max-file: 3}}", {"logging": Logging("syslog", {"max-file": "3"})}),
    ("pull_policy: if_not_present", {"pull_policy": "missing"}),
    ("container_name: shop", {"container_name": "shop"}),
    ("network_mode: host", {"network_mode": "host", "networks": ()}),
    ("networks: []", {"networks": (Attachment("default"),)}),
    ("restart: 'no'", {"restart": RestartPolicy("none")}),
    ("restart: always", {"restart": RestartPolicy("any")}),
    ("restart: unless-stopped", {"restart": RestartPolicy("any")}),
    ("restart: on-failure", {"restart": RestartPolicy("on-failure")}),
    ("restart: on-failure:3", {"restart": RestartPolicy("on-failure", max_attempts=3)}),
    ("deploy: {restart_policy: {condition: none}}", {"restart": RestartPolicy("none")}),
    (
        "deploy: {restart_policy: {delay: 5s, max_attempts: 0, window: 1m}}",
        {"restart": RestartPolicy("any", delay=5.0, window=60.0)},
    ),
    ("scale: 3", {"replicas": 3}),
    ("deploy: {replicas: '3', mode: replicated}", {"replicas": 3}),
    ("deploy: {replicas: 0}", {"replicas": 0}),
    ("mem_limit: 1.5g\ncpus: 0.5\npids_limit: 99", {"resources": Resources(0.5, 1610612736, 99)}),
    ("deploy: {resources: {limits: {cpus: '0.50', memory: 64M}}}", {"resources": Resources(0.5, 64 * 2**20)}),
    ("pids_limit: -1\nmem_limit: 0", {"resources": Resources()}),
    (
        "deploy: {update_config: {parallelism: 2, delay: 10s, order: start-first, failure_action: pause, monitor: 1s}}",
        {"update": UpdatePolicy(2, 10.0, "start-first", "pause", 1.0)},
    ),
    ("healthcheck: {test: curl localhost}", {"healthcheck": Healthcheck(("CMD-SHELL", "curl localhost"))}),
    ("healthcheck: {test: [CMD, 'true'], retries: 5}", {"healthcheck": Healthcheck(("CMD", "true"), retries=5)}),
    ("healthcheck: {test: NONE}", {"healthcheck": Healthcheck(("CMD-SHELL", "NONE"))}),
    ("healthcheck: {disable: true}", {"healthcheck": Healthcheck(("NONE",))}),
    (
        "healthcheck: {interval: 1m, timeout: 500ms, start_period: 0s}",
        {"healthcheck": Healthcheck(interval=60.0, timeout=0.5, start_period=0.0)},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "fields"), GOOD, ids=[keys for keys, _ in GOOD])
def test_a_key_is_read(keys: str, fields: dict[str, Any]) -> None:
    spec = service(keys)
    assert {field: getattr(spec, field) for field in fields} == fields


BAD = [
    ("image: [x]", "4:5", 'the key "image" is here a second time'),
    ("command: {a: b}", "4:5", "must be a text, not a map"),
    ("command: [[a]]", "4:15", "must be a text, not a list"),
    ('command: "echo \'a"', "4:14", "the command cannot be split: no closing quotation"),
    ("user: 1000", "4:11", 'must be a text, not a number (quote it: "1000")'),
    ("privileged: maybe", "4:17", 'must be true or false, not "maybe"'),
    ("stop_grace_period: 10", "4:24", '"10" is no duration (say the unit, as in "10s")'),
    ("stop_grace_period: 1 m", "4:24", '"1 m" is no duration'),
    ("stop_signal: 'SIG TERM'", "4:18", '"SIG TERM" is no signal'),
    ("extra_hosts: [a]", "4:19", '"a" is no host and address'),
    ("extra_hosts: {a: b}", "4:22", '"b" is no IP address'),
    ("pull_policy: sometimes", "4:18", '"sometimes" is none of always'),
    ("network_mode: service:db", "4:19", '"service:db" is not supported'),
    ("network_mode: host\nnetworks: [default]", "4:19", "has network_mode and networks"),
    ("restart: false", "4:14", 'must be a text, not a boolean (quote it: "no")'),
    ("restart: always:3", "4:14", '"always:3" is none of no, always'),
    ("deploy: {replicas: -1}", "4:24", '"-1" is not between 0 and 10000'),
    ("deploy: {replicas: 1.5}", "4:24", 'must be a whole number, not "1.5"'),
    ("deploy: {replicas: 1000000000000000000000000000000}", "4:24", "is not between 0 and 10000"),
    ("deploy: {replicas: ''}", "4:24", 'must be a whole number, not ""'),
    ("deploy: {mode: foo}", "4:20", '"foo" is none of replicated, global'),
    ("deploy: {update_config: {order: sideways}}", "4:37", '"sideways" is none of stop-first, start-first'),
    ("deploy: {update_config: {failure_action: explode}}", "4:46", '"explode" is none of pause, continue, rollback'),
    ("deploy: {update_config: {max_failure_ratio: 2}}", "4:49", '"2" is not between 0 and 1'),
    ("deploy: yes", "4:13", "must be a map, not a text"),
    ("scale: 2\ndeploy: {replicas: 3}", "2:3", "scale and deploy.replicas differ"),
    ("cpus: .inf", "4:11", 'must be a number, not ".inf"'),
    ("cpus: 100m", "4:11", 'must be a number, not "100m"'),
    ("cpus: 0.001", "4:11", "a limit of 0.001 CPUs is less than 0.01"),
    ("mem_limit: 1e3x", "4:16", '"1e3x" is no size'),
    ("mem_limit: -5", "4:16", '"-5" is no size'),
    ("mem_limit: 99999999999999999999g", "4:16", "is too large"),
    ("mem_limit: 300k", "4:16", "less than 6 MiB"),
    ("deploy: {resources: {limits: {memory: 1k}}}", "4:43", "less than 6 MiB"),
    ("healthcheck: curl", "4:18", "must be a map, not a text"),
    ("healthcheck: {test: [curl]}", "4:19", 'a test cannot begin with "curl" (the first word is one of'),
    ("healthcheck: {test: [CMD]}", "4:19", "CMD has no words after it"),
    ("healthcheck: {test: x, disable: true}", "4:5", "is disabled, and has a test"),
    ("healthcheck: {interval: 10}", "4:29", '"10" is no duration'),
    ("healthcheck: {interval: 1us}", "4:29", "is less than 1ms"),
    ("depends_on: db", "4:17", "must be a map or a list, not a text"),
    ("networks: front", "4:15", "must be a map or a list, not a text"),
    ("storage_opt: 7", "4:18", 'must be a map, not a number (write "KEY: value")'),
    ("depends_on: {db: {condition: happy}}", "4:34", '"happy" is none of service_started'),
    ("container_name: 'a b'", "4:21", "cannot be a container's name"),
    ("container_name: a\nscale: 2", "4:21", "cannot share one container name"),
    ("hostname: a b", "4:15", "cannot be a host's name"),
    ("labels: {gbnt.task: x}", "4:25", "this label is gbnt's own"),
    ("build: https://example.com/x.git", "4:12", "a build from a URL is not supported"),
    ("volumes_from: [db]", "4:5", "not supported on a cluster"),
]


@pytest.mark.parametrize(("keys", "place", "message"), BAD, ids=[row[0] for row in BAD])
def test_a_bad_key_is_refused_at_its_place(keys: str, place: str, message: str) -> None:
    errors = refused(one_service(keys, DB))
    assert len(errors) == 1
    assert errors[0].startswith(f"c.yml:{place}: error: ")
    assert message in errors[0]


def test_an_unquoted_no_is_a_text() -> None:
    assert service("restart: no").restart == RestartPolicy("none")


@pytest.mark.parametrize(
    ("text", "operator"),
    [("a && b", "&&"), ("a | b", "|"), ("a; b", ";"), ("a > f", ">"), ("a 2>&1", "2>&1"), ("sleep 1 &", "&")],
)
def test_a_command_that_wants_a_shell_is_warned_of(text: str, operator: str) -> None:
    file = loaded(one_service(f"command: '{text}'"))
    assert [warning.code for warning in file.warnings] == ["shell"]
    assert f'"{operator}"' in file.warnings[0].message


@pytest.mark.parametrize("text", ['sh -c "a && b"', "echo a\\;b", "--url=http://x/?a=1&b=2", "echo 'a;' b"])
def test_what_is_quoted_wants_no_shell(text: str) -> None:
    assert loaded(one_service(f"command: {text}")).warnings == ()


def test_a_build_without_image_names_one() -> None:
    text = "name: shop\nservices:\n  web:\n    build:\n      context: app\n      args: {A: 1, B: }\n"
    spec = loaded(text, environment={"B": "b"}).spec.services["web"]
    assert spec.image == "shop-web:latest"
    assert spec.build == Build(f"{FOLDER}/app", args={"A": "1", "B": "b"})


def test_a_build_may_be_a_folder_and_have_an_image_too() -> None:
    spec = service("build: .")
    assert (spec.image, spec.build) == ("nginx", Build(FOLDER))


def test_neither_image_nor_build_is_refused() -> None:
    assert refused("services: {web: {command: x}}") == [
        'c.yml:1:12: error: services.web: has neither image nor build (add "image: NAME")'
    ]


def test_a_service_is_a_map() -> None:
    assert 'services.web: must be a map, not a text (write "web:"' in refused("services: {web: nginx}")[0]


@pytest.mark.parametrize(
    "form", ["depends_on: [db]", "depends_on: {db: }", "depends_on: {db: {condition: service_started, required: true}}"]
)
def test_depends_on_has_one_meaning(form: str) -> None:
    assert service(form, DB).depends_on == (Dependency("db"),)


def test_a_service_awaited_to_complete_is_let_complete() -> None:
    keys = "depends_on: {job: {condition: service_completed_successfully}}"
    awaited = loaded(one_service(keys, "  job: {image: x}\n")).spec.services["job"]
    assert awaited.restart == RestartPolicy("on-failure")
    stubborn = loaded(one_service(keys, "  job: {image: x, restart: always}\n")).spec.services["job"]
    assert stubborn.restart == RestartPolicy("any")


def test_a_restart_policy_wins_over_restart_and_says_so() -> None:
    file = loaded(one_service("restart: always\ndeploy: {restart_policy: {condition: none}}"))
    assert file.spec.services["web"].restart == RestartPolicy("none")
    assert [warning.code for warning in file.warnings] == ["ignored"]


def test_an_update_with_a_fixed_port_stops_the_old_task_first() -> None:
    file = loaded(one_service("ports: ['80:80']\ndeploy: {update_config: {order: start-first}}"))
    assert file.spec.services["web"].update.order == "stop-first"
    assert "in spite of start-first" in file.warnings[0].message


def test_a_key_of_the_specification_that_is_not_read_is_named() -> None:
    file = loaded(one_service("post_start: [{command: x}]\nlinks: [db]\ndeploy:\n  rollback_config: {}\n", DB))
    assert [finding.summary() for finding in (*file.refusals, *file.warnings)] == [
        "c.yml:4:5: error: services.web.post_start: not supported yet:"
        " without it the stack would not be what the file says",
        "c.yml:5:5: warning: services.web.links: has no effect here"
        " (services find each other by name on their networks)",
        "c.yml:7:7: warning: services.web.deploy.rollback_config: has no effect here (not followed yet)",
    ]


def test_a_key_that_is_not_of_the_specification_is_refused_with_the_likeliest() -> None:
    errors = refused(one_service("enviroment: {A: 1}\nhealthcheck: {intervall: 1s}\ngrumble: 1\n"))
    assert errors == [
        'c.yml:4:5: error: services.web.enviroment: unknown key (did you mean "environment"?)',
        'c.yml:5:19: error: services.web.healthcheck.intervall: unknown key (did you mean "interval"?)',
        "c.yml:6:5: error: services.web.grumble: unknown key (keys of your own begin with x-)",
    ]


def test_keys_of_ones_own_are_welcome_everywhere() -> None:
    file = loaded(one_service("x-a: 1\ndeploy: {x-b: {c: 1}}\nhealthcheck: {x-d: 1}", "x-e: [1]\n"))
    assert file.warnings == ()


def test_where_tasks_may_go_is_read():
    placement = """\
deploy:
  placement:
    constraints: [node.role==manager, "gbnt.node.gpu == nvidia"]
    preferences: [{spread: node.labels.zone}]
    max_replicas_per_node: 2
  resources:
    limits: {memory: 2g}
    reservations: {cpus: "0.5", memory: 1g}
"""
    spec = loaded(one_service(placement)).spec.services["web"]
    assert spec.placement == Placement(
        ("node.role == manager", "node.labels.gpu == nvidia"), ("node.labels.zone",), max_replicas_per_node=2
    )
    assert spec.reserved == Resources(cpus=0.5, memory=1024**3)
    assert spec.resources == Resources(memory=2 * 1024**3)


@pytest.mark.parametrize(
    ("deploy", "said"),
    [
        (
            "placement: {constraints: [node.rol == manager]}",
            '"node.rol == manager" names node.rol, which no machine has (there are node.id',
        ),
        (
            "placement: {constraints: [node.role = x]}",
            '"node.role = x" is no constraint: no operator at column 11 (the operators are ==',
        ),
        ("placement: {preferences: [{spread: zone}]}", '"zone" is nothing that machines differ in'),
        (
            "resources: {limits: {cpus: 1}, reservations: {cpus: 2}}",
            "reserves more than its limit (raise the limit, or reserve less)",
        ),
    ],
)
def test_where_tasks_may_not_go_is_said_at_its_line(deploy: str, said: str):
    assert any(said in line for line in refused(one_service(f"deploy:\n  {deploy}\n")))
