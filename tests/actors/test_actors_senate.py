"""The Senate: durable before it is told, once however often it is asked, and many at a time."""

from collections.abc import Sequence
from dataclasses import replace

import anyio
import orjson
import pytest

from actors import protocol, senate
from cluster.sources import Origin
from cluster.spec import Healthcheck, Port, Resources, RestartPolicy
from store import entities
from store.contract import Applied, Outcome, Statement
from store.schema import Table
from store.sqlite import SqliteStore
from tests.actors.house import House, by, of, serving, time_of_day
from tests.cluster.build import spec, stack

pytestmark = pytest.mark.anyio


class WilfulStore(SqliteStore):
    """A store that does to the next batches what `plan` says; it counts all batches."""

    def arm(self) -> None:
        self.batches = 0
        self.plan: list[str] = []

    async def apply(self, statements: Sequence[Statement], *, rid: str, epoch: int) -> Applied:
        self.batches += 1
        match self.plan.pop(0) if self.plan else "":
            case "unavailable":
                return Applied(Outcome.UNAVAILABLE, "no space is left")
            case "forgets to say":
                await super().apply(statements, rid=rid, epoch=epoch)
                return Applied(Outcome.UNKNOWN, "the commit may or may not be on disk")
            case "breaks":
                raise RuntimeError("a fault in the store")
        await anyio.sleep(0.01)
        return await super().apply(statements, rid=rid, epoch=epoch)


@pytest.fixture
def store(house: House, tmp_path) -> list[WilfulStore]:
    """The store of each life, the newest last."""
    stores: list[WilfulStore] = []

    async def open_store() -> WilfulStore:
        store = await WilfulStore.open(tmp_path / "state.db", threaded=False)
        store.arm()
        stores.append(store)
        return store

    house.open_store = open_store
    return stores


def deploy(name: str = "shop", request: str = "") -> protocol.DeployStack:
    return protocol.DeployStack(stack(spec(image="web"), name=name), request=request)


async def test_the_same_request_is_answered_as_the_first_time(house: House):
    async with house.life() as life:
        await life.order(deploy())
        first = await life.order(protocol.UpdateService("shop/web", force=True, request="r1"))
        assert await life.order(protocol.UpdateService("shop/web", force=True, request="r1")) == first
        assert (await life.state()).services["shop/web"].generation == 1


async def test_a_way_back_whose_answer_was_lost_is_not_gone_twice(house: House):
    async with house.life() as life:
        for replicas in (1, 2, 3):
            await life.order(protocol.DeployStack(stack(spec(image="web", replicas=replicas))))
        back = protocol.RollBack("shop", newest=3, by="nero", request="r1")
        first = await life.order(back)
        assert (first.detail, await life.order(replace(back, by="renamed"))) == ({"to": "2"}, first)
        assert (await life.state()).services["shop/web"].replicas == 2
        assert isinstance(await life.ask(replace(back, request="r2")), protocol.Refused)
        assert (await life.order(replace(back, newest=4, request="r3"))).detail == {"to": "1"}


