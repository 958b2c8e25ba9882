"""A WebSocket to a manager, over a socket that one may wait for beside others. The frames are wsproto's."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from cli.errors import BadInput, CliError
from cli.trust import KEEPALIVE, bearer, insist_on_tls, trust, unreachable

if TYPE_CHECKING:
    from cli.context import Context

CONNECT_SECONDS = 10.0
# Longer than the manager waits for its own store, so that it is the manager that says what went wrong.
ANSWER_SECONDS = 40.0
CHUNK = 64 * 1024


def through_socket(path: str, protocol: str, admin_socket: Path) -> WebSocket:
    """A WebSocket to the manager that answers at this machine's admin socket. Raises as WebSocket does."""
    server = "http://this-machine"
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(str(admin_socket))
    except OSError as error:
        sock.close()
        raise unreachable(server, error, connected=False) from error
    return WebSocket(sock, server, path, protocol, "")


def through_tls(path: str, protocol: str, context: Context, token: str) -> WebSocket:
    """A WebSocket to the manager of a context.

    Raises BadInput for a server or a token that is none, else as WebSocket does.
    """
    insist_on_tls(context)
    authorization = bearer(context, token) if token else ""
    url = urlsplit(context.server)
    try:
        address = url.hostname or "", url.port or (443 if url.scheme == "https" else 80)
    except ValueError as error:
        raise BadInput(f'the server of context "{context.name}" is no address: {error}') from error
    tls = trust(context) if url.scheme == "https" else None
    try:
        sock = socket.create_connection(address, CONNECT_SECONDS)
        for option in (*KEEPALIVE, (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)):
            sock.setsockopt(*option)
        if tls is not None:
            tls.set_alpn_protocols(["http/1.1"])
            sock = tls.wrap_socket(sock, server_hostname=address[0])
    except OSError as error:
        raise unreachable(context.server, error, connected=False) from error
    return WebSocket(sock, context.server, path, protocol, authorization)


class WebSocket:
    """An open one. Raises Unreachable where the connection breaks, and what the manager refuses it with."""

    def __init__(self, sock: socket.socket, server: str, path: str, protocol: str, authorization: str) -> None:
        self._sock = sock
        self._server = server
        self._frames = WSConnection(ConnectionType.CLIENT)
        self._begun: list[bytes | str] = []
        self.open = True
        try:
            self._shake_hands(path, protocol, authorization)
        except BaseException:
            sock.close()
            raise

    def fileno(self) -> int:
        """What to wait for before `receive`."""
        return self._sock.fileno()

    def send(self, message: bytes | str) -> None:
        """Send a binary message, or a text."""
        self._send(BytesMessage(message) if isinstance(message, bytes) else TextMessage(message))

    def receive(self) -> list[bytes | str]:
        """The messages that are here by now, which may be none. At the end `open` is false."""
        self._read()
        messages: list[bytes | str] = []
        for event in self._frames.events():
            match event:
                case Message(data=data, message_finished=finished):
                    self._begun.append(data)
                    if finished:
                        messages.append(_joined(self._begun))
                        self._begun.clear()
                case Ping():
                    self._send(event.response())
                case CloseConnection():
                    self.open = False
        return messages

    def close(self) -> None:
        """Let go of it. Idempotent."""
        self.open = False
        self._sock.close()

    def _shake_hands(self, path: str, protocol: str, authorization: str) -> None:
        headers = [(b"authorization", authorization.encode())] if authorization else []
        host = urlsplit(self._server).netloc
        self._send(Request(host=host, target=path, subprotocols=[protocol], extra_headers=headers))
        self._sock.settimeout(ANSWER_SECONDS)
        status, body = 0, b""
        while self.open:
            self._feed()
            for event in self._frames.events():
                match event:
                    case AcceptConnection():
                        return
                    case RejectConnection():
                        status = event.status_code
                    case RejectData():
                        body += event.data
                if _is_last(event):
                    raise _refusal(status, body)
        raise unreachable(self._server, EOFError("it was closed"), connected=True)

    def _send(self, event: Event) -> None:
        self._sock.settimeout(None)
        try:
            self._sock.sendall(self._frames.send(event))
        except OSError as error:
            raise unreachable(self._server, error, connected=True) from error

    def _read(self) -> None:
        """Take in what is here. A socket that can be read may have nothing for us: TLS has words of its own."""
        self._sock.settimeout(0.0)
        try:
            self._feed()
            while isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
                self._feed()
        except (BlockingIOError, ssl.SSLWantReadError):
            pass

    def _feed(self) -> None:
        try:
            data = self._sock.recv(CHUNK)
            if not data:
                self.open = False
                return
            self._frames.receive_data(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            raise
        except (OSError, ProtocolError) as error:
            raise unreachable(self._server, error, connected=True) from error


def _is_last(event: Event) -> bool:
    """Whether a refusal ends with this."""
    match event:
        case RejectConnection(has_body=has_body):
            return not has_body
        case RejectData(body_finished=finished):
            return bool(finished)
    return False


def _joined(parts: Sequence[bytes | str]) -> bytes | str:
    texts = [part for part in parts if isinstance(part, str)]
    return "".join(texts) if texts else b"".join(bytes(part) for part in parts if not isinstance(part, str))


def _refusal(status: int, body: bytes) -> CliError:
    """As of any other request."""
    from cli.http import httpx  # which a command that is let in does without
    from cli.session import refusal

    return refusal(httpx.Response(status, content=body))
