from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy
from cluster.decide.joining import Newcomer, admit
from cluster.decide.legion import update_legion
from cluster.model import Change, JoinToken, State
from cluster.policy import PRIVILEGED, objections, privileged, takes_mighty
from cluster.privileges import Device, Privileges
from cluster.spec import Attachment, Healthcheck, Mount, StackSpec, VolumeSpec
from tests.cluster.build import NOW, entropy, node, spec, stack, state_with

ONE, TWO = state_with(node(id="n1")), state_with(node(id="n1"), node(id="n2"))
MIGHTY = (
    {"privileged": True},
    {"cap_add": ("NET_ADMIN", "SYS_ADMIN")},
    {"cap_add": ("cap_sys_admin",)},
    {"cap_add": ("all",)},
    {"mounts": (Mount("volume", "/data", "data"), Mount("bind", "/x", "/srv/../run//docker.sock/", read_only=True))},
    {"mounts": (Mount("bind", "/x", "/usr/local/bin"),)},
    {"privileges": Privileges(devices=(Device("/dev/fuse", "/dev/fuse"),))},
    {"privileges": Privileges(security_opt=("no-new-privileges", "apparmor=unconfined"))},
    {"privileges": Privileges(pid="host")},
    {"privileges": Privileges(runtime="kata")},
)


def with_settings(state: State, settings: Mapping[str, str]) -> State:
    return replace(state, settings=settings)


def told(state: State, wanted: StackSpec) -> list[str]:
    return [f"service {one.path[1]}: {one.message}" for one in objections(state, wanted)]


@pytest.mark.parametrize("fields", MIGHTY)
def test_one_machine_takes_what_makes_mighty_and_many_do_not_unless_people_say_so(fields: dict[str, Any]):
    wanted = stack(spec(**fields))
    assert list(objections(ONE, wanted)) == []
    (words,) = told(TWO, wanted)
    assert words.startswith("service web: ")
    assert "gbnt legion update --privileged allow" in words
    assert list(objections(with_settings(TWO, {PRIVILEGED: "allow"}), wanted)) == []
    assert len(list(objections(with_settings(ONE, {PRIVILEGED: "refuse"}), wanted))) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"cap_add": ("NET_BIND_SERVICE",)},
        {"mounts": (Mount("bind", "/x", "/srv/data"), Mount("bind", "/y", "/etc/localtime", read_only=True))},
        {"privileges": Privileges(security_opt=("no-new-privileges:true",), ipc="private", cgroup="private")},
    ],
)
def test_what_opens_nothing_is_taken_anywhere(fields: dict[str, Any]):
    assert list(objections(TWO, stack(spec(**fields)))) == []


def test_what_runs_already_may_be_deployed_again_as_it_is_and_not_otherwise():
    mighty = stack(spec(privileged=True))
    deployed = deploy(ONE, mighty, entropy())
    assert isinstance(deployed, Decided)
    state = ONE.after((*deployed.changes, Change("nodes", "n2", node(id="n2"))))
    again = deploy(state, mighty, entropy())
    assert isinstance(again, Decided)
    assert again.changes == ()
    other = deploy(state, stack(spec(privileged=True, image="other:1")), entropy())
    assert isinstance(other, Refusal)
    assert other.code == "conflict"


