"""One Docker Engine at the far end of a socket: its API version, plain calls and streams, and lost connections."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

import orjson
from yarl import URL

from engine.docker_errors import no_engine, refusal, unreachable
from engine.lean_http import Stream, aiodocker, aiohttp
from engine.port import EngineUnavailable, Refused

Translation = Callable[[], AbstractContextManager[None]]

DEFAULT_HOST = "unix:///var/run/docker.sock"
SCHEMES = ("unix://", "tcp://", "http://", "https://")
OLDEST_API = (1, 41)
NEWEST_API = (1, 52)

# An engine under load takes its time to create and start; a call that outlives this has met a broken one.
CALL_SECONDS = 120.0
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine is answering.

    A connection that breaks while it is read raises EngineUnavailable, and so does what is no JSON where it should be.
    """

    _response: aiohttp.ClientResponse
    _in_words: Translation

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come."""
        with self._in_words():
            async for chunk in self._response.content.iter_any():
                yield chunk

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """The JSON object of each line, however long (aiohttp's own `readline` gives up on long ones)."""
        rest = b""
        async for chunk in self.chunks():
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                if line.strip():
                    yield self.parsed(line)
        if rest.strip():
            yield self.parsed(rest)

    def parsed(self, text: bytes) -> Any:
        """The JSON of a text."""
        with self._in_words():
            return orjson.loads(text)


@dataclass(frozen=True, slots=True)
class Duplex:
    """Bytes both ways. One task reads, one writes."""

    _stream: Stream
    _in_words: Translation

    async def read(self) -> tuple[int, bytes] | None:
        """The next bytes and their stream: 1 is standard output, 2 standard error. None at the end."""
        with self._in_words():
            return await self._stream.read_out()

    async def write(self, data: bytes) -> None:
        """Send, waiting while the other side reads nothing; to one that is gone it is lost."""
        if _transport(self._stream) is not None:
            with suppress(aiohttp.ClientError, OSError):
                await self._stream.write_in(data)

    def write_end(self) -> None:
        """Send nothing any more."""
        transport = _transport(self._stream)
        if transport is not None and transport.can_write_eof():
            transport.write_eof()


def _transport(stream: Stream) -> asyncio.Transport | None:
    response = stream._resp
    connection = response.connection if response is not None else None
    return connection.transport if connection is not None else None


class Connection:
    """Calls to one engine. The session is opened by the first call, within its event loop.

    `host` is a URL as in `DOCKER_HOST`; empty takes that variable, and the usual socket where it is not set. Raises
    Refused where it is none.
    """

    def __init__(self, host: str = "") -> None:
        self.host = host or os.environ.get("DOCKER_HOST", "") or DEFAULT_HOST
        if not self.host.startswith(SCHEMES):
            raise Refused(f'"{self.host}" is no address of an engine: set DOCKER_HOST to one as {DEFAULT_HOST}')
        self._api = (0, 0)
        self._docker: aiodocker.Docker | None = None
        self._connector: aiohttp.UnixConnector | None = None

    async def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        docker, connector = self._docker, self._connector
        self._docker = self._connector = None
        self._api = (0, 0)
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
        headers: Mapping[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Any:
        """One call and its JSON answer, None where the answer is empty.

        `about` is the area and the subject that an error is told with (see `docker_errors.refusal`). Raises what
        that table says, and EngineUnavailable when no answer comes within `seconds`.
        """
        async with self.stream(
            method, path, about=about, params=params, body=body, headers=headers, seconds=seconds
        ) as answer:
            content = b"".join([chunk async for chunk in answer.chunks()])
        return answer.parsed(content) if content else None

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
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> AsyncIterator[Answer]:
        """One call whose answer is read inside the context; `seconds` None sets no limit to that."""
        data = orjson.dumps(body) if content_type == "application/json" and body is not None else body
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        with self._in_words(about):
            await self.negotiate()
            response = await self._session()._do_query(
                path,
                method,
                params=dict(params or {}),
                data=data,
                headers={"Content-Type": content_type, **(headers or {})},
                timeout=timeout,
            )
        try:
            yield Answer(response, partial(self._in_words, about))
        finally:
            # An answer that was read to its end has given its connection back already.
            response.close()

    @asynccontextmanager
    async def duplex(self, path: str, *, about: tuple[str, str], body: object, tty: bool) -> AsyncIterator[Duplex]:
        """One call whose connection is for bytes both ways from then on. Without `tty` the engine tells streams apart.

        It is closed when the context is left, without waiting for what the other side has not read.
        """

        async def request() -> tuple[URL, bytes, bool]:
            return URL(path), orjson.dumps(body), tty

        with self._in_words(about):
            await self.negotiate()
            # aiodocker makes it of its session, and without a limit of time.
            stream = Stream(self._session(), request, aiohttp.ClientTimeout(connect=CONNECT_SECONDS))
            await stream._init()
        try:
            yield Duplex(stream, partial(self._in_words, about))
        finally:
            if (transport := _transport(stream)) is not None:
                transport.abort()
            await stream.close()

    async def version(self) -> dict[str, Any]:
        """The engine's `/version`, which is where the API version is agreed. Raises Refused when there is none."""
        with self._in_words(("engine", "its version")):
            timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, connect=CONNECT_SECONDS)
            response = await self._session()._do_query("version", "GET", versioned_api=False, timeout=timeout)
            async with response:
                version: dict[str, Any] = orjson.loads(await response.read())
        self._api = agreed_api(version)
        self._session().api_version = f"v{_text(self._api)}"
        return version

    async def negotiate(self) -> tuple[int, int]:
        """The API version that is spoken; agreed anew after the engine was away, since it may be another one then."""
        if self._api == (0, 0):
            await self.version()
        return self._api

    def _session(self) -> aiodocker.Docker:
        if self._docker is None:
            if self.host.startswith("unix://"):
                # No limit: each followed log holds a connection, and a full pool would make stop() wait for one.
                self._connector = aiohttp.UnixConnector(self.host.removeprefix("unix://"), limit=0)
                self._docker = aiodocker.Docker("http://docker", connector=self._connector)
            else:
                self._docker = aiodocker.Docker(self.host, ssl_context=_trust(self.host))
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
        except ValueError as error:
            self._api = (0, 0)
            raise no_engine(self.host, getattr(error, "doc", "")) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._lost(str(error)) from error

    def _lost(self, problem: str) -> EngineUnavailable:
        self._api = (0, 0)
        return unreachable(self.host, problem)


def agreed_api(version: Mapping[str, Any]) -> tuple[int, int]:
    """The newest API version that both sides know. Raises Refused when there is none."""
    newest, oldest = _numbers(version["ApiVersion"]), _numbers(version.get("MinAPIVersion") or "1.12")
    agreed = min(newest, NEWEST_API)
    if agreed < max(oldest, OLDEST_API):
        raise Refused(
            f"Docker Engine {version.get('Version', '')} speaks API {_text(oldest)} to {_text(newest)}; "
            f"gbnt speaks {_text(OLDEST_API)} to {_text(NEWEST_API)}, which Docker 20.10 to 29 understand"
        )
    return agreed


def _trust(host: str) -> ssl.SSLContext | None:
    """What an engine over HTTPS is believed by: this machine's authorities.

    None leaves it to aiodocker, which takes those of DOCKER_CERT_PATH where DOCKER_TLS_VERIFY asks for it.
    """
    if not host.startswith("https://") or os.environ.get("DOCKER_TLS_VERIFY") == "1":
        return None
    return ssl.create_default_context()


def _text(numbers: tuple[int, int]) -> str:
    return f"{numbers[0]}.{numbers[1]}"


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
