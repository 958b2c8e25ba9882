"""Services that left the file: kept with all that they need, and refused where they are in the way."""

from __future__ import annotations

from dataclasses import replace

from cluster.configs import ConfigFile, ConfigSpec, encoded
from cluster.decide.decision import Decided, Refusal
from cluster.decide.deploy import deploy
from cluster.model import State
from cluster.spec import Attachment, Mount, NetworkSpec, Port, ServiceSpec, StackSpec, VolumeSpec
from tests.cluster.build import NOW, entropy, spec, stack, state_with

DB = spec(
    "db",
    networks=(Attachment("back"),),
    mounts=(Mount("volume", "/data", "data"),),
    configs=(ConfigFile("conf", "/etc/db.conf"),),
)
WEB = stack(spec("web"))


def whole(*more: ServiceSpec) -> StackSpec:
    """The file before: web, and a database with a network, a volume and a config of its own."""
    file = stack(spec("web"), DB, *more)
    return replace(
        file,
        networks={**file.networks, "back": NetworkSpec("shop_back")},
        volumes={"data": VolumeSpec("shop_data")},
        configs={"conf": ConfigSpec("shop_conf", content=encoded(b"salve"))},
    )


def deployed(state: State, wanted: StackSpec, *, prune: bool = False) -> State:
    decision = deploy(state, wanted, entropy(), prune=prune)
    assert isinstance(decision, Decided), decision
    return state.after(decision.changes)


def test_what_left_the_file_is_kept_with_all_that_it_needs():
    before = deployed(state_with(), whole())
    decision = deploy(before, WEB, entropy(NOW + 60))
    assert isinstance(decision, Decided)
    assert decision.told == {"web": "unchanged", "db": "kept"}
    after = before.after(decision.changes)
    assert after.services == before.services
    assert (after.networks, after.configs, after.revisions) == (before.networks, before.configs, before.revisions)
    assert after.stacks["shop"].spec == before.stacks["shop"].spec


def test_a_file_that_leaves_out_the_same_again_writes_nothing():
    state = deployed(deployed(state_with(), whole()), WEB)
    again = deploy(state, WEB, entropy(NOW + 60))
    assert isinstance(again, Decided)
    assert (again.changes, again.happenings, again.told) == ((), (), {"web": "unchanged", "db": "kept"})


def test_what_is_kept_is_not_among_what_an_event_says_was_deployed_alone():
    decision = deploy(deployed(state_with(), whole()), stack(spec("web", replicas=2)), entropy())
    assert isinstance(decision, Decided)
    assert [happening.message for happening in decision.happenings] == ["web scaled from 1 to 2, db kept"]


def test_pruned_its_network_goes_and_the_file_s_own_stay():
    after = deployed(deployed(state_with(), whole()), WEB, prune=True)
    assert set(after.networks) == {"shop_default"}
    assert after.stacks["shop"].spec == WEB


def test_what_was_kept_may_be_pruned_by_a_later_deploy_and_taken_back_by_another():
    kept = deployed(deployed(state_with(), whole()), WEB)
    assert "shop/db" not in deployed(kept, WEB, prune=True).services
    taken_back = deploy(kept, whole(), entropy())
    assert isinstance(taken_back, Decided)
    assert taken_back.told == {"web": "unchanged", "db": "unchanged"}


def test_a_service_under_another_name_is_refused_while_the_old_one_holds_its_port():
    before = deployed(state_with(), stack(spec("web", ports=(Port(80, 8080),))))
    renamed = stack(spec("front", ports=(Port(80, 8080),)))
    refused = deploy(before, renamed, entropy())
    assert isinstance(refused, Refusal)
    assert refused.code == "conflict"
    assert "port 8080/tcp is published already" in refused.message
    assert "web left the file and is kept: deploy with --prune to remove what left" in refused.message
    assert set(deployed(before, renamed, prune=True).services) >= {"shop/front"}


def test_what_is_being_removed_is_not_kept():
    # A task that stops keeps the service's record until it has gone.
    state = deployed(state_with(), whole())
    service = replace(state.services["shop/db"], removing=True)
    state = replace(state, services={**state.services, "shop/db": service}, revision=state.revision)
    decision = deploy(state, WEB, entropy())
    assert isinstance(decision, Decided)
    assert decision.told == {"web": "unchanged"}


def test_what_its_profile_alone_leaves_out_is_kept_with_what_it_needs_where_the_rest_is_pruned():
    before = deployed(state_with(), whole(spec("old")))
    decision = deploy(before, WEB, entropy(NOW + 60), prune=True, aside=("db", "never"))
    assert isinstance(decision, Decided)
    assert decision.told == {"web": "unchanged", "db": "kept", "old": "removed"}
    after = before.after(decision.changes)
    assert (set(after.stacks["shop"].spec.services), set(after.stacks["shop"].spec.volumes)) == (
        {"web", "db"},
        {"data"},
    )
    assert set(after.services) == {"shop/web", "shop/db"}
