"""Compose files in memory: what a test loads, and what it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from textwrap import dedent

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
    return load([source], project=project, variables=environment or {}, read=reader(files or {}), home="/people/me")


def joined(files: Mapping[str, str | bytes], *names: str, profiles: Iterable[str] = ()) -> Loaded:
    """The files called `names`, the first one alone where none is named; all of `files` can be read by each other."""
    given = {name: dedent(text) if isinstance(text, str) else text for name, text in files.items()}
    sources = [Source(f"{FOLDER}/{name}", reader(given)(name), name) for name in names or list(given)[:1]]
    return load(sources, project=None, variables={}, read=reader(given), profiles=profiles)


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
    """The errors of a file that must be refused, or what keeps it from being deployed."""
    try:
        found = loaded(text, **options).refusals  # type: ignore[arg-type]
    except ComposeError as error:
        found = error.findings
    assert found, "the file is good"
    return found
