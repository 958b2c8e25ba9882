"""Steps of the walk: contexts and credentials, and who did what."""

from __future__ import annotations

import json
from time import time
from typing import cast

from cli.context import contexts
from tests.e2e.node import Ended, until
from tests.engine.registry import NERO
from tests.lab.walk import Scene, Step, names, rows
from transport.identity.authority import ClusterCA

THERE = "--server https://$manager --certificate-authority $authority --username vera --password-stdin"
VIEWER = "has the role viewer, which may not do this"


def known(scene: Scene) -> list[str]:
    """The contexts of the machine that is away."""
    return [context.name for context in contexts(scene.away.folder / "config")[0]]


def current(scene: Scene) -> str:
    return contexts(scene.away.folder / "config")[1]


def tokens(scene: Scene) -> dict[str, str]:
    """The role of each token by its name."""
    return {row["name"]: row["role"] for row in scene.store.tokens()}


def export(scene: Scene) -> Ended:
    """Carry a context away: that file is all that the other machine gets."""
    ended = scene.rome.gbnt("config", "export", "--role", "admin", "--ttl", "1h", "--name", "walker")
    scene.write("exported", ended.out)
    scene.write("authority", (scene.rome.data / "pki" / "ca.pem").read_text())
    return ended


def create_viewer(scene: Scene) -> Ended:
    ended = scene.away.gbnt("token", "create", "livia", "--role", "viewer", "--ttl", "1h")
    scene.notes["livia"] = ended.out.strip()
    return ended


def add_foreign(scene: Scene) -> Ended:
    """A context that is right but for its authority, which is another cluster's."""
    scene.write("foreign", ClusterCA(scene.away.folder / "other", "another", time).certificate.decode())
    trusted = ("--certificate-authority", scene.notes["foreign"])
    return scene.away.gbnt("config", "set-context", "foreign", "--server", scene.notes["manager"], *trusted)


def outlive(scene: Scene) -> Ended:
    """A credential whose time is over."""
    made = scene.away.gbnt("token", "create", "mayfly", "--role", "viewer", "--ttl", "1s").out
    trusted = ("--certificate-authority", scene.notes["authority"], "--token-stdin")
    scene.away.gbnt("config", "set-context", "mayfly", "--server", scene.notes["manager"], *trusted, stdin=made)

    def refused() -> Ended | None:
        ended = scene.away.gbnt("node", "ls", "--context", "mayfly")
        return ended if ended.code else None

    return cast(Ended, until(refused, "a token that has expired"))


CONTEXTS = (
    Step(
        "config current-context", says="there is no current context; `gbnt config use-context NAME` makes one", code=1
    ),
    Step("node ls", says="no cluster is known here", code=4),
    Step("config export", "--role caesar", says="must be viewer, operator or admin", code=2, on="rome"),
    Step("config export", do=export, says="keep it as a file of mode 0600", proof=lambda s, out: "walker" in tokens(s)),
    Step("config import", "$folder/nothing", says="there is no file", code=2),
    Step("config import", "$exported --as rome --use", says="added rome", proof=lambda s, out: current(s) == "rome"),
    Step("config current-context", proof=lambda s, out: out.strip() == current(s) == "rome"),
    Step("token create", "ci --role caesar", says="must be admin, operator or viewer", code=2),
    Step("token create", do=create_viewer, proof=lambda s, out: tokens(s)["livia"] == "viewer"),
    Step("config set-context", "livia --token-stdin", says='"livia": a new one needs a name and --server', code=2),
    Step(
        "config set-context",
        "livia --server $manager --certificate-authority $authority --token-stdin",
        says='added "livia"',
        stdin="$livia",
        proof=lambda s, out: known(s) == ["rome", "livia"],
    ),
    Step("config get-contexts", "--filter colour=red", says="colour", code=2),
    Step("config get-contexts", "-o json", proof=lambda s, out: names(out) == known(s)),
    Step("config rename-context", "nobody other", says='there is no context "nobody"', code=2),
    Step(
        "config rename-context",
        "livia viewer",
        says='"livia" is "viewer" now',
        proof=lambda s, out: "viewer" in known(s),
    ),
    Step("config use-context", "nobody", says='there is no context "nobody"', code=2),
    Step("config use-context", "viewer", proof=lambda s, out: current(s) == "viewer"),
    Step("token ls", says=VIEWER, code=4),
    Step("config use-context", "rome", proof=lambda s, out: current(s) == "rome"),
    Step("config set-context", do=add_foreign, proof=lambda s, out: "foreign" in known(s)),
    Step("node ls", "--context foreign", says="certificate", code=3),
    Step("config delete-context", "foreign", proof=lambda s, out: "foreign" not in known(s)),
    Step("node ls", do=outlive, says="token", code=4),
    Step("config delete-context", "mayfly", proof=lambda s, out: "mayfly" not in known(s)),
    Step("config view", "--minify --context nobody", says='there is no context "nobody"', code=2),
    Step("config view", "-o json", proof=lambda s, out: s.notes["livia"] not in out and "viewer" in out),
    Step("config delete-context", "nobody", says='there is no context "nobody"', code=2),
    Step("token ls", "-o json", proof=lambda s, out: set(names(out)) == set(tokens(s))),
    Step("token create", "ci --role operator", proof=lambda s, out: tokens(s)["ci"] == "operator"),
    Step("token rm", "nobody", says='there is no token "nobody"', code=1),
    Step("token rm", "ci", says="is worthless from now on", proof=lambda s, out: "ci" not in tokens(s)),
)
"""A machine that has nothing gets all that it needs, by a file; and a viewer's credential beside it."""


