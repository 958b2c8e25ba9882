"""What an engine keeps, what of it nothing needs, and what of that is gbnt's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.containers import ATTEMPT, CLUSTER, NODE, TASK
from cluster.decide.decision import Decided, Draft
from cluster.decide.images import KEPT, USED, note_used, used_images
from cluster.decide.nodes import note_pruned
from cluster.decide.sweep import sweep
from cluster.decide.volumes import remove_volume
from cluster.images import Meant
from cluster.load import Sample, cpu_percent
from cluster.model import State, revision_key
from cluster.pruning import Spent, spent, unnamed
from cluster.revisions import StackDraft, StackRevision
from cluster.spec import VolumeSpec
from cluster.usage import KeptContainer, KeptImage, KeptVolume, Share, Usage, shares
from tests.cluster.build import NOW, node, running, service, spec, stack, task

OWN = "legion"
OLD, NEW, DIGEST = "sha256:" + "a" * 64, "sha256:" + "b" * 64, "sha256:" + "d" * 64


def image(id: str = OLD, *tags: str, digests: tuple[str, ...] = (), **fields) -> KeptImage:
    return replace(KeptImage(id, tags, digests, size=100, shared=40, containers=0), **fields)


def container(id: str, of: str = "t1", attempt: int = 1, **fields) -> KeptContainer:
    labels = {CLUSTER: OWN, TASK: of, ATTEMPT: str(attempt), NODE: "n1"}
    return replace(KeptContainer(id, f"name-of-{id}", NEW, "exited", labels, 7), **fields)


def state(*tasks, **fields) -> State:
    """A machine, and a service whose one revision is `web:2`."""
    return State(
        nodes={"n1": node()},
        services={"shop/web": service(spec=spec(image="web:2"))},
        tasks={one.id: one for one in tasks},
        revisions={revision_key("shop/web", "r1"): spec(image="web:2")},
        **fields,
    )


def ids(found: Spent) -> tuple[list[str], list[str]]:
    return [one.id for one in found.containers], [one.id for one in found.images]


# -- sums --------------------------------------------------------------------------------------------------------------


def test_what_nothing_needs_is_counted_no_higher_than_it_is_for_certain():
    usage = Usage(
        images=(image(OLD), image(NEW, containers=2)),
        containers=(container("c1"), container("c2", state="running")),
        volumes=(KeptVolume("a", {}, 50, 1), KeptVolume("b", {}, 30, 0), KeptVolume("c", {}, None, None)),
        cache=Share(3, 1, 90, 60),
        layers=160,
    )
    assert shares(usage) == {
        "images": Share(2, 1, 160, 60),
        "containers": Share(2, 1, 14, 7),
        "volumes": Share(3, 2, 80, 30, unsized=1),
        "cache": Share(3, 1, 90, 60),
    }


def test_sums_of_machines_add_up():
    assert Share(1, 1, 10, 0) + Share(2, 0, 5, 5, unsized=1) == Share(3, 1, 15, 5, unsized=1)


def test_how_busy_is_told_of_one_life_alone():
    first = Sample(10.0, 4.0, 1, 2, 0, 0, 0, 0, 1)
    assert cpu_percent(first, replace(first, at=12.0, cpu_seconds=7.0)) == 150.0
    assert cpu_percent(first, replace(first, at=12.0, cpu_seconds=1.0)) is None  # started again
    assert cpu_percent(None, first) is None
    assert cpu_percent(first, first) is None


# -- images ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("web", ["tagged"]),
        ("docker.io/library/web:latest", ["tagged"]),
        ("web:2", []),
        ("hub.example/web", []),
        (f"web:1@{DIGEST}", ["pulled"]),
        (f"web:1@{NEW}", []),
        (OLD, ["tagged"]),
        (OLD.removeprefix("sha256:"), ["tagged"]),
    ],
)
def test_a_reference_means_an_image_by_id_by_digest_or_by_tag(reference, meant):
    images = {"tagged": image(OLD, "web:latest"), "pulled": image("sha256:c", digests=(f"web@{DIGEST}",))}
    assert [name for name, one in images.items() if one in Meant([reference])] == meant


def test_the_image_of_a_revision_that_is_forgotten_is_remembered_once():
    draft = Draft(state(running()))
    draft.state = replace(
        draft.state,
        revisions={**draft.state.revisions, revision_key("shop/web", "r0"): spec(image="web", digest=DIGEST)},
    )
    sweep(draft)
    assert used_images(draft.state.settings) == {f"web@{DIGEST}": "web"}
    assert revision_key("shop/web", "r0") not in draft.state.revisions
    changes = len(draft.decided().changes)
    note_used(draft, spec(image="web", digest=DIGEST))
    assert len(draft.decided().changes) == changes


def test_of_the_remembered_the_oldest_go():
    settings = {f"{USED}image:{number}": f"{number} image:{number}" for number in range(KEPT)}
    draft = Draft(State(revision=KEPT, settings=settings))
    note_used(draft, spec(image="another"))
    assert (len(used_images(draft.state.settings)), f"{USED}image:0" in draft.state.settings) == (KEPT, False)


def test_an_image_goes_that_a_service_used_once_and_none_may_go_back_to():
    settings = {f"{USED}web@{DIGEST}": "5 web", f"{USED}web:2": "5 web:2", f"{USED}{NEW}": "6 shop-web:latest"}
    usage = Usage(
        images=(
            image(OLD, digests=(f"web@{DIGEST}",)),
            image("sha256:kept", "web:2"),
            image(NEW, "shop-web:latest", containers=1),
            image("sha256:foreign", "theirs:1"),
        ),
        containers=(container("theirs", state="running", labels={}),),
    )
    assert ids(spent(state(settings=settings), "n1", OWN, usage)) == ([], [OLD])
    everything = spent(state(settings=settings), "n1", OWN, usage, all_images=True)
    assert ids(everything) == ([], [OLD, "sha256:foreign"])
    assert everything.size == 120


def test_one_that_somebody_gave_a_name_of_his_own_stays():
    settings = {f"{USED}{OLD}": "5 shop-web:latest"}
    named = Usage(images=(image(OLD, "shop-web:latest", "backup:1"),))
    assert ids(spent(state(settings=settings), "n1", OWN, named)) == ([], [])
    by_digest = {f"{USED}web@{DIGEST}": f"5 web@{DIGEST}"}
    tagged = Usage(images=(image(OLD, "web:latest", digests=(f"web@{DIGEST}",)),))
    assert ids(spent(state(settings=by_digest), "n1", OWN, tagged)) == ([], [])
    alone = Usage(images=(image(OLD, "shop-web:latest"),))
    assert ids(spent(state(settings=settings), "n1", OWN, alone)) == ([], [OLD])


# -- containers --------------------------------------------------------------------------------------------------------


def test_ended_containers_of_tasks_go_but_for_the_last_of_one_that_goes_on():
    going_on, over = running(attempt=3, container_id="c2"), task(id="t2", state="complete")
    usage = Usage(
        containers=(
            container("c1", attempt=1),
            container("c2", attempt=2),  # which the state still takes for its present one
            container("c3", attempt=3),
            container("done", of="t2"),
        )
    )
    assert ids(spent(state(going_on, over), "n1", OWN, usage))[0] == ["c1", "done"]


@pytest.mark.parametrize(
    "stays",
    [
        container("c", of="unknown"),
        container("c", of="t2", state="running"),
        container("c", of="t2", state="created"),
        container("c", labels={CLUSTER: "another", TASK: "t2"}),
        container("c", labels={CLUSTER: OWN, TASK: "t2", NODE: "n2"}),
        container("c", labels={CLUSTER: OWN, TASK: "t3"}),  # of an earlier release, which wrote no node
        container("c", labels={}),
    ],
)
def test_what_runs_is_held_or_is_somebody_else_s_stays(stays):
    here, elsewhere = task(id="t2", state="complete"), task(id="t3", node="n2", state="complete")
    assert ids(spent(state(here, elsewhere), "n1", OWN, Usage(containers=(stays,)), all_images=True)) == ([], [])


def test_an_image_of_ended_containers_goes_with_them():
    usage = Usage(images=(image(NEW, "job:1", containers=1),), containers=(container("c", of="t2"),))
    found = spent(state(task(id="t2", state="complete"), settings={f"{USED}job:1": "5 job:1"}), "n1", OWN, usage)
    assert ids(found) == (["c"], [NEW])
    assert ids(found.only({NEW})) == ([], [NEW])


def test_volumes_that_nobody_holds_on_to_are_told_by_name():
    assert unnamed(replace(state(), nodes={"n1": node(volumes=("b", "a"))})) == ["a", "b"]


def test_a_volume_that_a_stack_may_go_back_or_on_to_goes_by_name_alone():
    before, after = (stack(volumes={"data": VolumeSpec(name)}) for name in ("before", "after"))
    kept = replace(
        state(),
        nodes={"n1": node(volumes=("before", "after", "old"))},
        stack_revisions={"shop@1": StackRevision("shop", 1, NOW, "", {}, before)},
        stack_drafts={"shop": StackDraft("shop", NOW, "", after)},
    )
    assert unnamed(kept) == ["old"]
    assert isinstance(remove_volume(kept, "before"), Decided)


def test_what_was_removed_is_an_event_of_its_machine_and_nothing_is_none():
    [told] = note_pruned(state(), "n1", 1, 2).happenings
    assert (told.kind, told.subject) == ("node.pruned", "rome")
    assert told.message == "removed 1 ended container and 2 images that nothing needed"
    assert note_pruned(state(), "n1", 0, 0).happenings == note_pruned(state(), "gone", 1, 1).happenings == ()
