"""A manager's API, asked by its own description: each operation once as it is meant, then as schemathesis will."""

from __future__ import annotations

import io
import os
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from cli.context import contexts
from tests.e2e.node import Node, Row, until
from transport.identity.node_keys import NodeKeys
from transport.identity.proofs import proof

# Not among them is what no API promises: that all that fits a schema is taken (a name may be unknown, a list lack a
# field), or that all that does not is refused (parameters that nobody asks for are none of ours).
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
PATIENCE = 30.0
IMAGE = "busybox"
LARGEST_HEAD = 16 * 1024
OPEN_SESAME = "qualis artifex pereo"


@dataclass
class Questions:
    """A manager that is asked by its own description. `reached` are the operations that did what they are for."""

    node: Node
    session: requests.Session
    url: str
    bearer: Mapping[str, str]
    reached: set[str] = field(default_factory=set)
    cases: int = 0

    def __post_init__(self) -> None:
        described = self.session.get(f"{self.url}/v1/openapi.json", headers=self.bearer, timeout=PATIENCE).json()
        self.schema = schemathesis.openapi.from_dict(described)

    @property
    def names(self) -> list[str]:
        """Every operation's name."""
        return [one["operationId"] for path in self.schema.raw_schema["paths"].values() for one in path.values()]

    def operation(self, name: str) -> Any:
        return self.schema.find_operation_by_id(name)

    def send(self, case: Any, headers: Mapping[str, str] | None = None) -> Any:
        """Ask, and see that the answer is one that the description has; the answer."""
        self.cases += 1
        told: Row = {"session": self.session, "verify": self.session.verify, "timeout": PATIENCE}
        try:
            answer = case.call(base_url=self.url, headers=headers or self.bearer, **told)
        except requests.ConnectionError as error:
            # Who still writes when the rest is no longer read may see the connection end, and not the 431 before that.
            if _length_of_head(error.request) <= LARGEST_HEAD:
                raise
            return None
        case.validate_response(answer, checks=CHECKS)
        return answer

    def send_raw(self, name: str, body: bytes, parts: Mapping[str, str]) -> None:
        """Ask with a body as it is, and see that the answer is one that the description has."""
        self.cases += 1
        case = self.operation(name).Case(path_parameters=dict(parts))
        method, url = case.operation.method.upper(), f"{self.url}{case.formatted_path}"
        answer = self.session.request(method, url, data=body, headers=self.bearer, timeout=PATIENCE)
        case.validate_response(answer, checks=CHECKS)

    def body_of(self, name: str) -> Row:
        """The schema of an operation's body."""
        [content] = self.operation(name).definition.raw["requestBody"]["content"].values()
        return dict(content["schema"])

    def ask(self, name: str, /, body: Any = None, query: Any = None, headers: Any = None, **parts: Any) -> Any:
        """Ask for what there is; the answer, which is a good one."""
        told = {} if body is None else {"body": body, "media_type": "application/json"}
        case = self.operation(name).Case(path_parameters=parts, query=query or {}, **told)
        answer = self.send(case, headers)
        assert 200 <= answer.status_code < 300, (
            f"{name}: {answer.status_code} {answer.text}; its log: {self.node.log[-500:]}"
        )
        self.reached.add(name)
        return answer.json() if answer.headers["content-type"] == ["application/json"] else answer.text


def _length_of_head(request: requests.Request | requests.PreparedRequest | None) -> int:
    """Of path and headers, in characters."""
    assert request is not None
    return len(request.url or "") + sum(len(name) + len(value) for name, value in (request.headers or {}).items())


@contextmanager
def questions(node: Node) -> Iterator[Questions]:
    """Ask a node that is well, as its first admin."""
    [context], _ = contexts(node.folder / "config")
    authority = node.folder / "authority.pem"
    authority.write_text(context.certificate_authority)
    with requests.Session() as session:
        session.trust_env = False  # or an authority of this machine's own takes the place of ours
        session.verify = str(authority)
        yield Questions(node, session, context.server, {"Authorization": f"Bearer {context.token}"})


def spec(stack: str, command: str = "1000") -> Row:
    """A stack of one service that runs until it is told to end, with one thing of each kind."""
    web = {"name": "web", "image": IMAGE, "command": ["sleep", command], "stop_grace_period": 0.0, "replicas": 1}
    has = {"mounts": [{"type": "volume", "source": "data", "target": "/data"}], "networks": [{"network": "default"}]}
    return {
        "name": stack,
        "services": {"web": {**web, **has}},
        "networks": {"default": {"name": f"{stack}_default"}},
        "volumes": {"data": {"name": f"{stack}_data"}},
        "configs": {"settings": {"name": f"{stack}_settings", "content": "YWxs"}},
    }


