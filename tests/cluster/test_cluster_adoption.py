"""What `docker compose` runs, as a stack: what is taken over, what is in the way, what will be otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cluster.adoption.plan import Wish, plan
from cluster.adoption.project import (
    ENVIRONMENT,
    FILES,
    ONE_OFF,
    SERVICE,
    OldContainer,
    OldMount,
    OldNetwork,
    OldPort,
    Project,
    Runner,
    WayBack,
)
from cluster.spec import Dependency, Mount, Port, RestartPolicy, ServiceSpec, StackSpec, VolumeSpec
from tests.cluster.build import spec, stack

NAMELESS = "cef1b4ee2fa4c8cd15d12c34c6cce692ba8ea9f73c33c8a952f7b626252d9be4"
KEPT = OldMount("volume", "shop_data", "/data")


def old(service: str = "db", number: int = 1, *, running: bool = True, **fields: Any) -> OldContainer:
    name = f"shop_{service}_{number}"
    labels = {SERVICE: service, ONE_OFF: "False", **fields.pop("labels", {})}
    back = WayBack(f"id-{name}", name, running, restart={"Name": fields.pop("restart", "always")})
    return OldContainer(**{"back": back, "image": "busybox", "labels": labels, **fields})


def project(*containers: OldContainer, **fields: Any) -> Project:
    return Project("shop", containers or (old(mounts=(KEPT,)),), **{"volumes": {"data": "shop_data"}, **fields})


def db(**fields: Any) -> ServiceSpec:
    return spec("db", **{"mounts": (Mount("volume", "/data", "data"),), **fields})


def file(*services: ServiceSpec, name: str = "shop", **volumes: VolumeSpec) -> StackSpec:
    known = {"data": VolumeSpec(f"{name}_data"), **volumes}
    return stack(*(services or (db(),)), name=name, volumes=known)


def notes(before: OldContainer, service: ServiceSpec) -> tuple[str, ...]:
    """What is said of one service that is taken over."""
    (taken,) = plan(project(before), file(service)).services
    return taken.notes


def test_a_project_that_is_as_its_file_says_is_taken_over_as_it_is():
    decided = plan(project(), file())
    assert decided.spec == file()
    assert (decided.obstacles, decided.notes, decided.left) == ((), (), ())
    [taken] = decided.services
    assert (taken.containers, taken.volumes, taken.notes) == (("shop_db_1",), ("shop_data",), ())


def test_volumes_keep_their_names_whatever_the_stack_is_called():
    decided = plan(project(), file(name="other"))
    assert decided.spec.volumes["data"].name == "shop_data"
    assert decided.obstacles == ()
    assert "write `name: shop_data` below volumes.data" in decided.notes[0]
    external = file(data=VolumeSpec("shop_data", external=True))
    assert plan(project(), external).spec == external


def test_data_that_no_new_container_would_find_are_in_the_way():
    mounts = (OldMount("volume", NAMELESS, "/data"),)
    [obstacle] = plan(project(old(mounts=mounts), volumes={}), file()).obstacles
    assert f"db-data: {{name: {NAMELESS}, external: true}}" in obstacle
    assert plan(project(old(mounts=mounts)), file(), Wish(leave_anonymous=True)).obstacles == ()
    empty = tuple(replace(mount, empty=True) for mount in mounts)
    assert plan(project(old(mounts=empty)), file()).obstacles == ()
    named = file(db(mounts=(Mount("volume", "/data", "mine"),)), mine=VolumeSpec(NAMELESS, external=True))
    assert plan(project(old(mounts=mounts)), named).obstacles == ()


def test_a_mount_that_the_file_has_elsewhere_is_in_the_way_unless_nothing_was_written_to_it():
    there = OldMount("bind", "/srv/old", "/data")
    [obstacle] = plan(project(old(mounts=(there,))), file(db(mounts=(Mount("bind", "/data", "/srv/new"),)))).obstacles
    assert "keeps data at /data in /srv/old, and the file has /srv/new there" in obstacle
    [obstacle] = plan(project(old(mounts=(there,))), file(db(mounts=()))).obstacles
    assert "the file has nothing there" in obstacle
    read = project(old(mounts=(replace(there, read_only=True), OldMount("tmpfs", "", "/tmp"))))
    assert plan(read, file(db(mounts=()))).obstacles == ()


def test_who_is_on_a_network_that_is_made_anew_is_in_the_way_and_named():
    network = OldNetwork("shop_default", {}, ("id-shop_db_1", "id-shop_odd_1", "x"))
    odd = old("odd")
    runners = (Runner("id-shop_db_1", "shop_db_1"), Runner("id-shop_odd_1", "shop_odd_1"), Runner("x", "eve"))
    decided = plan(
        project(old(mounts=(KEPT,)), odd, networks=(network, OldNetwork("bridge", {}, ("x",))), runners=runners), file()
    )
    assert decided.networks == (network,)
    assert decided.left == ("shop_odd_1",)
    assert [words.split(" ", 1)[0] for words in decided.obstacles] == ["shop_odd_1", "eve"]
    assert "docker network disconnect shop_default eve" in decided.obstacles[1]


def test_who_has_a_port_that_is_published_is_in_the_way_but_for_the_old_containers():
    service = db(ports=(Port(80, 8080), Port(81, 8081, 8089), Port(82)))
    held = frozenset({(8080, "tcp"), (8081, "tcp")})
    own = (Runner("id-shop_db_1", "shop_db_1", held), Runner("y", "dns", frozenset({(8080, "udp")})))
    assert plan(project(old(mounts=(KEPT,)), runners=own), file(service)).obstacles == ()
    [obstacle] = plan(project(old(mounts=(KEPT,)), runners=(*own, Runner("x", "eve", held))), file(service)).obstacles
    assert obstacle.startswith("eve has port 8080 of this machine, which db publishes")


def test_one_that_compose_run_made_is_left():
    once = old("db", 7, labels={ONE_OFF: "True"})
    decided = plan(project(old(mounts=(KEPT,)), once), file())
    assert decided.left == ("shop_db_7",)
    assert [one.name for group in decided.stops for one in group] == ["shop_db_1"]


def test_those_that_need_others_stop_before_them_and_a_circle_at_once():
    services = (spec("web", depends_on=(Dependency("api"),)), spec("api", depends_on=(Dependency("db"),)), db())
    here = project(old("db", mounts=(KEPT,)), old("web"), old("web", 2), old("api", running=False))
    decided = plan(here, file(*services))
    assert [[one.name for one in group] for group in decided.stops] == [
        ["shop_web_1", "shop_web_2"],
        ["shop_api_1"],
        ["shop_db_1"],
    ]
    assert decided.longest_stop == 20.0
    circle = (spec("web", depends_on=(Dependency("api"),)), spec("api", depends_on=(Dependency("web"),)))
    assert [len(group) for group in plan(project(old("web"), old("api")), file(*circle)).stops] == [2]


def test_a_stack_is_bound_to_the_machine_that_has_the_data_where_there_are_more():
    decided = plan(project(), file(), Wish(machine="n1"))
    assert decided.spec.services["db"].placement.constraints == ("node.id == n1",)
    assert "bound to this machine" in decided.notes[0]


def test_what_will_be_otherwise_is_said_and_values_of_variables_are_not():
    before = old(mounts=(KEPT,), image="busybox:1", command=("a",), environment={"PASSWORD": "hunter2", "SAME": "1"})
    told = notes(
        before,
        db(
            image="busybox:2",
            command=("b",),
            environment={"PASSWORD": "hunter3", "SAME": "1"},
            ports=(Port(80, 8080),),
            replicas=2,
            container_name="base",
        ),
    )
    expected = (
        "runs 1 times, and 2",
        "runs busybox:1, and the file says busybox:2",
        "another command",
        "other values in the file than it was started with: PASSWORD",
        "did not publish port 8080",
        "is called base no more",
    )
    assert len(told) == len(expected)
    for words, part in zip(told, expected, strict=True):
        assert part in words
    assert "hunter" not in "".join(told)
    assert notes(old(mounts=(KEPT,), ports=(OldPort(80, "tcp", 8080),)), db(ports=(Port(80, 8080),))) == ()


def test_one_that_rests_will_run_and_one_that_ended_well_would_run_for_ever():
    assert notes(old(running=False, mounts=(KEPT,), exit_code=137), db()) == ("does not run now, and will",)
    assert "again and again" in notes(old(running=False, mounts=(KEPT,), exit_code=0), db())[0]
    once = db(restart=RestartPolicy("none"))
    assert notes(old(running=False, mounts=(KEPT,), exit_code=0), once) == ("does not run now, and will",)
    assert "as it was not before" in notes(old(mounts=(KEPT,), restart="no"), db())[0]
    [_, new] = plan(project(), file(db(), spec("new"))).services
    assert (new.containers, new.notes) == ((), ("has no container yet, and gets one",))


def test_the_newest_container_says_what_the_files_are():
    first = old("db", labels={FILES: "old.yaml"}, created="2026-01-01")
    last = old("web", labels={FILES: "/a/b.yaml,/a/c.yaml", ENVIRONMENT: "x.env"}, created="2026-02-01")
    odd = old("db", 3, labels={ONE_OFF: "True", FILES: "run.yaml"}, created="2026-03-01")
    here = project(first, last, odd)
    assert (here.files, here.env_files) == (["/a/b.yaml", "/a/c.yaml"], ("x.env",))


def test_what_was_stopped_meanwhile_is_seen_as_before():
    here = project(old(running=False, mounts=(KEPT,)), runners=(Runner("new", "shop-db-1"),))
    before = here.as_before([old().back])
    assert (before.containers[0].back, before.runners) == (old().back, ())
