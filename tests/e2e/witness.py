"""Who watches while gbnt is killed: one asks the resolver without a pause, one hears the engine."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dnslib

from tests.e2e.node import Node, until

PERIOD = 0.05
PATIENCE = 2.0


@dataclass(slots=True)
class Prober:
    """Asks by UDP for each name in turn; `wanted` are a name's addresses, None where it has only to be known."""

    gateway: str
    wanted: dict[str, set[str] | None]
    asked: int = 0
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._ask_on, name="prober")

    def __enter__(self) -> Prober:
        """Begin to ask."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask no more."""
        self._over.set()
        self._thread.join()

    def _ask_on(self) -> None:
        # From loopback: what leaves by another address of this machine would be masqueraded into a stranger's.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.bind(("127.0.0.1", 0))
            channel.connect((self.gateway, 53))
            channel.settimeout(PATIENCE)
            while not self._over.wait(PERIOD):
                for name, wanted in self.wanted.items():
                    self.asked += 1
                    problem = _problem(channel, name, wanted)
                    if problem:
                        self.failures.append(f"{time.strftime('%H:%M:%S')} {name}: {problem}")


def _problem(channel: socket.socket, name: str, wanted: set[str] | None) -> str:
    question = dnslib.DNSRecord.question(name)
    try:
        channel.send(question.pack())
        answer = dnslib.DNSRecord.parse(channel.recv(4096))
        while answer.header.id != question.header.id:  # the late answer to one that was given up
            answer = dnslib.DNSRecord.parse(channel.recv(4096))
    except OSError as error:
        return repr(error)
    found = {str(record.rdata) for record in answer.rr}
    if answer.header.rcode != dnslib.RCODE.NOERROR or (wanted is not None and found != wanted):
        return f"{dnslib.RCODE[answer.header.rcode]} {sorted(found)}"
    return ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A container of the cluster was made, started, died or was removed; `exit_code` is that of one that died."""

    action: str
    container: str
    name: str
    slot: str
    task: str
    attempt: str
    at: float
    exit_code: str


@dataclass(slots=True)
class Witness:
    """Hears every event of the cluster's containers, whoever caused it and whether gbnt lives or not."""

    node: Node
    _process: subprocess.Popen[bytes] | None = None

    @property
    def _file(self) -> Path:
        return self.node.folder / "engine-events"

    def __enter__(self) -> Witness:
        """Begin to listen; what happens from now on is heard."""
        chosen = ("--filter", f"label=gbnt.cluster={self.node.cluster}", "--filter", "type=container")
        words = ["docker", "events", "--since", str(int(time.time())), *chosen, "--format", "{{json .}}"]
        with self._file.open("wb") as out:
            self._process = subprocess.Popen(words, env=self.node.environment, stdout=out, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def happened(self) -> list[Happening]:
        """All in its order; waits until the start of everything that runs now was heard."""
        running = {container["Id"] for container in self.node.containers()}
        until(lambda: running <= {h.container for h in self._heard() if h.action == "start"}, "the last start heard")
        return self._heard()

    def _heard(self) -> list[Happening]:
        found = []
        for line in self._file.read_text().splitlines(keepends=True):
            if not line.endswith("\n"):
                break  # half of one that is being written
            event = json.loads(line)
            labels = event["Actor"]["Attributes"]
            if event["Action"] in ("create", "start", "die", "destroy"):
                slot = f"{labels['gbnt.stack']}-{labels['gbnt.service']}-{labels['gbnt.slot']}"
                found.append(
                    Happening(
                        action=event["Action"],
                        container=event["Actor"]["ID"],
                        name=labels["name"],
                        slot=slot,
                        task=labels["gbnt.task"],
                        attempt=labels["gbnt.attempt"],
                        at=event["timeNano"] / 1e9,
                        exit_code=labels.get("exitCode", ""),
                    )
                )
        return found


def violations(happened: list[Happening], stopped_on_purpose: Counter[str]) -> list[str]:
    """What may never happen, each with all that happened in its slot.

    `stopped_on_purpose` counts for each slot how often gbnt itself wanted its task ended.
    """
    slots: defaultdict[str, list[Happening]] = defaultdict(list)
    for one in happened:
        slots[one.slot].append(one)
    return [
        f"{slot}: {problem}: " + ", ".join(f"{one.action} {one.name} {one.at:.2f} {one.exit_code}" for one in story)
        for slot, story in slots.items()
        for problem in _problems(story, stopped_on_purpose[slot])
    ]


def _problems(story: list[Happening], stopped_on_purpose: int) -> Iterator[str]:
    starts = [one for one in story if one.action == "start"]
    up: set[str] = set()
    for one in story:
        if one.action == "start":
            up.add(one.container)
        elif one.action == "die":
            up.remove(one.container)
        if len(up) > 1:
            yield "two containers ran at the same time"
    if len({(one.task, one.attempt) for one in starts}) < len(starts):
        yield "an attempt was started twice"
    if any(one.attempt != "1" for one in starts):
        yield "there was another attempt, though no container ends by itself"
    if sum(one.action == "die" for one in story) > stopped_on_purpose:
        yield f"a container died that was not to: it was wanted down {stopped_on_purpose} times"
