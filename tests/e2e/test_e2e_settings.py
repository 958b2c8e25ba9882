"""Settings of the compose file that are about the machine, from the file to the inside of a container."""

from __future__ import annotations

import os

import pytest

from tests.e2e.node import Node

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

SHOP = f"shop{os.getpid()}"
TUNED = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
    platform: linux/amd64
    hostname: web
    domainname: shop.example
    group_add: ["4321"]
    dns_opt: ["ndots:3"]
    shm_size: 8m
    mem_reservation: 16m
    oom_score_adj: 99
    ulimits: {nofile: {soft: 123, hard: 456}}
    sysctls: {net.core.somaxconn: 77}
    devices: ["/dev/null:/dev/mine:rw"]
    security_opt: ["no-new-privileges:true"]
    networks: {default: {mac_address: "02:42:0a:00:00:77"}}
"""
# The first process's limits: what runs a command beside it raises its own, and may not have lowered them again.
LOOK = """
grep 'open files' /proc/1/limits | tr -s ' ' | cut -d ' ' -f 4
df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2; cat /proc/sys/net/core/somaxconn
cat /proc/1/oom_score_adj; grep NoNewPrivs /proc/1/status | cut -f 2; test -c /dev/mine && echo there
id -G; hostname -f; grep options /etc/resolv.conf
"""


def test_what_the_file_says_of_the_machine_is_so_inside(running: Node) -> None:
    ended = running.deploy(TUNED.replace('    networks: {default: {mac_address: "02:42:0a:00:00:77"}}\n', ""), SHOP)
    assert ended.code == 0, ended.text
    said = running.ok("exec", f"{SHOP}-web-1", "sh", "-c", LOOK).split("\n")
    assert said[:6] == ["123", "8192", "77", "99", "1", "there"]
    assert "4321" in said[6].split()
    assert said[7:9] == ["web.shop.example", "options ndots:3"]
    (container,) = running.containers()
    assert container["HostConfig"]["MemoryReservation"] == 16 << 20


def test_what_the_engine_is_too_old_for_is_refused_before_anything_changes(running: Node) -> None:
    ended = running.deploy(TUNED, SHOP)
    assert ended.code == 1
    assert "networks.default.mac_address needs Docker Engine 25.0 or later, and no machine has that" in ended.text
    assert running.rows("stack", "ls") == []


def test_privileged_keys_are_refused_where_people_say_so(running: Node) -> None:
    running.ok("legion", "update", "--privileged", "refuse")
    ended = running.deploy(TUNED.replace('    networks: {default: {mac_address: "02:42:0a:00:00:77"}}\n', ""), SHOP)
    assert ended.code == 1
    assert ": services.web: devices would let its containers do all that root does on a machine" in ended.text
    socket = "services: {web: {image: busybox, volumes: ['/etc/hosts:/x:ro', '/var/run/docker.sock:/y:ro']}}"
    ended = running.deploy(socket, SHOP)
    assert ended.code == 1
    assert ": services.web: volumes (/var/run/docker.sock) would let its containers do all that root does" in ended.text
    assert running.rows("stack", "ls") == []
