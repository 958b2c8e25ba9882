"""The API's pages on the public door: its description, and Swagger UI, in which a person reads it and tries it out.

Swagger UI's files come from the package that ships them, as they were released: nothing is fetched from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

import anyio.to_thread
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

RELEASE = "vendor/swagger-ui-5.31.0"
FILES = {
    "swagger-ui.css": "sha384-KX9Rx9vM1AmUNAn07bPAiZhFD4C8jdNgG6f5MRNvR+EfAxs2PmMFtUUazui7ryZQ",
    "swagger-ui-bundle.js": "sha384-cxafBeQ+zYROeFafGFxtFbnp1ICqeS9mG7+f0WWSHzhnrUvwg9Za5CCw6wgrHA7K",
}
"""What the page needs of that release; a browser takes nothing else for it, for a token is typed there."""

PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gubernator's API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css" integrity="{FILES["swagger-ui.css"]}">
<script src="/docs/swagger-ui-bundle.js" integrity="{FILES["swagger-ui-bundle.js"]}" defer></script>
<script src="/docs/start.js" defer></script>
</head>
<body><div id="swagger-ui"></div></body>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  filter: true,
  validatorUrl: null,
});
"""
HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


def manual(version: str, api_port: int) -> list[Route]:
    """`/openapi.json` and `/docs` of the API of gbnt `version`, which answers on the same host at `api_port`."""

    async def described(request: Request) -> Response:
        from portal.openapi import document  # what it is made by is no part of what a start waits for

        whole = await anyio.to_thread.run_sync(document, version)
        here = {**whole, "servers": [{"url": _api(request, api_port)}]}
        return Response(orjson.dumps(here), media_type="application/json", headers={"cache-control": "no-cache"})

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE, headers=_policy(_api(request, api_port)))

    async def start(request: Request) -> Response:
        return Response(START, media_type="text/javascript")

    return [
        Route("/openapi.json", described),
        Route("/docs", page),
        Route("/docs/start.js", start),
        *(Route(f"/docs/{name}", _file) for name in FILES),
    ]


async def _file(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    return FileResponse(str(files("swagger_ui_bundle") / RELEASE / name))


def _api(request: Request, port: int) -> str:
    """Where the API answers whoever reached this door by the name that they did."""
    host = re.sub(r":\d+$", "", request.headers.get("host", ""))
    if not HOST.fullmatch(host):
        raise HTTPException(400, "the request names no host")
    return f"https://{host}:{port}"


def _policy(api: str) -> Mapping[str, str]:
    """What the page may do: run what is on board, and ask the API."""
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Swagger UI has styles in its elements
        "img-src 'self' data:",
        f"connect-src 'self' {api}",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "content-security-policy": "; ".join(rules),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
