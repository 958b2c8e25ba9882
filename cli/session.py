"""HTTP to a manager: one request at a time, foreign errors translated, writes that survive a lost answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cli.errors import BadInput, CliError, NotAllowed, NotFound, Unreachable
from cli.http import httpx
from cli.reply import Odd, read
from cli.table import Row
from cli.trust import unreachable, unsendable
from cli.words import shown_url

Params = Mapping[str, str | int | None]

# Of a question: the manager, or who stands before it, cannot answer now.
AWAY = (502, 503, 504)
# A write whose answer was lost is sent again under the same key: a manager that restarts meanwhile is back by then.
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Session:
    """Talks to one manager through an httpx client that knows the server, the credential and the certificate authority.

    Every method raises Unreachable, NotAllowed, NotFound, BadInput or CliError, and nothing else; so does an answer
    that is asked for a field which it lacks, for then it is no manager's. What type an answer is of the caller says.
    """

    def __init__(self, http: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._sleep = sleep

    def get(self, path: str, params: Params | None = None) -> Any:
        """The JSON object that the path answers."""
        return read(self._send("GET", path, _given(params), {}, None), self._odd("GET"))

    def items(self, path: str, params: Params | None = None) -> list[Any]:
        """The items of a list."""
        items = self.get(path, params)["items"]
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._odd("GET")('its "items" are no list of objects')
        return items

    def write(self, method: str, path: str, body: bytes | None = None, params: Params | None = None) -> Any:
        """Send a change once, whatever happens to its answer: a repeat carries the same Idempotency-Key."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return read(self._sent(method, path, _given(params), headers, body), self._odd(method))

    def lines(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        body: Iterable[bytes] | None = None,
        opened: Callable[[], None] = lambda: None,
    ) -> Iterator[Any]:
        """Each line of an NDJSON answer as it arrives, for as long as the manager sends. `opened` is told that it does.

        A last line that says an error is raised: the status was sent before anything could go wrong.
        """
        timeout = httpx.Timeout(10.0, read=None, write=None)
        try:
            with self._http.stream(method, path, params=_given(params), content=body, timeout=timeout) as response:
                if response.is_error:
                    response.read()
                    raise refusal(response, reading=method == "GET")
                opened()
                for line in response.iter_lines():
                    if line:
                        yield _accepted(read(line, self._odd(method)))
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._broken(error) from error

    def _sent(
        self, method: str, path: str, params: dict[str, str | int], headers: dict[str, str], body: bytes | None
    ) -> bytes:
        for pause in PAUSES:
            try:
                return self._send(method, path, params, headers, body)
            except Unreachable as error:
                if not error.sent and pause == PAUSES[0]:
                    raise
            self._sleep(pause)
        return self._send(method, path, params, headers, body)

    def _send(
        self, method: str, path: str, params: dict[str, str | int], headers: dict[str, str], body: bytes | None
    ) -> bytes:
        if {"", ".", ".."} & set(path.split("/")[1:]):
            raise BadInput("an empty name, or one of dots, names nothing: say which one is meant")
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            response = self._http.request(method, path, params=params, headers=headers, content=body)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._broken(error) from error
        if response.is_error:
            raise refusal(response, reading=method == "GET")
        return response.content

    def _broken(self, error: httpx.RequestError) -> Unreachable:
        if isinstance(error, httpx.LocalProtocolError):
            return unsendable(self._server)
        connected = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        return unreachable(self._server, error, connected=connected)

    def _odd(self, method: str) -> Odd:
        """The error for an answer that no manager gives. What a change came to is not known by one."""
        sentence = f"what answers at {shown_url(self._server)} is not gbnt, or of another age than this one"

        def odd(why: str) -> CliError:
            if method == "GET":
                return CliError(f"{sentence}: {why}")
            return Unreachable(f"{sentence}: {why}; what was asked may have been done: look, and try again", sent=True)

        return odd

    @property
    def _server(self) -> str:
        return str(self._http.base_url).rstrip("/")


def refusal(response: httpx.Response, *, reading: bool = False) -> CliError:
    """The manager's problem document (RFC 9457) as an error of ours.

    Where `reading` was all that was wanted, one that there is no answer now is Unreachable: it may be asked again.
    """
    problem = _problem(response)
    detail = str(problem.get("detail") or problem.get("title") or f"the manager answered {response.status_code}")
    findings = [finding for finding in problem.get("findings") or () if isinstance(finding, dict)]
    detail += "".join(f"\n  {_finding(finding)}" for finding in findings if str(finding.get("message")) not in detail)
    away = reading and response.status_code in AWAY
    error = Unreachable(detail) if away else _error(response.status_code, problem, detail)
    error.findings = findings
    return error


def _error(status: int, problem: Row, detail: str) -> CliError:
    if problem.get("code") == "unknown":
        return Unreachable(detail, sent=True)
    match status:
        case 401 | 403 | 429:
            return NotAllowed(detail)
        case 404:
            return NotFound(detail)
        case 400 | 413 | 422:
            return BadInput(detail)
        case _:
            return CliError(detail)


def _accepted(line: Row) -> Row:
    error = line.get("error")
    if not error:
        return line
    if line.get("code") == "unavailable":
        raise Unreachable(str(error), sent=True)
    if line.get("code") == "unauthorized":
        raise NotAllowed(str(error))
    raise CliError(str(error))


def _problem(response: httpx.Response) -> Row:
    try:
        problem = response.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _finding(finding: Row) -> str:
    path, message, hint = (str(finding.get(key) or "") for key in ("path", "message", "hint"))
    return (f"{path}: " if path else "") + message + (f" ({hint})" if hint else "")


def _given(params: Params | None) -> dict[str, str | int]:
    return {key: value for key, value in (params or {}).items() if value not in (None, "")}
