"""The doors of a worker: what it tells of itself, and where else it sends who asks."""

import httpx
import pytest

from portal.backend import Check, Identity
from portal.meters import Meters
from portal.worker import WorkerBackend, create_worker_api, create_worker_telemetry
from tests.portal.build import actor
from tests.portal.test_portal_telemetry import figures_of

pytestmark = pytest.mark.anyio

WELL = Check(True, "answers")


def worker(**checks: Check) -> WorkerBackend:
    def asked(check):
        async def ask():
            return check

        return ask

    return WorkerBackend(
        identity=Identity("gaul", "c-1", "gaul-1", "0.1.0"),
        manager=lambda: "https://192.0.2.7:4000",
        inspect=lambda path: [actor("links/rome-1", kind="Link", detail={"health": "up"})],
        dead_letters=lambda: {"overflow": 2},
        meters=Meters("0.1.0"),
        checks={name: asked(check) for name, check in {"manager": WELL, "engine": WELL, **checks}.items()},
    )


async def get(app, path, client="127.0.0.1"):
    transport = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as made:
        return await made.get(path)


async def test_a_worker_that_hears_its_manager_and_its_engine_is_ready():
    app = create_worker_telemetry(worker(resolver=Check(False, "no answer on 10.9.0.1")))
    answer = await get(app, "/ready")
    assert (answer.status_code, answer.json()["status"], answer.json()["ready"]) == (200, "degraded", True)
    assert (await get(app, "/health")).json() == {"status": "ok"}


@pytest.mark.parametrize("part", ["manager", "engine"])
async def test_a_worker_without_either_is_not_ready_and_tells_strangers_no_address(part):
    app = create_worker_telemetry(worker(**{part: Check(False, "192.0.2.7:4003 does not answer")}))
    near, afar = await get(app, "/ready"), await get(app, "/ready", "192.0.2.99")
    assert (near.status_code, afar.status_code) == (503, 503)
    assert near.json()["checks"][part]["detail"] == "192.0.2.7:4003 does not answer"
    assert "192.0.2." not in afar.text
    assert (await get(app, "/health")).status_code == 200


async def test_a_worker_measures_itself_and_leaves_the_cluster_to_its_manager():
    backend = worker()
    await get(create_worker_api(backend), "/v1/actors")
    figures = figures_of((await get(create_worker_telemetry(backend), "/metrics")).text)
    assert figures["gbnt_links", "up"] == 1
    assert figures["gbnt_dead_letters_total", "overflow"] == 2
    assert figures["gbnt_http_request_duration_seconds_count", "GET", "/v1/actors", "2xx"] == 1
    assert not [name for name, *_ in figures if name in ("gbnt_nodes", "gbnt_tasks", "gbnt_services", "gbnt_revision")]


async def test_what_only_a_manager_knows_is_not_asked_here_and_the_refusal_has_its_request():
    answer = await get(create_worker_api(worker()), "/v1/stacks")
    assert answer.status_code == 421
    assert "https://192.0.2.7:4000" in answer.json()["detail"]
    assert answer.json()["request"] == answer.headers["x-request-id"]
