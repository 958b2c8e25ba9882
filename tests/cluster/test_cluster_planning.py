"""What a deploy would do: the same that the deploy then does, with the keys that differ and the machines."""

from __future__ import annotations

from dataclasses import replace

from cluster.configs import ConfigFile, ConfigSpec, encoded
from cluster.decide.decision import Decided
from cluster.decide.deploy import deploy
from cluster.decide.planning import BUILT, Plan, as_built, differences, plan
from cluster.model import State
from cluster.spec import Build, Mount, NetworkSpec, Resources, StackSpec, VolumeSpec
from tests.cluster.build import entropy, node, spec, stack, state_with

BEFORE = stack(spec("web", environment={"TAG": "1", "KEY": "qualis"}), spec("db"))


def deployed(wanted: StackSpec, state: State | None = None) -> State:
    state = state or state_with(node(cpus=4, memory=8 << 30))
    decision = deploy(state, wanted, entropy())
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes, state.revision + 1)


def planned(state: State, wanted: StackSpec, *, prune: bool = False) -> Plan:
    decision = deploy(state, wanted, entropy(), prune=prune)
    assert isinstance(decision, Decided), decision
    return plan(state, wanted.name, decision, entropy())


def test_a_new_stack_is_planned_with_its_tasks_and_all_that_it_has():
    file = replace(stack(spec("web", replicas=2)), volumes={"data": VolumeSpec("shop_data")})
    found = planned(state_with(node(name="rome")), file)
    [web] = found.services
    assert (web.name, web.change, web.fields, web.machines, web.waits) == ("web", "created", (), {"rome": 2}, "")
    assert (found.networks, found.volumes) == ({"shop_default": "created"}, {"shop_data": "created"})
    assert found.changes


def test_what_differs_is_named_to_its_key_and_no_value_is_told():
    wanted = stack(spec("web", environment={"TAG": "2", "KEY": "qualis"}, image="web:2"), spec("db"))
    found = planned(deployed(BEFORE), wanted)
    db, web = found.services
    assert (web.change, web.fields) == ("updated", ("image", "environment.TAG"))
    assert (db.change, db.fields) == ("unchanged", ())
    assert "qualis" not in repr(found)


def test_keys_are_called_as_the_file_calls_them():
    before = spec("web", resources=Resources(1.0, 1 << 30))
    after = replace(before, resources=Resources(1.0, 2 << 30), mounts=(Mount("volume", "/data", "data"),), replicas=2)
    assert set(differences(before, after)) == {"deploy.resources.limits.memory", "volumes", "deploy.replicas"}


def test_an_unchanged_file_plans_nothing():
    found = planned(deployed(BEFORE), BEFORE)
    assert not found.changes
    assert {one.change for one in found.services} == {"unchanged"}
    assert found.networks == {"shop_default": "unchanged"}


def test_what_left_the_file_is_kept_or_pruned_and_its_volume_is_kept_either_way():
    db = spec("db", mounts=(Mount("volume", "/data", "data"),))
    state = deployed(replace(stack(spec("web"), db), volumes={"data": VolumeSpec("shop_data")}))
    kept = planned(state, stack(spec("web")))
    assert ([(one.name, one.change) for one in kept.services], kept.volumes, kept.changes) == (
        [("db", "kept"), ("web", "unchanged")],
        {"shop_data": "unchanged"},
        False,
    )
    pruned = planned(state, stack(spec("web")), prune=True)
    assert (pruned.services[0].change, pruned.volumes, pruned.changes) == ("removed", {"shop_data": "kept"}, True)


def test_a_task_that_no_machine_has_room_for_now_waits_and_says_why():
    state = state_with(node(cpus=4, memory=8 << 30, availability="drain"))
    [web] = planned(state, stack(spec("web"))).services
    assert web.machines == {}
    assert web.waits == "waits for a machine (1 node: 1 is draining)"


def test_a_volume_that_outlived_its_stack_is_found_and_networks_come_and_go():
    state = state_with(node(volumes=("shop_data",)))
    file = replace(stack(spec("web")), volumes={"data": VolumeSpec("shop_data")})
    assert planned(state, file).volumes == {"shop_data": "unchanged"}
    with_back = replace(file, networks={**file.networks, "back": NetworkSpec("shop_back")})
    assert planned(deployed(with_back), file).networks == {"shop_back": "removed", "shop_default": "unchanged"}


def test_a_config_is_planned_by_its_content():
    def file(content: bytes) -> StackSpec:
        config = ConfigSpec("shop_conf", content=encoded(content))
        return stack(spec("web", configs=(ConfigFile("conf", "/etc/web.conf"),)), configs={"conf": config})

    state = deployed(file(b"one"))
    assert planned(state, file(b"one")).configs == {"conf": "unchanged"}
    found = planned(state, file(b"two"))
    assert (found.configs, found.services[0].fields) == ({"conf": "updated"}, ("configs",))


def test_what_is_built_at_the_deploy_is_planned_on_what_was_built_last_and_that_is_said():
    built = spec("web", build=Build("/srv"), image_id="sha256:" + "1" * 64, built_on="n1")
    state = deployed(stack(built))
    wanted = as_built(state, stack(replace(built, image_id="", built_on="")))
    [web] = planned(state, wanted).services
    assert (web.change, web.note) == ("unchanged", BUILT)


def test_a_plan_leaves_the_state_as_it_was_and_is_what_the_deploy_does():
    state = deployed(BEFORE)
    wanted = stack(spec("web", replicas=3), spec("cache"))
    found, again = planned(state, wanted), planned(state, wanted)
    assert found == again
    decision = deploy(state, wanted, entropy())
    assert isinstance(decision, Decided)
    assert {one.name: one.change for one in found.services} == decision.told
