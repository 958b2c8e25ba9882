"""A manager that answers what a test tells it to, over real HTTP, and remembers what it was asked."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Answer:
    """A status and a JSON body."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body = body
        self.status = status


class Raw:
    """Bytes that no manager sends, as a good answer."""

    def __init__(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.body = body
        self.headers = headers or {}


class Lines:
    """An NDJSON stream: rows in order. A callable among them is called when its turn comes."""

    def __init__(self, *rows: Mapping[str, Any] | Callable[[], None]) -> None:
        self.rows = rows


class HangUp:
    """The connection is closed without an answer, after the request was read."""


Reply = Answer | Raw | Lines | HangUp


def listing(*rows: Mapping[str, Any]) -> Answer:
    """A list of the API."""
    return Answer({"items": list(rows), "revision": 7})


def problem(status: int, code: str, detail: str, **more: object) -> Answer:
    """A refusal of the API."""
    return Answer(
        {"type": "about:blank", "title": "No", "status": status, "code": code, "detail": detail, **more}, status
    )


class Manager(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves on a free port of 127.0.0.1. The last reply to a path is given again to every further request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.asked: list[Asked] = []
        self.ahead = 0.0  # seconds that its clock is wrong by
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def on(self, request: str, *replies: Reply) -> None:
        """Answer `GET /v1/stacks` and the like with these, one after the other."""
        method, path = request.split(" ")
        self._replies[method, path].extend(replies)

    def reply_to(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        waiting = self._replies[asked.method, asked.path]
        if not waiting:
            return problem(404, "not_found", f"the test has no reply for {asked.method} {asked.path}")
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no failure of a test."""


class _Handler(BaseHTTPRequestHandler):
    server: Manager
    protocol_version = "HTTP/1.1"

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        asked = Asked(self.command, url.path, dict(parse_qsl(url.query)), dict(self.headers), self._body())
        reply = self.server.reply_to(asked)
        self.close_connection = True
        if isinstance(reply, HangUp):
            return
        if isinstance(reply, Answer):
            self._answer(json.dumps(reply.body).encode(), reply.status, {"Content-Type": "application/json"})
        elif isinstance(reply, Raw):
            self._answer(reply.body, 200, reply.headers)
        else:
            self._stream(reply.rows)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + self.server.ahead)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, data: bytes, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, rows: Iterable[Mapping[str, Any] | Callable[[], None]]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        for row in rows:
            if not isinstance(row, Mapping):
                row()
                continue
            data = json.dumps(row).encode() + b"\n"
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""
