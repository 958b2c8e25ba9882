"""Calls about machines, credentials and records."""

from __future__ import annotations

import time
from typing import Any

import httpx

from tests.e2e.node import until
from tests.engine.registry import NERO
from tests.lab.calls import Call, Desk
from tests.lab.calls_stacks import DENIED, GONE, WRONG, listed
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import Purpose, proof

TURNED_AWAY: dict[str, Any] = {"status": 401, "code": "unauthorized", "who": "stranger"}


def keys(desk: Desk) -> NodeKeys:
    """Those of a machine that joins by the API alone."""
    return NodeKeys(desk.away.folder / "keys", time.time)


def join(desk: Desk) -> httpx.Response:
    """Join as gaul does, and keep the certificate."""
    own = keys(desk)
    body = {"token": desk.notes["join"], "csr": own.request().decode(), "name": "gaul"}
    answer = desk.ask("POST", "/v1/join", "nobody", json=body)
    own.take(answer.json()["certificate"].encode(), answer.json()["authority"].encode())
    desk.notes["gaul"] = answer.json()["node"]
    return answer


def prove(desk: Desk, purpose: Purpose) -> dict[str, str]:
    """Headers that prove that it is gaul who asks."""
    return proof(keys(desk), desk.rome.cluster, purpose)


def renew(desk: Desk) -> httpx.Response:
    body = {"csr": keys(desk).request().decode()}
    return desk.ask("POST", "/v1/renew", "nobody", json=body, headers=prove(desk, "renew"))


def leave(desk: Desk) -> httpx.Response:
    return desk.ask("POST", "/v1/leave", "nobody", json={}, headers=prove(desk, "leave"))


def noted(desk: Desk, made: dict[str, Any]) -> bool:
    """Keep a join token."""
    desk.notes |= {"join": made["token"], "join_id": made["id"]}
    return True


def lose(desk: Desk) -> httpx.Response:
    """Confirm a loss that is more than the cluster replaces by itself."""
    desk.ask("PATCH", "/v1/cluster", json={"pause_above": 20})
    desk.second.kill9()
    until(lambda: desk.get("/v1/cluster")["alarm"], "an alarm")
    return desk.ask("POST", "/v1/cluster/confirm-loss")


def nodes(desk: Desk) -> set[str]:
    return {row["name"] for row in desk.items("/v1/nodes")}


REGISTRY = "/v1/registries/$registry"
CLUSTER = (
    Call("GET /v1/cluster", proof=lambda d, told: told["id"] == d.rome.cluster),
    Call("GET /v1/cluster", **TURNED_AWAY),
    Call("PATCH /v1/cluster", body={"pause_above": 70}, proof=lambda d, _: d.get("/v1/cluster")["pause_above"] == 70),
    Call("PATCH /v1/cluster", body={"pause_above": 300}, **WRONG),
    *listed("/v1/nodes", lambda d, rows: {row["name"] for row in rows} == {"rome-1", "rome-2"}),
    Call("GET /v1/nodes/{node}", "/v1/nodes/rome-2", proof=lambda d, told: told["address"] == d.second.address),
    Call("GET /v1/nodes/{node}", "/v1/nodes/rome-9", **GONE),
    Call(
        "PATCH /v1/nodes/{node}",
        "/v1/nodes/rome-2",
        {"labels": {"disk": "ssd"}},
        proof=lambda d, _: d.get("/v1/nodes/rome-2")["labels"] == {"disk": "ssd"},
    ),
    Call("PATCH /v1/nodes/{node}", "/v1/nodes/rome-2", {}, **WRONG, says="say what to change"),
    Call("POST /v1/tokens", body={"name": "livia", "role": "viewer"}, status=201, proof=lambda d, told: takes(d, told)),
    Call("POST /v1/tokens", body={"name": "", "role": "viewer"}, **WRONG, says="a token's name has at most 63"),
    *listed("/v1/tokens", lambda d, rows: {row["role"] for row in rows} == {"admin", "viewer"}),
    Call("POST /v1/join-tokens", body={}, status=201, proof=lambda d, told: noted(d, told)),
    Call("POST /v1/join-tokens", body={"ttl": 0}, **WRONG, says="more than 0 seconds"),
    *listed("/v1/join-tokens", lambda d, rows: d.notes["join_id"] in {row["id"] for row in rows}),
    Call(
        "POST /v1/knock",
        body={"token": "$join", "name": "rome-2"},
        who="nobody",
        proof=lambda d, told: told["name_taken"],
    ),
    Call("POST /v1/knock", body={"token": "nonsense", "name": "gaul"}, **TURNED_AWAY),
    Call("POST /v1/join", do=join, proof=lambda d, _: "gaul" in nodes(d)),
    Call("POST /v1/join", body={"token": "nonsense", "csr": "", "name": "gaul"}, **TURNED_AWAY),
    Call("POST /v1/renew", do=renew, proof=lambda d, told: told["node"] == d.notes["gaul"]),
    Call("POST /v1/renew", body={"csr": ""}, **TURNED_AWAY),
    Call("POST /v1/leave", do=leave, proof=lambda d, told: told["left"] and "gaul" not in nodes(d)),
    Call("POST /v1/leave", body={}, **TURNED_AWAY),
    Call(
        "DELETE /v1/join-tokens/{id}",
        "/v1/join-tokens/$join_id",
        proof=lambda d, _: (
            {row["id"]: row["state"] for row in d.items("/v1/join-tokens")}[d.notes["join_id"]] == "revoked"
        ),
    ),
    Call("DELETE /v1/join-tokens/{id}", "/v1/join-tokens/nobody", **GONE),
)
"""What the cluster is, and who is in it; one machine joins, and leaves."""


