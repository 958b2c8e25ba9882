"""What every engine under `engine.port.Engine` must do. A subclass says how to make one, and is marked for anyio.

The tests ask for programs by what they do; `Stage.programs` tells which image and command does it on this engine.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import anyio
import pytest

from cluster.container import Endpoint, ExecSpec, PortBinding
from cluster.registries import registry_of
from cluster.spec import Healthcheck, Mount
from cluster.usage import Usage
from engine.port import (
    AddressTaken,
    Conflict,
    EngineEvent,
    ImageDenied,
    ImageMissing,
    ImageUnavailable,
    NameTaken,
    NotFound,
    Output,
    PortTaken,
    Refused,
)
from tests.contract.engine_stage import Stage, at, ended, free_port, tar, texts, written


class EngineContract:
    """Override `stage` with a fixture that gives one, and cleans it afterwards."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------- engine and images

    async def test_the_engine_says_what_it_is(self, stage: Stage):
        info = await stage.engine.info()
        assert info.id
        assert info.version
        assert info.os == "linux"
        assert info.cpus >= 1
        assert info.memory > 0

    async def test_its_disk_is_seen(self, stage: Stage):
        disk = await stage.engine.disk()
        assert disk.path.startswith("/")
        assert 0 < disk.free <= disk.total
        assert disk.unknown == ""

    async def test_paths_of_its_machine_are_there_or_missing(self, stage: Stage):
        seen = await stage.engine.paths(("/etc", stage.nowhere))
        assert (seen.missing, seen.unknown) == ((stage.nowhere,), "")

    async def test_an_image_that_is_not_here_is_none(self, stage: Stage):
        assert await stage.engine.image(stage.programs.unheard_of) is None

    async def test_a_pulled_image_is_here_under_its_name_and_its_id(self, stage: Stage):
        assert await stage.engine.image(stage.programs.pulled) is None
        progress = [step async for step in stage.engine.pull(stage.programs.pulled)]
        image = await stage.engine.image(stage.programs.pulled)
        assert image is not None
        assert await stage.engine.image(image.id) == image
        assert all(step.done <= step.total for step in progress)
        assert progress[-1].done == progress[-1].total

    async def test_an_image_may_be_asked_for_by_platform(self, stage: Stage):
        own = await stage.engine.info()
        async for _ in stage.engine.pull(stage.programs.pulled, None, f"{own.os}/{own.arch}"):
            pass
        assert await stage.engine.image(stage.programs.pulled) is not None

    async def test_an_image_that_no_registry_has_is_unavailable(self, stage: Stage):
        with pytest.raises(ImageUnavailable, match=stage.programs.unheard_of):
            async for _ in stage.engine.pull(stage.programs.unheard_of):
                pass

    async def test_an_image_has_a_digest_before_it_is_pulled_and_is_pulled_and_found_by_it(self, stage: Stage):
        pulled = stage.programs.pulled
        digest = await stage.engine.digest(pulled)
        assert digest.startswith("sha256:")
        assert await stage.engine.image(pulled) is None
        async for _ in stage.engine.pull(f"{pulled}@{digest}"):
            pass
        assert await stage.engine.image(f"{pulled}@{digest}") is not None
        await stage.engine.create(stage.spec(stage.programs.stays, image=f"{pulled}@{digest}"))

    async def test_a_digest_that_no_registry_has_is_missing(self, stage: Stage):
        with pytest.raises(ImageMissing, match=stage.programs.unheard_of):
            await stage.engine.digest(stage.programs.unheard_of)

    async def test_a_private_image_is_its_owner_s(self, stage: Stage):
        private, owner = stage.programs.private, stage.programs.owner
        for stranger in (None, replace(owner, password="wrong")):
            with pytest.raises(ImageDenied, match="the registry denies image"):
                await stage.engine.digest(private, stranger)
            with pytest.raises(ImageDenied, match="the registry denies image"):
                async for _ in stage.engine.pull(private, stranger):
                    pass
        assert await stage.engine.image(private) is None
        digest = await stage.engine.digest(private, owner)
        async for _ in stage.engine.pull(f"{private}@{digest}", owner):
            pass
        assert await stage.engine.image(f"{private}@{digest}") is not None
        with pytest.raises(ImageMissing):
            await stage.engine.digest(f"{private.rpartition(':')[0]}:none", owner)

    async def test_a_sign_in_is_taken_or_denied_and_kept_by_no_engine(self, stage: Stage):
        private, owner = stage.programs.private, stage.programs.owner
        registry = registry_of(private)
        await stage.engine.sign_in(registry, owner)
        with pytest.raises(ImageDenied, match=f"does not know {owner.username} at {registry} by this password"):
            await stage.engine.sign_in(registry, replace(owner, password="wrong"))
        with pytest.raises(ImageDenied):
            await stage.engine.digest(private)

    async def test_a_built_image_is_here(self, stage: Stage):
        context = tar({"Dockerfile": f"FROM {stage.programs.base}\nLABEL gbnt.test={stage.token}\n"})
        lines = [line async for line in stage.engine.build(context, stage.name("built"), {})]
        assert lines
        assert await stage.engine.image(stage.name("built")) is not None

    # ------------------------------------------------------------------------------------------- create and start

    async def test_a_created_container_waits_and_is_found_by_id_name_and_label(self, stage: Stage):
        container = await stage.engine.create(stage.spec(stage.programs.stays))
        info = await stage.look(container)
        assert (info.id, info.name, info.state, info.exit_code) == (container, stage.name("web"), "created", None)
        assert info.labels["gbnt.test"] == stage.token
        assert info.created_at > 0
        assert info.started_at == info.finished_at == 0
        assert await stage.look(info.name) == info
        assert list(await stage.engine.containers(stage.labels)) == [info]

    async def test_a_container_that_is_not_there_is_none(self, stage: Stage):
        assert await stage.engine.container(stage.name("nobody")) is None

    async def test_a_name_is_given_once(self, stage: Stage):
        await stage.engine.create(stage.spec(stage.programs.stays))
        with pytest.raises(NameTaken, match=stage.name("web")):
            await stage.engine.create(stage.spec(stage.programs.stays))

    async def test_create_without_its_image_leaves_nothing(self, stage: Stage):
        with pytest.raises(NotFound, match=stage.programs.unheard_of):
            await stage.engine.create(stage.spec(stage.programs.stays, image=stage.programs.unheard_of))
        assert await stage.engine.containers(stage.labels) == []

    async def test_a_started_container_runs_and_starting_it_again_changes_nothing(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        before = await stage.look(container)
        await stage.engine.start(container)
        assert before.state == "running"
        assert before.exit_code is None
        assert before.started_at > 0
        assert await stage.look(container) == before

    async def test_a_container_that_is_gone_cannot_be_started(self, stage: Stage):
        with pytest.raises(NotFound):
            await stage.engine.start(stage.name("nobody"))

    async def test_a_container_that_cannot_start_says_why_and_stays(self, stage: Stage):
        container = await stage.engine.create(stage.spec(stage.programs.absent))
        with pytest.raises(Refused, match="no-such-command"):
            await stage.engine.start(container)
        info = await stage.look(container)
        assert info.state == "created"
        assert "no-such-command" in info.error

    async def test_an_exit_code_is_kept(self, stage: Stage):
        container = await stage.run(stage.programs.fails)
        info = await stage.reach(container, ended)
        assert info.exit_code == 3
        assert not info.oom_killed
        assert 0 < info.started_at <= info.finished_at

    # ------------------------------------------------------------------------------------------- stop and remove

    async def test_stop_returns_when_the_container_ended_by_itself(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        await stage.engine.stop(container, 20.0)
        info = await stage.look(container)
        assert (info.state, info.exit_code) == ("exited", 143)

    async def test_stop_kills_what_does_not_listen(self, stage: Stage):
        container = await stage.run(stage.programs.deaf)
        await stage.engine.stop(container, 0.1)
        info = await stage.look(container)
        assert (info.state, info.exit_code) == ("exited", 137)

    async def test_kill_ends_a_container_at_once(self, stage: Stage):
        container = await stage.run(stage.programs.deaf)
        await stage.engine.kill(container)
        assert (await stage.reach(container, ended)).exit_code == 137

    async def test_stopping_and_killing_what_does_not_run_is_fine(self, stage: Stage):
        created = await stage.engine.create(stage.spec(stage.programs.stays))
        for container in (created, stage.name("nobody")):
            await stage.engine.stop(container, 1.0)
            await stage.engine.kill(container)

    async def test_remove_takes_a_running_container_and_frees_its_name(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        await stage.engine.remove(container)
        assert await stage.engine.container(container) is None
        await stage.run(stage.programs.stays)

    async def test_remove_may_be_repeated_also_at_the_same_time(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(stage.engine.remove, container)
        await stage.engine.remove(container)
        assert await stage.engine.containers(stage.labels) == []

    # ------------------------------------------------------------------------------------------- lists and events

    async def test_a_list_has_all_states_and_only_these_labels(self, stage: Stage):
        ran = await stage.run(stage.programs.fails, "ran")
        runs = await stage.run(stage.programs.stays, "runs", labels={**stage.labels, "tier": "front"})
        await stage.reach(ran, ended)
        listed = {info.id: info for info in await stage.engine.containers(stage.labels)}
        assert {identity: info.state for identity, info in listed.items()} == {ran: "exited", runs: "running"}
        assert listed[ran].exit_code == 3
        assert [info.id for info in await stage.engine.containers({**stage.labels, "tier": "front"})] == [runs]

    async def test_events_tell_a_life_in_order(self, stage: Stage):
        other = replace(stage, token=f"{stage.token}-other")
        async with stage.engine.events(stage.labels) as events:
            await stage.engine.remove(await stage.run(stage.programs.stays, labels=other.labels))
            container = await stage.run(stage.programs.fails)
            told = await _take(events, 3)
            await stage.engine.remove(container)
            told += await _take(events, 1)
        assert [event.action for event in told] == ["create", "start", "die", "destroy"]
        assert {event.container for event in told} == {container}
        assert told[2].exit_code == 3
        assert all(event.labels["gbnt.test"] == stage.token for event in told)
        assert [event.at for event in told] == sorted(event.at for event in told)

    async def test_no_event_is_lost_between_entering_and_reading(self, stage: Stage):
        for round_number in range(5):
            async with stage.engine.events(stage.labels) as events:
                container = await stage.engine.create(stage.spec(stage.programs.stays, f"web-{round_number}"))
                assert [event.container for event in await _take(events, 1)] == [container]

    async def test_health_is_told_and_kept(self, stage: Stage):
        check = Healthcheck(("CMD-SHELL", "true"), interval=0.1)
        async with stage.engine.events(stage.labels) as events:
            container = await stage.run(stage.programs.well, healthcheck=check)
            told = await _take(events, 3)
        assert [(event.action, event.health) for event in told] == [
            ("create", ""),
            ("start", ""),
            ("health", "healthy"),
        ]
        assert (await stage.look(container)).health == "healthy"

    async def test_a_failed_check_leaves_its_words(self, stage: Stage):
        check = Healthcheck(("CMD-SHELL", "echo the check says unhealthy; false"), interval=0.1, retries=1)
        container = await stage.run(stage.programs.sick, healthcheck=check)
        info = await stage.reach(container, lambda info: info.health == "unhealthy")
        assert info.health_log == "the check says unhealthy"

    async def test_without_a_check_there_is_no_health(self, stage: Stage):
        assert (await stage.look(await stage.run(stage.programs.stays))).health == ""

    # ------------------------------------------------------------------------------------------- logs

    async def test_a_log_is_read_in_order_and_from_its_end(self, stage: Stage):
        container = await stage.run(stage.programs.talks)
        await stage.reach(container, ended)
        assert await texts(stage.engine.logs(container)) == ["one", "two", "three"]
        assert await texts(stage.engine.logs(container, tail=1)) == ["three"]
        assert await texts(stage.engine.logs(container, tail=0)) == []

    async def test_a_followed_log_ends_with_the_container(self, stage: Stage):
        container = await stage.run(stage.programs.talks)
        with anyio.fail_after(20):
            assert await texts(stage.engine.logs(container, follow=True)) == ["one", "two", "three"]

    async def test_what_is_not_there_has_no_log(self, stage: Stage):
        with pytest.raises(NotFound):
            await texts(stage.engine.logs(stage.name("nobody")))

    # ------------------------------------------------------------------------------------------- exec

    async def test_a_command_writes_and_ends_with_its_code(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        async with stage.engine.exec(container, ExecSpec(stage.programs.speak)) as execution:
            assert await written(execution) == {"stdout": b"out\n", "stderr": b"err\n"}
            assert await execution.exit_code() == 3
            assert await execution.read() is None

    async def test_a_command_reads_what_is_typed_until_the_end(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        async with stage.engine.exec(container, ExecSpec(stage.programs.copy, stdin=True)) as execution:
            await execution.write(b"one ")
            assert await execution.read() == Output("stdout", b"one ")
            await execution.write(b"two")
            await execution.write_end()
            assert await written(execution) == {"stdout": b"two", "stderr": b""}
            assert await execution.exit_code() == 0
            await execution.write(b"too late")
            await execution.resize(1, 1)

    async def test_without_an_input_a_command_finds_its_end(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        async with stage.engine.exec(container, ExecSpec(stage.programs.copy)) as execution:
            assert await written(execution) == {"stdout": b"", "stderr": b""}
            assert await execution.exit_code() == 0

    async def test_a_terminal_is_one_stream_and_can_be_resized(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        spec = ExecSpec(stage.programs.measure, tty=True, stdin=True, rows=30, columns=100)
        async with stage.engine.exec(container, spec) as execution:
            for size in ((30, 100), (40, 120)):
                await execution.resize(*size)
                await execution.write(b"\n")
                said = b""
                while b"%d %d" % size not in said:
                    output = await execution.read()
                    assert output is not None
                    assert output.stream == "stdout"
                    said += output.data
            await execution.write(b"\x04")
            await written(execution)
            assert await execution.exit_code() == 0

    async def test_what_cannot_be_run_says_why_and_has_a_code_of_its_own(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        async with stage.engine.exec(container, ExecSpec(("no-such-command",))) as execution:
            assert b"executable file not found" in b"".join((await written(execution)).values())
            assert await execution.exit_code() in (126, 127)

    async def test_a_command_ends_with_its_container(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        async with stage.engine.exec(container, ExecSpec(stage.programs.copy, stdin=True)) as execution:
            await execution.write(b"x")
            await execution.read()
            await stage.engine.kill(container)
            assert await execution.read() is None
            assert await execution.exit_code() == 137

    async def test_nothing_is_run_in_what_does_not_run(self, stage: Stage):
        container = await stage.engine.create(stage.spec(stage.programs.stays))
        with pytest.raises(Conflict, match="does not run"):
            async with stage.engine.exec(container, ExecSpec(stage.programs.copy)):
                pass
        with pytest.raises(NotFound):
            async with stage.engine.exec(stage.name("nobody"), ExecSpec(stage.programs.copy)):
                pass

    # ------------------------------------------------------------------------------------------- networks and ports

    async def test_a_container_has_the_addresses_that_were_given(self, stage: Stage):
        front, back = await stage.network("front"), await stage.network("back")
        endpoints = (at("9", front), at("10", back))
        info = await stage.look(await stage.run(stage.programs.stays, endpoints=endpoints))
        assert info.addresses == {end.network: end.ipv4_address for end in endpoints}

    async def test_an_address_is_held_once(self, stage: Stage):
        network = await stage.network()
        await stage.run(stage.programs.stays, "one", endpoints=(at("9", network),))
        with pytest.raises(AddressTaken):
            await stage.run(stage.programs.stays, "two", endpoints=(at("9", network),))

    async def test_a_network_that_is_not_there_is_named(self, stage: Stage):
        network = await stage.network()
        nowhere = stage.name("nowhere")
        with pytest.raises(NotFound, match=nowhere):
            await stage.run(stage.programs.stays, endpoints=(at("9", network), Endpoint(nowhere)))

    async def test_a_published_port_is_held_once_and_named_when_taken(self, stage: Stage):
        port = free_port()
        binding = PortBinding(80, host_ip="127.0.0.1", host_port=port)
        first = await stage.run(stage.programs.stays, "one", ports=(binding,))
        second = await stage.engine.create(stage.spec(stage.programs.stays, "two", ports=(binding,)))
        with pytest.raises(PortTaken, match=str(port)):
            await stage.engine.start(second)
        assert [bound.host_port for bound in (await stage.look(first)).ports] == [port]
        await stage.engine.remove(first)
        await stage.engine.start(second)
        assert (await stage.look(second)).state == "running"

    async def test_the_engine_chooses_a_port_where_none_is_given(self, stage: Stage):
        bindings = (PortBinding(80, host_ip="127.0.0.1"), PortBinding(53, "udp", host_ip="127.0.0.1"))
        info = await stage.look(await stage.run(stage.programs.stays, ports=bindings))
        assert {(bound.target, bound.protocol, bound.host_ip) for bound in info.ports} == {
            (80, "tcp", "127.0.0.1"),
            (53, "udp", "127.0.0.1"),
        }
        assert all(bound.host_port for bound in info.ports)

    async def test_each_container_takes_one_port_of_a_range(self, stage: Stage):
        first = free_port()
        binding = PortBinding(80, host_ip="127.0.0.1", host_port=first, host_port_last=first + 9)
        taken = set()
        for word in ("one", "two"):
            info = await stage.look(await stage.run(stage.programs.stays, word, ports=(binding,)))
            taken |= {bound.host_port for bound in info.ports}
        assert len(taken) == 2
        assert taken <= set(range(first, first + 10))

    async def test_a_network_is_listed_with_what_was_asked_for(self, stage: Stage):
        request = await stage.network()
        container = await stage.run(stage.programs.stays, endpoints=(at("9", request),))
        [network] = await stage.engine.networks(stage.labels)
        assert (network.name, network.subnets, network.gateway) == (request.name, (request.subnet,), request.gateway)
        assert network.labels == stage.labels
        assert network.containers == (container,)
        assert request.name in {each.name for each in await stage.engine.networks()}

    async def test_a_network_has_its_name_and_its_subnet_to_itself(self, stage: Stage):
        request = await stage.network()
        with pytest.raises(NameTaken, match=request.name):
            await stage.engine.create_network(request)
        with pytest.raises(AddressTaken):
            await stage.engine.create_network(replace(request, name=stage.name("other")))

    async def test_a_network_in_use_is_not_removed_and_one_that_is_gone_is_fine(self, stage: Stage):
        request = await stage.network()
        container = await stage.run(stage.programs.stays, endpoints=(at("9", request),))
        with pytest.raises(Conflict, match=request.name):
            await stage.engine.remove_network(request.name)
        await stage.engine.remove(container)
        await stage.engine.remove_network(request.name)
        await stage.engine.remove_network(request.name)
        assert await stage.engine.networks(stage.labels) == []

    # ------------------------------------------------------------------------------------------- volumes

    async def test_a_volume_is_made_once_and_removed_once(self, stage: Stage):
        create = partial(stage.engine.create_volume, stage.name("data"), "", {}, stage.labels)
        await create()
        await create()
        assert [volume.name for volume in await stage.engine.volumes(stage.labels)] == [stage.name("data")]
        await stage.engine.remove_volume(stage.name("data"))
        await stage.engine.remove_volume(stage.name("data"))
        assert await stage.engine.volumes(stage.labels) == []

    async def test_a_volume_in_use_is_not_removed(self, stage: Stage):
        await stage.engine.create_volume(stage.name("data"), "local", {}, stage.labels)
        mount = Mount("volume", "/data", stage.name("data"))
        await stage.engine.create(stage.spec(stage.programs.stays, mounts=(mount,)))
        with pytest.raises(Conflict, match=stage.name("data")):
            await stage.engine.remove_volume(stage.name("data"))

    async def test_a_path_of_the_machine_is_shown_by_where_it_is_mounted(self, stage: Stage):
        mount = Mount("bind", "/inside", "/etc/hostname", read_only=True, create_host_path=False)
        info = await stage.look(await stage.run(stage.programs.stays, mounts=(mount,)))
        assert info.mounts["/inside"] == "/etc/hostname"

    # ------------------------------------------------------------------------------------------- room and load

    async def test_what_is_kept_is_counted_with_its_users(self, stage: Stage):
        await stage.engine.create_volume(stage.name("data"), "local", {}, stage.labels)
        mount = Mount("volume", "/data", stage.name("data"))
        container = await stage.run(stage.programs.stays, mounts=(mount,))
        usage = await stage.engine.usage()
        [own] = [one for one in usage.containers if one.id == container]
        assert (own.name, own.state, own.labels["gbnt.test"]) == (stage.name("web"), "running", stage.token)
        [image] = [one for one in usage.images if one.id == own.image]
        assert image.containers >= 1
        assert 0 < image.size <= usage.layers
        [volume] = [one for one in usage.volumes if one.name == stage.name("data")]
        assert (volume.labels, volume.containers) == (stage.labels, 1)
        assert volume.size is not None

    async def test_whoever_asks_what_is_kept_while_others_do_has_an_answer_too(self, stage: Stage):
        answers = list[Usage]()

        async def ask() -> None:
            answers.append(await stage.engine.usage())

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
        assert len(answers) == 3

    async def test_an_image_goes_with_its_last_name_and_not_while_a_container_is_of_it(self, stage: Stage):
        name, file = stage.name("built"), f"FROM {stage.programs.base}\nLABEL gbnt.test={stage.token}\n"
        async for _ in stage.engine.build(tar({"Dockerfile": file}), name, {}):
            pass
        container = await stage.engine.create(stage.spec(stage.programs.stays, image=name))
        [kept] = [one for one in (await stage.engine.usage()).images if f"{name}:latest" in one.tags]
        assert (kept.name, kept.containers) == (f"{name}:latest", 1)
        with pytest.raises(Conflict, match=f"image {name}.* is still used by a container"):
            await stage.engine.remove_image(name)
        await stage.engine.remove(container)
        await stage.engine.remove_image(name)
        await stage.engine.remove_image(name)
        assert await stage.engine.image(name) is None

    async def test_an_image_that_was_pulled_by_its_digest_is_known_and_goes_by_that(self, stage: Stage):
        pulled = stage.programs.pulled
        by_digest = f"{pulled}@{await stage.engine.digest(pulled)}"
        async for _ in stage.engine.pull(by_digest):
            pass
        ends = by_digest.partition("@")[2]
        kept = [name for one in (await stage.engine.usage()).images for name in one.digests if name.endswith(ends)]
        assert kept
        for name in kept:
            await stage.engine.remove_image(name)
        assert await stage.engine.image(by_digest) is None

    async def test_a_container_that_runs_has_counters_which_grow(self, stage: Stage):
        container = await stage.run(stage.programs.stays)
        first = await stage.engine.sample(container)
        second = await stage.engine.sample(container)
        assert first is not None
        assert second is not None
        assert 0 < first.at <= second.at
        assert 0 <= first.cpu_seconds <= second.cpu_seconds
        assert second.memory is not None
        assert second.memory > 0
        assert second.pids is not None
        assert second.pids >= 1

    async def test_what_does_not_run_or_is_gone_has_none(self, stage: Stage):
        container = await stage.engine.create(stage.spec(stage.programs.stays))
        assert await stage.engine.sample(container) is None
        await stage.engine.remove(container)
        assert await stage.engine.sample(container) is None

    async def test_its_machine_has_a_load_and_memory(self, stage: Stage):
        load = await stage.engine.load()
        assert (load.unknown, load.load >= 0, 0 < load.memory < load.memory_total) == ("", True, True)


async def _take(events: AsyncIterator[EngineEvent], count: int) -> list[EngineEvent]:
    with anyio.fail_after(20):
        return [await anext(events) for _ in range(count)]
