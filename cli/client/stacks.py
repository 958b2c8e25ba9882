"""Stacks: what they are, were, and are to be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import orjson

from cli.client.part import Part

if TYPE_CHECKING:
    from portal.plan_rows import PlanShown
    from portal.shapes import (
        Changed,
        DraftShown,
        RevisionRow,
        RevisionShown,
        SourcesShown,
        StackProgress,
        StackRow,
        StackShown,
    )


class Stacks(Part):
    """The stacks, their drafts and their revisions."""

    def stacks(self) -> list[StackRow]:
        """The stacks."""
        return self._session.items("/v1/stacks")

    def stack(self, name: str) -> StackShown:
        """One stack."""
        return self._session.get(_stack_path(name))

    def deploy(self, stack: str, order: Mapping[str, object]) -> Changed:
        """Make a stack be as the order's spec says: `revision`, `changes` by service, and `warnings` of its images."""
        return self._session.write("PUT", _stack_path(stack), orjson.dumps(order))

    def plan(self, stack: str, order: Mapping[str, object]) -> PlanShown:
        """What the same order would do now, by services, networks, volumes and configs. Nothing is changed by it."""
        return self._session.write("POST", f"{_stack_path(stack)}/plan", orjson.dumps(order))

    def remove_stack(self, name: str, volumes: Iterable[str]) -> Changed:
        """Begin to remove a stack with these of its volumes; it is gone when its progress says so."""
        params = {"volumes": ",".join(volumes)}
        return self._session.write("DELETE", _stack_path(name), params=params)

    def hold_stack(self, name: str, action: Literal["stop", "start"]) -> Changed:
        """Keep a stack down, or let it run again."""
        return self._session.write("POST", f"{_stack_path(name)}/{action}")

    def progress(self, stack: str, revision: int) -> Iterator[StackProgress]:
        """What becomes of a stack from a revision on, until the last line, its verdict."""
        return self._session.lines("GET", f"{_stack_path(stack)}/progress", {"after": revision})

    def draft(self, stack: str, *, values: bool) -> DraftShown:
        """A stack's draft: `spec`, `refusals` and `sources`, with the `values` of variables where wanted."""
        return self._session.get(f"{_stack_path(stack)}/draft", {"values": 1 if values else None})

    def save_draft(self, stack: str, writing: Mapping[str, object]) -> Changed:
        """Keep a draft of a stack: `spec`, with `sources`, `refusals` and `replaces` if wanted."""
        return self._session.write("PUT", f"{_stack_path(stack)}/draft", orjson.dumps(writing))

    def drop_draft(self, stack: str) -> Changed:
        """Forget the draft of a stack."""
        return self._session.write("DELETE", f"{_stack_path(stack)}/draft")

    def revisions(self, stack: str) -> list[RevisionRow]:
        """What a stack said at its last deploys, newest first."""
        return self._session.items(f"{_stack_path(stack)}/revisions")

    def revision(self, stack: str, number: int) -> RevisionShown:
        """One revision, with its spec."""
        return self._session.get(f"{_stack_path(stack)}/revisions/{number}")

    def sources(self, stack: str, number: int, *, values: bool) -> SourcesShown:
        """The `files` of a revision, and the `variables` that they name, with their `values` where these are wanted."""
        path = f"{_stack_path(stack)}/revisions/{number}/sources"
        return self._session.get(path, {"values": 1 if values else None})

    def roll_back(self, stack: str, number: int | None, newest: int | None) -> Changed:
        """Make a stack be as a revision says, `to` in the detail; without a number as the last that said another thing.

        `newest` is the newest that is known here: past another one nothing is changed.
        """
        params = {"revision": number, "newest": newest}
        return self._session.write("POST", f"{_stack_path(stack)}/rollback", params=params)


def _stack_path(name: str) -> str:
    return f"/v1/stacks/{quote(name, safe='')}"
