"""Calls about stacks and all that is in them."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from typing import Any

import httpx

from cli.connect import open_websocket
from cli.errors import NotAllowed, NotFound
from cli.exec import PROTOCOL, Wanted
from tests.lab.calls import Call, Desk, Who

# What the WebSocket of `gbnt exec` makes of a refusal, as it was answered.
REFUSED: dict[type[Exception], tuple[int, str]] = {NotFound: (404, "not_found"), NotAllowed: (403, "forbidden")}
DATA = {"type": "volume", "target": "/data", "source": "data"}
# What shares a network is on one machine, and the volume is looked for there.
ON_ROME = {"constraints": ["node.role==manager"]}


def service(name: str, *words: str, **more: Any) -> dict[str, Any]:
    """A service of busybox on the manager's machine, which ends at once when it is told to."""
    quick = {"init": True, "stop_grace_period": 0.0, "networks": [{"network": "default"}], "placement": ON_ROME}
    return {"name": name, "image": "busybox", "command": [*words], **quick, **more}


def shop(word: str) -> dict[str, Any]:
    """The body of a deploy whose containers say a word."""
    config = {"source": "app", "target": "/app"}
    reader = service("reader", "sleep", "1000", mounts=[DATA], configs=[config])
    content = base64.b64encode(b"ave").decode()
    spec = {
        "name": "shop",
        "services": {"web": service("web", "sh", "-c", f"echo {word}; exec sleep 1000", replicas=2), "reader": reader},
        "networks": {"default": {"name": "shop_default"}},
        "volumes": {"data": {"name": "shop_data"}},
        "configs": {"app": {"name": "shop_app", "content": content}},
    }
    file = {"name": "compose.yaml", "text": f"# {word}\n"}
    return {"spec": spec, "sources": {"files": [file], "roots": ["compose.yaml"]}}


def runs(desk: Desk, name: str, number: int, new: int = 0) -> bool:
    """Whether so many of its containers run, and of these so many that did not when it was last asked."""
    now, before = desk.ids(name), set(desk.notes.get(name, "").split())
    if len(now) != number or len(now - before) < new:
        return False
    desk.notes[name] = " ".join(now)
    return True


def run(desk: Desk, task: str, *words: str, who: Who = "admin") -> httpx.Response:
    """Run a command in a task's container over a WebSocket; the answer has all its messages."""
    environment = {"GBNTCTL_CONFIG": str(desk.file), "GBNT_API_TOKEN": desk.tokens[who]}
    with desk.away.host.space.network():
        try:
            socket = open_websocket(f"/v1/tasks/{task}/exec", PROTOCOL, environment=environment)
        except (NotFound, NotAllowed) as error:
            status, code = REFUSED[type(error)]
            return httpx.Response(status, json={"code": code, "detail": str(error)})
        socket.send(Wanted(words).message())
        told: list[str] = []
        while socket.open:
            told += [one.decode() if isinstance(one, bytes) else one for one in socket.receive()]
        socket.close()
    return httpx.Response(200, json=told)


