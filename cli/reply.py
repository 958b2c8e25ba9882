"""What a manager answered, as far as it is what a manager answers: objects of JSON, whose fields are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cli.errors import CliError

Odd = Callable[[str], CliError]
"""The error for an answer that no manager gives, made of what is odd about it."""


class Reply(dict[str, Any]):
    """An object. To ask it for a field that it lacks raises the error for an odd answer, and no KeyError."""

    def __init__(self, fields: dict[str, Any], odd: Odd) -> None:
        super().__init__(fields)
        self._odd = odd

    def __missing__(self, field: str) -> Any:
        raise self._odd(f'its answer has no "{field}"')


def read(text: str | bytes, odd: Odd) -> Reply:
    """The object that a text is, with those in it. Raises what `odd` makes where it is none."""
    try:
        reply = json.loads(text, object_hook=lambda fields: Reply(fields, odd))
    except (ValueError, RecursionError) as error:
        raise odd("its answer is no JSON") from error
    if not isinstance(reply, Reply):
        raise odd("its answer is no JSON object")
    return reply
