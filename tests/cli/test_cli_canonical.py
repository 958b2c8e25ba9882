"""A stack written out in full means what the file meant."""

import json
from pathlib import Path

import yaml

from cli.canonical import canonical
from cluster.compose.loader import Source, load
from cluster.spec import StackSpec

FULL = """\
name: shop
services:
  web:
    build: {context: ./web, dockerfile: prod.Dockerfile, args: {V: "1"}, target: app, no_cache: true}
    command: ["sh", "-c", "echo $$HOME"]
    entrypoint: []
    environment: {A: "1", PRICE: "5 $$"}
    ports: ["127.0.0.1:8080-8082:80", "53/udp", {target: 81, published: "9000-9004", mode: host}]
    volumes:
      - data:/data:nocopy
      - ./conf:/etc/conf:ro
      - {type: tmpfs, target: /cache, tmpfs: {size: 1mb, mode: 1023}}
      - {type: bind, source: /srv, target: /srv, bind: {create_host_path: false, propagation: rslave}}
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
    deploy:
      replicas: 3
      labels: {team: blue}
      resources: {limits: {cpus: "0.5", memory: 50M, pids: 10}}
      update_config: {parallelism: 2, order: stop-first, failure_action: pause, delay: 3s}
  db:
    image: postgres
    pull_policy: always
    healthcheck: {test: ["CMD", "pg_isready"]}
    network_mode: host
    privileged: true
    tty: true
  extra:
    image: busybox
    healthcheck: {disable: true}
networks:
  front: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}, labels: {x: y}}
  other: {external: true}
volumes:
  data: {driver_opts: {type: nfs}}
"""


def loaded(text: str) -> StackSpec:
    def read(path: str) -> bytes:
        raise FileNotFoundError(path)

    return load(Source("/srv/me/shop/compose.yaml", text.encode()), project=None, environment={}, read=read).spec


def test_a_file_read_written_out_and_read_again_is_the_same_stack():
    spec = loaded(FULL)
    written = canonical(spec)
    assert loaded(yaml.safe_dump(written, sort_keys=False)) == spec
    assert loaded(json.dumps(written)) == spec


def test_only_what_was_said_is_written():
    written = canonical(loaded("name: shop\nservices:\n  web: {image: busybox}\n"))
    assert written["services"] == {"web": {"image": "busybox", "networks": {"default": {}}}}


def test_the_example_survives_too():
    text = (Path(__file__).parents[2] / "examples/hello/compose.yaml").read_text()
    spec = loaded(text)
    assert loaded(yaml.safe_dump(canonical(spec))) == spec