def mounting(options: Mapping[str, str], driver: str = "", **fields: Any) -> StackSpec:
    volume = VolumeSpec("shop_data", driver=driver, options=options, **fields)
    return stack(spec(mounts=(Mount("volume", "/data", "data", read_only=True),)), volumes={"data": volume})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"type": "none", "o": "rw,bind", "device": "/var/run"}, "/var/run"),
        ({"type": "nfs", "o": "rbind", "device": "etc"}, "etc"),
        ({"type": "ext4", "device": "/dev/sda1"}, "/dev/sda1"),
        ({"type": "overlay", "o": "lowerdir=/etc,upperdir=/a,workdir=/b"}, "overlay"),
    ],
)
def test_a_volume_that_is_a_part_of_its_machine_is_a_bind_of_that(options: Mapping[str, str], said: str):
    for driver in ("", "local"):
        (words,) = told(TWO, mounting(options, driver))
        assert words.startswith(f"service web: volumes ({said}) would let")
    assert list(objections(TWO, mounting(options, "of-a-plugin"))) == []
    assert list(objections(TWO, mounting(options, external=True))) == []


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": "1g"},
        {"type": "none", "o": "bind", "device": "/srv/data"},
        {"type": "nfs", "o": "addr=10.0.0.9,rw", "device": ":/etc"},
        {"type": "tmpfs", "device": "tmpfs"},
    ],
)
def test_a_volume_that_is_none_is_taken_anywhere(options: Mapping[str, str]):
    assert list(objections(TWO, mounting(options))) == []


def test_a_volume_that_becomes_a_part_of_the_machine_is_asked_of_though_its_service_stays_as_it_is():
    before = deploy(TWO, mounting({}), entropy())
    assert isinstance(before, Decided)
    state = TWO.after(before.changes)
    assert list(objections(state, mounting({}))) == []
    (words,) = told(state, mounting({"type": "none", "o": "bind", "device": "/"}))
    assert words.startswith("service web: volumes (/) would let")


@pytest.mark.parametrize(
    ("fields", "key", "engine"),
    [
        ({"healthcheck": Healthcheck(start_interval=1.0)}, "healthcheck.start_interval", "25.0"),
        ({"mounts": (Mount("volume", "/data", "data", subpath="a"),)}, "volumes: subpath of /data", "26.0"),
        ({"networks": (Attachment("default", gateway_priority=1),)}, "networks.default.gw_priority", "28.0"),
        ({"annotations": {"a": "b"}}, "annotations", "24.0"),
    ],
)
def test_a_key_that_no_engine_knows_is_named_with_the_engine_that_does(fields: dict[str, Any], key: str, engine: str):
    old = node(id="n1", name="rome-1", engine_api="1.41", engine_version="20.10.24")
    new = node(id="n2", name="rome-2", engine_api="1.48", engine_version="28.0.1")
    (words,) = told(state_with(old), stack(spec(**fields)))
    assert f"service web: {key} needs Docker Engine {engine} or later" in words
    assert "rome-1 20.10.24" in words
    assert list(objections(state_with(old, new), stack(spec(**fields)))) == []


def test_the_setting_is_kept_told_and_taken_back():
    allowed = update_legion(TWO, None, "allow")
    assert isinstance(allowed, Decided)
    after = TWO.after(allowed.changes)
    assert (privileged(TWO), privileged(after)) == ("auto", "allow")
    assert (takes_mighty(TWO), takes_mighty(after)) == (False, True)
    assert allowed.told == {"privileged": "are taken on any number of machines"}
    same = update_legion(after, None, "allow")
    assert isinstance(same, Decided)
    assert (same.changes, same.told) == ((), {"privileged": "unchanged"})
    back = update_legion(after, None, "auto")
    assert isinstance(back, Decided)
    assert after.after(back.changes).settings == {}


def test_a_setting_that_nobody_knows_allows_nothing():
    assert not takes_mighty(with_settings(ONE, {PRIVILEGED: "by a later release"}))


def test_it_is_said_when_a_second_machine_ends_what_one_was_allowed():
    token = JoinToken("t1", "worker", NOW, NOW + 60, uses=2)
    state = replace(ONE, join_tokens={"t1": token})
    second = admit(state, Newcomer("t1", "gaul", "10.0.0.2"), entropy())
    assert isinstance(second, Decided)
    assert [(one.kind, one.subject) for one in second.happenings] == [
        ("node.joined", "gaul"),
        ("legion.updated", "privileged keys"),
    ]
    third = admit(state.after(second.changes), Newcomer("t1", "iberia", "10.0.0.3", node="n3"), entropy())
    assert isinstance(third, Decided)
    assert [one.kind for one in third.happenings] == ["node.joined"]
