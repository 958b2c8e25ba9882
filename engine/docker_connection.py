"""One Docker Engine at the far end of a socket: its API version, plain calls and streams, and lost connections."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import quote

import aiodocker
import aiohttp
import orjson

from engine.docker_errors import refusal, unreachable
from engine.port import EngineUnavailable, Refused

DEFAULT_HOST = "unix:///var/run/docker.sock"
OLDEST_API = (1, 41)
NEWEST_API = (1, 52)

# An engine under load takes its time to create and start; a call that outlives this has met a broken one.
CALL_SECONDS = 120.0
CONNECT_SECONDS = 10.0


class Connection:
    """Calls to one engine. The session is opened by the first call, within its event loop.

    `host` is a URL as in `DOCKER_HOST`; empty takes that variable, and the usual socket where it is not set.
    """

    def __init__(self, host: str = "") -> None:
        self.host = host or os.environ.get("DOCKER_HOST", "") or DEFAULT_HOST
        self.api = (0, 0)
        self._docker: aiodocker.Docker | None = None
        self._connector: aiohttp.UnixConnector | None = None

    async def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        docker, connector = self._docker, self._connector
        self._docker = self._connector = None
        self.api = (0, 0)
        if docker is not None:
            await docker.close()
        if connector is not None:
            await connector.close()

    async def json(
        self,
        method: str,
        path: str,
        *,
        about: tuple[str, str],
        params: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """One call and its JSON answer, None where the answer is empty.

        `about` is the area and the subject that an error is told with (see `docker_errors.refusal`). Raises what
        that table says, and EngineUnavailable when no answer comes within `seconds`.
        """
        async with self.stream(method, path, about=about, params=params, body=body, seconds=seconds) as response:
            content = await response.read()
        return orjson.loads(content) if content and response.content_type == "application/json" else None

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        about: tuple[str, str],
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        seconds: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One call whose answer is read inside the context; `seconds` None sets no limit to that."""
        data = orjson.dumps(body) if content_type == "application/json" and body is not None else body
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        with self._in_words(about):
            docker = await self._negotiated()
            response = await docker._do_query(
                path,
                method,
                params=dict(params or {}),
                data=data,
                headers={"Content-Type": content_type},
                timeout=timeout,
            )
            try:
                yield response
            finally:
                if seconds is None:
                    response.close()
                else:
                    response.release()

    async def version(self) -> dict[str, Any]:
        """The engine's `/version`, which is where the API version is agreed. Raises Refused when there is none."""
        with self._in_words(("engine", "its version")):
            timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS)
            response = await self._session()._do_query("version", "GET", versioned_api=False, timeout=timeout)
            async with response:
                version: dict[str, Any] = orjson.loads(await response.read())
        self.api = agreed_api(version)
        self._session().api_version = f"v{self.api[0]}.{self.api[1]}"
        return version

    async def _negotiated(self) -> aiodocker.Docker:
        if self.api == (0, 0):
            await self.version()
        return self._session()

    def _session(self) -> aiodocker.Docker:
        if self._docker is None:
            if self.host.startswith("unix://"):
                # No limit: each followed log holds a connection, and a full pool would make stop() wait for one.
                self._connector = aiohttp.UnixConnector(self.host.removeprefix("unix://"), limit=0)
                self._docker = aiodocker.Docker("http://docker", connector=self._connector)
            else:
                self._docker = aiodocker.Docker(self.host)
        return self._docker

    @contextmanager
    def _in_words(self, about: tuple[str, str]) -> Iterator[None]:
        try:
            yield
        except aiodocker.DockerError as error:
            if error.status < 900:
                raise refusal(*about, error.status, error.message) from error
            raise self._lost(error.message) from error
        except TimeoutError as error:
            raise self._lost("it took too long") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._lost(str(error)) from error

    def _lost(self, problem: str) -> EngineUnavailable:
        # What comes back may be another version: an engine is upgraded by stopping it.
        self.api = (0, 0)
        return unreachable(self.host, problem)


def agreed_api(version: Mapping[str, Any]) -> tuple[int, int]:
    """The newest API version that both sides know. Raises Refused when there is none."""
    newest, oldest = _numbers(version["ApiVersion"]), _numbers(version.get("MinAPIVersion") or "1.12")
    agreed = min(newest, NEWEST_API)
    if agreed < max(oldest, OLDEST_API):
        raise Refused(
            f"Docker Engine {version.get('Version', '')} speaks API {version['ApiVersion']}; "
            f"gbnt needs one that speaks {OLDEST_API[0]}.{OLDEST_API[1]} to {NEWEST_API[0]}.{NEWEST_API[1]} "
            "(Docker 20.10 to 29)"
        )
    return agreed


def _numbers(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def path(*parts: str) -> str:
    """A URL path from parts, each quoted but for what image names and digests are made of."""
    return "/".join(quote(part, safe="/:@") for part in parts)


def filters(**wanted: object) -> dict[str, str]:
    """Docker's `filters` parameter; a mapping of labels is written as it wants it."""
    plain = {
        key: [f"{name}={text}" for name, text in value.items()] if isinstance(value, Mapping) else value
        for key, value in wanted.items()
    }
    return {"filters": orjson.dumps(plain).decode()}


async def lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a streamed answer, however long (aiohttp's own `readline` gives up on long ones)."""
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line.strip():
                yield line
    if rest.strip():
        yield rest
