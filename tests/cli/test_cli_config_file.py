"""`gbnt config-file`: configs are listed with who reads them, printed to the letter, and removed."""

import base64
import json

from tests.cli.conftest import Run
from tests.cli.manager import Answer, Manager, listing, problem

ROW = {
    "name": "shop_app",
    "stack": "shop",
    "key": "app",
    "size": 5,
    "digest": "4f9a2c11",
    "labels": {"team": "cooks"},
    "services": ["shop/web", "wiki/web"],
    "updated_at": 940.0,
}


def kept(content: bytes) -> Answer:
    return Answer({**ROW, "content": base64.b64encode(content).decode()})


def test_configs_are_listed_with_who_reads_them(gbnt: Run, manager: Manager, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000.0)
    other = {**ROW, "name": "wiki_app", "stack": "wiki", "services": [], "labels": {}}
    manager.on("GET /v1/configs", listing(ROW, other))
    assert gbnt("config-file", "ls").out.splitlines() == [
        "NAME      STACK  SIZE  CHANGED  READ BY",
        "shop_app  shop   5 B   60s      shop/web, wiki/web",
        "wiki_app  wiki   5 B   60s      -",
    ]
    assert (
        gbnt("config-file", "ls", "-f", "label=team", "--format", "{{.Name}} {{.Labels}}").out
        == "shop_app team=cooks\n"
    )


def test_the_configs_of_a_stack_alone(gbnt: Run, manager: Manager):
    manager.on("GET /v1/configs", listing(ROW), listing())
    assert gbnt("config-file", "ls", "--stack", "shop", "-q").out == "shop_app\n"
    assert manager.asked[0].query["stack"] == "shop"
    manager.on("GET /v1/stacks/shpo", problem(404, "not_found", 'there is no stack "shpo"'))
    ran = gbnt("config-file", "ls", "--stack", "shpo")
    assert (ran.status, ran.err) == (1, 'error: there is no stack "shpo"\n')


def test_a_config_is_printed_with_its_content_or_to_the_letter(gbnt: Run, manager: Manager):
    manager.on("GET /v1/configs/shop_app", kept(b"salve\n"))
    assert json.loads(gbnt("config-file", "inspect", "shop_app", "-o", "json").out)["content"] == "salve\n"
    assert gbnt("config-file", "inspect", "shop_app", "--content").out == "salve\n"
    two = gbnt("config-file", "inspect", "shop_app", "--content", "-o", "json")
    assert (two.status, "--content prints the file to the letter" in two.err) == (2, True)


def test_what_is_no_text_is_printed_in_base64(gbnt: Run, manager: Manager):
    manager.on("GET /v1/configs/shop_app", kept(b"\xff\x00"))
    shown = json.loads(gbnt("config-file", "inspect", "shop_app", "-o", "json").out)
    assert (shown["content"], shown["encoding"]) == ("/wA=", "base64")


def test_a_removal_says_what_is_in_its_way(gbnt: Run, manager: Manager):
    refusal = problem(409, "conflict", "config shop_app is read by shop/web")
    manager.on("DELETE /v1/configs/shop_app", refusal, Answer({"revision": 9, "changes": {"shop_app": "removed"}}))
    refused = gbnt("config-file", "rm", "shop_app")
    assert (refused.status, refused.out, refused.err) == (1, "", "error: config shop_app is read by shop/web\n")
    assert gbnt("config-file", "rm", "shop_app").out == "shop_app is gone\n"
