"""Compose files in memory: what a test loads, and what it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent

import pytest

from cluster.compose.findings import ComposeError, Finding
from cluster.compose.loader import Loaded, Source, load
from cluster.spec import ServiceSpec

FOLDER = "/srv/shop"


def reader(files: Mapping[str, str | bytes]) -> Callable[[str], bytes]:
    """Reads `files`, whose names are relative to the folder of the compose file."""

    def read(path: str) -> bytes:
        text = files.get(path.removeprefix(FOLDER + "/"))
        if text is None:
            raise FileNotFoundError(path)
        return text if isinstance(text, bytes) else text.encode()

    return read


def loaded(
    text: str | bytes,
    files: Mapping[str, str | bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    project: str | None = None,
) -> Loaded:
    """`text` loaded as `shop/c.yml`."""
    data = text if isinstance(text, bytes) else dedent(text).encode()
    source = Source(f"{FOLDER}/c.yml", data, "c.yml")
    return load(source, project=project, environment=environment or {}, read=reader(files or {}))


def service(keys: str, rest: str = "", **options: Mapping[str, str]) -> ServiceSpec:
    """The service `web` of a file in which it has `keys`, lines of YAML, beside an image."""
    return loaded(one_service(keys, rest), **options).spec.services["web"]  # type: ignore[arg-type]


def one_service(keys: str, rest: str = "") -> str:
    """A file with the service `web`; its `keys` begin on line 4, and after them comes `rest`."""
    lines = "".join(f"    {line}\n" for line in dedent(keys).strip("\n").splitlines())
    return f"services:\n  web:\n    image: nginx\n{lines}{rest}"


def refused(text: str | bytes, **options: Mapping[str, str | bytes]) -> list[str]:
    """The summaries of the errors of a file that must be refused."""
    return [finding.summary() for finding in findings(text, **options)]


def findings(text: str | bytes, **options: Mapping[str, str | bytes]) -> tuple[Finding, ...]:
    """The errors of a file that must be refused."""
    with pytest.raises(ComposeError) as caught:
        loaded(text, **options)  # type: ignore[arg-type]
    return caught.value.findings