def registry_of(scene: Scene) -> list[tuple[str, str]]:
    return [(row["registry"], row["username"]) for row in scene.store.registries()]


SIGN_INS = (
    Step(
        "registry login",
        f"$registry --username {NERO.username} --password-stdin",
        says="does not know nero",
        stdin="wrong",
        code=1,
    ),
    Step(
        "registry login",
        f"$registry --username {NERO.username} --password-stdin",
        says="signed in to $registry as nero: every node pulls by it",
        stdin=NERO.password,
        proof=lambda s, out: registry_of(s) == [(s.notes["registry"], "nero")],
    ),
    Step("registry ls", "--filter colour=red", says="colour", code=2),
    Step(
        "registry ls", "-o json", proof=lambda s, out: [row["registry"] for row in rows(out)] == [s.notes["registry"]]
    ),
    Step("registry logout", "nobody.example", says="nobody.example", code=1),
    Step("registry logout", "$registry", says="signed out of $registry", proof=lambda s, out: registry_of(s) == []),
)


def users(scene: Scene) -> dict[str, tuple[str, int]]:
    """The role of each user, and how often they are signed in, by name."""
    return {row["name"]: (row["role"], row["sessions"]) for row in scene.store.users()}


FIRST, NEXT = "qualis artifex", "ave imperator"
USERS = (
    Step("user create", "vera --password-stdin", says="12 to 1,000 characters", stdin="short", code=2),
    Step(
        "user create", "vera --password-stdin", stdin=FIRST, proof=lambda s, out: users(s) == {"vera": ("operator", 0)}
    ),
    Step("user ls", "--context viewer", says=VIEWER, code=4),
    Step("user ls", "-o json", proof=lambda s, out: names(out) == list(users(s))),
    Step("user inspect", "nobody", says='there is no user "nobody"', code=1),
    Step(
        "user inspect", "vera -o json", proof=lambda s, out: json.loads(out)["role"] == "operator" and FIRST not in out
    ),
    Step("user update", "vera", says="say what to change", code=2),
    Step("user update", "vera --role admin", proof=lambda s, out: users(s)["vera"] == ("admin", 0)),
    Step(
        "user reset-password", "nobody --password-stdin", says="there is no user nobody", stdin=NEXT, code=1, on="rome"
    ),
    Step(
        "user reset-password",
        "vera --password-stdin",
        says="is signed in nowhere",
        stdin=FIRST,
        on="rome",
        proof=lambda s, out: users(s)["vera"] == ("admin", 0),
    ),
    Step("login", f"{THERE} --as vera", says="no user signs in by this name and password", stdin=NEXT, code=4),
    Step(
        "login",
        f"{THERE} --as vera",
        stdin=FIRST,
        proof=lambda s, out: current(s) == "vera" and users(s)["vera"][1] == 1,
    ),
    Step(
        "user passwd", "--password-stdin", says="the present password is another one", stdin=f"{NEXT}\n{NEXT}\n", code=4
    ),
    Step("user passwd", "--password-stdin", stdin=f"{FIRST}\n{NEXT}\n", proof=lambda s, out: users(s)["vera"][1] == 1),
    Step("logout", proof=lambda s, out: "vera" not in known(s) and users(s)["vera"][1] == 0),
    Step("logout", "--context rome", says="is no user who signed in", code=1),
    Step("config use-context", "rome", proof=lambda s, out: current(s) == "rome"),
    Step("user rm", "nobody", says="there is no user nobody", code=1),
    Step("user rm", "vera", proof=lambda s, out: users(s) == {}),
)
"""A person is taken in, signs in, and is forgotten."""

RECORDS = (
    Step("events", "--after nonsense", says="nonsense", code=2),
    Step("events", "-o json", proof=lambda s, out: rows(out)[-1]["revision"] <= s.store.cluster()["revision"]),
    Step("audit", "--context viewer", says=VIEWER, code=4),
    Step(
        "audit",
        "--action tokens.create -o json",
        proof=lambda s, out: {row["outcome"] for row in rows(out)} == {"done"},
    ),
    Step("audit", "--outcome forbidden -o json", proof=lambda s, out: "livia" in {row["who"] for row in rows(out)}),
    Step("actor ls", "--filter colour=red", says="colour", code=2),
    Step("actor ls", "-o json", proof=lambda s, out: len(rows(out)) > 10 and out.count("/senate")),
    Step("actor tree", "--context nobody", says='there is no context "nobody"', code=2),
    Step(
        "actor tree", says="senate", proof=lambda s, out: all(name in out for name in s.store.actors()[0]["children"])
    ),
    Step("actor inspect", "nobody", says="nobody", code=1),
    Step(
        "actor inspect",
        "senate -o json",
        proof=lambda s, out: json.loads(out)["address"] == s.store.actor("senate")["address"],
    ),
    Step("config delete-context", "viewer", says="viewer", proof=lambda s, out: known(s) == ["rome"]),
)
