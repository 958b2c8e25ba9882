"""`python -m bench.floor_server FOLDER`: the parts of the API with nothing behind them; prints its port."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import anyio
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal.server import serve, tls_context
from portal.sockets import listen

BODY = orjson.dumps({"items": [{"name": "web", "number": number, "words": "x" * 100} for number in range(30)]})


async def nothing(request: Request) -> Response:
    """An answer that is there already."""
    return Response(BODY, media_type="application/json")


def main(folder: Path) -> None:
    """Serve until it is ended."""
    sock = listen("127.0.0.1", 0)
    print(sock.getsockname()[1], flush=True)
    anyio.run(partial(serve, Starlette(routes=[Route("/", nothing)]), sock, tls_context(folder / "server.pem")))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
