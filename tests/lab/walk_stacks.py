"""Steps of the walk: a stack's life, from its files to its volumes."""

from __future__ import annotations

import json

from cli.errors import NotFound
from tests.e2e.node import Ended
from tests.lab.walk import Scene, Step, names, rows

SHOP = """
services:
  web:
    image: busybox
    command: sh -c "echo salve; exec sleep 1000"
    init: true
    stop_grace_period: 0s
    deploy: {replicas: 2, placement: {constraints: [node.role == manager]}}
  reader:
    image: busybox
    command: [sleep, "1000"]
    init: true
    stop_grace_period: 0s
    configs: [app]
    volumes: ["data:/data"]
    deploy: {placement: {constraints: [node.role == manager]}}
configs:
  app: {content: ave}
volumes:
  data:
"""
LIGHT = """
services:
  light:
    image: busybox
    command: [sleep, "1000"]
    init: true
    stop_grace_period: 0s
    deploy: {replicas: 3}
"""
WRONG = "services:\n  web:\n    imge: busybox\n"
PROJECT = """
version: "3.8"
services:
  db:
    image: busybox
    command: [sleep, "1000"]
    stop_grace_period: 0s
"""
FILES = {"shop": SHOP, "shorter": SHOP.replace("salve", "vale"), "light": LIGHT, "wrong": WRONG, "project": PROJECT}
NO_STACK, NO_SERVICE, NO_TASK = (f'there is no {kind} "nobody' for kind in ("stack", "service", "task"))
UNKNOWN_KEY = "colour"


def labels(scene: Scene, service: str) -> dict[str, str]:
    """What one container of a service has, by its engine's word."""
    id = next(iter(scene.ids(service)))
    machine = next(one for one in (scene.rome, scene.second, scene.third) if id in one.docker("ps", "-q"))
    return dict(json.loads(machine.docker("inspect", "-f", "{{json .Config.Labels}}", id)))


def on_rome(scene: Scene, kind: str) -> str:
    """What the manager's engine lists of a kind of thing."""
    return scene.rome.docker(kind, "ls", "--format", "{{.Name}}")


def has_draft(scene: Scene) -> bool:
    try:
        scene.store.draft("shop", values=False)
    except NotFound:
        return False
    return True


def adopt(scene: Scene) -> Ended:
    """Of what docker-compose runs on the manager's machine."""
    scene.rome.run("docker-compose", "-f", scene.notes["project"], "-p", "villa", "up", "-d")
    return scene.rome.gbnt("stack", "adopt", "villa", "--yes")


BEGIN = (
    Step("stack config", "-c $wrong", says="wrong.yaml:3:5", code=2),
    Step("stack config", "-c $shop --services", proof=lambda s, out: sorted(out.split()) == ["reader", "web"]),
    Step("stack save", "nobody --drop", says="stack nobody has no draft", code=1),
    Step("stack save", "-c $shop shop", proof=lambda s, out: s.store.draft("shop", values=False)["by"] == "walker"),
    Step("stack deploy", "-c $wrong shop", says="wrong.yaml:3:5", code=2),
    Step("stack deploy", "shop --draft", says="shop runs as the file says", proof=lambda s, out: s.runs("web", 2)),
    Step("stack save", "shop --drop", proof=lambda s, out: not has_draft(s)),
    Step("stack ls", f"--filter {UNKNOWN_KEY}=red", says=UNKNOWN_KEY, code=2),
    Step(
        "stack ls", "-o json", proof=lambda s, out: names(out) == ["shop"] == [row["name"] for row in s.store.stacks()]
    ),
    Step("stack ps", "nobody", says=NO_STACK, code=1),
    Step("stack ps", "shop -o json", proof=lambda s, out: len(rows(out)) == len(s.ids("web") | s.ids("reader")) == 3),
    Step("stack services", "nobody", says=NO_STACK, code=1),
    Step("stack services", "shop -o json", proof=lambda s, out: set(names(out)) == {"shop/web", "shop/reader"}),
    Step("stack history", "nobody", says=NO_STACK, code=1),
    Step("stack history", "shop -o json", proof=lambda s, out: rows(out)[0]["by"] == "walker"),
    Step("stack sources", "shop --revision 99", says="99", code=1),
    Step(
        "stack sources",
        "shop",
        says="echo salve",
        proof=lambda s, out: s.store.sources("shop", 1, values=False)["files"],
    ),
    Step("explain", "nobody", says="nobody", code=1),
    Step("explain", "shop-web-1", says="shop-web-1:", proof=lambda s, out: s.store.task("shop-web-1")["node"] in out),
)
"""A stack comes up from a draft, and is looked at."""

