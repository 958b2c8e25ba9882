"""`gbnt stack config`, and which files, variables and profiles a command reads."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

WEB = "name: shop\nservices:\n  web: {image: busybox}\n"
FULL = """\
name: shop
services:
  web:
    build: {context: ./web, dockerfile: prod.Dockerfile, args: {V: "1"}, target: app, no_cache: true}
    command: ["sh", "-c", "echo $$HOME"]
    entrypoint: []
    environment: {A: "1", PRICE: "5 $$", OCTAL: "0o17", EIGHT: "08", "NO": "no", GONE: }
    ports: ["127.0.0.1:8080-8082:80", "53/udp", {target: 81, published: "9000-9004", mode: host}]
    volumes:
      - data:/data:nocopy
      - ./conf:/etc/conf:ro
      - {type: tmpfs, target: /cache, tmpfs: {size: 1mb, mode: 1023}}
      - {type: bind, source: /srv/, target: /srv, bind: {create_host_path: false, propagation: rslave}}
    networks: {front: {aliases: [shopfront]}, default: {}}
    healthcheck: {test: curl -f localhost, interval: 1m30s, timeout: 1500ms, retries: 3, start_period: 0s}
    depends_on:
      db: {condition: service_healthy, restart: true}
      extra: {condition: service_started, required: false}
    restart: on-failure:3
    logging: {driver: local, options: {max-size: 1m}}
    stop_grace_period: 500ms
    init: false
    cap_add: [NET_ADMIN]
    tmpfs: /run
    labels: {a: b}
    extra_hosts: ["nas:192.0.2.4"]
    configs: [plain, {source: said, target: /etc/said, mode: 0440}]
    devices: ["/dev/fuse:/dev/fuse:r"]
    ulimits: {nproc: 10, nofile: {soft: 1, hard: 2}}
    gpus: all
    mem_swappiness: 0
    links: [db]
    deploy:
      mode: replicated
      replicas: 3
      labels: {team: blue}
      resources: {limits: {cpus: "0.5", memory: 50M, pids: 10}, reservations: {devices: [{capabilities: [gpu]}]}}
      update_config: {parallelism: 2, order: stop-first, failure_action: pause, delay: 3s}
      placement: {constraints: [node.role == worker], preferences: [{spread: node.labels.zone}]}
  db:
    image: postgres
    pull_policy: always
    healthcheck: {test: ["CMD", "pg_isready"]}
    network_mode: host
    privileged: true
    tty: true
    x-mine: {a: [1, true, null]}
  extra:
    image: busybox
    healthcheck: {disable: true}
networks:
  front: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}, labels: {x: y}}
  other: {external: true}
volumes:
  data: {driver_opts: {type: nfs}}
configs:
  plain: {content: "price = $$5\\n"}
  said: {environment: SAID}
