"""`gbnt stack deploy --dry-run`: the plan as a table and as JSON, and what is said where there is no cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.sources import LARGEST
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, problem

GOOD = "the file is good: stack shop with 1 service; nothing was changed"


@pytest.fixture(autouse=True)
def compose_file(home: Path) -> None:
    (home / "compose.yaml").write_text("name: shop\nservices: {web: {image: 'web:2', build: .}}\n")


def service(name: str, change: str, **fields: Any) -> dict[str, Any]:
    row = {"name": name, "change": change, "fields": [], "machines": {}, "waits": "", "note": ""}
    return {**row, **fields}


def plan(*services: dict[str, Any], **fields: Any) -> dict[str, Any]:
    row = {"stack": "shop", "revision": 7, "networks": {}, "volumes": {}, "configs": {}, "changes": True}
    return {**row, "services": list(services), "warnings": [], **fields}


def test_what_would_change_is_a_table_with_why_and_where(gbnt: Run, manager: Manager):
    web = service("web", "updated", fields=["image", "environment.TAG"], machines={"rome": 2, "gaul": 1})
    db = service("db", "created", waits="waits for a machine (1 node is draining)")
    planned = plan(db, service("old", "kept"), web, networks={"shop_default": "created"}, volumes={"shop_data": "kept"})
    manager.on("POST /v1/stacks/shop/plan", Answer(planned))
    ran = gbnt("stack", "deploy", "--dry-run")
    assert (ran.status, ran.err) == (0, f"{GOOD}\n")
    assert [line.split(maxsplit=3) for line in ran.out.splitlines()[1:]] == [
        ["service", "db", "created", "waits for a machine (1 node is draining)"],
        ["service", "old", "kept", "no longer in the file; --prune removes it"],
        ["service", "web", "updated", "other than before: image, environment.TAG; first on rome (2), gaul (1)"],
        ["network", "shop_default", "created", "-"],
        ["volume", "shop_data", "kept", "-"],
    ]


def test_what_its_profile_leaves_out_is_not_said_to_be_gone(gbnt: Run, manager: Manager, home: Path):
    (home / "compose.yaml").write_text("name: shop\nservices: {web: {image: web}, db: {image: db, profiles: [db]}}\n")
    manager.on("POST /v1/stacks/shop/plan", Answer(plan(service("db", "kept"))))
    assert "left out by its profile; --profile takes it in" in gbnt("stack", "deploy", "--dry-run").out


def test_the_plan_is_asked_for_as_the_deploy_would_be_without_a_build_and_without_the_files(
    gbnt: Run, manager: Manager
):
    manager.on("POST /v1/stacks/shop/plan", Answer(plan(service("web", "unchanged"), changes=False)))
    ran = gbnt("stack", "deploy", "--dry-run", "--prune", "--resolve-image", "never")
    assert ran.err.splitlines()[-1] == "shop: nothing to change"
    [asked] = manager.asked
    body = json.loads(asked.body)
    assert (body["prune"], body["resolve"], set(body)) == (True, "never", {"spec", "prune", "resolve"})


@pytest.mark.parametrize("words", [("--dry-run",), ("--detach",)], ids=" ".join)
def test_what_the_manager_would_warn_of_is_an_error_where_it_is_strict_and_changes_nothing(
    gbnt: Run, manager: Manager, words: tuple[str, ...]
):
    warned = plan(service("web", "created"), warnings=["web:2 is not pinned"])
    manager.on("POST /v1/stacks/shop/plan", Answer(warned), Answer(plan(service("web", "created"))))
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}, "detail": {}}))
    refused = gbnt("stack", "deploy", "--strict", "--no-build", *words)
    assert (refused.status, refused.out, refused.err.splitlines()[-2:]) == (
        2,
        "",
        [
            "error: shop would be deployed with warnings, which --strict refuses; nothing was changed",
            "warning: web:2 is not pinned",
        ],
    )
    assert [asked.method for asked in manager.asked] == ["POST"]
    assert gbnt("stack", "deploy", "--strict", "--no-build", *words).status == 0
    assert [asked.method for asked in manager.asked][1:] == (["POST"] if "--dry-run" in words else ["POST", "PUT"])


def test_files_that_would_not_be_kept_are_an_error_where_it_is_strict(gbnt: Run, manager: Manager, home: Path):
    (home / "compose.yaml").write_text(f"name: shop\nservices: {{web: {{image: web}}}}\n# {'x' * LARGEST}\n")
    manager.on("POST /v1/stacks/shop/plan", Answer(plan(service("web", "created"))))
    ran = gbnt("stack", "deploy", "--strict", "--detach")
    assert (ran.status, "kept without its files" in ran.err, len(manager.asked)) == (2, True, 1)


def test_as_json_it_is_the_plan_as_the_api_gives_it(gbnt: Run, manager: Manager):
    planned = plan(service("web", "created"))
    manager.on("POST /v1/stacks/shop/plan", Answer(planned))
    assert json.loads(gbnt("stack", "deploy", "--dry-run", "-o", "json").out) == planned


def test_what_the_deploy_would_be_refused_for_is_said_by_the_plan(gbnt: Run, manager: Manager):
    manager.on("POST /v1/stacks/shop/plan", problem(409, "conflict", "service web asks for what no machine is"))
    ran = gbnt("stack", "deploy", "--dry-run")
    assert (ran.status, ran.err.splitlines()) == (1, [GOOD, "error: service web asks for what no machine is"])


def test_what_a_manager_finds_wrong_with_a_part_is_told_at_its_line(gbnt: Run, manager: Manager, home: Path):
    text = "name: shop\nservices:\n  web:\n    image: web\n    volumes:\n      - ./conf:/etc/conf\n"
    (home / "compose.yaml").write_text(text)
    finding = {"path": "services.web.volumes[0]", "message": "/srv/conf is not on gaul", "hint": "make it there"}
    refused = problem(409, "conflict", 'the stack "shop" binds what is not there', findings=[finding])
    manager.on("POST /v1/stacks/shop/plan", refused)
    manager.on("PUT /v1/stacks/shop", refused)
    for words in (("--dry-run",), ("--detach",)):
        ran = gbnt("stack", "deploy", *words)
        assert ran.status == 1
        assert ran.err.splitlines()[-4:] == [
            "error: the stack shop is good, but cannot be deployed as it is, and nothing was changed",
            "compose.yaml:6:9: error: services.web.volumes[0]: /srv/conf is not on gaul (make it there)",
            "        - ./conf:/etc/conf",
            "          ^",
        ]


TEXT = """\
name: shop
services:
  web:
    image: web
    ports: ["8080:80"]
    deploy:
      placement:
        constraints:
          - node.labels.gpu == yes
