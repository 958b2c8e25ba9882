"""How the API says no: problem documents (RFC 9457) whose detail names the next step."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from actors.protocol import Refused
from cluster.nearness import nearest
from portal.api.request_ids import HEADER, REQUEST
from portal.backend import EngineFailed
from supervisor.errors import ActorError, MailboxFull, NoSuchActor, Unreachable

STATUS = {
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "stale": 412,
    "invalid": 422,
    "unavailable": 503,
    "unknown": 503,
    "unauthorized": 401,
    "forbidden": 403,
}

log = logging.getLogger(__name__)


class Problem(Exception):
    """The request is answered with this refusal. `status` is the code's own unless another one is given.

    `findings` are places in the body and what is wrong with each, with the keys of cluster.compose.findings.Finding.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        findings: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = STATUS[code] if status is None else status
        self.headers = headers or {}
        self.findings = findings

    def document(self) -> dict[str, object]:
        """The problem document."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if request := REQUEST.get():
            document["request"] = request
        return {**document, "findings": self.findings} if self.findings else document

    def response(self) -> Response:
        """The problem document as a response."""
        return Response(orjson.dumps(self.document()), self.status, self.headers, media_type="application/problem+json")


def missing(kind: str, name: str, known: Iterable[str], listing: str) -> Problem:
    """No `kind` has that name; `listing` is the command that shows which there are."""
    near = nearest(name, known)
    hint = f'; did you mean "{near}"?' if near else f"; `{listing}` shows what is there"
    return Problem("not_found", f'there is no {kind} "{name}"{hint}')


def refusal(refused: Refused) -> Problem:
    """An actor's refusal as a problem."""
    return Problem(refused.code, refused.message, findings=[asdict(one.finding()) for one in refused.problems])


def unanswered(error: ActorError, *, writing: bool) -> Problem:
    """What to say when no answer came: after a write that the actor may have had, nobody knows if it was done."""
    log.warning("no answer from an actor: %s", error)
    if writing and not isinstance(error, NoSuchActor | Unreachable | MailboxFull):
        text = "the manager did not answer in time, and the change may have been made"
        return Problem("unknown", f"{text}: send the same request with the same Idempotency-Key again")
    return Problem("unavailable", "the manager does not answer; try again in a moment, or see `gbnt actor tree`")


def as_problem(error: Exception) -> Problem:
    """Any exception as a problem; what was not foreseen is logged and shown without its text."""
    match error:
        case Problem():
            return error
        case EngineFailed():
            return Problem("conflict", str(error))
        case ActorError():
            return unanswered(error, writing=False)
        case HTTPException(status_code=404):
            return Problem("not_found", "the API has no such path; its paths begin with /v1/")
        case HTTPException():
            text = "this path does not take that method" if error.status_code == 405 else error.detail
            return Problem("invalid", text, status=error.status_code, headers=error.headers)
    log.error("a request failed", exc_info=error)
    text = f"the manager failed on this request; its log says why, of the request {REQUEST.get()}"
    return Problem("unavailable", text, status=500)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Starlette's handler for exceptions. Of one that was not foreseen it answers outside of all middleware."""
    response = as_problem(error).response()
    response.headers[HEADER] = REQUEST.get()
    return response