async def test_a_refusal_says_which_part_of_the_spec_it_is_about(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web", ports=(Port(80, 8080),)))))
        wanted = stack(spec(image="web", ports=(Port(80, 8080),)), name="blog")
        refused = await life.ask(protocol.DeployStack(wanted))
        assert isinstance(refused, protocol.Refused)
        assert [problem.path for problem in refused.problems] == [("services", "web", "ports", 0)]


async def test_what_a_deploy_leaves_aside_is_kept_where_it_prunes(house: House):
    async with house.life() as life:
        await life.order(protocol.DeployStack(stack(spec(image="web"), spec("a", image="web"), spec("b", image="web"))))
        pruned = protocol.DeployStack(stack(spec(image="web")), prune=True, aside=("a",))
        assert (await life.order(pruned)).changes == {"web": "unchanged", "a": "kept", "b": "removed"}


async def test_who_repeats_a_command_by_another_request_of_the_api_is_answered_as_before(house: House):
    async with house.life() as life:
        first = await life.order(by("a1", deploy(request="r1")))
        assert await life.order(by("a2", deploy(request="r1"))) == first
        assert (await life.state()).services["shop/web"].request == "a1"


async def test_another_command_under_the_same_request_is_refused_in_words(house: House):
    async with house.life() as life:
        await life.order(deploy(request="r1"))
        refused = await life.ask(protocol.ScaleService("shop/web", 3, request="r1"))
        assert isinstance(refused, protocol.Refused)
        assert refused.code == "invalid"
        assert "send this one under a new key" in refused.message
        assert isinstance(await life.ask(deploy("blog", request="r1")), protocol.Refused)
        state = await life.state()
        assert (set(state.stacks), state.services["shop/web"].replicas) == ({"shop"}, 1)


async def test_what_a_door_makes_up_for_each_try_makes_no_other_command(house: House):
    async with house.life() as life:
        first = await life.order(protocol.CreateToken("a", "ci", "viewer", "hash-a", 7.0, request="r1"))
        assert await life.ask(protocol.CreateToken("b", "ci", "viewer", "hash-b", 8.0, request="r1")) == first
        assert isinstance(
            await life.ask(protocol.CreateToken("c", "ci", "admin", "hash-c", 8.0, request="r1")), protocol.Refused
        )
        assert set((await life.state()).tokens) == {"a"}


async def test_a_machine_that_joins_twice_is_one_node_and_one_use_across_a_crash(house: House):
    until = time_of_day() + 3600
    async with house.life() as life:
        await life.order(protocol.IssueJoinToken("t1", "worker", until, 2, "r1"))
        first = await life.order(protocol.AdmitNode("t1", "key-a", "gaul", "192.0.2.7", request="join:t1:key-a"))
        life.kill()
    async with house.life() as life:
        again = protocol.AdmitNode("t1", "key-a", "gaul-renamed", "192.0.2.8", request="join:t1:key-a")
        assert await life.order(again) == first
        other = protocol.AdmitNode("t1", "key-b", "gaul", "192.0.2.9", request="join:t1:key-a")
        assert isinstance(await life.ask(other), protocol.Refused)
        state = await life.state()
        assert (state.join_tokens["t1"].used, state.nodes[first.detail["node"]].role) == (1, "worker")


async def test_an_answer_that_an_older_gbnt_kept_is_given_to_any_command(house: House):
    async with house.life() as life:
        epoch = (await life.state()).epoch
        kept = orjson.dumps('{"revision":3,"changes":{"web":"created"}}').decode()
        stored = entities.put(Table.COMMANDS, "r1", kept, version=1)
        assert (await life.store.apply([stored], rid="older", epoch=epoch)).outcome is Outcome.COMMITTED
        life.kill()
    async with house.life() as life:
        assert await life.order(deploy(request="r1")) == protocol.Accepted(3, {"web": "created"})


async def test_what_a_stack_said_is_known_after_a_crash_and_a_repeat_sealed_anew_makes_no_second_revision(house: House):
    async with house.life() as life:
        first = await life.order(replace(deploy(request="r1"), origin=Origin("ci", "sealed one way")))
        life.kill()
    async with house.life() as life:
        again = replace(deploy(request="r1"), origin=Origin("ci", "sealed another way"))
        assert await life.order(again) == first
        [kept] = (await life.state()).stack_revisions.values()
        assert (kept.key, kept.by, kept.sources, kept.changes) == ("shop@1", "ci", "sealed one way", first.changes)


async def test_an_unchanged_deploy_writes_nothing(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.order(deploy())
        state = await life.until(serving("shop/web"))
        batches = store[-1].batches
        accepted = await life.order(deploy())
        assert accepted.changes == {"web": "unchanged"}
        assert (await life.state()).revision == state.revision
        assert store[-1].batches == batches


async def test_what_a_service_planned_by_an_order_that_was_taken_back_costs_no_task(
    house: House, store: list[WilfulStore]
):
    async with house.life() as life:
        await life.order(deploy())
        await life.order(protocol.ScaleService("shop/web", 2))
        before = {task.id for task in of(await life.until(serving("shop/web", 2)))}
        await life.eventually(lambda: life.actor("agent/executor").detail["unconfirmed"] == 0)
        async with anyio.create_task_group() as group:
            # The second is there before the first is durable, and so before the service plans by it.
            group.start_soon(life.order, protocol.ScaleService("shop/web", 1))
            await anyio.sleep(0.005)
            group.start_soon(life.order, protocol.ScaleService("shop/web", 2))
        await anyio.sleep(5.0)
        assert {task.id for task in of(await life.until(serving("shop/web", 2)))} == before


async def test_the_oldest_answers_and_events_are_forgotten_in_the_state_and_on_the_disk(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    for name, number in (("RETAIN_EVERY", 4), ("KEPT_COMMANDS", 3), ("KEPT_EVENTS", 5)):
        monkeypatch.setattr(senate, name, number)
    async with house.life() as life:
        for number in range(20):
            await life.order(protocol.CreateToken(f"t{number}", f"t{number}", "viewer", "hash", request=f"r{number}"))
        kept = (await life.state()).commands
        assert len(kept) < 3 + 4
        assert list(kept)[-1] == "r19"
        rows = await life.store.read(entities.every(Table.COMMANDS))
        assert {row["key"] for row in rows} == set(kept)
        assert len(await life.events()) < 5 + 3 * 4


async def test_commands_that_wait_together_are_committed_together(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.state()
        before, answers = store[-1].batches, []

        async def ask(number: int) -> None:
            answers.append(await life.order(deploy(f"s{number}")))

        async with anyio.create_task_group() as group:
            for number in range(100):
                group.start_soon(ask, number)
        assert len(answers) == 100
        assert store[-1].batches - before < 20
        assert len((await life.state()).stacks) == 100


async def test_a_full_disk_refuses_in_words_and_changes_nothing(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.until(lambda state: state.nodes)
        store[-1].plan = ["unavailable"] * 50
        refused = await life.ask(deploy())
        assert refused == protocol.Refused("unavailable", "nothing was changed: no space is left")
        assert (await life.state()).stacks == {}
        store[-1].plan = []
        await life.order(deploy())
        await life.until(serving("shop/web"))


async def test_a_store_that_refused_is_asked_again_though_nobody_writes_until_it_takes_one(
    house: House, store: list[WilfulStore]
):
    async with house.life() as life:
        await life.until(lambda state: state.nodes)
        revision = (await life.state()).revision
        store[-1].plan = ["unavailable"] * 4
        await life.ask(deploy())
        assert life.actor("senate").detail["problem"] == "no space is left"
        await anyio.sleep(2.5 * senate.PROBE_PAUSE)
        assert life.actor("senate").detail["problem"] == "no space is left"
        await anyio.sleep(2 * senate.PROBE_PAUSE)
        assert life.actor("senate").detail["problem"] == ""
        before = store[-1].batches
        await anyio.sleep(10 * senate.PROBE_PAUSE)
        assert store[-1].batches == before, "nobody asks a store that is well"
        assert (await life.state()).revision == revision


async def test_what_was_decided_while_the_disk_was_full_is_decided_again(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.order(deploy())
        store[-1].plan = ["unavailable"] * 10  # the service's plan, the machine's report, the task's observations
        await life.until(serving("shop/web"))


async def test_an_unknown_outcome_is_retried_and_not_applied_twice(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.order(deploy())
        store[-1].plan = ["forgets to say"]
        await life.order(protocol.UpdateService("shop/web", force=True))
        assert (await life.state()).services["shop/web"].generation == 1
        assert life.actor("senate").restarts == 0


async def test_a_fault_in_the_store_restarts_the_senate_alone(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.order(deploy())
        await life.until(serving("shop/web"))
        others = {info.address.path: info.incarnation for info in life.system.inspect() if info.kind != "Supervisor"}
        store[-1].plan = ["breaks"]
        with pytest.raises(Exception, match="a fault in the store"):
            await life.ask(deploy("lost"))
        state = await life.state()
        assert set(state.stacks) == {"shop"}
        assert life.actor("senate").restarts == 1
        assert "a fault in the store" in (life.actor("senate").last_failure or "")
        await life.order(deploy("found"))
        state = await life.until(serving("found/web"))
        assert [task.attempt for task in of(state)] == [1, 1]
        after = {info.address.path: info.incarnation for info in life.system.inspect()}
        assert {path for path, life_number in others.items() if after[path] != life_number} == {"senate"}


async def test_observations_are_told_again_until_they_are_confirmed(house: House, store: list[WilfulStore]):
    async with house.life() as life:
        await life.order(deploy())
        (task,) = of(await life.until(serving("shop/web")))
        store[-1].plan = ["unavailable"] * 3
        house.engine.exit(task.container_id, 1)
        await life.until(lambda state: of(state)[0].attempt == 2 and of(state)[0].serving)
        await life.eventually(lambda: life.actor("agent/executor").detail["unconfirmed"] == 0)


@pytest.mark.parametrize(
    "monstrous",
    [
        spec(image="web", resources=Resources(memory=10**30)),
        spec(image="web", healthcheck=Healthcheck(retries=10**30)),
        spec(image="web", restart=RestartPolicy(max_attempts=10**30)),
    ],
)
@pytest.mark.parametrize("draft", [False, True])
async def test_what_cannot_be_written_is_refused_alone(house: House, monstrous, draft):
    async with house.life() as life:
        await life.order(deploy())
        whole = stack(monstrous, name="vast")
        order = protocol.SaveDraft(whole, request="r1") if draft else protocol.DeployStack(whole, request="r1")
        answers: dict[str, object] = {}

        async def ask(name: str, command: object) -> None:
            answers[name] = await life.ask(command)

        async with anyio.create_task_group() as batch:
            batch.start_soon(ask, "before", deploy("before"))
            batch.start_soon(ask, "vast", order)
            batch.start_soon(ask, "after", deploy("after"))
        refused = answers["vast"]
        assert isinstance(refused, protocol.Refused)
        assert (refused.code, "cannot be kept" in refused.message) == ("invalid", True)
        assert set((await life.state()).stacks) == {"shop", "before", "after"}
        assert life.actor("senate").restarts == 0
