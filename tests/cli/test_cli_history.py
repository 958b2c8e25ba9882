"""`gbnt stack history`, `sources` and `rollback`, and what a deploy sends of its files."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cluster.sources import LARGEST
from tests.cli.conftest import Run
from tests.cli.manager import Answer, Lines, Manager, listing, problem
from tests.cli.rows import verdict

TEXT = "name: shop\nservices:\n  web:  # the door\n    image: web:${TAG}\n"
SHOWN = {
    "files": [{"name": "compose.yaml", "text": TEXT}],
    "variables": {"TAG": None},
    "roots": ["compose.yaml"],
    "profiles": [],
}


def revision(number: int, **fields: Any) -> dict[str, Any]:
    row = {"stack": "shop", "number": number, "at": 1_000.0, "by": "ci", "services": 1, "sources": True}
    return {**row, "changes": {"web": "updated"}, "newest": False, **fields}


def test_a_deploy_sends_the_files_as_written_with_the_variables_that_they_name(
    gbnt: Run, manager: Manager, home: Path, monkeypatch: pytest.MonkeyPatch
):
    (home / "compose.yaml").write_text(TEXT)
    (home / ".env").write_text("TAG=2\nOTHER=3\n")
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}, "detail": {}}))
    assert gbnt("stack", "deploy", "--detach").status == 0
    sent = json.loads(manager.asked[0].body)
    assert sent["sources"] == {**SHOWN, "variables": {"TAG": "2"}}
    assert sent["spec"]["services"]["web"]["image"] == "web:2"


def test_several_files_are_sent_as_several_and_the_standard_input_by_the_usual_name(
    gbnt: Run, manager: Manager, home: Path, monkeypatch: pytest.MonkeyPatch
):
    over = "services: {web: {init: true}}"
    (home / "over.yaml").write_text(over)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    monkeypatch.setenv("TAG", "2")
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}, "detail": {}}))
    assert gbnt("stack", "deploy", "-c", "-", "-c", "over.yaml", "--detach").status == 0
    sent = json.loads(manager.asked[0].body)
    assert sent["sources"]["files"] == [*SHOWN["files"], {"name": "over.yaml", "text": over}]
    assert sent["spec"]["services"]["web"]["init"] is True


def test_files_that_are_too_large_to_keep_are_deployed_all_the_same_and_that_is_said(
    gbnt: Run, manager: Manager, home: Path
):
    (home / "compose.yaml").write_text(f"name: shop\nservices: {{web: {{image: web}}}}\n# {'x' * LARGEST}\n")
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}, "detail": {}}))
    ran = gbnt("stack", "deploy", "--detach")
    assert ran.status == 0
    assert ran.err.splitlines()[0] == (
        "warning: the revision is kept without its files, for the compose files are larger than 256 KiB in all"
    )
    assert "sources" not in json.loads(manager.asked[0].body)


def test_history_lists_who_changed_what(gbnt: Run, manager: Manager):
    rows = (revision(5, of=3), revision(4, by="", newest=True), revision(3, sources=False))
    manager.on("GET /v1/stacks/shop/revisions", listing(*rows))
    ran = gbnt("stack", "history", "shop")
    assert [line.split()[0] for line in ran.out.splitlines()] == ["REVISION", "5", "4", "3"]
    assert " root " in ran.out.splitlines()[2]
    assert ran.out.splitlines()[1].rstrip().endswith("  back to 3: web updated")
    assert ran.out.splitlines()[3].rstrip().endswith("  web updated")
    assert json.loads(gbnt("stack", "history", "shop", "-o", "json").out) == list(rows)


def test_sources_are_those_of_the_newest_revision_with_values_hidden(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/revisions", listing(revision(4), revision(3)))
    manager.on("GET /v1/stacks/shop/revisions/4/sources", Answer(SHOWN))
    ran = gbnt("stack", "sources", "shop")
    assert (ran.out, ran.err) == (TEXT, "TAG=***\n")
    assert manager.asked[-1].query == {}


def test_sources_of_one_file_without_variables_are_that_file_to_the_letter(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/revisions/3/sources", Answer({**SHOWN, "variables": {}}))
    assert gbnt("stack", "sources", "shop", "--revision", "3").out == TEXT


def test_of_several_files_one_is_printed_to_the_letter_by_its_name(gbnt: Run, manager: Manager):
    files = [*SHOWN["files"], {"name": "../base.yaml", "text": "services: {}"}]
    manager.on("GET /v1/stacks/shop/revisions/3/sources", Answer({**SHOWN, "files": files}))
    command = ("stack", "sources", "shop", "--revision", "3")
    every = gbnt(*command)
    assert every.out == f"==> compose.yaml <==\n{TEXT}==> ../base.yaml <==\nservices: {{}}\n"
    assert every.err == "TAG=***\n2 files: --file NAME prints one of them alone, to the letter\n"
    assert gbnt(*command, "--file", "../base.yaml").out == "services: {}"
    lost = gbnt(*command, "--file", "compose.yml")
    assert (lost.status, lost.out) == (1, "")
    assert lost.err.startswith('error: there is no compose.yml (did you mean "compose.yaml"?): the files are ')


def test_values_are_asked_for(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/revisions/3/sources", Answer({**SHOWN, "variables": {"TAG": "2"}}))
    ran = gbnt("stack", "sources", "shop", "--revision", "3", "--values", "-o", "json")
    assert json.loads(ran.out)["variables"] == {"TAG": "2"}
    assert manager.asked[-1].query == {"values": "1"}


def test_a_stack_without_revisions_has_no_sources(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/revisions", listing())
    ran = gbnt("stack", "sources", "shop")
    assert (ran.status, ran.err) == (1, "error: shop has no revisions: its next deploy makes one\n")


@pytest.mark.parametrize(("words", "query"), [((), {"newest": "4"}), (("3",), {"revision": "3"})])
def test_a_rollback_says_what_it_did_and_waits(gbnt: Run, manager: Manager, words: tuple[str, ...], query: object):
    manager.on("GET /v1/stacks/shop/revisions", listing(revision(4)))
    changed = {"revision": 9, "changes": {"web": "updated"}, "detail": {"to": "3"}, "warnings": ["/srv is empty"]}
    manager.on("POST /v1/stacks/shop/rollback", Answer(changed))
    manager.on("GET /v1/stacks/shop/progress", Lines(verdict()))
    ran = gbnt("stack", "rollback", "shop", *words)
    assert ran.status == 0
    assert ran.err.splitlines()[:2] == ["warning: /srv is empty", "shop: web updated; to revision 3"]
    assert ran.err.splitlines()[-1] == "shop runs as the revision says"
    assert [asked.query for asked in manager.asked if asked.method == "POST"] == [query]


def test_a_rollback_to_nowhere_is_refused(gbnt: Run, manager: Manager):
    manager.on("POST /v1/stacks/shop/rollback", problem(409, "conflict", "stack shop has no revision before"))
    ran = gbnt("stack", "rollback", "shop", "3")
    assert (ran.status, ran.err) == (1, "error: stack shop has no revision before\n")


def test_a_draft_is_saved_with_its_files_and_deploys_nothing(gbnt: Run, manager: Manager, home: Path):
    (home / "compose.yaml").write_text(TEXT)
    (home / ".env").write_text("TAG=2\n")
    saved = Answer({"revision": 8, "changes": {"shop": "saved as a draft"}, "detail": {}})
    manager.on("PUT /v1/stacks/shop/draft", saved)
    ran = gbnt("stack", "save")
    assert (ran.status, ran.err) == (0, "shop: saved as a draft\n")
    [asked] = manager.asked
    body = json.loads(asked.body)
    assert body["sources"] == {**SHOWN, "variables": {"TAG": "2"}}
    assert body["spec"]["services"]["web"]["image"] == "web:2"


SECRET = "name: shop\nservices: {web: {image: web, secrets: [key]}}\nsecrets: {key: {environment: KEY}}\n"
SAVED = {"revision": 8, "changes": {"shop": "saved as a draft"}, "detail": {}}


def test_files_that_no_deploy_takes_are_saved_with_a_warning_and_the_reasons(
    gbnt: Run, manager: Manager, home: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KEY", "of the door")
    (home / "compose.yaml").write_text(SECRET)
    manager.on("PUT /v1/stacks/shop/draft", Answer(SAVED))
    ran = gbnt("stack", "save")
    assert (ran.status, "compose.yaml:2:" in ran.err, ": warning: services.web.secrets" in ran.err) == (0, True, True)
    assert ran.err.endswith("shop: saved as a draft\nthe draft of shop cannot be deployed as it is\n")
    [reason] = json.loads(manager.asked[0].body)["refusals"]
    assert "services.web.secrets" in reason


def test_a_colleague_s_draft_is_replaced_where_that_is_asked_for(gbnt: Run, manager: Manager, home: Path):
    (home / "compose.yaml").write_text("name: shop\nservices: {web: {image: web}}\n")
    manager.on("GET /v1/stacks/shop/draft", Answer({"at": 7.25}), problem(404, "not_found", "there is none"))
    manager.on("PUT /v1/stacks/shop/draft", Answer(SAVED))
    for replaces in (7.25, None):
        assert gbnt("stack", "save", "--replace").status == 0
        assert json.loads(manager.asked[-1].body).get("replaces") == replaces
    gbnt("stack", "save")
    assert [asked.method for asked in manager.asked] == ["GET", "PUT", "GET", "PUT", "PUT"]


def draft(**fields: Any) -> Answer:
    spec = {"name": "shop", "services": {"web": {"name": "web", "image": "web:2", "replicas": 2}}}
    return Answer({"at": 7.0, "by": "livia", "refusals": [], "spec": spec, "sources": None, **fields})


def test_a_draft_is_deployed_as_it_was_saved(gbnt: Run, manager: Manager):
    shown = {**SHOWN, "variables": {"TAG": "2"}}
    manager.on("GET /v1/stacks/shop/draft", draft(sources=shown))
    manager.on("PUT /v1/stacks/shop", Answer({"revision": 8, "changes": {"web": "created"}, "detail": {}}))
    ran = gbnt("stack", "deploy", "shop", "--draft", "--detach")
    assert (ran.status, ran.err) == (0, "shop: web created\n")
    body = json.loads(manager.asked[-1].body)
    assert (body["spec"]["services"]["web"]["replicas"], body["sources"]) == (2, shown)
    assert manager.asked[0].query == {"values": "1"}


def test_a_draft_that_cannot_be_deployed_is_not(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/draft", draft(refusals=["compose.yaml:2:1: error: secrets are not supported"]))
    ran = gbnt("stack", "deploy", "shop", "--draft")
    assert (ran.status, len(manager.asked)) == (2, 1)
    assert ran.err.endswith("nothing was changed\n  compose.yaml:2:1: error: secrets are not supported\n")


def test_a_draft_s_files_are_shown_and_one_is_dropped_by_its_name(gbnt: Run, manager: Manager):
    manager.on("GET /v1/stacks/shop/draft", Answer({"stack": "shop", "sources": SHOWN}))
    assert TEXT in gbnt("stack", "sources", "shop", "--draft").out
    dropped = Answer({"revision": 9, "changes": {"shop": "draft dropped"}, "detail": {}})
    manager.on("DELETE /v1/stacks/shop/draft", dropped)
    assert gbnt("stack", "save", "shop", "--drop").err == "shop: draft dropped\n"


@pytest.mark.parametrize(
    "words",
    [
        ("save", "--drop"),
        ("sources", "shop", "--draft", "--revision", "3"),
        ("deploy", "--draft"),
        ("deploy", "shop", "--draft", "-c", "compose.yaml"),
    ],
    ids=["no-name", "two", "whose", "which"],
)
def test_what_does_not_go_together_is_refused(gbnt: Run, manager: Manager, words: tuple[str, ...]):
    assert gbnt("stack", *words).status == 2
    assert not manager.asked
