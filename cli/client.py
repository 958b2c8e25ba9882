"""The manager's API v1 as methods: what the commands call, a method for each thing that a person may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal
from urllib.parse import quote

import orjson

from cli.errors import BadInput, NotFound
from cli.session import Params, Session
from cli.table import Row
from cli.words import did_you_mean

Role = Literal["admin", "operator", "viewer"]
NodeRole = Literal["worker", "manager"]


class Client:
    """One manager. Rows are the API's, field for field. Raises what Session raises."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # -- the cluster ---------------------------------------------------------------------------------------------

    def cluster(self) -> Row:
        """The cluster's name, version, revision and epoch, and its alarm."""
        return self._session.get("/v1/cluster")

    def update_cluster(self, settings: Mapping[str, object]) -> Row:
        """Change settings of the cluster: `pause_above`, `privileged`."""
        return self._session.write("PATCH", "/v1/cluster", orjson.dumps(settings))

    def confirm_loss(self) -> Row:
        """Confirm that the machines that were lost at once are gone: their tasks are replaced."""
        return self._session.write("POST", "/v1/cluster/confirm-loss")

    def events(self, after: int | str | None, limit: int) -> list[Row]:
        """The first `limit` events after a revision or place, or else the newest, oldest first."""
        return self._session.items("/v1/events", {"after": after, "limit": limit})

    def follow_events(self, after: str | None, limit: int, opened: Callable[[], None]) -> Iterator[Row]:
        """The same after a revision or an event's place, `REVISION.NUMBER`, and then each event as it happens."""
        return self._session.lines("GET", "/v1/events", {"after": after, "limit": limit, "follow": 1}, opened=opened)

    def audit(self, wanted: Params) -> list[Row]:
        """The newest records of who did what, newest first: as `who`, `action`, `outcome`, `since`, `limit` say."""
        return self._session.items("/v1/audit", wanted)

    def actors(self) -> list[Row]:
        """Every actor of the node that answers."""
        return self._session.items("/v1/actors")

    def actor(self, path: str) -> Row:
        """One actor by its path."""
        return self._session.get(f"/v1/actors/{quote(path)}")

    # -- nodes ---------------------------------------------------------------------------------------------------

    def nodes(self) -> list[Row]:
        """The machines."""
        return self._session.items("/v1/nodes")

    def node(self, reference: str) -> Row:
        """One machine by its name or id; while it is being emptied, `leaving` is what has not left it."""
        return self._session.get(_node_path(reference))

    def update_node(
        self,
        reference: str,
        *,
        availability: str = "",
        labels: Mapping[str, str | None] | None = None,
        role: NodeRole | None = None,
    ) -> Row:
        """Change what a machine is for, its labels (None takes one away) and its role."""
        wanted = {"availability": availability, "labels": labels or {}, "role": role or ""}
        return self._session.write("PATCH", _node_path(reference), orjson.dumps(wanted))

    def remove_node(self, reference: str, *, force: bool) -> Row:
        """Forget a machine; by `force` whatever it does."""
        return self._session.write("DELETE", _node_path(reference), params={"force": 1 if force else None})

    # -- stacks --------------------------------------------------------------------------------------------------

    def stacks(self) -> list[Row]:
        """The stacks."""
        return self._session.items("/v1/stacks")

    def stack(self, name: str) -> Row:
        """One stack."""
        return self._session.get(_stack_path(name))

    def deploy(self, stack: str, order: Mapping[str, object]) -> Row:
        """Make a stack be as the order's spec says: `revision`, `changes` by service, and `warnings` of its images."""
        return self._session.write("PUT", _stack_path(stack), orjson.dumps(order))

    def plan(self, stack: str, order: Mapping[str, object]) -> Row:
        """What the same order would do now, by services, networks, volumes and configs. Nothing is changed by it."""
        return self._session.write("POST", f"{_stack_path(stack)}/plan", orjson.dumps(order))

    def draft(self, stack: str, *, values: bool) -> Row:
        """A stack's draft: `spec`, `refusals` and `sources`, with the `values` of variables where wanted."""
        return self._session.get(f"{_stack_path(stack)}/draft", {"values": 1 if values else None})

    def save_draft(self, stack: str, writing: Mapping[str, object]) -> Row:
        """Keep a draft of a stack: `spec`, with `sources`, `refusals` and `replaces` if wanted."""
        return self._session.write("PUT", f"{_stack_path(stack)}/draft", orjson.dumps(writing))

    def drop_draft(self, stack: str) -> Row:
        """Forget the draft of a stack."""
        return self._session.write("DELETE", f"{_stack_path(stack)}/draft")

    def remove_stack(self, name: str, volumes: Iterable[str]) -> Row:
        """Begin to remove a stack with these of its volumes; it is gone when its progress says so."""
        params = {"volumes": ",".join(volumes)}
        return self._session.write("DELETE", _stack_path(name), params=params)

    def hold_stack(self, name: str, action: Literal["stop", "start"]) -> Row:
        """Keep a stack down, or let it run again."""
        return self._session.write("POST", f"{_stack_path(name)}/{action}")

    def revisions(self, stack: str) -> list[Row]:
        """What a stack said at its last deploys, newest first."""
        return self._session.items(f"{_stack_path(stack)}/revisions")

    def sources(self, stack: str, number: int, *, values: bool) -> Row:
        """The `files` of a revision, and the `variables` that they name, with their `values` where these are wanted."""
        path = f"{_stack_path(stack)}/revisions/{number}/sources"
        return self._session.get(path, {"values": 1 if values else None})

    def roll_back(self, stack: str, number: int | None, newest: int | None) -> Row:
        """Make a stack be as a revision says, `to` in the detail; without a number as the last that said another thing.

        `newest` is the newest that is known here: past another one nothing is changed.
        """
        params = {"revision": number, "newest": newest}
        return self._session.write("POST", f"{_stack_path(stack)}/rollback", params=params)

    def progress(self, stack: str, revision: int) -> Iterator[Row]:
        """What becomes of a stack from a revision on, until the last line, its verdict."""
        return self._session.lines("GET", f"{_stack_path(stack)}/progress", {"after": revision})

    # -- room and load -------------------------------------------------------------------------------------------

    def usage(self) -> Iterator[Row]:
        """What each machine's engine keeps, as soon as it has said; `unknown` is why one did not."""
        return self._session.lines("GET", "/v1/system/df")

    def prunable(self, params: Params) -> Iterator[Row]:
        """What a pruning would put away: a line for each machine and each volume."""
        return self._session.lines("GET", "/v1/system/prune", params)

    def prune(self, order: Mapping[str, object]) -> Iterator[Row]:
        """Have what nothing needs put away, the same lines of what went. See the manager's `Pruning`."""
        return self._session.lines("POST", "/v1/system/prune", body=[orjson.dumps(order)])

    def stats(self, params: Params) -> Iterator[Row]:
        """How busy tasks and machines are: a line, and with `follow` another every `interval` seconds."""
        return self._session.lines("GET", "/v1/stats", params)

    # -- networks and volumes ------------------------------------------------------------------------------------

    def networks(self, stack: str = "") -> list[Row]:
        """The networks of a stack, or of all."""
        return self._session.items("/v1/networks", {"stack": stack})

    def network(self, name: str) -> Row:
        """One network; `attached` are the tasks on it."""
        return self._session.get(f"/v1/networks/{quote(name, safe='')}")

    def volumes(self, stack: str = "", *, sizes: bool = False) -> list[Row]:
        """The named volumes of a stack, or of all and those that outlived theirs; with `sizes`, machines are asked."""
        return self._session.items("/v1/volumes", {"stack": stack, "sizes": 1 if sizes else None})

    def volume(self, name: str, *, sizes: bool = False) -> Row:
        """One volume; with `sizes`, its machines are asked."""
        return self._session.get(_volume_path(name), {"sizes": 1 if sizes else None})

    def remove_volume(self, name: str) -> Row:
        """Remove a volume: the machines that it was `removed` from, and those that `kept` it, each with the reason."""
        return self._session.write("DELETE", _volume_path(name))

    # -- services ------------------------------------------------------------------------------------------------

    def services(self, stack: str = "") -> list[Row]:
        """The services, of one stack where it is named."""
        return self._session.items("/v1/services", {"stack": stack})

    def service_key(self, name: str) -> str:
        """`stack/service` for what a person typed: the same, or a service's name that only one stack has."""
        if "/" in name:
            return name
        keys = [str(row["name"]) for row in self.services()]
        matching = [key for key in keys if key.partition("/")[2] == name]
        if len(matching) > 1:
            raise BadInput(f'several stacks have a service "{name}": say which one of {", ".join(sorted(matching))}')
        if not matching:
            hint = did_you_mean(name, [key.partition("/")[2] for key in keys])
            raise NotFound(f'there is no service "{name}"{hint}; `gbnt service ls` lists them')
        return matching[0]

    def service(self, key: str) -> Row:
        """One service, with its spec."""
        return self._session.get(_service_path(key))

    def service_placement(self, key: str) -> Row:
        """Where another task of a service could go: a `sentence`, and the `nodes`, each with the reasons against it."""
        return self._session.get(f"{_service_path(key)}/placement")

    def scale(self, key: str, replicas: int) -> Row:
        """Run this many replicas."""
        return self._change_service(key, "scale", {"replicas": replicas})

    def update(self, key: str, image: str, *, force: bool) -> Row:
        """Roll a service over to another image, or (`force`) to new containers of what it is."""
        return self._change_service(key, "update", {"image": image, "force": force})

    def hold_service(self, key: str, action: Literal["stop", "start", "restart"]) -> Row:
        """Keep a service down, let it run again, or replace its containers."""
        return self._change_service(key, action, {})

    def remove_service(self, key: str) -> Row:
        """Remove one service from its stack."""
        return self._session.write("DELETE", _service_path(key))

    def service_logs(self, key: str, params: Params) -> Iterator[Row]:
        """The lines of all tasks of a service in the order of time."""
        return self._session.lines("GET", f"{_service_path(key)}/logs", params)

    # -- configs -------------------------------------------------------------------------------------------------

    def configs(self, stack: str = "") -> list[Row]:
        """The configs that a stack brought, or all did, without their contents."""
        return self._session.items("/v1/configs", {"stack": stack})

    def config(self, name: str) -> Row:
        """One config, with its `content` in base64."""
        return self._session.get(f"/v1/configs/{quote(name, safe='')}")

    def remove_config(self, name: str) -> Row:
        """Remove a config that no service reads."""
        return self._session.write("DELETE", f"/v1/configs/{quote(name, safe='')}")

    # -- tasks ---------------------------------------------------------------------------------------------------

    def tasks(self, stack: str = "", service: str = "", node: str = "", *, ended: bool = False) -> list[Row]:
        """The tasks; with those that ended where `ended` asks for them."""
        params = {"stack": stack, "service": service, "node": node, "all": 1 if ended else None}
        return self._session.items("/v1/tasks", params)

    def task(self, reference: str) -> Row:
        """One task by its id, a unique beginning of it, or its name (stack-service-slot)."""
        return self._session.get(task_path(reference))

    def task_placement(self, reference: str) -> Row:
        """Why a task is where it is: a `sentence`, and each of the `nodes` with the reasons against it."""
        return self._session.get(f"{task_path(reference)}/placement")

    def remove_task(self, reference: str) -> Row:
        """Stop a task's container for good; its service replaces it."""
        return self._session.write("DELETE", task_path(reference))

    def task_logs(self, reference: str, params: Params) -> Iterator[Row]:
        """The lines of one task."""
        return self._session.lines("GET", f"{task_path(reference)}/logs", params)

    # -- the rest ------------------------------------------------------------------------------------------------

    def tokens(self) -> list[Row]:
        """The credentials, without their secrets."""
        return self._session.items("/v1/tokens")

    def create_token(self, name: str, role: Role, ttl: float | None) -> Row:
        """A new credential; this answer alone holds its secret. `ttl` is in seconds, None for no expiry."""
        return self._session.write("POST", "/v1/tokens", orjson.dumps({"name": name, "role": role, "ttl": ttl}))

    def revoke_token(self, token: str) -> Row:
        """Make a credential worthless."""
        return self._session.write("DELETE", f"/v1/tokens/{quote(token, safe='')}")

    def users(self) -> list[Row]:
        """The people who may sign in."""
        return self._session.items("/v1/users")

    def user(self, name: str) -> Row:
        """One of them."""
        return self._session.get(_user_path(name))

    def create_user(self, name: str, role: Role, password: str) -> Row:
        """Take a user in."""
        return self._session.write(
            "POST", "/v1/users", orjson.dumps({"name": name, "role": role, "password": password})
        )

    def update_user(self, name: str, changed: Mapping[str, object]) -> Row:
        """Change a user's `role`, `disabled` or `password`; what is None stays. `detail` may have a `note`."""
        return self._session.write("PATCH", _user_path(name), orjson.dumps(changed))

    def remove_user(self, name: str) -> Row:
        """Forget a user, and end their sessions."""
        return self._session.write("DELETE", _user_path(name))

    def open_session(self, username: str, password: str, ttl: float) -> Row:
        """Sign in for `ttl` seconds; this answer alone holds the `token`."""
        body = {"username": username, "password": password, "ttl": ttl}
        return self._session.write("POST", "/v1/sessions", orjson.dumps(body))

    def close_session(self) -> Row:
        """Sign out."""
        return self._session.write("DELETE", "/v1/sessions/current")

    def change_password(self, current: str, new: str) -> Row:
        """Change the password of the user who asks."""
        return self._session.write("POST", "/v1/me/password", orjson.dumps({"current": current, "new": new}))

    def join_tokens(self) -> list[Row]:
        """The join tokens, without their texts."""
        return self._session.items("/v1/join-tokens")

    def create_join_token(self, role: NodeRole, ttl: float, uses: int, *, rotate: bool) -> Row:
        """A new join token for `ttl` seconds and `uses` machines; this answer alone holds its text.

        `rotate` makes all others of its role worthless.
        """
        wanted = {"role": role, "ttl": ttl, "uses": uses, "rotate": rotate}
        return self._session.write("POST", "/v1/join-tokens", orjson.dumps(wanted))

    def revoke_join_token(self, token: str) -> Row:
        """Make a join token worthless."""
        return self._session.write("DELETE", f"/v1/join-tokens/{quote(token, safe='')}")

    def registries(self) -> list[Row]:
        """Who is signed in to which registry, without passwords."""
        return self._session.items("/v1/registries")

    def sign_in(self, registry: str, username: str, password: str) -> Row:
        """Sign the cluster in to a registry, which is asked first."""
        body = orjson.dumps({"username": username, "password": password})
        return self._session.write("PUT", _registry_path(registry), body)

    def sign_out(self, registry: str) -> Row:
        """Forget every sign-in to a registry."""
        return self._session.write("DELETE", _registry_path(registry))

    def snapshots(self) -> list[Row]:
        """The snapshots that the manager keeps."""
        return self._session.items("/v1/snapshots")

    def create_snapshot(self) -> Row:
        """Make a snapshot now."""
        return self._session.write("POST", "/v1/snapshots")

    def release_held(self) -> Row:
        """Confirm after a restore that containers which the restored state does not know may go."""
        return self._session.write("POST", "/v1/snapshots/release-held")

    def build(self, params: Params, context: Iterable[bytes]) -> Iterator[Row]:
        """Build an image from a tar stream: lines of output, and last `image_id` and `node`, or `error`."""
        return self._session.lines("POST", "/v1/builds", params, context)

    def _change_service(self, key: str, action: str, body: dict[str, object]) -> Row:
        return self._session.write("POST", f"{_service_path(key)}/{action}", orjson.dumps(body))


def _stack_path(name: str) -> str:
    return f"/v1/stacks/{quote(name, safe='')}"


def _service_path(key: str) -> str:
    stack, _, service = key.partition("/")
    return f"/v1/services/{quote(stack, safe='')}/{quote(service, safe='')}"


def _volume_path(name: str) -> str:
    return f"/v1/volumes/{quote(name, safe='')}"


def _user_path(name: str) -> str:
    return f"/v1/users/{quote(name, safe='')}"


def _registry_path(registry: str) -> str:
    return f"/v1/registries/{quote(registry, safe=':')}"


def _node_path(reference: str) -> str:
    return f"/v1/nodes/{quote(reference, safe='')}"


def task_path(reference: str) -> str:
    """Where a task is, by its id, the beginning of one, or its name. Raises BadInput for what names a service."""
    if "/" in reference:
        first = f"{reference.replace('/', '-')}-1"
        raise BadInput(f"{reference} is a service: say which of its tasks, as {first}; `gbnt task ls` shows them")
    return f"/v1/tasks/{quote(reference, safe='')}"