networks:
  default: {internal: true}
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("services.web.ports[0]", "5:13"),
        ("services.web.deploy.placement.constraints[0]", "9:13"),
        ("services.web.deploy.resources.reservations", "6:5"),
        ("services.web", "3:3"),
        ("networks.default.internal", "11:23"),
    ],
)
def test_whatever_part_a_manager_names_has_a_line(gbnt: Run, manager: Manager, home: Path, path: str, place: str):
    (home / "compose.yaml").write_text(TEXT)
    finding = {"path": path, "message": "is held", "hint": "choose another"}
    manager.on("PUT /v1/stacks/shop", problem(409, "conflict", "service web is held", findings=[finding]))
    ran = gbnt("stack", "deploy", "--detach")
    assert f"compose.yaml:{place}: error: {path}: is held (choose another)" in ran.err


def test_a_part_that_is_in_no_file_is_told_without_a_line_and_once(gbnt: Run, manager: Manager):
    finding = {"path": "volumes.data", "message": "data is held", "hint": ""}
    manager.on("PUT /v1/stacks/shop", problem(409, "conflict", "data is held: wait", findings=[finding]))
    assert gbnt("stack", "deploy", "--detach", "--no-build").err == "error: data is held: wait\n"


def test_where_no_cluster_is_known_the_files_are_checked_and_the_rest_is_said_to_be_unknown(gbnt: Run):
    ran = gbnt("stack", "deploy", "--dry-run")
    assert (ran.status, ran.out) == (0, "")
    good, unknown = ran.err.splitlines()
    assert good == GOOD
    assert unknown.startswith("what a deploy would change is not known: no cluster is known here: ")


def test_a_manager_that_does_not_answer_is_no_success(gbnt: Run, manager: Manager):
    manager.stop()
    ran = gbnt("stack", "deploy", "--dry-run")
    assert (ran.status, ran.err.splitlines()[0]) == (3, GOOD)


def test_a_form_without_a_plan_is_refused(gbnt: Run, manager: Manager):
    ran = gbnt("stack", "deploy", "-o", "json")
    assert ran.status == 2
    assert not manager.asked
