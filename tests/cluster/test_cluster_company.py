"""Services that share a network or a volume, and were parted by half a move, come together again on one machine."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.company import strays
from cluster.decide.tasks import carry_out
from cluster.model import Stack, State, Task, revision_key
from cluster.placement import Board
from cluster.reconcile import reconcile
from cluster.spec import Attachment, Mount, NetworkSpec, Placement, ServiceSpec, StackSpec, VolumeSpec
from tests.cluster.build import NOW, entropy, node, running, service, spec

BACK = (Attachment("back"),)
WEB, DB, LONE = spec("web", networks=BACK), spec("db", networks=BACK), spec("lone", networks=(Attachment("default"),))


def shop(*tasks: Task, db: ServiceSpec = DB, web: ServiceSpec = WEB, **fields: object) -> State:
    """Machines n1 and n2, on each of which tasks of the stack run; n2 has these fields."""
    networks = {key: NetworkSpec(f"shop_{key}") for key in ("back", "default")}
    specs = (web, db, LONE)
    file = StackSpec("shop", {one.name: one for one in specs}, networks, {"data": VolumeSpec("shop_data")})
    return State(
        nodes={one.id: one for one in (node(), node(id="n2", name="turin", **fields))},
        stacks={"shop": Stack("shop", file, NOW, NOW)},
        services={f"shop/{one.name}": service(spec=one) for one in specs},
        revisions={revision_key(f"shop/{one.name}", "r1"): one for one in specs},
        tasks={one.id: one for one in tasks},
    )


def at(id: str, name: str, machine: str, slot: int = 1, **fields: object) -> Task:
    addresses = {f"shop_{'default' if name == 'lone' else 'back'}": f"10.0.0.{id[1:]}"}
    return running(id=id, service=name, node=machine, slot=slot, addresses=addresses, **fields)


def test_who_is_together_and_who_has_no_company_stays():
    assert strays(shop(at("t1", "web", "n1"), at("t2", "db", "n1"), at("t3", "lone", "n2"))) == {}
    assert strays(shop(at("t1", "lone", "n1"), at("t2", "lone", "n2", 2))) == {}


def test_the_fewer_go_to_the_more_and_of_two_the_same_one_always():
    many = shop(at("t1", "db", "n1"), at("t2", "web", "n2"), at("t3", "web", "n2", 2))
    assert strays(many) == {"shop/db": frozenset({"n1"})}
    assert strays(shop(at("t1", "db", "n2"), at("t2", "web", "n1"))) == {"shop/db": frozenset({"n2"})}


def test_all_go_to_where_the_data_is():
    db = replace(DB, mounts=(Mount("volume", "/data", "data"),))
    tasks = at("t1", "db", "n2"), at("t2", "web", "n1"), at("t3", "web", "n1", 2)
    assert strays(shop(*tasks, db=db, volumes=("shop_data",))) == {"shop/web": frozenset({"n1"})}


def test_all_go_to_where_an_image_of_theirs_was_built_but_for_data():
    tasks = at("t1", "db", "n2"), at("t2", "web", "n1"), at("t3", "web", "n1", 2)
    built = replace(DB, image_id="sha256:abc", built_on="n2")
    assert strays(shop(*tasks, db=built)) == {"shop/web": frozenset({"n1"})}
    elsewhere = replace(built, built_on="n1", mounts=(Mount("volume", "/data", "data"),))
    assert strays(shop(*tasks, db=elsewhere, volumes=("shop_data",))) == {"shop/web": frozenset({"n1"})}


def on_one_volume(one: ServiceSpec) -> ServiceSpec:
    return replace(one, mounts=(Mount("volume", "/data", "data"),), networks=())


def test_services_that_share_a_volume_and_no_network_are_together_though_no_machine_has_told_of_it_yet():
    db, web = on_one_volume(DB), on_one_volume(WEB)
    state = shop(at("t1", "db", "n2"), db=db, web=web)
    found, _ = Board(state).place(state.services["shop/web"], 1)
    assert found is not None
    assert found.id == "n2"
    [against] = Board(state).explain(state.services["shop/web"], 1)["n1"]
    assert against.why == "are not turin, where what shares volume shop_data with it runs"
    assert strays(shop(at("t1", "db", "n2"), at("t2", "web", "n1"), db=db, web=web, volumes=("shop_data",))) == {
        "shop/web": frozenset({"n1"})
    }


def pinned(one: ServiceSpec, machine: str) -> ServiceSpec:
    return replace(one, placement=Placement((f"node.hostname == {machine}",)))


def test_the_first_of_a_group_goes_where_the_others_can_follow():
    state = shop(db=pinned(DB, "turin"))
    found, _ = Board(state).place(state.services["shop/web"], 1)
    assert found is not None
    assert found.id == "n2"
    against = Board(state).explain(state.services["shop/web"], 1)
    assert against["n2"] == []
    assert [one.why for one in against["n1"]] == ["are not turin, where what shares network shop_back with it may run"]


def test_where_a_group_has_no_machine_in_common_each_that_can_run_does():
    state = shop(db=pinned(DB, "turin"), web=pinned(WEB, "rome"))
    found, _ = Board(state).place(state.services["shop/web"], 1)
    assert found is not None
    assert found.name == "rome"


def test_nobody_leaves_data_of_its_own_for_company():
    tasks = at("t1", "db", "n2"), at("t2", "web", "n1")
    parted = shop(*tasks, db=on_one_volume(DB), web=on_one_volume(WEB), volumes=("shop_data",))
    nodes = {**parted.nodes, "n1": replace(parted.nodes["n1"], volumes=("shop_data",))}
    state = replace(parted, nodes=nodes)
    assert strays(state) == {}
    for name, there in (("db", "n2"), ("web", "n1")):
        found, _ = Board(state).place(state.services[f"shop/{name}"], 1)
        assert found is not None
        assert found.id == there


def test_nobody_goes_to_a_machine_that_takes_nothing_and_what_leaves_one_already_is_no_company():
    parted = at("t1", "web", "n1"), at("t2", "db", "n2"), at("t3", "web", "n2", 2)
    assert strays(shop(*parted, availability="pause")) == {}
    assert strays(shop(*parted, availability="drain")) == {}
    assert strays(shop(*parted, status="down")) == {}
    assert strays(shop(at("t1", "web", "n1"), at("t2", "db", "n2", desired="stop"))) == {}


@st.composite
def parted(draw: st.DrawFn) -> State:
    """Tasks that run, wait, stop or are given up, on both machines, one of which is in some trouble or none."""
    kinds = st.sampled_from([dict[str, Any](), {"desired": "ready"}, {"desired": "stop"}, {"forsaken": True}])
    where = st.tuples(st.sampled_from(("web", "db")), st.sampled_from(("n1", "n2")), kinds)
    tasks = [
        at(f"t{n}", name, machine, n, **kind)
        for n, (name, machine, kind) in enumerate(draw(st.lists(where, min_size=4, max_size=8)), 1)
    ]
    db = replace(DB, built_on=draw(st.sampled_from(("", "", "n1", "n2"))))
    shares = draw(st.sampled_from((replace, on_one_volume)))
    trouble = [dict[str, Any](), {}, {"replaced": True}, {"status": "returning"}, {"availability": "drain"}]
    fields = draw(st.sampled_from(trouble))
    state = shop(*tasks, db=shares(db), web=shares(WEB), **fields)
    holders = draw(st.sampled_from(((), ("n1",), ("n2",), ("n1", "n2"))))
    nodes = {id: replace(one, volumes=("shop_data",) if id in holders else ()) for id, one in state.nodes.items()}
    return replace(state, nodes=nodes)


@settings(max_examples=400)
@given(parted(), st.sampled_from(("web", "db")))
def test_nothing_is_placed_where_it_would_be_sent_away_again(state: State, name: str):
    """Who places and who looks for strays count alike: else a task went to and fro for ever."""
    found, _ = Board(state).place(state.services[f"shop/{name}"], 9)
    if found is not None:
        after = replace(state, tasks={**state.tasks, "t9": at("t9", name, found.id, 9)})
        assert found.id not in strays(after).get(f"shop/{name}", frozenset())


def step(state: State) -> State:
    """What the database's next plan leads to."""
    db = state.services["shop/db"]
    planned = reconcile(db, state.tasks_of(db.key), NOW, strays(state).get(db.key, frozenset()))
    return state.after(carry_out(state, db, planned, entropy()).changes)


def test_a_stray_moves_and_then_nobody_is_astray():
    state = step(shop(at("t1", "db", "n2"), at("t2", "web", "n1")))
    heir = state.tasks["id1"]
    assert (heir.node, heir.desired, heir.message) == ("n1", "run", "moves to another machine")
    assert step(state) == state
    state = step(replace(state, tasks={**state.tasks, "id1": replace(heir, state="running")}))
    assert (state.tasks["t1"].desired, state.tasks["t1"].why) == ("stop", "moved to another machine")
    assert strays(state) == {}