def deployment(stack: str, command: str = "1000") -> Row:
    """The same with its file, as a body."""
    sources = {"files": [{"name": "compose.yaml", "text": "services: {}"}], "variables": {}, "roots": ["compose.yaml"]}
    return {"spec": spec(stack, command), "sources": sources, "resolve": "never"}


def ask_each(all_of: Questions, stack: str, spare: str, registry: str, folder: Path) -> None:
    """Ask for everything once, as it is meant."""
    _ask_of_the_cluster(all_of, registry)
    _ask_of_a_stack(all_of, stack, spare)
    _ask_of_machines(all_of, folder)
    _build(all_of)


def _ask_of_the_cluster(all_of: Questions, registry: str) -> None:
    ask = all_of.ask
    for name in ("openapi.show", "cluster.show", "system.df", "system.prunable", "actors.index", "audit.index"):
        ask(name)
    ask("cluster.update", {"pause_above": 50})
    ask("cluster.confirm_loss")
    ask("system.prune", {"only": []})  # nothing of it: others have the engine, too
    ask("actors.show", path="senate")
    ask("events.index", query={"limit": 5})
    made = ask("tokens.create", {"name": "spare", "role": "viewer"})
    ask("tokens.index", query={"filter": ["role=viewer"], "sort": "-created_at"})
    ask("tokens.revoke", id=made["id"])
    _ask_as_a_user(all_of)
    ask("snapshots.create")
    ask("snapshots.index")
    ask("snapshots.release_held")
    ask("registries.sign_in", {"username": "nero", "password": "open sesame"}, registry=registry)
    ask("registries.index")
    ask("registries.sign_out", registry=registry)


def _ask_as_a_user(all_of: Questions) -> None:
    ask = all_of.ask
    ask("users.create", {"name": "vera", "role": "viewer", "password": OPEN_SESAME})
    ask("users.index")
    ask("users.show", user="vera")
    ask("users.update", {"role": "operator"}, user="vera")
    made = ask("sessions.open", {"username": "vera", "password": OPEN_SESAME})
    session = {"Authorization": f"Bearer {made['token']}"}
    ask("sessions.me", headers=session)
    ask("sessions.change_password", {"current": OPEN_SESAME, "new": OPEN_SESAME[::-1]}, headers=session)
    ask("sessions.close", headers=session)
    ask("users.remove", user="vera")


def _ask_of_a_stack(all_of: Questions, stack: str, spare: str) -> None:
    ask, web = all_of.ask, {"stack": stack, "service": "web"}
    ask("stacks.plan", deployment(stack), name=stack)
    ask("stacks.deploy", deployment(stack), name=stack)
    ask("stacks.deploy", deployment(stack, "2000"), name=stack)
    ask("stacks.progress", name=stack)
    ask("stacks.index")
    ask("stacks.show", name=stack)
    ask("revisions.index", name=stack)
    ask("revisions.show", name=stack, number="1")
    ask("revisions.sources", name=stack, number="1")
    ask("revisions.rollback", query={"revision": 1}, name=stack)
    ask("drafts.save", {"spec": spec(stack)}, name=stack)
    ask("drafts.show", name=stack)
    ask("drafts.drop", name=stack)
    ask("services.index", query={"stack": stack})
    for name in ("show", "placement", "logs", "restart", "stop", "start"):
        ask(f"services.{name}", **web)
    ask("services.scale", {"replicas": 2}, **web)
    ask("services.update", {"force": True}, **web)
    for name in ("stop", "start"):
        ask(f"stacks.{name}", name=stack)
    settle(all_of, stack)
    [task, *_] = ask("tasks.index", query={"stack": stack})["items"]
    for name in ("show", "placement", "logs", "remove"):
        ask(f"tasks.{name}", task=task["id"])
    ask("stats.stream", query={"stack": stack})
    for name in ("networks", "volumes", "configs"):
        ask(f"{name}.index", query={"stack": stack})
    ask("networks.show", name=f"{stack}_default")
    ask("names.show", name=f"web.{stack}")
    ask("volumes.show", query={"sizes": "true"}, name=f"{stack}_data")
    ask("configs.show", name=f"{stack}_settings")
    ask("configs.remove", name=f"{stack}_settings")
    ask("stacks.deploy", deployment(spare), name=spare)
    settle(all_of, spare)
    there = {"filter": [f"name={spare}_data"]}
    until(lambda: any(one["nodes"] for one in ask("volumes.index", query=there)["items"]), "a volume that is seen")
    ask("services.remove", stack=spare, service="web")
    ask("stacks.remove", name=spare)
    until(lambda: spare not in [one["name"] for one in ask("stacks.index")["items"]], f"stack {spare} that is gone")
    ask("volumes.remove", name=f"{spare}_data")


