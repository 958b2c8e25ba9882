"""Bodies that nobody sends by mistake: every path refuses them in words, and none fails."""

import re
import threading

import httpx
import orjson
import pytest

from portal.api import bodies
from portal.api.app import ENDPOINTS, create_api
from tests.portal.build import FakeNode, bearer

pytestmark = pytest.mark.anyio

PATHS = {"name": "shop", "stack": "shop", "service": "web", "node": "rome", "task": "shop-web-1", "path": "senate"}
BODIES = {
    "empty": b"",
    "null": b"null",
    "array": b"[]",
    "text": b'"text"',
    "number": b"1" + b"0" * 30,
    "long number": b"1" * 5_000,
    "nan": b"NaN",
    "infinity": b"1e400",
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"spec":' * 10_000 + b"1" + b"}" * 10_000,
    "nul": b'{"name": "\\u0000", "role": "viewer", "username": "\\u0000", "password": "\\u0000"}',
    "surrogate": b'{"name": "\\ud800", "role": "viewer", "username": "\\ud800", "password": "\\ud800"}',
    "no utf-8": b'{"name": "\xff\xfe"}',
    "long text": b'{"name": "' + b"x" * (1 << 20) + b'"}',
    "long key": b'{"' + b"x" * (1 << 20) + b'": 1}',
    "twice": b'{"name": "a", "name": 1}',
    "no json": b"\x00\x01{",
}
VALUES = (
    "1" + "0" * 30,
    "549755813888",
    "-1",
    "NaN",
    "1e400",
    "null",
    "[]",
    "{}",
    '""',
    '"\\u0000"',
    "true",
    "[[[[]]]]",
    '{"a": {"b": 1}}',
)


GOOD = {
    "name": '"ci"',
    "role": '"viewer"',
    "username": '"vera"',
    "password": '"qualis artifex pereo"',
    "current": '"qualis artifex pereo"',
    "new": '"qualis artifex pereo too"',
    "replicas": "1",
    "spec": '{"name": "shop", "services": {"web": {"name": "web", "image": "web:1"}}}',
    "token": '"t"',
    "csr": '"c"',
    "address": '"10.0.0.1"',
    "version": '"1"',
}
"""What stands beside the wrong value, so that it is not refused for the lack of something else."""


def fields_of(endpoint):
    return list(getattr(endpoint.body, "__dataclass_fields__", ()))


TAKING = [one for one in ENDPOINTS if one.shape != "socket" and one.method != "GET"]


@pytest.fixture
async def anybody():
    made = FakeNode()
    transport = httpx.ASGITransport(create_api(made.backend()), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://gbnt", headers=bearer("admin")) as client:
        yield client
    made.close()


def path_of(endpoint):
    return re.sub(r"{(\w+)(?::path)?}", lambda part: PATHS.get(part[1], "1"), endpoint.path)


def failed(answer):
    """Whether the manager itself failed; that an actor is not there (503) is this node's own, which has but few."""
    return answer.status_code >= 500 and answer.status_code != 503


@pytest.mark.parametrize("endpoint", TAKING, ids=lambda one: one.name)
async def test_no_body_makes_a_path_fail(anybody, endpoint):
    for name, body in BODIES.items():
        answer = await anybody.request(endpoint.method, path_of(endpoint), content=body)
        assert not failed(answer), (name, answer.text)


@pytest.mark.parametrize("endpoint", [one for one in TAKING if fields_of(one)], ids=lambda one: one.name)
async def test_no_value_of_a_key_makes_a_path_fail(anybody, endpoint):
    good = {name: GOOD[name] for name in fields_of(endpoint) if name in GOOD}
    for field in fields_of(endpoint):
        for value in VALUES:
            body = "{" + ", ".join(f'"{key}": {one}' for key, one in {**good, field: value}.items()) + "}"
            answer = await anybody.request(endpoint.method, path_of(endpoint), content=body.encode())
            assert not failed(answer), (body, answer.text)


LARGE = {"stacks.deploy", "stacks.plan", "drafts.save", "system.prune"}


@pytest.mark.parametrize("endpoint", [one for one in TAKING if fields_of(one)], ids=lambda one: one.name)
async def test_no_body_is_larger_than_what_it_says_may_take(anybody, endpoint):
    answer = await anybody.request(endpoint.method, path_of(endpoint), content=b" " * (bodies.SMALL + 1))
    assert (answer.status_code == 413) == (endpoint.name not in LARGE), answer.text


async def test_a_large_body_is_read_beside_all_else(anybody, monkeypatch):
    parsed, threads = bodies.parsed, list[bool]()

    def spy(data, kind):
        threads.append(threading.current_thread() is threading.main_thread())
        return parsed(data, kind)

    monkeypatch.setattr(bodies, "parsed", spy)
    spec = orjson.loads(GOOD["spec"])
    for many in (1, 20_000):
        answer = await anybody.put("/v1/stacks/shop", json={"spec": spec, "aside": ["web"] * many})
        assert answer.status_code == 200, answer.text
    assert threads == [True, False]


async def test_a_body_has_a_bounded_number_of_values(anybody, monkeypatch):
    spec = orjson.loads(GOOD["spec"])
    monkeypatch.setattr(bodies, "MOST_VALUES", 1_000)
    for many, status in ((1_000, 413), (900, 200)):
        answer = await anybody.put("/v1/stacks/shop", json={"spec": spec, "aside": ["web"] * many})
        assert answer.status_code == status, answer.text
