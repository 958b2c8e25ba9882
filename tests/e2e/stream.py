"""A stream of commands through the API, each under a key of its own and repeated until it is acknowledged."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice, pairwise
from typing import Any

import httpx

from cli.context import find_context
from tests.e2e.node import Node

PAUSE = 0.02
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Event:
    """What one command leaves in the cluster's events, exactly once."""

    kind: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Command:
    """One request, and the trace that it leaves for ever."""

    method: str
    path: str
    body: dict[str, Any] | None
    leaves: Event


def token_commands(name: str, count: int) -> list[Command]:
    """Tokens are made; every seventh command revokes one of them."""
    made: list[Command] = []
    for number in range(count):
        if number % 7 == 6:
            victim = f"{name}-{number - 3}"
            made.append(Command("DELETE", f"/v1/tokens/{victim}", None, Event("token.revoked", victim, "revoked")))
        else:
            body = {"name": f"{name}-{number}", "role": "viewer"}
            made.append(Command("POST", "/v1/tokens", body, Event("token.created", body["name"], "role viewer")))
    return made


def scale_commands(service: str, count: int) -> list[Command]:
    """A service with one replica is scaled to and fro."""
    sizes = [1, *islice(cycle((3, 2, 1, 2)), count)]
    return [
        Command(
            "POST",
            f"/v1/services/{service}/scale",
            {"replicas": after},
            Event("service.scaled", service, f"scaled from {before} to {after}"),
        )
        for before, after in pairwise(sizes)
    ]


def turn_commands(service: str, count: int) -> list[Command]:
    """A service is stopped, started and restarted in turn."""
    traces = {
        "stop": Event("service.stopped", service, "stopped by hand"),
        "start": Event("service.started", service, "started by hand"),
        "restart": Event("service.changed", service, "restarting"),
    }
    return [
        Command("POST", f"/v1/services/{service}/{word}", None, traces[word]) for word in islice(cycle(traces), count)
    ]


def deploy_commands(spec: dict[str, Any], count: int) -> list[Command]:
    """A stack with one service is deployed over and over with another variable in its environment."""
    (service,) = spec["services"]
    made: list[Command] = []
    for number in range(count):
        changed = {**spec["services"][service], "environment": {"ROUND": str(number)}}
        body = {"spec": {**spec, "services": {service: changed}}}
        leaves = Event("stack.deployed", spec["name"], f"{service} updated")
        made.append(Command("PUT", f"/v1/stacks/{spec['name']}", body, leaves))
    return made


@dataclass(slots=True)
class Stream:
    """Clients that each send commands of their own in order; `release` lets all of them go on to a share of theirs."""

    node: Node
    scripts: Sequence[Sequence[Command]]
    acknowledged: int = 0
    repeated: int = 0
    failures: list[str] = field(default_factory=list)
    _share: float = 0.0
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Stream:
        """Begin, and wait for the first release."""
        for number, script in enumerate(self.scripts):
            thread = threading.Thread(target=self._send_all, args=(number, script), name=f"client {number}")
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until all is acknowledged; after an exception no more is sent."""
        if kind is not None:
            self.failures.append(f"ended by {kind.__name__}")
        self.release(1.0)
        for thread in self._threads:
            thread.join()

    def release(self, share: float) -> None:
        """Let every client send this share (0 to 1) of its commands."""
        with self._turn:
            self._share = share
            self._turn.notify_all()

    def _send_all(self, number: int, script: Sequence[Command]) -> None:
        with api(self.node) as client:
            for place, command in enumerate(script):
                self._wait(place / len(script))
                if self.failures:
                    return
                self._insist(client, command, key=f"client-{number}-{place}")

    def _wait(self, share: float) -> None:
        with self._turn:
            self._turn.wait_for(lambda: share < self._share or self.failures)

    def _insist(self, client: httpx.Client, command: Command, key: str) -> None:
        deadline = time.monotonic() + PATIENCE
        tries = 0
        while time.monotonic() < deadline and not self.failures:
            tries += 1
            try:
                answer = client.request(
                    command.method, command.path, json=command.body, headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                time.sleep(PAUSE)
                continue
            if answer.is_success or _made_before(answer):
                with self._turn:
                    self.acknowledged += 1
                    self.repeated += tries > 1
                return
            if answer.status_code != 503:
                self.failures.append(f"{command} was answered {answer.status_code}: {answer.text}")
            time.sleep(PAUSE)
        self.failures.append(f"{command} was not acknowledged within {PATIENCE:g} s")


def api(node: Node) -> httpx.Client:
    """A client of the node's API as its first user."""
    context = find_context("", node.folder / "config")
    assert context is not None
    return httpx.Client(
        base_url=context.server,
        verify=ssl.create_default_context(cadata=context.certificate_authority),
        headers={"Authorization": f"Bearer {context.token}"},
        timeout=10.0,
        trust_env=False,
    )


def events(node: Node) -> list[Event]:
    """All that the cluster noted, oldest first."""
    found: dict[tuple[int, int], Event] = {}
    after, known = 1, -1
    with api(node) as client:
        while len(found) > known:
            known = len(found)
            answer = client.get("/v1/events", params={"after": after, "limit": 10_000}).raise_for_status()
            for row in answer.json()["items"]:
                found[row["revision"], row["number"]] = Event(row["kind"], row["subject"], row["message"])
            after = max(revision for revision, _ in found) - 1  # a page may end within a revision
    return [event for _, event in sorted(found.items(), key=lambda item: item[0])]


def _made_before(answer: httpx.Response) -> bool:
    """A secret is shown once: to a repeated request that a token was made is all that can be said."""
    return answer.status_code == 409 and "a secret is shown once" in answer.text