def settle(all_of: Questions, stack: str) -> None:
    """Wait until the stack runs."""
    until(lambda: all_of.ask("stacks.show", name=stack)["status"] == "running", f"stack {stack} that runs")


def _ask_of_machines(all_of: Questions, folder: Path) -> None:
    ask = all_of.ask
    [own] = ask("nodes.index")["items"]
    ask("nodes.update", {"labels": {"zone": "a"}}, node=own["name"])
    ask("nodes.show", node=own["id"])
    token = ask("joining.create", {"uses": 2})
    ask("joining.index")
    ask("knocking.knock", {"token": token["token"], "name": "ghost"})
    first, second = (_joined(all_of, token["token"], f"ghost-{number}", folder) for number in (1, 2))
    cluster = ask("cluster.show")["id"]
    ask("joining.renew", {"csr": first.request().decode()}, headers=proof(first, cluster, "renew"))
    ask("leaving.leave", {"force": True}, headers=proof(first, cluster, "leave"))
    assert second.facts is not None
    ask("nodes.remove", query={"force": "true"}, node=second.facts.node)
    ask("joining.revoke", id=token["id"])


def _joined(all_of: Questions, token: str, name: str, folder: Path) -> NodeKeys:
    """A machine that joins, and never comes."""
    keys = NodeKeys(folder / name, time.time)
    told = all_of.ask("joining.join", {"token": token, "csr": keys.request().decode(), "name": name})
    keys.take(told["certificate"].encode(), told["authority"].encode())
    return keys


def _build(all_of: Questions) -> None:
    """Build an image. Its body is no JSON, so that it is sent by hand."""
    packed, text = io.BytesIO(), f"FROM {IMAGE}\nCMD true\n".encode()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    tag = f"gbnt-questions:{os.getpid()}"
    answer = all_of.session.post(
        f"{all_of.url}/v1/builds", params={"tag": tag}, data=packed.getvalue(), headers=all_of.bearer, timeout=PATIENCE
    )
    all_of.operation("builds.build").Case(query={"tag": tag}).validate_response(answer, checks=CHECKS)
    assert "image_id" in answer.text, answer.text
    all_of.node.docker("rmi", "-f", tag)
    all_of.reached.add("builds.build")


def tame(case: Any) -> None:
    """Take out of a case what would harm the machine that the test runs on, or leave it."""
    case.query.pop("follow", None)  # a stream without an end
    case.query.pop("interval", None)  # as many seconds until an answer
    if case.operation.definition.raw["operationId"] == "stacks.progress":
        case.query.pop("after", None)  # waits for a revision that never comes
    body = case.body
    if not isinstance(body, dict):
        return
    if isinstance(body.get("image"), str):
        body["image"] = IMAGE  # a registry by that name would be asked
    _bound(body)
    wanted = body.get("spec")
    if not isinstance(wanted, dict):
        return
    body["resolve"] = "never"
    services = wanted.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        if isinstance(service, dict):
            _bound(service)
            # Only what this machine has, and nothing of this machine's own within it.
            service |= {"image": IMAGE, "pull_policy": "never", "mounts": [], "privileged": False}
            service.pop("tuning", None)


def _bound(asked: dict[str, Any]) -> None:
    replicas = asked.get("replicas")
    if isinstance(replicas, int) and 2 < replicas <= 10_000:  # more are refused, which is to be seen
        asked["replicas"] = 2


def parts_of(stack: str, spare: str, node: Row, task: str) -> Mapping[str, Mapping[str, str]]:
    """Things that are there, by operation (of all others under `""`): what one does is not to spoil the next."""
    there = {"name": stack, "stack": stack, "service": "web", "node": node["name"], "task": task, "number": "1"}
    other = {"path": "senate", "id": "nobody", "registry": "127.0.0.1:1", "user": "nobody"}
    gone = {**there, **other, "name": spare, "stack": spare}
    ending = ("stacks.deploy", "stacks.remove", "services.remove", "stacks.stop", "revisions.rollback")
    return {"": {**there, **other}, **dict.fromkeys(ending, gone)}