SERVICES = (
    Step("service ls", f"--filter {UNKNOWN_KEY}=red", says=UNKNOWN_KEY, code=2),
    Step("service ls", "-o json", proof=lambda s, out: [row["running"] for row in rows(out)] == [1, len(s.ids("web"))]),
    Step("service ps", "nobody", says=NO_SERVICE, code=1),
    Step("service ps", "shop/web -o json", proof=lambda s, out: len(rows(out)) == len(s.ids("web"))),
    Step("service inspect", "nobody", says=NO_SERVICE, code=1),
    Step("service inspect", "web -o json", proof=lambda s, out: json.loads(out)["replicas"] == len(s.ids("web"))),
    Step("service scale", "shop/web=many", says="many", code=2),
    Step("service scale", "shop/web=3", says="scaled from 2 to 3", proof=lambda s, out: s.runs("web", 3, new=1)),
    Step("service update", "shop/web", says="--image", code=2),
    Step("service update", "shop/web --force", proof=lambda s, out: s.runs("web", 3, new=3)),
    Step("service restart", "nobody", says=NO_SERVICE, code=1),
    Step("service restart", "shop/web", proof=lambda s, out: s.runs("web", 3, new=3)),
    Step("service stop", "shop/web --context viewer", says="which may not do this", code=4),
    Step("service stop", "shop/web", proof=lambda s, out: s.runs("web", 0)),
    Step("service start", "nobody", says=NO_SERVICE, code=1),
    Step("service start", "shop/web", proof=lambda s, out: s.runs("web", 3, new=3)),
    Step("service logs", "shop/web --since soon", says="soon", code=2),
    Step("service logs", "shop/web", says="salve", proof=lambda s, out: out.count("salve") == len(s.ids("web"))),
    Step("logs", "nobody", says=NO_SERVICE, code=1),
    Step("logs", "shop/web -n 1", says="salve", proof=lambda s, out: out.count("salve") == len(s.ids("web"))),
    Step("top", "nobody", says="nobody", code=1),
    Step("top", "shop/web -o json", proof=lambda s, out: len(json.loads(out)["tasks"]) == len(s.ids("web"))),
    Step("task ls", f"--filter {UNKNOWN_KEY}=red", says=UNKNOWN_KEY, code=2),
    Step("task ls", "-o json", proof=lambda s, out: len(rows(out)) == len(s.ids("web") | s.ids("reader"))),
    Step("task inspect", "nobody", says=NO_TASK, code=1),
    Step(
        "task inspect",
        "shop-reader-1 -o json",
        proof=lambda s, out: json.loads(out)["id"] == labels(s, "reader")["gbnt.task"],
    ),
    Step("task logs", "nobody", says=NO_TASK, code=1),
    Step("task logs", "shop-web-1", says="salve", proof=lambda s, out: s.ids("web")),
    Step("task exec", "nobody true", says=NO_TASK, code=1),
    Step("task exec", "shop-reader-1 touch /data/here", proof=lambda s, out: "here" in in_reader(s, "ls", "/data")),
    Step("exec", "shop-reader-1 no-such-program", says="no-such-program", code=126),
    Step("exec", "shop-reader-1 -- cat /app", says="ave", proof=lambda s, out: out == in_reader(s, "cat", "/app")),
    Step("task rm", "nobody", says=NO_TASK, code=1),
    Step("task rm", "shop-web-1", proof=lambda s, out: s.runs("web", 3, new=1)),
)
"""What is done with its services and tasks."""


def in_reader(scene: Scene, *words: str) -> str:
    """Run a command in the container that has the volume, by its engine."""
    return scene.rome.docker("exec", *scene.ids("reader"), *words)


