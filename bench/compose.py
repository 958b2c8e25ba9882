"""How long a large compose file takes to be read and checked. The floor is the YAML parser alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import yaml

from bench.figures import Goal, median, report
from cluster.compose.loader import Source, load

RUNS = 9
SERVICES = 500
SERVICE = """\
  s{n}:
    image: registry.example/team/app{n}:1.2
    command: ["serve", "--port", "8080"]
    restart: always
    environment:
      NUMBER: "{n}"
      HOME_FOLDER: ${{HOME}}
      LEVEL: info
      TEAM: blue
      ZONE: eu
    labels:
      team: blue
      number: "{n}"
    ports:
      - "{port}:8080"
      - target: 9090
        mode: host
    volumes:
      - data:/data
      - ./conf:/etc/conf:ro
    networks: [front, back]
    healthcheck:
      test: ["CMD", "curl", "-f", "localhost"]
      interval: 10s
      retries: 3
    depends_on:
      db:
        condition: service_started
    deploy:
      resources:
        limits: {{cpus: "0.5", memory: 64m}}
      placement: {{constraints: [node.role == worker]}}
    logging: {{driver: local}}
"""
SHARED = "  db: {image: postgres}\nnetworks: {front: , back: }\nvolumes: {data: }\n"


def run() -> None:
    """Measure both, interleaved, as a command does it: the garbage collector seldom looks."""
    services = "".join(SERVICE.format(n=n, port=10_000 + n) for n in range(SERVICES))
    text = f"name: big\nservices:\n{services}{SHARED}"
    gc.set_threshold(10_000)
    floor, ours = list[float](), list[float]()
    for turn in range(RUNS + 1):
        parsed, loaded = _seconds(lambda: _events(text)), _seconds(lambda: _load(text))
        if turn:
            floor.append(parsed)
            ours.append(loaded)
    seconds, least = median(ours), median(floor)
    report("compose.load", "seconds", seconds, "s", Goal("<=", 0.5), ours=seconds, floor=least, runs=RUNS)


def _events(text: str) -> int:
    return sum(1 for _ in yaml.parse(text, Loader=yaml.CSafeLoader))


def _load(text: str) -> object:
    return load([Source("/srv/big.yaml", text.encode())], project=None, variables={"HOME": "/root"}, read=_nothing)


def _nothing(path: str) -> bytes:
    raise FileNotFoundError(path)


def _seconds(work: Callable[[], object]) -> float:
    """Of the processor: both wait for nothing, and what else the machine does is not theirs."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