"""


@pytest.fixture
def folder(home: Path) -> Path:
    (home / "compose.yaml").write_text(WEB)
    return home


def services(gbnt: Run, *options: str) -> list[str]:
    ran = gbnt("stack", "config", "--services", *options)
    assert ran.status == 0, ran.err
    return ran.out.split()


def test_what_is_printed_is_a_file_that_means_the_same(gbnt: Run, home: Path):
    (home / "compose.yaml").write_text(FULL)
    for form in ("yaml", "json"):
        printed = gbnt("stack", "config", "--format", form).out
        (home / f"again.{form}").write_text(printed)
        assert gbnt("stack", "config", "-c", f"again.{form}", "--format", form).out == printed
        assert gbnt("stack", "config", "-c", f"again.{form}", "--hash").out == gbnt("stack", "config", "--hash").out


def test_only_what_was_said_and_what_compose_adds_is_printed(gbnt: Run, folder: Path):
    assert json.loads(gbnt("stack", "config", "-o", "json").out) == {
        "name": "shop",
        "services": {"web": {"command": None, "entrypoint": None, "image": "busybox", "networks": {"default": None}}},
        "networks": {"default": {"ipam": {}, "name": "shop_default"}},
    }


def test_parts_of_it_are_printed_one_a_line(gbnt: Run, home: Path):
    (home / "compose.yaml").write_text(
        FULL.replace("  extra:\n", "  spare: {image: nginx, profiles: [rare]}\n  extra:\n")
    )
    printed = {part: gbnt("stack", "config", f"--{part}").out.split() for part in ("volumes", "networks", "profiles")}
    assert printed == {"volumes": ["data"], "networks": ["default", "front"], "profiles": ["rare"]}
    assert gbnt("stack", "config", "--images").out.split() == ["busybox", "postgres", "shop-web:latest"]
    assert services(gbnt) == ["db", "extra", "web"]
    assert gbnt("stack", "config", "--hash", "db").out.split()[0] == "db"
    assert gbnt("stack", "config", "-q").out == ""


@pytest.mark.parametrize("command", ["config", "deploy"])
def test_a_file_in_the_place_of_the_stack_s_name_is_not_taken_for_one(gbnt: Run, folder: Path, command: str):
    ran = gbnt("stack", command, "./compose.yaml")
    assert ran.status == 2
    assert ran.err == (
        "error: ./compose.yaml stands where the stack is named, and is a file: read it with -c ./compose.yaml\n"
    )


def test_a_service_in_the_place_of_the_stack_s_name_is_warned_of(gbnt: Run, folder: Path):
    assert "warning: web stands where the stack is named, and is a service" in gbnt("stack", "config", "web").err
    (folder / "shop").write_text("a file that a stack is called like")
    assert gbnt("stack", "config", "shop").err == ""


def test_a_service_that_the_files_do_not_have_is_known_by_nothing(gbnt: Run, folder: Path):
    ran = gbnt("stack", "config", "--hash", "wed")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == 'error: the files have no service wed (did you mean "web"?)\n'


def test_a_stack_is_called_by_an_option_too(gbnt: Run, folder: Path):
    assert json.loads(gbnt("stack", "config", "--stack", "wiki", "-o", "json").out)["name"] == "wiki"
    ran = gbnt("stack", "config", "notes", "--stack", "wiki")
    assert ran.status == 2
    assert "the stack is called notes and, by --stack, wiki: leave out one" in ran.err


def test_files_are_those_of_compose_file_with_its_separator(gbnt: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "b.yaml").write_text("services: {db: {image: postgres}}")
    (folder / "c.yaml").write_text("services: {cache: {image: redis}}")
    monkeypatch.setenv("COMPOSE_FILE", "compose.yaml:b.yaml")
    assert services(gbnt) == ["db", "web"]
    monkeypatch.setenv("COMPOSE_PATH_SEPARATOR", ",")
    monkeypatch.setenv("COMPOSE_FILE", "compose.yaml,c.yaml")
    assert services(gbnt) == ["cache", "web"]
    assert services(gbnt, "-c", "compose.yaml") == ["web"]


def test_the_standard_input_is_no_file_here(gbnt: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    for text, options in (("include: [compose.yaml]\n", ()), ("", ("-c", "compose.yaml"))):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{text}services: {{db: {{image: x}}}}".encode())))
        assert services(gbnt, "-c", "-", *options) == ["db", "web"]


def test_dotenv_says_what_the_environment_does_not(gbnt: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / ".env").write_text("COMPOSE_FILE=compose.yaml:b.yaml\nIMAGE=nginx\nCOMPOSE_PROFILES=debug\n")
    (folder / "b.yaml").write_text("services: {b: {image: $IMAGE}, d: {image: x, profiles: [debug]}}")
    assert services(gbnt) == ["b", "d", "web"]
    assert "nginx" in gbnt("stack", "config", "--images").out
    monkeypatch.setenv("IMAGE", "redis")
    assert "redis" in gbnt("stack", "config", "--images").out


def test_env_files_stand_for_dotenv_and_the_last_one_wins(gbnt: Run, folder: Path):
    (folder / "compose.yaml").write_text("services: {web: {image: '$A-$B'}}")
    (folder / ".env").write_text("A=no\nB=no\n")
    (folder / "one").write_text("A=a\nB=x\n")
    (folder / "two").write_text("B=b\n")
    assert gbnt("stack", "config", "--images", "--env-file", "one", "--env-file", "two").out == "a-b\n"
    (folder / "two").write_text("B=${A}b\n")
    assert gbnt("stack", "config", "--images", "--env-file", "one", "--env-file", "two").out == "a-ab\n"
    assert gbnt("stack", "config", "--env-file", "gone").err == "error: there is no gone, which --env-file names\n"


def test_an_unset_variable_of_dotenv_is_warned_of(gbnt: Run, folder: Path):
    (folder / ".env").write_text("PASSWORD=abc$def\n")
    told = ".env:1:10: warning: the variable def is not set: an empty text stands for it"
    assert gbnt("stack", "config", "-q").err.startswith(f"{told} (set def, or for a dollar use single quotes)\n")
    assert told in gbnt("stack", "deploy", "--dry-run", "--strict").err


def test_an_env_file_can_be_insisted_on(gbnt: Run, folder: Path):
    ran = gbnt("stack", "config", "--with-env-file")
    assert (ran.status, ran.err) == (2, "error: there is no .env: make it, or name another with --env-file FILE\n")
    (folder / ".env").write_text("")
    assert gbnt("stack", "config", "--with-env-file").status == 0


def test_profiles_come_from_options_or_the_environment(gbnt: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "compose.yaml").write_text(
        "services: {web: {image: x}, a: {image: x, profiles: [one]}, b: {image: x, profiles: [two]}}"
    )
    assert services(gbnt) == ["web"]
    assert services(gbnt, "--profile", "one") == ["a", "web"]
    assert services(gbnt, "--profile", "*") == ["a", "b", "web"]
    monkeypatch.setenv("COMPOSE_PROFILES", "one,two")
    assert services(gbnt) == ["a", "b", "web"]


def test_a_folder_above_is_looked_in_too(gbnt: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "deep" / "down").mkdir(parents=True)
    monkeypatch.chdir(folder / "deep" / "down")
    assert services(gbnt) == ["web"]


def test_what_no_deploy_can_do_yet_is_printed_and_not_deployed(gbnt: Run, folder: Path):
    (folder / "compose.yaml").write_text("services:\n  web:\n    image: busybox\n    post_start: [{command: 'true'}]\n")
    looked = gbnt("stack", "config")
    assert looked.status == 0
    assert "post_start" in looked.out
    assert looked.err.startswith(
        "compose.yaml:4:5: warning: services.web.post_start: no deploy takes this: not supported"
    )
    ran = gbnt("stack", "deploy", "--dry-run", "shop")
    assert ran.status == 2
    assert ran.err.splitlines()[:2] == [
        "error: the stack shop is good, but cannot be deployed as it is, and nothing was changed",
        "compose.yaml:4:5: error: services.web.post_start: not supported yet:"
        " without it the stack would not be what the file says",
    ]


def test_warnings_can_be_taken_for_errors(gbnt: Run, folder: Path):
    (folder / "compose.yaml").write_text(f"version: '3'\n{WEB}")
    assert gbnt("stack", "deploy", "--dry-run").status == 0
    ran = gbnt("stack", "deploy", "--dry-run", "--strict")
    assert ran.status == 2
    assert ran.err.startswith("error: compose.yaml has warnings, which --strict refuses\ncompose.yaml:1:1: warning: ")


def test_an_unset_variable_is_told_of_beside_the_error_that_it_makes(gbnt: Run, folder: Path):
    (folder / "compose.yaml").write_text("services:\n  web:\n    image: busybox\n    mem_limit: ${LIMIT}\n")
    errors = [line for line in gbnt("stack", "config").err.splitlines() if line.startswith("compose.yaml:")]
    assert ["error" in errors[0], errors[1:]] == [
        True,
        [
            "compose.yaml:4:16: warning: services.web.mem_limit: the variable LIMIT is not set: an empty text stands"
            " for it (set LIMIT, or give a default: ${LIMIT:-value})"
        ],
    ]


def test_config_tells_what_no_deploy_takes_by_its_status_too_where_it_is_strict(gbnt: Run, folder: Path):
    assert gbnt("stack", "config", "-q", "--strict").status == 0
    web = WEB.replace("{image: busybox}", "{image: busybox, secrets: [s]}")
    (folder / "compose.yaml").write_text(f"{web}\nsecrets: {{s: {{environment: PATH}}}}\n")
    ran = gbnt("stack", "config", "-q")
    assert (ran.status, ran.out) == (0, "")
    assert "warning: services.web.secrets: no deploy takes this: " in ran.err
    strict = gbnt("stack", "config", "-q", "--strict")
    assert strict.status == 2
    assert strict.err.startswith("error: compose.yaml has warnings, which --strict refuses\n")


def test_a_file_that_is_only_looked_at_is_not_said_to_be_deployed(gbnt: Run, folder: Path):
    (folder / "compose.yaml").write_text("services: 7\n")
    assert gbnt("stack", "config").err.startswith("error: compose.yaml is no good\n")


def test_many_errors_are_not_more_than_anyone_reads(gbnt: Run, folder: Path):
    lines = "".join(f"  {'s' * 60}{n}: {{imag: {'x' * 200}}}\n" for n in range(30))
    (folder / "compose.yaml").write_text(f"services:\n{lines}")
    ran = gbnt("stack", "config")
    assert ran.status == 2
    assert len(ran.err.encode()) < 4_096
    assert ran.err.rstrip().splitlines()[-1].startswith("and ")
