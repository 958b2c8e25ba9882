"""Calls of the API from a machine that is in no cluster and has nothing but a file with a context."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from string import Template
from typing import Any, Literal

import httpx

from cli.context import contexts
from tests.e2e.node import Row, until
from tests.lab.lab import Lab
from tests.lab.machine import Machine

Who = Literal["admin", "viewer", "user", "nobody", "stranger"]


@dataclass
class Desk:
    """Where the calls are made. `notes` are words that later calls name as `$word`."""

    lab: Lab
    file: Path
    tokens: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def rome(self) -> Machine:
        """The manager."""
        return self.lab.machines[0]

    @property
    def second(self) -> Machine:
        """A worker."""
        return self.lab.machines[1]

    @property
    def away(self) -> Machine:
        """The machine where the calls are made."""
        return self.lab.machines[2]

    @cached_property
    def client(self) -> httpx.Client:
        """What trusts the authority of the file, and it alone."""
        [context], _ = contexts(self.file)
        self.tokens["admin"] = context.token
        return trusting(context.certificate_authority, context.server)

    def ask(self, method: str, path: str, who: Who = "admin", **more: Any) -> httpx.Response:
        """The answer to one request that leaves by the card of that machine, but a stranger's by the worker's.

        An address has ten failed sign-ins a minute: so many are made that two are needed.
        """
        client = self.client
        if who == "stranger":
            [context], _ = contexts(self.file)
            with self.second.host.space.network(), trusting(context.certificate_authority, context.server) as stranger:
                return stranger.request(method, path, **more)
        headers = {**more.pop("headers", {})}
        if who != "nobody":
            headers["authorization"] = f"Bearer {self.tokens[who]}"
        with self.away.host.space.network():
            return client.request(method, path, headers=headers, **more)

    def bearing(self, token: str) -> httpx.Response:
        """What a token that is not kept here gets."""
        return self.ask("GET", "/v1/cluster", "nobody", headers={"authorization": f"Bearer {token}"})

    def get(self, path: str) -> Row:
        """What is there now."""
        answer = self.ask("GET", path)
        return dict(answer.json()) if answer.status_code == 200 else {}

    def items(self, path: str) -> list[Row]:
        """The rows of a list."""
        return list(self.get(path)["items"])

    @property
    def revision(self) -> int:
        return int(self.get("/v1/cluster")["revision"])

    def ids(self, service: str) -> set[str]:
        """The containers of a service that run on any engine, by the engines' own word."""
        words = ("ps", "-q", "--filter", f"label=gbnt.service={service}")
        return {id for machine in self.lab.machines[:2] for id in machine.docker(*words).split()}

    def filled(self, text: str) -> str:
        """The text with what was noted in it."""
        return Template(text).safe_substitute(self.notes)


Proof = Callable[[Desk, Any], Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request, what it is to be answered with, and what is then so.

    `endpoint` names it as the API's table does. Where it succeeds `proof` is asked until it holds, with the answer: of
    a stream its lines. `says` is in the sentence of a refusal. `do` takes the place of the request.
    """

    endpoint: str
    path: str = ""
    body: Any = None
    status: int = 200
    code: str = ""
    says: str = ""
    proof: Proof | None = None
    who: Who = "admin"
    content: bytes = b""
    do: Callable[[Desk], httpx.Response] | None = None

    def __str__(self) -> str:
        return f"{self.endpoint} {self.path} {self.code}".strip()

    def make(self, desk: Desk) -> None:
        """Make it. Raises AssertionError with the answer."""
        answer = self.do(desk) if self.do else self._asked(desk)
        assert answer.status_code == self.status, f"{self}: {answer.status_code} {answer.text}"
        told = spoken(answer)
        if self.code:
            assert (told["code"], desk.filled(self.says) in told["detail"]) == (self.code, True), told
        if self.proof is not None:
            proof = self.proof
            until(lambda: proof(desk, told), f"the effect of {self}, answered {answer.text[:2000]}", 120)

    def _asked(self, desk: Desk) -> httpx.Response:
        method, _, path = self.endpoint.partition(" ")
        more: dict[str, Any] = {"content": self.content} if self.content else {}
        if self.body is not None:
            more["json"] = json.loads(desk.filled(json.dumps(self.body)))
        return desk.ask(method, desk.filled(self.path or path), self.who, **more)


def trusting(authority: str, server: str) -> httpx.Client:
    """A client of one server that trusts this authority alone."""
    return httpx.Client(base_url=server, verify=ssl.create_default_context(cadata=authority), timeout=60)


def spoken(answer: httpx.Response) -> Any:
    """The document of an answer, or the lines of a stream."""
    if "ndjson" in answer.headers["content-type"]:
        return [json.loads(line) for line in answer.text.splitlines()]
    return answer.json()