def context() -> bytes:
    """The folder of a build, as a tar stream."""
    file, text = io.BytesIO(), b"FROM busybox\nLABEL made=here\n"
    with tarfile.open(fileobj=file, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    return file.getvalue()


STACK, WEB, NO_WEB = "/v1/stacks/shop", "/v1/services/shop/web", "/v1/services/shop/wep"
NOBODY = "/v1/stacks/nobody"
GONE: dict[str, Any] = {"status": 404, "code": "not_found"}
WRONG: dict[str, Any] = {"status": 422, "code": "invalid"}
DENIED: dict[str, Any] = {"status": 403, "code": "forbidden", "who": "viewer", "says": "has the role viewer"}


def listed(path: str, proof: Any) -> tuple[Call, ...]:
    """A list, and one by a field that its rows do not have."""
    endpoint = f"GET {path}"
    return (
        Call(endpoint, proof=lambda desk, told: proof(desk, told["items"])),
        Call(endpoint, f"{path}?sort=colour", **WRONG, says='have no field "colour"'),
    )


BEGIN = (
    Call("PUT /v1/stacks/{name}/draft", f"{STACK}/draft", shop("draft"), proof=lambda d, _: d.ids("web") == set()),
    Call("PUT /v1/stacks/{name}/draft", f"{NOBODY}/draft", shop("draft"), **WRONG),
    Call("GET /v1/stacks/{name}/draft", f"{STACK}/draft", proof=lambda d, told: told["sources"]["files"]),
    Call("GET /v1/stacks/{name}/draft", f"{STACK}/draft", **DENIED),
    Call("DELETE /v1/stacks/{name}/draft", f"{STACK}/draft", proof=lambda d, _: d.get(f"{STACK}/draft") == {}),
    Call("DELETE /v1/stacks/{name}/draft", f"{NOBODY}/draft", **GONE),
    Call("POST /v1/stacks/{name}/plan", f"{STACK}/plan", shop("salve"), proof=lambda d, _: d.items("/v1/stacks") == []),
    Call("POST /v1/stacks/{name}/plan", f"{STACK}/plan", {"spec": {"name": "shop"}}, **WRONG, says="services"),
    Call("PUT /v1/stacks/{name}", STACK, shop("salve"), proof=lambda d, _: runs(d, "web", 2)),
    Call("PUT /v1/stacks/{name}", NOBODY, shop("salve"), **WRONG),
    *listed("/v1/stacks", lambda d, rows: [row["name"] for row in rows] == ["shop"]),
    Call("GET /v1/stacks/{name}", STACK, proof=lambda d, told: told["spec"]["services"].keys() == {"web", "reader"}),
    Call("GET /v1/stacks/{name}", NOBODY, **GONE),
    Call(
        "GET /v1/stacks/{name}/progress", f"{STACK}/progress", proof=lambda d, told: told[-1]["verdict"] == "converged"
    ),
    Call("GET /v1/stacks/{name}/progress", f"{STACK}/progress?after=soon", **WRONG),
    *listed("/v1/services", lambda d, rows: {row["name"] for row in rows} == {"shop/web", "shop/reader"}),
    Call("GET /v1/services/{stack}/{service}", WEB, proof=lambda d, told: told["running"] == len(d.ids("web"))),
    Call("GET /v1/services/{stack}/{service}", NO_WEB, **GONE, says='did you mean "shop/web"?'),
    Call(
        "GET /v1/services/{stack}/{service}/logs",
        f"{WEB}/logs",
        proof=lambda d, told: [x["text"] for x in told] == ["salve"] * 2,
    ),
    Call("GET /v1/services/{stack}/{service}/logs", f"{WEB}/logs?tail=few", **WRONG),
    Call(
        "GET /v1/services/{stack}/{service}/placement",
        f"{WEB}/placement",
        proof=lambda d, told: len(told["nodes"]) == 2,
    ),
    Call("GET /v1/services/{stack}/{service}/placement", f"{NO_WEB}/placement", **GONE),
    *listed("/v1/tasks", lambda d, rows: len(rows) == len(d.ids("web") | d.ids("reader"))),
    Call(
        "GET /v1/tasks/{task}", "/v1/tasks/shop-web-1", proof=lambda d, told: told["container_id"][:12] in d.ids("web")
    ),
    Call("GET /v1/tasks/{task}", "/v1/tasks/shop-web-9", **GONE),
    Call("GET /v1/tasks/{task}/logs", "/v1/tasks/shop-web-1/logs", proof=lambda d, told: told[0]["text"] == "salve"),
    Call("GET /v1/tasks/{task}/logs", "/v1/tasks/shop-web-9/logs", **GONE),
    Call("GET /v1/tasks/{task}/placement", "/v1/tasks/shop-web-1/placement", proof=lambda d, told: told["sentence"]),
    Call("GET /v1/tasks/{task}/placement", "/v1/tasks/shop-web-9/placement", **GONE),
    Call(
        "GET /v1/tasks/{task}/exec",
        do=lambda d: run(d, "shop-reader-1", "cat", "/app"),
        proof=lambda d, told: "\x01ave" in told,
    ),
    Call("GET /v1/tasks/{task}/exec", do=lambda d: run(d, "shop-web-9", "true"), **GONE),
    Call(
        "GET /v1/stats", "/v1/stats?service=shop/web", proof=lambda d, told: len(told[0]["tasks"]) == len(d.ids("web"))
    ),
    Call("GET /v1/stats", "/v1/stats?interval=0.1", **WRONG, says="at least 0.5 seconds"),
)
"""A stack comes up, and is looked at."""

CHANGES = (
    Call(
        "POST /v1/services/{stack}/{service}/scale",
        f"{WEB}/scale",
        {"replicas": 3},
        proof=lambda d, _: runs(d, "web", 3, 1),
    ),
    Call("POST /v1/services/{stack}/{service}/scale", f"{WEB}/scale", {"replicas": "many"}, **WRONG, says="replicas"),
    Call(
        "POST /v1/services/{stack}/{service}/update",
        f"{WEB}/update",
        {"force": True},
        proof=lambda d, _: runs(d, "web", 3, 3),
    ),
    Call("POST /v1/services/{stack}/{service}/update", f"{WEB}/update", {}, **WRONG, says='needs an "image"'),
    Call("POST /v1/services/{stack}/{service}/restart", f"{WEB}/restart", proof=lambda d, _: runs(d, "web", 3, 3)),
    Call("POST /v1/services/{stack}/{service}/restart", f"{NO_WEB}/restart", **GONE),
    Call("POST /v1/services/{stack}/{service}/stop", f"{WEB}/stop", proof=lambda d, _: runs(d, "web", 0)),
    Call("POST /v1/services/{stack}/{service}/stop", f"{NO_WEB}/stop", **GONE),
    Call("POST /v1/services/{stack}/{service}/start", f"{WEB}/start", proof=lambda d, _: runs(d, "web", 3, 3)),
    Call("POST /v1/services/{stack}/{service}/start", f"{NO_WEB}/start", **GONE),
    Call("DELETE /v1/tasks/{task}", "/v1/tasks/shop-web-1", proof=lambda d, _: runs(d, "web", 3, 1)),
    Call("DELETE /v1/tasks/{task}", "/v1/tasks/shop-web-9", **GONE),
    Call("PUT /v1/stacks/{name}", STACK, shop("vale"), proof=lambda d, _: runs(d, "web", 2, 2)),
    Call("GET /v1/stacks/{name}/revisions", f"{STACK}/revisions", proof=lambda d, told: len(told["items"]) == 2),
    Call("GET /v1/stacks/{name}/revisions", f"{NOBODY}/revisions", **GONE),
    Call(
        "GET /v1/stacks/{name}/revisions/{number}",
        f"{STACK}/revisions/1",
        proof=lambda d, told: "salve" in json.dumps(told),
    ),
    Call("GET /v1/stacks/{name}/revisions/{number}", f"{STACK}/revisions/99", **GONE),
    Call(
        "GET /v1/stacks/{name}/revisions/{number}/sources",
        f"{STACK}/revisions/1/sources",
        proof=lambda d, told: told["files"][0]["text"] == "# salve\n",
    ),
    Call("GET /v1/stacks/{name}/revisions/{number}/sources", f"{STACK}/revisions/1/sources", **DENIED),
    Call("POST /v1/stacks/{name}/rollback", f"{STACK}/rollback", proof=lambda d, _: runs(d, "web", 2, 2)),
    Call("POST /v1/stacks/{name}/rollback", f"{STACK}/rollback?newest=1", status=409, code="conflict"),
    Call("POST /v1/stacks/{name}/stop", f"{STACK}/stop", proof=lambda d, _: runs(d, "web", 0)),
    Call("POST /v1/stacks/{name}/stop", f"{NOBODY}/stop", **GONE),
    Call("POST /v1/stacks/{name}/start", f"{STACK}/start", proof=lambda d, _: runs(d, "web", 2, 2)),
    Call("POST /v1/stacks/{name}/start", f"{NOBODY}/start", **GONE),
)
"""What is done with it."""

PARTS = (
    *listed("/v1/networks", lambda d, rows: [row["name"] for row in rows] == ["shop_default"]),
    Call("GET /v1/networks/{name}", "/v1/networks/shop_default", proof=lambda d, told: len(told["attached"]) == 3),
    Call("GET /v1/networks/{name}", "/v1/networks/nobody", **GONE),
    Call("GET /v1/names/{name}", "/v1/names/web.shop", proof=lambda d, told: len(told["items"]) == 2),
    Call("GET /v1/names/{name}", "/v1/names/nobody", **GONE),
    *listed("/v1/volumes", lambda d, rows: [row["name"] for row in rows] == ["shop_data"]),
    Call("GET /v1/volumes/{name}", "/v1/volumes/shop_data", proof=lambda d, told: told["stacks"] == ["shop"]),
    Call("GET /v1/volumes/{name}", "/v1/volumes/nobody", **GONE),
    *listed("/v1/configs", lambda d, rows: [row["name"] for row in rows] == ["shop_app"]),
    Call("GET /v1/configs/{name}", "/v1/configs/shop_app", proof=lambda d, told: told["content"] == "YXZl"),
    Call("GET /v1/configs/{name}", "/v1/configs/shop_app", **DENIED),
    Call(
        "DELETE /v1/configs/{name}", "/v1/configs/shop_app", status=409, code="conflict", says="is read by shop/reader"
    ),
    Call(
        "DELETE /v1/services/{stack}/{service}",
        "/v1/services/shop/reader",
        proof=lambda d, _: d.ids("reader") == set() and len(d.items("/v1/services")) == 1,
    ),
    Call("DELETE /v1/services/{stack}/{service}", NO_WEB, **GONE),
    Call("DELETE /v1/configs/{name}", "/v1/configs/shop_app", proof=lambda d, _: d.items("/v1/configs") == []),
    Call("POST /v1/builds", "/v1/builds?tag=made", content=context(), proof=lambda d, told: "made" in images(d)),
    Call("POST /v1/builds", "/v1/builds", content=context(), **WRONG, says="needs the parameter tag"),
)
"""What it has beside services."""


def images(desk: Desk) -> list[str]:
    """The images of the manager's engine."""
    return desk.rome.docker("images", "--format", "{{.Repository}}").split()


END = (
    Call("GET /v1/system/df", proof=lambda d, told: {line["node"] for line in told} == {"rome-1", "rome-2"}),
    Call("GET /v1/system/df", who="nobody", status=401, code="unauthorized"),
    Call("DELETE /v1/volumes/{name}", "/v1/volumes/nobody", **GONE),
    Call(
        "DELETE /v1/stacks/{name}",
        STACK,
        status=202,
        proof=lambda d, _: d.items("/v1/stacks") == [] and runs(d, "web", 0),
    ),
    Call("DELETE /v1/stacks/{name}", NOBODY, **GONE),
    Call(
        "DELETE /v1/volumes/{name}",
        "/v1/volumes/shop_data",
        proof=lambda d, _: d.rome.docker("volume", "ls", "-q") == "",
    ),
    Call("GET /v1/system/prune", proof=lambda d, told: "busybox" in json.dumps(told) and "busybox" in images(d)),
    Call("GET /v1/system/prune", who="nobody", status=401, code="unauthorized"),
    Call("POST /v1/system/prune", body={}, proof=lambda d, told: "busybox" not in images(d)),
    Call("POST /v1/system/prune", body={"all": True}, **WRONG, says="a key that this manager does not know"),
)
"""It goes, and so does what nothing needs."""
