"""gbnt's own log: lines for the person at a terminal, an object a line for programs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

from cli.table import printable
from portal.api.request_ids import REQUEST

said = logging.getLogger("gbnt")
"""What whoever started gbnt is told, whatever the level: at a terminal without time and place."""
said.setLevel(logging.INFO)


def set_up(level: str, form: str, node: str) -> None:
    """Log to the standard error from `level` on.

    `form` is `json` or `console`, or empty for what suits whoever reads there. `node` is this one's name, for `json`.
    """
    handler = logging.StreamHandler(sys.stderr)
    readable = form == "console" or (not form and sys.stderr.isatty())
    handler.setFormatter(Console() if readable else Json(node))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("httpx").setLevel(logging.WARNING)  # each connection of a link is told by the link


class Json(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `message`, `node`, and what else is known.

    That is `request` where it happened within one, `exception` with its traceback, and the record's own `facts`.
    """

    def __init__(self, node: str) -> None:
        super().__init__()
        self._node = node

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "node": self._node,
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return orjson.dumps(line, default=str).decode()
        except TypeError:  # a surrogate, or a number beyond 64 bits
            return json.dumps(line, default=str)


class Console(logging.Formatter):
    """A line for a person, with the traceback below it. What a terminal would obey, or not print, is escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = _lines(record.getMessage())
        if record.name == said.name:
            return message if record.levelno == logging.INFO else f"{record.levelname.lower()}: {message}"
        request = _facts(record).get("request")
        place = f"{_time(record)} {record.levelname} {record.name}"
        text = f"{place}: {message} (request {request})" if request else f"{place}: {message}"
        return f"{text}\n{_lines(self.formatException(record.exc_info))}" if record.exc_info else text


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def _time(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _facts(record: logging.LogRecord) -> Mapping[str, object]:
    """What is known beside the message, the request first: the record's own, or else the one that it happened in."""
    facts: Mapping[str, object] = getattr(record, "facts", {})
    request = facts.get("request") or REQUEST.get()
    return {**({"request": request} if request else {}), **{k: v for k, v in facts.items() if k != "request"}}