def takes(desk: Desk, made: dict[str, Any]) -> bool:
    """Keep a viewer's token for the calls that it may not make."""
    desk.tokens["viewer"] = made["token"]
    return desk.ask("GET", "/v1/cluster", "viewer").status_code == 200


RECORDS = (
    Call(
        "PUT /v1/registries/{registry}",
        REGISTRY,
        {"username": NERO.username, "password": NERO.password},
        proof=lambda d, _: [row["registry"] for row in d.items("/v1/registries")] == [d.notes["registry"]],
    ),
    Call(
        "PUT /v1/registries/{registry}",
        REGISTRY,
        {"username": NERO.username, "password": "wrong"},
        status=409,
        code="conflict",
        says="does not know nero",
    ),
    *listed("/v1/registries", lambda d, rows: [row["username"] for row in rows] == [NERO.username]),
    Call("DELETE /v1/registries/{registry}", REGISTRY, proof=lambda d, _: d.items("/v1/registries") == []),
    Call("DELETE /v1/registries/{registry}", "/v1/registries/nobody.example", **GONE),
    Call(
        "POST /v1/snapshots",
        status=201,
        proof=lambda d, told: (d.rome.data / "snapshots" / f"{told['name']}.db").exists(),
    ),
    Call("POST /v1/snapshots", **DENIED),
    *listed("/v1/snapshots", lambda d, rows: len(rows) >= 1),
    Call("POST /v1/snapshots/release-held", proof=lambda d, told: told["revision"] <= d.revision),
    Call("POST /v1/snapshots/release-held", **DENIED),
    Call(
        "GET /v1/actors", proof=lambda d, told: "senate" in {row["address"].partition("/")[2] for row in told["items"]}
    ),
    Call("GET /v1/actors", **TURNED_AWAY),
    Call(
        "GET /v1/openapi.json",
        proof=lambda d, told: told["openapi"].startswith("3.1") and "/v1/stacks" in told["paths"],
    ),
    Call("GET /v1/openapi.json", who="nobody", status=401, code="unauthorized"),
    Call("GET /v1/actors/{path:path}", "/v1/actors/senate", proof=lambda d, told: told["kind"] == "Senate"),
    Call("GET /v1/actors/{path:path}", "/v1/actors/nobody", **GONE),
    Call("GET /v1/events", "/v1/events?after=1", proof=lambda d, told: told["items"][-1]["revision"] <= d.revision),
    Call("GET /v1/events", "/v1/events?after=soon", **WRONG, says='"after" must be a revision'),
    Call(
        "GET /v1/audit", "/v1/audit?action=tokens.create", proof=lambda d, told: told["items"][-1]["outcome"] == "done"
    ),
    Call("GET /v1/audit", **DENIED),
)
"""Sign-ins, snapshots, and what is kept of what was done."""

