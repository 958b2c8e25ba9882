"""Every endpoint over HTTPS from a machine that is in no cluster: once with its effect, once with its refusal.

A call finds what those before it left, so that none can be made by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import time

import httpx
import pytest

from portal.api.app import ENDPOINTS
from portal.api.endpoint import Endpoint
from tests.e2e.node import until
from tests.engine.registry import Registry
from tests.lab.calls import Call, Desk, trusting
from tests.lab.calls_stacks import run
from tests.lab.lab import lab
from tests.lab.tables import FIRST, THEN
from transport.identity.authority import ClusterCA

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(240)]

GUARDED = [one for one in ENDPOINTS if one.access in ("operator", "admin")]
THERE = {"name": "shop", "stack": "shop", "service": "web", "task": "shop-web-1", "node": "rome-2", "number": "1"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A legion of two, a registry on the first, and a third machine with nothing but a file."""
    with lab(3) as three, ExitStack() as stack:
        rome, second, away = three.machines
        three.legion(rome, second)
        file = away.folder / "config"
        file.write_text(rome.ok("config", "export", "--role", "admin", "--ttl", "1h"))
        one = Desk(three, file)
        with rome.host.space.network():
            folder = tmp_path_factory.mktemp("registry")
            there = Registry.serving(folder, private=True, host=rome.address, engine=rome.engine)
            one.notes["registry"] = stack.enter_context(there).address
        yield one
        one.client.close()


@pytest.mark.parametrize("call", FIRST, ids=str)
def test_each_has_its_effect_or_refuses_in_its_words(desk: Desk, call: Call):
    call.make(desk)


@pytest.mark.parametrize("endpoint", GUARDED, ids=lambda one: one.name)
def test_a_viewer_may_not(desk: Desk, endpoint: Endpoint):
    before = desk.revision
    path = re.sub(r"{(\w+)}", lambda found: THERE.get(found[1], "shop"), endpoint.path)
    if endpoint.shape == "socket":
        answer = run(desk, THERE["task"], "true", who="viewer")
    else:
        answer = desk.ask(endpoint.method, path, "viewer", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), answer.text
    assert "has the role viewer" in answer.json()["detail"]
    assert desk.revision == before


def test_another_cluster_s_authority_is_believed_nothing(desk: Desk, tmp_path: Path):
    other = ClusterCA(tmp_path, "another", time).certificate.decode()
    refused = pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED")
    with trusting(other, str(desk.client.base_url)) as stranger, desk.away.host.space.network(), refused:
        stranger.get("/v1/cluster")


def test_a_token_is_worthless_once_its_time_is_over(desk: Desk):
    made = desk.ask("POST", "/v1/tokens", json={"name": "mayfly", "role": "viewer", "ttl": 1}).json()
    assert made["expires_at"] == made["created_at"] + 1
    answers: list[httpx.Response] = []

    def refused() -> bool:
        answers.append(desk.bearing(made["token"]))
        return answers[-1].status_code != 200

    until(refused, "a token that has expired")
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (401, "unauthorized")
    assert desk.ask("DELETE", f"/v1/tokens/{made['id']}").status_code == 200


def test_a_key_that_comes_again_is_answered_as_the_first_time_and_does_nothing(desk: Desk):
    scale = "/v1/services/shop/web/scale"
    key = {"Idempotency-Key": "once"}
    first = desk.ask("POST", scale, json={"replicas": 3}, headers=key)
    until(lambda: len(desk.ids("web")) == 3, "three of them")
    assert desk.ask("POST", scale, json={"replicas": 2}).status_code == 200
    again = desk.ask("POST", scale, json={"replicas": 3}, headers=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    other = desk.ask("POST", scale, json={"replicas": 4}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "invalid")
    assert desk.get("/v1/services/shop/web")["replicas"] == 2
    until(lambda: len(desk.ids("web")) == 2, "two of them again")


@pytest.mark.parametrize("call", THEN, ids=str)
def test_each_other_has_its_effect_or_refuses_in_its_words(desk: Desk, call: Call):
    call.make(desk)
