"""Configs: kept once by their digests, rolled where their content is another, swept where nobody names them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cluster.assignment import Assignment
from cluster.compose.checks import validate
from cluster.configs import LARGEST, ConfigFile, ConfigSpec, digest_of, encoded, named
from cluster.containers import container_for
from cluster.decide import history
from cluster.decide.configs import Held, held, may_read, remove
from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy, remove_stack
from cluster.decide.services import scale
from cluster.model import State
from cluster.spec import Mount, StackSpec
from tests.cluster.build import entropy, spec, stack, state_with, task

FILE = ConfigFile("conf", "/etc/app.conf")


def brings(content: bytes = b"salve", *, name: str = "shop", **fields: Any) -> StackSpec:
    """A stack whose service web reads one config."""
    config = replace(ConfigSpec(f"{name}_conf", content=encoded(content)), **fields)
    return stack(spec(configs=(FILE,)), name=name, configs={"conf": config})


def deployed(state: State, wanted: StackSpec) -> State:
    decision = deploy(state, wanted, entropy())
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes)


def refused(state: State, wanted: StackSpec) -> str:
    decision = deploy(state, wanted, entropy())
    assert isinstance(decision, Refusal)
    return decision.message


def test_a_content_is_kept_once_and_its_digest_stands_in_the_specs():
    state = deployed(deployed(state_with(), brings()), brings(name="other"))
    digest = digest_of(b"salve")
    assert [(one.digest, one.content) for one in state.configs.values()] == [(digest, encoded(b"salve"))]
    for name in ("shop", "other"):
        assert state.stacks[name].spec.configs["conf"] == ConfigSpec(f"{name}_conf", digest=digest, size=5)
        assert state.services[f"{name}/web"].spec.configs == (replace(FILE, digest=digest),)


def test_the_same_content_changes_nothing_and_another_one_is_another_revision():
    state = deployed(state_with(), brings())
    again = deploy(state, brings(), entropy())
    assert isinstance(again, Decided)
    assert again.changes == ()
    assert again.told == {"web": "unchanged"}
    changed = deploy(state, brings(b"vale"), entropy())
    assert isinstance(changed, Decided)
    assert changed.told == {"web": "updated"}


def test_labels_of_a_config_roll_nothing():
    state = deployed(state_with(), brings())
    changed = deploy(state, brings(labels={"team": "rome"}), entropy())
    assert isinstance(changed, Decided)
    assert changed.told == {"web": "unchanged"}
    assert state.after(changed.changes).stacks["shop"].spec.configs["conf"].labels == {"team": "rome"}


def test_a_spec_as_it_is_shown_may_be_sent_back_and_one_whose_content_is_gone_may_not():
    state = deployed(state_with(), brings())
    shown = state.stacks["shop"].spec
    back = deploy(state, shown, entropy())
    assert isinstance(back, Decided)
    assert back.changes == ()
    assert refused(state_with(), shown) == "the content of config shop_conf is not kept here: send it along"
    scaled = scale(state, "shop/web", 3, entropy())
    assert isinstance(scaled, Decided)


def test_a_content_goes_once_no_stack_and_no_revision_names_it():
    contents, state = [b"%d" % number for number in range(history.KEPT + 2)], state_with()
    for content in contents:
        state = deployed(state, brings(content))
    assert set(state.configs) == set(map(digest_of, contents[-history.KEPT :]))
    removed = remove_stack(state, "shop", (), entropy())
    assert isinstance(removed, Decided)
    assert state.after(removed.changes).configs == {}


def test_a_content_stays_as_long_as_a_task_reads_it():
    state = deployed(state_with(), brings(b"one"))
    old = task(revision=state.services["shop/web"].revision)
    state = replace(state, tasks={old.id: old})
    for content in (*(b"%d" % number for number in range(history.KEPT)), b"three"):
        state = deployed(state, brings(content))
    named = {one.digest for past in state.stack_revisions.values() for one in past.spec.configs.values()}
    assert digest_of(b"one") not in named
    assert digest_of(b"one") in state.configs
    assert may_read(state, "n1", digest_of(b"one"))
    assert not may_read(state, "n1", digest_of(b"three"))
    assert not may_read(state, "n2", digest_of(b"one"))


def external(name: str = "shop_conf") -> StackSpec:
    return stack(spec(configs=(FILE,)), name="guest", configs={"conf": ConfigSpec(name, external=True)})


def test_an_external_config_is_another_stacks_as_it_is_at_the_deploy():
    state = deployed(deployed(state_with(), brings(b"one")), external())
    assert state.services["guest/web"].spec.configs[0].digest == digest_of(b"one")
    state = deployed(state, brings(b"two"))
    assert state.services["guest/web"].spec.configs[0].digest == digest_of(b"one")
    again = deploy(state, external(), entropy())
    assert isinstance(again, Decided)
    assert again.told == {"web": "updated"}
    assert state.after(again.changes).services["guest/web"].spec.configs[0].digest == digest_of(b"two")


def test_an_external_config_that_no_stack_has_is_refused():
    hint = "deploy the stack that it comes from first, or correct its name"
    assert refused(state_with(), external()) == f"no stack has a config shop_conf, which is external: {hint}"
    alone = deployed(state_with(), brings())
    assert "no stack has a config conf" in refused(alone, external("conf"))
    leaving = remove_stack(alone, "shop", (), entropy())
    assert isinstance(leaving, Decided)
    assert "no stack has a config" in refused(alone.after(leaving.changes), external())


def test_a_name_belongs_to_one_stack():
    state = deployed(state_with(), brings())
    other = stack(spec(), name="other", configs=brings().configs)
    hint = "mark it external, or give yours another name"
    assert refused(state, other) == f"config shop_conf belongs to stack shop: {hint}"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"content": ""}, "is empty"),
        ({"content": encoded(b"x" * (LARGEST + 1))}, f"holds {LARGEST + 1} bytes, more than {LARGEST}"),
        ({"content": "no base64"}, "its content is no base64"),
        ({"external": True}, "is external, and has a content of its own"),
        ({"name": "../conf"}, '"../conf" cannot be a name'),
    ],
)
def test_a_config_has_a_content_of_bounded_size_and_a_name(config: dict[str, Any], message: str):
    wanted = stack(spec(configs=(FILE,)), configs={"conf": replace(brings().configs["conf"], **config)})
    (found,) = validate(wanted)
    assert (found.path, found.message) == ("configs.conf", message)


def test_a_config_of_the_largest_size_is_taken():
    assert validate(brings(b"x" * LARGEST)) == ()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"source": "cnof"}, 'there is no config "cnof"'),
        ({"target": "etc/app.conf"}, '"etc/app.conf" cannot be a target'),
        ({"target": "/etc/../app.conf"}, '"/etc/../app.conf" cannot be a target'),
        ({"target": "/etc/"}, '"/etc/" cannot be a target'),
        ({"target": "/"}, '"/" cannot be a target'),
        ({"target": "/data"}, '"/data" is mounted already'),
        ({"mode": 0o10000}, "10000 is no mode of a file"),
        ({"uid": -1}, "-1 is no uid"),
        ({"gid": 2**32}, f"{2**32} is no gid"),
    ],
)
def test_a_file_has_a_source_a_place_and_an_owner(file: dict[str, Any], message: str):
    web = spec(configs=(replace(FILE, **file),), mounts=(Mount("tmpfs", "/data"),))
    wanted = stack(web, configs=brings().configs)
    (found,) = validate(wanted)
    assert (found.path, found.message) == ("services.web.configs[0]", message)


def test_two_files_of_a_service_do_not_share_a_place_and_two_configs_no_name():
    twice = stack(spec(configs=(FILE, FILE)), configs=brings().configs)
    assert [found.message for found in validate(twice)] == ['"/etc/app.conf" is mounted already']
    two = stack(spec(), configs={key: ConfigSpec("same", content=encoded(b"x")) for key in ("one", "two")})
    assert [found.message for found in validate(two)] == ['has the name "same", as "one"']


def test_a_file_is_called_by_all_that_makes_it_another():
    one = replace(FILE, digest="ab")
    files = {one, replace(one, uid=1), replace(one, gid=1), replace(one, mode=0o400)}
    assert {file.file_name for file in files} == {"ab-0-0-0444", "ab-1-0-0444", "ab-0-1-0444", "ab-0-0-0400"}
    assert replace(one, target="/other").file_name == one.file_name


def test_a_container_mounts_it_for_reading_only_and_makes_nothing_in_its_place():
    file = replace(FILE, digest="ab")
    made = container_for(Assignment(task(), spec(configs=(file,))), 1, "rome", {}, {}, {file: "/configs/ab"})
    assert made.mounts == (Mount("bind", "/etc/app.conf", "/configs/ab", read_only=True, create_host_path=False),)


def test_what_an_engine_says_of_a_path_is_led_by_the_config():
    files = (replace(FILE, digest="ab" * 32), replace(FILE, source="other", digest="cd" * 32))
    text = f"the path /data/configs/{'cd' * 32}-0-0-0444 to mount does not exist on this machine"
    assert named(text, files) == f"config other, to be read at /etc/app.conf: {text}"
    assert named("no space is left", files) == "no space is left"


def unread(content: bytes = b"salve") -> StackSpec:
    """A stack that brings a config for nobody."""
    return replace(brings(content), services={"web": spec()})


def test_configs_are_listed_with_the_services_that_read_them_wherever_they_are():
    other = stack(spec(configs=(FILE,)), name="other", configs={"conf": ConfigSpec("shop_conf", external=True)})
    state = deployed(deployed(deployed(state_with(), brings()), other), brings(b"vale", name="wiki"))
    digest = digest_of(b"salve")
    assert held(state) == [
        Held("shop", "conf", ConfigSpec("shop_conf", digest=digest, size=5), ("other/web", "shop/web")),
        Held("wiki", "conf", ConfigSpec("wiki_conf", digest=digest_of(b"vale"), size=4), ("wiki/web",)),
    ]


def test_a_config_that_is_read_is_not_removed_and_its_readers_are_named():
    state = deployed(state_with(), brings())
    words = "deploy without it there, or remove what reads it, first"
    assert remove(state, "shop_conf") == Refusal("conflict", f"config shop_conf is read by shop/web: {words}")
    other = stack(spec(configs=(FILE,)), name="other", configs={"conf": ConfigSpec("shop_conf", external=True)})
    both = remove(deployed(state, other), "shop_conf")
    assert both == Refusal("conflict", f"config shop_conf is read by 2 services: other/web, shop/web: {words}")


def test_a_config_that_nobody_reads_is_taken_out_until_it_is_deployed_again():
    state = deployed(state_with(), unread())
    decision = remove(state, "shop_conf")
    assert isinstance(decision, Decided)
    assert decision.told == {"shop_conf": "removed"}
    state = state.after(decision.changes)
    assert (held(state), state.stacks["shop"].spec.configs) == ([], {})
    assert remove(state, "shop_conf") == Refusal(
        "not_found", "there is no config-file shop_conf; gbnt config-file ls shows what is there"
    )
    assert [one.config.name for one in held(deployed(state, unread()))] == ["shop_conf"]


def test_a_config_that_is_not_there_is_answered_with_the_one_that_was_meant():
    refusal = remove(deployed(state_with(), unread()), "shop_cnf")
    assert refusal == Refusal("not_found", "there is no config-file shop_cnf; did you mean shop_conf?")
