"""httpx, without the command-line program that it carries: importing that would double the time of every command."""

from __future__ import annotations

import sys

# httpx takes this for "its optional parts are not installed", which is what they are for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

import httpx  # noqa: E402 - the line above has to come first

__all__ = ["httpx"]
