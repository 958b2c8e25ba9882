"""`gbnt system`: the sums, the list before anything goes, and what is said of machines that did not say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.manager import Lines, Manager

GB = 1_000_000_000
SILENT = {"images": None, "containers": None, "volumes": None, "cache": None}


def share(number: int = 0, in_use: int = 0, size: int = 0, reclaimable: int = 0, unsized: int = 0) -> dict[str, int]:
    return {"number": number, "in_use": in_use, "size": size, "reclaimable": reclaimable, "unsized": unsized}


def usage(node: str, **kinds: Any) -> dict[str, Any]:
    shares = {kind: share() for kind in SILENT} | kinds
    return {"node": node, "id": f"id-of-{node}", "unknown": "", **shares}


def pruned(node: str = "rome", **fields: Any) -> dict[str, Any]:
    row = {"node": node, "id": f"id-of-{node}", "unknown": "", "containers": [], "images": [], "size": 0, "kept": []}
    return row | fields


def volume(name: str = "old_data", **fields: Any) -> dict[str, Any]:
    row = {"volume": name, "nodes": ["rome"], "size": 3 * GB, "why": "", "removed": [], "kept": []}
    return row | fields


CONTAINER = {"id": "c1", "name": "shop-web-1-x", "size": 12_000}
IMAGE = {"id": "sha256:a", "name": "web:0", "size": 230_000_000}


def test_what_all_machines_keep_is_added_up_and_by_machine_where_that_is_asked_for(gbnt: Run, manager: Manager):
    rome = usage("rome", images=share(3, 2, 2 * GB, GB), volumes=share(2, 1, GB, 0, unsized=1))
    gaul = usage("gaul", images=share(1, 1, GB))
    manager.on("GET /v1/system/df", Lines(rome, gaul))
    out = [line.split() for line in gbnt("system", "df").out.splitlines()]
    assert out[0] == ["KIND", "NUMBER", "IN", "USE", "SIZE", "COULD", "GO"]
    assert out[1] == ["images", "4", "3", "3.0", "GB", "1.0", "GB"]
    assert out[3] == ["volumes", "2", "1", "1.0", "GB", "and", "1", "unknown", "0", "B"]
    assert out[4][:2] == ["build", "cache"]
    verbose = gbnt("system", "df", "-v").out.splitlines()
    assert [line.split()[0] for line in verbose] == ["NODE", *["gaul"] * 4, *["rome"] * 4]
    assert [row["node"] for row in json.loads(gbnt("system", "df", "-o", "json").out)] == ["gaul", "rome"]
    assert gbnt("system", "df", "-o", "name").out == "gaul\nrome\n"
    assert gbnt("system", "df", "--format", "{{.Kind}} {{.InUse}}").out.splitlines()[0] == "images 3"
    assert gbnt("system", "df", "-v", "--format", "{{.Node}}").out.splitlines() == [*["gaul"] * 4, *["rome"] * 4]


def test_a_machine_that_does_not_say_is_named_and_the_sums_are_not_called_whole(gbnt: Run, manager: Manager):
    away = {"node": "gaul", "id": "g", "unknown": "is down: no beat", **SILENT}
    manager.on("GET /v1/system/df", Lines(usage("rome", images=share(1, 1, GB)), away))
    ran = gbnt("system", "df")
    assert ran.status == 1
    assert ran.out.splitlines()[1].split()[:2] == ["images", "1"]
    assert ran.err.splitlines() == [
        "error: gaul is down: no beat",
        "error: 1 of 2 machines did not say what they keep: it is not among this",
    ]


def test_nothing_goes_without_a_yes_and_all_of_it_is_listed(gbnt: Run, manager: Manager):
    manager.on("GET /v1/system/prune", Lines(volume(), pruned(containers=[CONTAINER], images=[IMAGE])))
    ran = gbnt("system", "prune", "--volume", "old_data")
    assert ran.status == 2
    assert ran.err.splitlines() == [
        "This is removed for good:",
        "  rome: 1 ended container (12 kB): shop-web-1-x",
        "  rome: 1 image (at least 230 MB): web:0",
        "  volume old_data on rome (3.0 GB), with all data in it",
        "error: nothing was removed; say --yes to do it without being asked",
    ]
    [asked] = manager.asked
    assert (asked.method, asked.query) == ("GET", {"volumes": "old_data"})


def test_what_was_listed_goes_and_no_more(gbnt: Run, manager: Manager):
    listed = Lines(pruned(containers=[CONTAINER], images=[IMAGE], size=230_012_000), volume())
    manager.on("GET /v1/system/prune", listed)
    manager.on("POST /v1/system/prune", Lines(listed.rows[0], volume(removed=["rome"])))
    ran = gbnt("system", "prune", "--volumes", "--all-images", "--yes")
    assert ran.status == 0
    assert ran.out.splitlines() == [
        "rome: removed 1 container and 1 image: at least 230 MB are free again",
        "volume old_data: removed from rome",
    ]
    assert "whoever put it there" in ran.err
    assert manager.asked[0].query == {"all_images": "1", "all_volumes": "1"}
    assert json.loads(manager.asked[1].body) == {
        "all_images": True,
        "volumes": ["old_data"],
        "only": ["c1", "sha256:a"],
    }


def test_what_stays_is_named_with_the_reason_and_the_status_says_so(gbnt: Run, manager: Manager):
    named = volume("shop_data", why="volume shop_data is named by stack shop")
    away = pruned("gaul", unknown="is down: no beat")
    manager.on("GET /v1/system/prune", Lines(pruned(images=[IMAGE]), away, volume(), named))
    manager.on(
        "POST /v1/system/prune",
        Lines(
            pruned(kept=[{**IMAGE, "why": "is in use: by x"}]),
            away,
            volume(kept=[{"node": "rome", "why": "has it in use"}]),
        ),
    )
    ran = gbnt("system", "prune", "--volume", "old_data", "--volume", "shop_data", "-y")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.splitlines()[3:5] == [
        "left out: gaul is down: no beat",
        "left out: shop_data stays: volume shop_data is named by stack shop",
    ]
    assert ran.err.splitlines()[5:] == [
        "error: gaul is down: no beat",
        "error: web:0 on rome is in use: by x",
        "error: old_data stays on rome, which has it in use",
        "error: shop_data stays: volume shop_data is named by stack shop",
        "error: not all of it could be looked at, or removed: see above",
    ]
    assert json.loads(manager.asked[1].body)["volumes"] == ["old_data"]


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_where_there_is_nothing_to_remove_nobody_is_asked(gbnt: Run, manager: Manager, words: tuple[str, ...]):
    manager.on("GET /v1/system/prune", Lines(pruned()))
    ran = gbnt("system", "prune", *words)
    assert (ran.status, ran.out, ran.err) == (0, "", "nothing is to be removed\n")
    assert len(manager.asked) == 1


def test_a_dry_run_lists_on_the_standard_output_and_ends(gbnt: Run, manager: Manager):
    manager.on("GET /v1/system/prune", Lines(pruned(images=[IMAGE])))
    ran = gbnt("system", "prune", "--dry-run", "--yes")
    assert (ran.status, ran.out.splitlines()[1]) == (0, "  rome: 1 image (at least 230 MB): web:0")
    assert len(manager.asked) == 1


def test_a_dry_run_names_all_that_would_go_for_people_and_programs(gbnt: Run, manager: Manager):
    images: list[dict[str, Any]] = [
        {"id": f"sha256:{number}", "name": f"web:{number}", "size": 10} for number in range(9)
    ]
    listed = [pruned(containers=[CONTAINER], images=images), volume()]
    manager.on("GET /v1/system/prune", Lines(*reversed(listed)))
    out = gbnt("system", "prune", "--dry-run").out
    assert all(image["name"] in out for image in images)
    asked = gbnt("system", "prune")
    assert (asked.status, "web:5 and 3 more (--dry-run names all)" in asked.err) == (2, True)
    assert json.loads(gbnt("system", "prune", "--dry-run", "-o", "json").out) == listed
    names = [CONTAINER["name"], *(image["name"] for image in images), "old_data"]
    assert gbnt("system", "prune", "--dry-run", "-o", "name").out.splitlines() == names
    lines = gbnt("system", "prune", "--dry-run", "--format", "{{.Kind}} {{.Name}} {{join .Nodes `,`}} {{.Size}}").out
    assert lines.splitlines()[:2] == ["container shop-web-1-x rome 12000", "image web:0 rome 10"]
    assert lines.splitlines()[-1] == f"volume old_data rome {3 * GB}"
    assert {asked.method for asked in manager.asked} == {"GET"}


def test_what_went_is_told_to_programs(gbnt: Run, manager: Manager):
    manager.on("GET /v1/system/prune", Lines(pruned(containers=[CONTAINER]), volume()))
    done = [pruned(containers=[CONTAINER], size=12_000), volume(removed=["rome"], nodes=["rome", "gaul"])]
    manager.on("POST /v1/system/prune", Lines(*done))
    assert json.loads(gbnt("system", "prune", "--volumes", "-y", "-o", "json").out) == done
    ran = gbnt("system", "prune", "--volumes", "-y", "--format", "{{.Name}} {{join .Nodes `,`}}")
    assert ran.out == "shop-web-1-x rome\nold_data rome\n"
