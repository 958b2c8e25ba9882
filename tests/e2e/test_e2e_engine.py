"""An engine that goes away under gbnt, and a machine that loses its power: everything runs again, in order, once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.e2e.node import Node, Row, until
from tests.lab.engine import OwnEngine

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

# What each waits for is slower than what waits, so that order by luck is not taken for order by gates.
CHAIN = """
services:
  web:
    image: busybox
    command: [sleep, "1000"]
    init: true
    depends_on: [app]
    deploy: {replicas: 3}
  app:
    image: busybox
    command: [sleep, "1000"]
    init: true
    depends_on: {db: {condition: service_healthy}, migrate: {condition: service_completed_successfully}}
  db:
    image: busybox
    command: sh -c 'sleep 1 && touch /ready && exec sleep 1000'
    init: true
    healthcheck: {test: [CMD, test, -e, /ready], interval: 300ms, retries: 20}
    volumes: ["data:/data"]
  migrate:
    image: busybox
    command: sh -c 'echo migrated >>/data/migrations'
    restart: on-failure
    volumes: ["data:/data"]
volumes:
  data:
"""
WARM_UP = timedelta(seconds=1)
SLOTS = ["app.1", "db.1", "web.1", "web.2", "web.3"]


def by_slot(one: Node) -> list[tuple[str, Row]]:
    """All running containers, by slot."""
    labels = ((c["Config"]["Labels"], c) for c in one.containers())
    return sorted(((f"{own['gbnt.service']}.{own['gbnt.slot']}", c) for own, c in labels), key=lambda pair: pair[0])


def slots(one: Node) -> list[str]:
    return [slot for slot, _ in by_slot(one)]


def all_up(one: Node) -> bool:
    """Whether the manager says that every slot runs, and shows each once."""
    up = [f"{t['service']}.{t['slot']}" for t in one.rows("task", "ls") if t["state"] == "running"]
    return sorted(up) == SLOTS


def began(one: Node) -> dict[str, str]:
    return {slot: c["State"]["StartedAt"] for slot, c in by_slot(one)}


def assert_runs_again_once_and_in_order(one: Node, before: dict[str, str]) -> None:
    until(lambda: one.is_well() and all_up(one), "a stack that runs")
    running = by_slot(one)
    assert [slot for slot, _ in running] == SLOTS, "each slot runs, and once"
    after = began(one)
    assert not set(before.values()) & set(after.values()), "the engine had stopped them all"
    at = {slot: datetime.fromisoformat(text) for slot, text in after.items()}
    assert at["db.1"] + WARM_UP < at["app.1"]
    assert all(at["app.1"] < at[slot] for slot in SLOTS if slot.startswith("web"))
    db = dict(running)["db.1"]["Id"]
    assert one.docker("exec", db, "cat", "/data/migrations") == "migrated\n", "work that is done is not done again"
    assert len(one.resolve("shop_default", "web")) == 3


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_an_engine_restarted_under_gbnt_gets_everything_back(signal: str, engine: OwnEngine, alone: Node) -> None:
    alone.bring_up(CHAIN, "shop")
    before = began(alone)
    engine.end(signal)
    until(lambda: not alone.is_well(), "a node that says its engine is gone")
    engine.start()
    assert_runs_again_once_and_in_order(alone, before)


@pytest.mark.parametrize("first", ["gbnt", "engine"])
def test_after_a_power_cut_everything_runs_again_whoever_is_up_first(
    first: str, engine: OwnEngine, alone: Node
) -> None:
    alone.bring_up(CHAIN, "shop")
    before = began(alone)
    alone.kill9()
    alone.end_resolver()
    engine.power_off()
    engine.power_on()
    with engine.space.network():
        if first == "gbnt":
            alone.launch()
            until(lambda: alone.health().get("status") not in (None, "ok"), "a node that misses its engine")
            engine.start()
        else:
            engine.start()
            alone.launch()
        assert_runs_again_once_and_in_order(alone, before)


def test_after_a_planned_reboot_everything_runs_again_in_order(engine: OwnEngine, alone: Node) -> None:
    alone.bring_up(CHAIN, "shop")
    before = began(alone)
    engine.end()  # gbnt hears its containers end one by one, and is itself stopped amid putting that right
    alone.stop()
    alone.end_resolver()
    engine.power_off()
    engine.power_on()
    with engine.space.network():
        engine.start()
        alone.launch()
        assert_runs_again_once_and_in_order(alone, before)