PASSWORD, NEXT = "qualis artifex", "ave imperator"
SIGN_IN = {"username": "vera", "password": PASSWORD}


def signed_in(desk: Desk, made: dict[str, Any]) -> bool:
    """Keep the session for the calls that are about who makes them."""
    desk.tokens["user"] = made["token"]
    return bool(desk.get("/v1/users/vera")["sessions"] == 1)


USERS = (
    Call(
        "POST /v1/users",
        body={"name": "vera", "role": "operator", "password": PASSWORD},
        status=201,
        proof=lambda d, _: d.get("/v1/users/vera")["role"] == "operator",
    ),
    Call("POST /v1/users", body={"name": "otho", "role": "operator", "password": "short"}, **WRONG, says="12"),
    *listed("/v1/users", lambda d, rows: [row["name"] for row in rows] == ["vera"]),
    Call("GET /v1/users/{user}", "/v1/users/vera", proof=lambda d, told: told["sessions"] == 0 and "hash" not in told),
    Call("GET /v1/users/{user}", "/v1/users/nobody", **GONE),
    Call(
        "PATCH /v1/users/{user}",
        "/v1/users/vera",
        {"role": "viewer"},
        proof=lambda d, _: d.get("/v1/users/vera")["role"] == "viewer",
    ),
    Call("PATCH /v1/users/{user}", "/v1/users/nobody", {"role": "viewer"}, **GONE),
    Call("POST /v1/sessions", body=SIGN_IN, status=201, who="nobody", proof=lambda d, told: signed_in(d, told)),
    Call("POST /v1/sessions", body={**SIGN_IN, "password": NEXT}, **TURNED_AWAY, says="no user signs in by this name"),
    Call("GET /v1/me", who="user", proof=lambda d, told: told["user"] == "vera"),
    Call("GET /v1/me", **TURNED_AWAY),
    Call(
        "POST /v1/me/password",
        body={"current": PASSWORD, "new": NEXT},
        who="user",
        proof=lambda d, _: d.get("/v1/users/vera")["sessions"] == 1,
    ),
    Call("POST /v1/me/password", body={"current": PASSWORD, "new": NEXT}, who="user", status=403, code="forbidden"),
    Call("DELETE /v1/sessions/current", who="user", proof=lambda d, _: d.get("/v1/users/vera")["sessions"] == 0),
    Call("DELETE /v1/sessions/current", status=409, code="conflict", says="no user who signed in"),
    Call("DELETE /v1/users/{user}", "/v1/users/vera", proof=lambda d, _: d.items("/v1/users") == []),
    Call("DELETE /v1/users/{user}", "/v1/users/nobody", **GONE),
)
"""A person is taken in, signs in, and is forgotten."""

END = (
    Call("POST /v1/cluster/confirm-loss", **DENIED),
    Call("POST /v1/cluster/confirm-loss", do=lose, proof=lambda d, _: d.get("/v1/cluster")["alarm"] == ""),
    Call("DELETE /v1/nodes/{node}", "/v1/nodes/rome-1", status=409, code="conflict"),
    Call("DELETE /v1/nodes/{node}", "/v1/nodes/rome-2?force=1", proof=lambda d, _: nodes(d) == {"rome-1"}),
    Call("DELETE /v1/tokens/{id}", "/v1/tokens/nobody", **GONE),
    Call(
        "DELETE /v1/tokens/{id}",
        "/v1/tokens/livia",
        proof=lambda d, _: d.ask("GET", "/v1/cluster", "viewer").status_code == 401,
    ),
)
"""A machine is lost, and a credential taken back."""
