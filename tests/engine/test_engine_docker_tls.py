"""An engine over HTTPS: whom DockerEngine believes."""

import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from engine.docker import DockerEngine
from engine.port import EngineUnavailable
from tests.engine.stub import INFO, VERSION
from transport.identity import ClusterCA

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


@asynccontextmanager
async def serving(ca: ClusterCA) -> AsyncIterator[DockerEngine]:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(VERSION if request.path == "/version" else INFO)

    application = web.Application()
    application.router.add_route("GET", "/{path:.*}", handle)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca.server_certificate(["localhost"], ["127.0.0.1"]))
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    engine = DockerEngine(f"https://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield engine
    finally:
        await engine.close()
        await runner.cleanup()


async def test_one_whom_an_authority_of_this_machine_vouches_for_is_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ca = ClusterCA(tmp_path, "c1", time.time)
    (tmp_path / "authorities.pem").write_bytes(ca.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    async with serving(ca) as engine:
        assert (await engine.info()).id == "ID"
        assert "reached at https://" in (await engine.disk()).unknown


async def test_one_whom_nobody_vouches_for_is_not(tmp_path: Path):
    async with serving(ClusterCA(tmp_path, "c1", time.time)) as engine:
        with pytest.raises(EngineUnavailable, match="no authority of this machine vouches for its certificate"):
            await engine.info()


async def test_what_is_imported_without_authorities_leaves_them_to_others():
    count = "print(ssl.create_default_context().cert_store_stats()['x509'])"
    code = f"import ssl; {count}; import engine.lean_http; {count}"
    ended = await anyio.run_process([sys.executable, "-c", code], cwd=ROOT)
    before, after = ended.stdout.split()
    assert before == after
