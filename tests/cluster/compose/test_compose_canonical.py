"""Each key in the one form that Compose itself prints, whether a cluster acts on it yet or not."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.spec import RestartPolicy
from tests.cluster.compose.files import joined, loaded, one_service, refused

OTHERS = """\
  db: {image: postgres}
configs: {conf: {content: "a=$$1"}, env: {environment: CONF}, there: {external: true, name: shared}}
secrets: {key: {environment: KEY}}
models: {llm: {model: ai/small}}
networks: {a: , b: {driver_opts: {mtu: 1400}, attachable: true}}
volumes: {data: {driver_opts: {size: 1}}}
"""


def written(keys: str) -> Any:
    """The canonical form of the service `web`."""
    return loaded(one_service(keys, OTHERS)).document["services"]["web"]


@pytest.mark.parametrize(
    ("keys", "form"),
    [
        ("annotations: [a=1]", {"a": "1"}),
        ("attach: false", False),
        ("blkio_config: {weight: '300', device_read_bps: [{path: /dev/sda, rate: 1k}]}",
         {"weight": 300, "device_read_bps": [{"path": "/dev/sda", "rate": "1024"}]}),
        ("build: .", {"context": "/srv/shop", "dockerfile": "Dockerfile"}),
        ("build: {context: a, dockerfile_inline: FROM x, ssh: [default], tags: [t]}",
         {"context": "/srv/shop/a", "dockerfile_inline": "FROM x", "ssh": {"default": ""}, "tags": ["t"]}),
        ("cap_add: [net_admin, CAP_SYS_TIME]", ["net_admin", "CAP_SYS_TIME"]),
        ("command: echo 'a b'", ["echo", "a b"]),
        ("configs: [conf, {source: env, target: /e, mode: 0440, uid: '1'}]",
         [{"source": "conf"}, {"source": "env", "target": "/e", "mode": "0440", "uid": "1"}]),
        ("cpu_rt_runtime: 400ms", 400_000),
        ("cpus: '2.0'", 2),
        ("develop: {watch: [{path: ./src, action: sync, target: /app, ignore: x}]}",
         {"watch": [{"path": "/srv/shop/src", "action": "sync", "target": "/app", "ignore": ["x"]}]}),
        ("devices: [/dev/fuse, '/dev/a:/dev/b:r', vendor.com/gpu=0, {source: /dev/c}]", [
            {"source": "/dev/fuse", "target": "/dev/fuse", "permissions": "rwm"},
            {"source": "/dev/a", "target": "/dev/b", "permissions": "r"},
            {"source": "vendor.com/gpu=0", "target": "vendor.com/gpu=0", "permissions": "rwm"},
            {"source": "/dev/c", "target": "/dev/c", "permissions": "rwm"},
        ]),
        ("dns: 8.8.8.8", ["8.8.8.8"]),
        ("entrypoint: ''", []),
        ("expose: ['3000', 8000, 9000-9002/udp]", ["3000", "8000", "9000-9002/udp"]),
        ("extra_hosts: ['a:10.0.0.1', 'v6=[::1]', 'h:host-gateway']", ["a=10.0.0.1", "h=host-gateway", "v6=::1"]),
        ("gpus: all", [{"count": -1}]),
        ("gpus: [{driver: nvidia, device_ids: ['0']}]", [{"driver": "nvidia", "device_ids": ["0"]}]),
        ("group_add: [mail, 2000]", ["mail", "2000"]),
        ("healthcheck: {disable: true}", {"disable": True}),
        ("healthcheck: {test: a || b, interval: 90s}", {"test": ["CMD-SHELL", "a || b"], "interval": "1m30s"}),
        ("links: [db:database]", ["db:database"]),
        ("logging: {driver: syslog, options: {max-file: 3}}", {"driver": "syslog", "options": {"max-file": "3"}}),
        ("mem_limit: 1.5g", "1610612736"),
        ("memswap_limit: -1", "-1"),
        ("mem_swappiness: 10", "10"),
        ("models: [llm]", {"llm": None}),
        ("networks: {a: {priority: 1, mac_address: '02:42:ac:11:65:43'}}",
         {"a": {"priority": 1, "mac_address": "02:42:ac:11:65:43"}}),
        ("networks: []", {"default": None}),
        ("oom_score_adj: -500", -500),
        ("ports: ['8080-8081:80', {target: 81, published: 9000, name: web, app_protocol: http}]", [
            {"mode": "ingress", "protocol": "tcp", "target": 80, "published": "8080-8081"},
            {"mode": "ingress", "protocol": "tcp", "target": 81, "published": "9000", "name": "web",
             "app_protocol": "http"},
        ]),
        ("post_start: [{command: echo hi, user: root, environment: {A: 1}}]",
         [{"command": ["echo", "hi"], "user": "root", "environment": {"A": "1"}}]),
        ("pull_policy: every_12h", "every_12h"),
        ("restart: on-failure:3", "on-failure:3"),
        ("secrets: [key, {source: key, target: other}]",
         [{"source": "key", "target": "/run/secrets/key"}, {"source": "key", "target": "other"}]),
        ("shm_size: 64mb", "67108864"),
        ("stop_grace_period: 1d", "24h0m0s"),
        ("storage_opt: {size: 1G}", {"size": "1G"}),
        ("sysctls: {net.core.somaxconn: 1024}", {"net.core.somaxconn": "1024"}),
        ("tmpfs: /run", ["/run"]),
        ("ulimits: {nproc: 65535, nofile: {soft: '1', hard: 2}, memlock: -1}",
         {"nproc": 65535, "nofile": {"soft": 1, "hard": 2}, "memlock": -1}),
        ("volumes: ['data:/d:z', '/:/host:ro', {type: volume, source: data, target: /e, volume: {subpath: s}}]", [
            {"type": "volume", "source": "data", "target": "/d", "volume": {}, "bind": {"selinux": "z"}},
            {"type": "bind", "source": "/", "target": "/host", "read_only": True, "bind": {"create_host_path": True}},
            {"type": "volume", "source": "data", "target": "/e", "volume": {"subpath": "s"}},
        ]),
    ],
)  # fmt: skip
def test_a_key_in_its_canonical_form(keys: str, form: object):
    assert written(keys)[keys.partition(":")[0]] == form


def test_deploy_says_what_it_was_told_and_the_two_that_compose_adds():
    keys = """\
        deploy:
          mode: global
          endpoint_mode: dnsrr
          resources:
            reservations:
              cpus: 0.5
              generic_resources: [{discrete_resource_spec: {kind: ssd, value: 2}}]
              devices: [{capabilities: [gpu], count: all}]
          rollback_config: {failure_action: continue, monitor: 60s}
    """
    assert written(keys)["deploy"] == {
        "mode": "global",
        "endpoint_mode": "dnsrr",
        "placement": {},
        "resources": {
            "reservations": {
                "cpus": 0.5,
                "generic_resources": [{"discrete_resource_spec": {"kind": "ssd", "value": 2}}],
                "devices": [{"capabilities": ["gpu"], "count": -1}],
            }
        },
        "rollback_config": {"failure_action": "continue", "monitor": "1m0s"},
    }


@pytest.mark.parametrize(
    "keys", ["links: [db]", "volumes_from: ['db:ro']", "network_mode: service:db", "pid: service:db", "ipc: service:db"]
)
def test_a_key_that_names_a_service_is_a_dependency_on_it(keys: str):
    assert written(keys)["depends_on"] == {"db": {"condition": "service_started", "restart": True, "required": True}}
    assert 'there is no service "gone"' in refused(one_service(keys.replace("db", "gone")))[-1]


def test_what_services_share_is_named_and_what_no_service_uses_is_left_out():
    document = loaded(one_service("networks: [b]\nvolumes: ['data:/d']\nconfigs: [there]", OTHERS)).document
    assert document["networks"] == {
        "b": {"ipam": {}, "name": "shop_b", "driver_opts": {"mtu": "1400"}, "attachable": True},
        "default": {"ipam": {}, "name": "shop_default"},
    }
    assert document["volumes"] == {"data": {"name": "shop_data", "driver_opts": {"size": "1"}}}
    assert document["configs"] == {"there": {"external": True, "name": "shared"}}
    assert not {"secrets", "models"} & set(document)


def test_variables_and_labels_come_from_files_first():
    files = {
        "a.yml": """
            services:
              web:
                image: x
                env_file: [{path: one.env}, {path: raw.env, format: raw}, {path: gone.env, required: false}]
                environment: {B: own, UNSET: }
                label_file: labels
                labels: {b: own}
        """,
        "one.env": "A='1'\nB=2\n",
        "raw.env": "R='1'\n",
        "labels": "a=1\nb=2\n",
    }
    found = joined(files).document["services"]["web"]
    assert found["environment"] == {"A": "1", "B": "own", "R": "'1'", "UNSET": None}
    assert found["labels"] == {"a": "1", "b": "own"}
    assert not {"env_file", "label_file"} & set(found)


def test_profiles_choose_services():
    text = "services: {web: {image: x}, a: {image: x, profiles: [one]}, b: {image: x, profiles: [one, two]}}"
    for profiles, names in (
        ((), ["web"]),
        (("two",), ["b", "web"]),
        (("one",), ["a", "b", "web"]),
        (("*",), ["a", "b", "web"]),
    ):
        assert sorted(joined({"a.yml": text}, profiles=profiles).document["services"]) == names


def test_what_is_left_out_is_checked_and_told_of_no_more():
    out = "  debug: {image: x, profiles: [debug], links: [web], tty: %s}\n"
    assert loaded(one_service("", out % "true")).warnings == ()
    assert "services.debug.tty" in refused(one_service("", out % "7"))[0]


def test_a_dependency_on_what_is_left_out_names_the_way_out():
    out = "  debug: {image: x, profiles: [debug]}\n"
    assert refused(one_service("depends_on: [debug]", out)) == [
        'c.yml:4:18: error: services.web.depends_on.debug: "debug" is left out: none of its profiles is on'
        " (switch one of its profiles on with --profile, or say required: false)"
    ]
    assert 'there is no service "gone"' in refused(one_service("depends_on: {gone: {required: false}}"))[0]


@pytest.mark.parametrize(
    ("keys", "rest", "said"),
    [
        ("configs: [gone]", "", '4:15: error: services.web.configs.gone: there is no config "gone"'),
        ("configs: [c]", "configs: {c: {file: gone}}", '5:21: error: configs.c.file: the file "gone" does not exist'),
        ("configs: [c]", "configs: {c: {}}", "5:11: error: configs.c: says nowhere what is in it"),
        ("", "configs: {c: {content: x, file: y}}", "4:11: error: configs.c: has file and content"),
        (
            "configs: [{source: c, target: ../x}]",
            "configs: {c: {content: x}}",
            'the target "../x" is no path of a file',
        ),
        ("configs: [c]", f"configs: {{c: {{content: {'x' * 1_100_000}}}}}", "holds 1100000 bytes, more than 1024000"),
        ("mem_limit: 1e3", "", '"1e3" is no size'),
        ("mem_limit: 99999999999999999999g", "", "is too large"),
        ("healthcheck: {interval: -5s}", "", '"-5s" is no duration'),
        ("ulimits: {nofile: {soft: 2, hard: 1}}", "", "the soft limit is above the hard one"),
        ("ulimits: {nofile: {soft: 2}}", "", "has no hard"),
        ("gpus: [{count: 1, device_ids: ['0']}]", "", "has count and device_ids"),
        ("blkio_config: {device_read_bps: [{path: /dev/sda}]}", "", "has no rate"),
        ("blkio_config: {weight_device: [{path: /dev/sda}]}", "", "has no weight"),
        ("gpus: some", "", '"some" is none of all'),
        ("dns: example.com", "", '"example.com" is no IP address'),
        ("oom_score_adj: 2000", "", '"2000" is not between -1000 and 1000'),
        ("deploy: {update_config: {failure_action: explode}}", "", '"explode" is none of pause, continue, rollback'),
        ("deploy: {rollback_config: {failure_action: rollback}}", "", '"rollback" is none of pause, continue'),
        (
            "mem_reservation: 1g\ndeploy: {resources: {reservations: {memory: 2g}}}",
            "",
            "differ (remove one of the two)",
        ),
        ("", "volumes: {'a b': }", '4:11: error: volumes.a b: "a b" cannot be a name'),
    ],
)
def test_what_is_wrong_is_told_at_its_line(keys: str, rest: str, said: str):
    assert said in refused(one_service(keys, rest))[0]


def test_a_file_that_no_deploy_can_follow_yet_says_so_at_every_line():
    errors = refused(one_service("volumes_from: [db]\ndeploy:\n  mode: global-job\n  replicas: 2", OTHERS))
    assert [error.partition(" (")[0] for error in errors] == [
        "c.yml:4:5: error: services.web.volumes_from: not supported on a cluster",
        "c.yml:6:13: error: services.web.deploy.mode: the mode global-job is not supported yet",
        "c.yml:5:5: error: services.web.deploy: has replicas, and the mode global-job",
    ]


def test_an_image_that_an_unset_variable_left_half_is_good_to_look_at_and_no_more():
    found = loaded(one_service("image: x:$TAG").replace("    image: nginx\n", ""))
    assert found.document["services"]["web"]["image"] == "x:"
    assert [finding.summary() for finding in found.refusals] == [
        'c.yml:3:12: error: services.web.image: "x:" is no image reference'
        ' (write it as in "registry.example/team/app:1.2", in lower case)'
    ]


def test_a_secret_that_is_not_here_keeps_from_a_deploy_alone():
    found = loaded(one_service("secrets: [s]", "secrets: {s: {file: ~/gone}}"))
    assert found.document["secrets"]["s"]["file"] == "/people/me/gone"
    assert [finding.path for finding in found.refusals] == ["services.web.secrets", "secrets.s.file"]


def test_the_device_of_a_volume_that_is_a_bind_is_a_path():
    options = "{driver: local, driver_opts: {type: none, o: bind, device: ./data}}"
    found = loaded(one_service("volumes: ['data:/d']", f"volumes: {{data: {options}}}"))
    assert found.document["volumes"]["data"]["driver_opts"]["device"] == "/srv/shop/data"


def test_the_words_of_restart_are_understood_as_a_policy_too():
    found = loaded(one_service("deploy: {restart_policy: {condition: unless-stopped, delay: 5s}}"))
    assert found.document["services"]["web"]["deploy"]["restart_policy"]["condition"] == "unless-stopped"
    assert found.spec.services["web"].restart == RestartPolicy("any", delay=5.0)


def test_words_that_a_health_check_does_not_run_are_warned_of():
    found = loaded(one_service("healthcheck: {test: [CMD-SHELL, pg_isready, -U, me]}"))
    assert found.warnings[0].message == "words after the first are no part of what CMD-SHELL runs"


def test_a_decimal_file_mode_is_warned_of():
    found = loaded(one_service("configs: [{source: conf, mode: 440}]", OTHERS))
    assert found.document["services"]["web"]["configs"] == [{"source": "conf", "mode": "0670"}]
    assert found.warnings[0].message == "440 is a decimal number, and the mode 0670"


def test_what_is_a_person_s_own_stays_though_it_is_empty():
    found = loaded(one_service("x-a: []\nx-b: ''", "x-c: {}\n")).document
    assert (found["services"]["web"]["x-a"], found["services"]["web"]["x-b"], found["x-c"]) == ([], "", {})
