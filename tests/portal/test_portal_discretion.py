"""What anybody may read at the telemetry port names nothing of the cluster."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from actors import protocol
from cluster.spec import Port
from engine.fake import FakeEngine, FakeImage
from portal.api.app import create_api
from portal.backend import Backend, Check
from portal.telemetry import create_telemetry
from tests.actors.house import NODE, House, Life, house_at, serving, time_of_day
from tests.cluster.build import spec, stack
from tests.portal.build import FakeNode, credential

pytestmark = pytest.mark.anyio

AFAR, HERE = ("192.0.2.99", 40_000), ("127.0.0.1", 40_000)
PATHS = ("/health", "/ready", "/metrics", "/", "/v1/nodes")
IMAGE = "registry.sentinel.example/imagesentinel:tagsentinel"
SENTINELS = (
    *("stacksentinel", "servicesentinel", "nodesentinel", "imagesentinel", "tagsentinel", "registry.sentinel"),
    *("labelkeysentinel", "labelvaluesentinel", "secretsentinel", "tokensentinel", "hostsentinel", "SECRETSENTINEL"),
    *("192.0.2.", "198.51.100.", "10.201.", "rome", NODE + '"', "8089"),
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A machine in real time: what is scraped loads its libraries in a thread."""
    engine = FakeEngine(time_of_day)
    engine.images[IMAGE] = FakeImage(local=True)
    return house_at(tmp_path, engine)


async def test_a_cluster_full_of_names_shows_none(house: House, node: FakeNode):
    async with house.life() as life:
        await fill(life)
        backend = before(life, node)
        await ask_for_everything(backend)
        async with client(create_telemetry(backend), AFAR) as anybody:
            shown = {
                path: (await anybody.get(path)).text for path in ("/health", "/ready", "/metrics", "/", "/v1/nodes")
            }
            heard = {str((await anybody.get(path)).headers) for path in shown}
        async with client(create_telemetry(backend), HERE) as nearby:
            near = (await nearby.get("/ready")).text
    told = "\n".join((*shown.values(), *heard))
    assert [one for one in SENTINELS if one in told] == []
    assert 'gbnt_tasks{state="running"} 2.0' in told, "the cluster was not full when it was looked at"
    assert "198.51.100.7" in near, "the words that are kept from others are there for the machine itself"


async def fill(life: Life) -> None:
    """A stack that runs, a machine that is lost, a token: each named as nothing else is."""
    web = spec(
        "servicesentinel",
        image=IMAGE,
        replicas=2,
        labels={"labelkeysentinel": "labelvaluesentinel"},
        environment={"PASSWORD": "secretsentinel"},
        hostname="hostsentinel",
        ports=(Port(80, 8089, 8099),),
    )
    await life.order(protocol.DeployStack(stack(web, name="stacksentinel")))
    report = protocol.NodeReport(
        "nodesentinel", "nodesentinel", "192.0.2.66", "unavailable", "no engine at 192.0.2.66", role="worker"
    )
    await life.order(report)
    await life.order(protocol.LoseNode("nodesentinel", "nothing was heard of nodesentinel", True))
    await life.order(protocol.CreateToken("tokensentinel", "tokensentinel", "admin", credential("tokensentinel").hash))
    await life.until(serving("stacksentinel/servicesentinel", 2))


def before(life: Life, node: FakeNode) -> Backend:
    """The doors' view of that life, with a resolver that is ill and has an address to say."""

    async def ask(path: str, message: object, timeout: float) -> object:
        return await life.system.ref(path).ask(message, timeout=timeout)

    async def resolver() -> Check:
        return Check(False, "cannot listen on 198.51.100.7 for stacksentinel")

    made = node.backend()
    return replace(
        made,
        identity=replace(made.identity, node=NODE),
        ask=ask,
        inspect=life.system.inspect,
        dead_letters=lambda: {str(k): n for k, n in life.system.dead_letters.statistics().by_reason.items()},
        clock=time_of_day,
        checks={"resolver": resolver},
    )


async def ask_for_everything(backend: Backend) -> None:
    """Requests with names in path and query, some of which nothing answers: they are measured."""
    good = {"Authorization": f"Bearer {credential('tokensentinel').text}", "X-Request-Id": "nodesentinel"}
    async with client(create_api(backend), ("192.0.2.77", 1)) as api:
        for headers in (good, {}):
            for path in (
                "/v1/stacks/stacksentinel",
                "/v1/services/stacksentinel/servicesentinel",
                "/v1/nodes/nodesentinel",
                "/v1/tokens/tokensentinel",
                "/stacksentinel?token=secretsentinel",
            ):
                await api.get(path, headers=headers)
                await api.request("SECRETSENTINEL", path, headers=headers)


@asynccontextmanager
async def client(app, address: tuple[str, int]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, client=address, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gbnt") as made:
        yield made