PARTS = (
    Step("network ls", f"--filter {UNKNOWN_KEY}=red", says=UNKNOWN_KEY, code=2),
    Step("network ls", "-o json", proof=lambda s, out: all(name in on_rome(s, "network") for name in names(out))),
    Step("network inspect", "nobody", says='there is no network "nobody"', code=1),
    Step("network inspect", "shop_default -o json", proof=lambda s, out: len(json.loads(out)["attached"]) == 4),
    Step("dns query", "nobody", says='there is no name "nobody"', code=1),
    Step("dns query", "web.shop -o json", proof=lambda s, out: all(row["answers"] for row in json.loads(out))),
    Step("volume ls", f"--filter {UNKNOWN_KEY}=red", says=UNKNOWN_KEY, code=2),
    Step("volume ls", "-o json", proof=lambda s, out: names(out) == ["shop_data"] == on_rome(s, "volume").split()),
    Step("volume inspect", "nobody", says='there is no volume "nobody"', code=1),
    Step("volume inspect", "shop_data -o json", proof=lambda s, out: json.loads(out)["nodes"] == ["rome-1"]),
    Step("volume rm", "shop_data --yes", says="shop_data", code=1),
    Step("config-file ls", f"--filter {UNKNOWN_KEY}=red", says=UNKNOWN_KEY, code=2),
    Step("config-file ls", "-o json", proof=lambda s, out: names(out) == ["shop_app"]),
    Step("config-file inspect", "nobody", says='there is no config "nobody"', code=1),
    Step("config-file inspect", "shop_app --content", proof=lambda s, out: out == in_reader(s, "cat", "/app")),
    Step("config-file rm", "shop_app", says="config shop_app is read by shop/reader", code=1),
    Step("stack deploy", "-c $shorter shop --detach", says="web updated", proof=lambda s, out: s.runs("web", 2, new=2)),
    Step("stack rollback", "shop 99", says="99", code=1),
    Step("stack rollback", "shop --detach", says="to revision 1", proof=lambda s, out: s.runs("web", 2, new=2)),
    Step("stack stop", "nobody", says="there is no stack nobody", code=1),
    Step("stack stop", "shop", says="shop is stopped", proof=lambda s, out: not s.ids("web") | s.ids("reader")),
    Step("stack start", "nobody", says="there is no stack nobody", code=1),
    Step("stack start", "shop --detach", proof=lambda s, out: s.ids("reader") and s.runs("web", 2, new=2)),
    Step("service rm", "nobody", says=NO_SERVICE, code=1),
    Step("service rm", "shop/reader", proof=lambda s, out: not s.ids("reader") and len(s.store.services()) == 1),
    Step("config-file rm", "shop_app", proof=lambda s, out: s.store.configs() == []),
)
"""What it has beside services, and what becomes of it."""

END = (
    Step("stack rm", "light", says="light is gone", proof=lambda s, out: s.stack("light") == {} and not s.ids("light")),
    Step("stack adopt", "villa --yes", says='runs no project "villa" here', code=1, on="rome"),
    Step(
        "stack adopt",
        says="villa is the stack villa",
        do=adopt,
        proof=lambda s, out: labels(s, "db")["gbnt.stack"] == "villa" and "villa_db_1" not in s.rome.docker("ps", "-a"),
    ),
    Step("stack rm", "nobody", says=NO_STACK, code=1),
    Step("stack rm", "villa", says="villa is gone", proof=lambda s, out: s.stack("villa") == {} and not s.ids("db")),
    Step("stack rm", "shop", says="shop is gone", proof=lambda s, out: not s.ids("web") and s.store.stacks() == []),
    Step("volume rm", "shop_data --yes", says="removed from rome-1", proof=lambda s, out: on_rome(s, "volume") == ""),
)
"""It goes, and its data after it."""

ROOM = (
    Step("system df", "--context nobody", says='there is no context "nobody"', code=2),
    Step(
        "system df",
        "-o json",
        proof=lambda s, out: [row["node"] for row in rows(out)] == ["rome-1", "rome-2", "rome-3"],
    ),
    Step("system prune", "--yes --context viewer", says="which may not do this", code=4),
    Step("system prune", "--yes", proof=lambda s, out: s.rome.docker("images", "-q", "busybox") == ""),
)
"""What is left on the engines is put away."""
