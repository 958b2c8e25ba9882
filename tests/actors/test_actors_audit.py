"""The audit: each deed is kept with what it did, in one batch, and what was read is not changed by what came since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors import auditing, protocol
from actors.protocol import Asked, Audit, GetAudit, NoteDeed
from cluster.audit import AuditRecord, Caller, Deed
from cluster.decide.versions import version
from cluster.expected import ANY, Expected
from store.contract import Applied, Outcome
from tests.actors.house import House
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio

CI = Caller("ci", "operator", "c1", "10.0.0.9", "r-1")
DEPLOY = Deed(CI, "stacks.deploy", "shop")
SCALE = Deed(CI, "services.scale", "shop/web")


def deploy(request: str = "") -> protocol.DeployStack:
    return protocol.DeployStack(stack(spec(image="web")), request=request)


async def records(life, **wanted) -> tuple[AuditRecord, ...]:
    answer = await life.ask(GetAudit(**wanted))
    assert isinstance(answer, Audit)
    return answer.records


async def kept(life, **wanted) -> list[tuple[str, str, str, int]]:
    return [(one.deed.action, one.outcome, one.message, one.revision) for one in await records(life, **wanted)]


async def test_what_was_done_and_what_was_refused_is_kept_newest_first(house: House):
    async with house.life() as life:
        first = await life.order(Asked(deploy(), DEPLOY))
        await life.order(Asked(deploy(), DEPLOY))
        refused = await life.ask(Asked(protocol.ScaleService("shop/wbe", 2), SCALE))
        assert isinstance(refused, protocol.Refused)
        told = await kept(life)
        assert [(action, outcome) for action, outcome, _, _ in told] == [
            ("services.scale", "not_found"),
            ("stacks.deploy", "unchanged"),
            ("stacks.deploy", "done"),
        ]
        assert told[0][2] == refused.message
        assert told[2][2:] == ("web: created", first.revision)
        found = await records(life)
        assert {one.deed.caller for one in found} == {CI}
        assert [one.number for one in found] == [3, 2, 1]


async def test_a_repeat_is_kept_as_that_and_answered_whatever_was_read(house: House):
    async with house.life() as life:
        first = await life.order(Asked(deploy("k1"), DEPLOY))
        stale = Expected("stack", "shop", "another")
        assert await life.order(Asked(deploy("k1"), DEPLOY, stale)) == first
        assert [outcome for _, outcome, _, _ in await kept(life)] == ["repeated", "done"]


async def test_the_audit_outlives_a_crash(house: House):
    async with house.life() as life:
        await life.order(Asked(deploy(), DEPLOY))
        life.kill()
    async with house.life() as life:
        await life.state()
        assert [outcome for _, outcome, _, _ in await kept(life)] == ["done"]


async def test_records_are_found_by_who_what_outcome_time_and_place(house: House):
    async with house.life() as life:
        await life.order(Asked(deploy(), DEPLOY))
        await life.order(Asked(protocol.ScaleService("shop/web", 2), SCALE))
        await life.order(NoteDeed(Deed(Caller("", "open", address="10.0.0.7"), "sign-in", "/v1/nodes"), "unauthorized"))
        assert len(await kept(life, limit=2)) == 2
        assert [action for action, *_ in await kept(life, who="ci")] == ["services.scale", "stacks.deploy"]
        assert [action for action, *_ in await kept(life, action="s*.*")] == ["services.scale", "stacks.deploy"]
        assert [action for action, *_ in await kept(life, outcome="unauthorized")] == ["sign-in"]
        assert [action for action, *_ in await kept(life, before=2)] == ["stacks.deploy"]
        newest = (await records(life))[0].at
        assert await kept(life, since=newest + 1) == []


async def test_what_a_machine_asks_for_again_and_has_is_not_kept(house: House):
    async with house.life() as life:
        machine = Deed(Caller("", "open", address="10.0.0.7"), "leaving.leave")
        await life.order(Asked(deploy(), DEPLOY))
        await life.order(Asked(protocol.ScaleService("shop/web", 1), machine))
        assert len(await kept(life)) == 1


async def test_a_change_is_made_of_what_was_read_alone(house: House):
    async with house.life() as life:
        await life.order(deploy())
        read = Expected("service", "shop/web", version(await life.state(), "service", "shop/web"))
        await life.order(Asked(protocol.ScaleService("shop/web", 2), SCALE, read))
        refused = await life.ask(Asked(protocol.ScaleService("shop/web", 3), SCALE, read))
        assert isinstance(refused, protocol.Refused)
        assert (refused.code, "was changed since it was read" in refused.message) == ("stale", True)
        assert (await life.state()).services["shop/web"].replicas == 2
        await life.order(Asked(protocol.ScaleService("shop/web", 3), SCALE, Expected("service", "shop/web", ANY)))


async def test_of_two_that_read_the_same_one_wins(house: House):
    async with house.life() as life:
        await life.order(deploy())
        read = Expected("stack", "shop", version(await life.state(), "stack", "shop"))
        answers = [await life.ask(Asked(protocol.RemoveStack("shop"), DEPLOY, read)) for _ in range(2)]
        assert [type(answer) for answer in answers] == [protocol.Accepted, protocol.Refused]


async def test_nothing_is_as_it_was_read_where_nothing_is(house: House):
    async with house.life() as life:
        await life.state()
        for wanted in (ANY, "some"):
            refused = await life.ask(Asked(deploy(), DEPLOY, Expected("stack", "shop", wanted)))
            assert isinstance(refused, protocol.Refused)
            assert (refused.code, "there is no stack shop" in refused.message) == ("stale", True)


async def test_how_far_an_update_has_come_makes_no_other_version(house: House):
    async with house.life() as life:
        await life.order(deploy())
        before = version(await life.state(), "service", "shop/web")
        state = await life.until(lambda state: all(task.state == "running" for task in state.tasks.values()))
        assert version(state, "service", "shop/web") == before


def test_a_record_says_what_became_of_each_part():
    accepted = protocol.Accepted(4, {"web": "updated", "db": "unchanged"})
    record = auditing.record(Asked(deploy(), DEPLOY), accepted, 1.0, 4, decided=True, repeated=False)
    assert record is not None
    assert (record.outcome, record.message) == ("done", "web: updated, db: unchanged")


def test_what_has_but_begun_is_not_said_to_be_done():
    record = auditing.record(
        Asked(deploy(), DEPLOY, begins=True), protocol.Accepted(4), 1.0, 4, decided=True, repeated=False
    )
    assert record is not None
    assert record.outcome == "begun"


def test_who_asks_does_not_choose_how_much_room_a_record_takes():
    deed = Deed(replace(CI, name="n" * 500), "stacks.deploy", "s" * 10_000, "role viewer")
    record = auditing.noted(NoteDeed(deed, "invalid", "m" * 60_000), 1.0, 4)
    assert (len(record.deed.caller.name), len(record.deed.subject), len(record.message)) == (100, 200, 1000)
    assert record.message.startswith("role viewer; mmm")


async def test_the_oldest_records_go_though_nothing_is_ever_decided(house: House, monkeypatch: pytest.MonkeyPatch):
    for name, number in (("FORGET_EVERY", 4), ("KEPT_RECORDS", 2), ("KEPT_APART", 3)):
        monkeypatch.setattr(auditing, name, number)
    async with house.life() as life:
        await life.order(NoteDeed(DEPLOY, "done"))
        for number in range(20):
            await life.order(NoteDeed(Deed(CI, "sign-in", str(number)), "unauthorized"))
        found = await records(life)
        assert len(found) < 1 + 3 + 4
        assert (found[0].deed.subject, found[-1].outcome) == ("19", "done")


async def test_no_crowd_of_another_kind_pushes_a_record_out(house: House, monkeypatch: pytest.MonkeyPatch):
    for name, number in (("FORGET_EVERY", 1), ("KEPT_RECORDS", 2), ("KEPT_APART", 2)):
        monkeypatch.setattr(auditing, name, number)
    async with house.life() as life:
        for outcome in ("done", "forbidden"):
            await life.order(NoteDeed(DEPLOY, outcome))
        for outcome in ("unchanged", "repeated", "invalid", "unavailable") * 2:
            await life.order(NoteDeed(DEPLOY, outcome))
        assert [outcome for _, outcome, *_ in await kept(life)] == [
            *("unavailable", "invalid", "repeated", "unchanged", "forbidden", "done")
        ]


async def test_records_that_a_full_disk_does_not_take_come_with_the_next_batch_that_it_does(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    async with house.life() as life:
        await life.until(lambda state: state.nodes)
        store, full = life.store, Applied(Outcome.UNAVAILABLE, "no space is left")

        async def refuse(*args: object, **kwargs: object) -> Applied:
            return full

        with monkeypatch.context() as context:
            context.setattr(store, "apply", refuse)
            note = await life.ask(NoteDeed(Deed(CI, "builds.build", "web:1"), "done"))
            assert isinstance(note, protocol.Refused)
            assert (note.code, "waits until the store takes it: no space" in note.message) == ("unavailable", True)
            assert isinstance(await life.ask(Asked(deploy(), DEPLOY)), protocol.Refused)
            assert (await kept(life), life.actor("senate").detail["records_waiting"]) == ([], 2)
        await life.order(Asked(deploy("k1"), DEPLOY))
        assert [(action, outcome) for action, outcome, *_ in await kept(life)] == [
            ("stacks.deploy", "done"),
            ("stacks.deploy", "unavailable"),
            ("builds.build", "done"),
        ]
        assert life.actor("senate").detail["records_waiting"] == 0


async def test_records_that_wait_are_written_though_nobody_writes(house: House, monkeypatch: pytest.MonkeyPatch):
    async with house.life() as life:
        await life.until(lambda state: state.nodes)

        async def refuse(*args: object, **kwargs: object) -> Applied:
            return Applied(Outcome.UNAVAILABLE, "no space is left")

        with monkeypatch.context() as context:
            context.setattr(life.store, "apply", refuse)
            await life.ask(NoteDeed(DEPLOY, "done"))
        await life.eventually(lambda: life.actor("senate").detail["records_waiting"] == 0)
        assert [outcome for _, outcome, *_ in await kept(life)] == ["done"]


def test_of_records_that_wait_the_newest_stay_and_in_order():
    ledger = auditing.Ledger()
    for number in range(auditing.MOST_WAITING + 1):
        ledger.refused([auditing.noted(NoteDeed(Deed(CI, "a", str(number)), "done"), 1.0, 1)])
    assert (ledger.waiting, len(ledger.batch([], 1.0)) >= auditing.MOST_WAITING) == (auditing.MOST_WAITING, True)
    ledger.taken()
    assert (ledger.waiting, ledger.batch([], 1.0)) == (0, [])
