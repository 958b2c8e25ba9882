"""Decisions on machines, credentials, and on what a restore left unknown."""

from __future__ import annotations

from dataclasses import replace

from cluster.capacity import crowded
from cluster.changed import changed
from cluster.decide.decision import Decided, Decision, Draft, Happening, Refusal
from cluster.decide.references import meant
from cluster.decide.sweep import sweep
from cluster.membership import is_host
from cluster.model import Change, Node, State, Task, Token
from cluster.presence import Cause, alarm
from cluster.users import name_objection

USE_NOTED_EVERY = 3600.0
HOLD = "hold_unknown_containers"
REVOKED = "revoked_token:"
KEPT_REVOKED = 10_000
MOST_SUBNETS = 1_000


def report_node(state: State, seen: Node) -> Decision:
    """What a machine says of itself becomes its record; what people and the cluster gave it stays, its name too.

    One that is not ready has not looked: nothing of it is taken to be gone, or a stack that waits for that would be.
    """
    if seen.id in state.departed:
        return Refusal("forbidden", f"node {seen.name} was removed from this cluster: join again with a new join token")
    known = state.nodes.get(seen.id)
    lost = lost_tasks(state, seen.id)
    told = seen.status
    if told == "ready" and lost:
        seen = replace(seen, status="returning", message=f"stops what runs elsewhere since: {_names(lost)}")
    if known is not None:
        moved = known.status != seen.status
        seen = replace(
            seen,
            name=known.name,
            address=seen.address if is_host(seen.address) else known.address,
            link_port=seen.link_port if 0 <= seen.link_port < 65536 else known.link_port,
            used_subnets=seen.used_subnets[:MOST_SUBNETS],
            role=known.role,
            labels=known.labels,
            availability=known.availability,
            version=seen.version or known.version,
            certificate=known.certificate,
            certificate_expires=known.certificate_expires,
            since=seen.since if moved else known.since,
        )
    if known is not None and told != "ready":
        seen = replace(
            seen,
            networks=known.networks,
            volumes=known.volumes,
            used_subnets=known.used_subnets,
            stuck=known.stuck,
            disk=known.disk,
            replaced=known.replaced,
        )
    draft = Draft(state)
    for task in state.tasks.values():
        if task.node == seen.id:
            _as_reported(draft, task, seen)
    if seen == known:
        return draft.decided()
    draft.put(Change("nodes", seen.id, seen))
    if known is None:
        draft.tell("node.joined", seen.name, f"joined as {seen.role}")
    elif known.status != seen.status:
        draft.tell(f"node.{seen.status}", seen.name, seen.message)
    _tell_of_room(draft, known, seen)
    if known is None or (known.networks, known.volumes) != (seen.networks, seen.volumes):
        sweep(draft)
    return draft.decided()


def _tell_of_room(draft: Draft, known: Node | None, seen: Node) -> None:
    """Once when a disk is nearly full, and once when it is no more; again where nobody knew of it meanwhile.

    It needs no second mark to keep still about one: small changes of a disk are not reported (`capacity.told`).
    """
    if seen.disk.unknown:
        return
    before = "" if known is None else crowded(known.disk)
    now = crowded(seen.disk)
    if now and not before:
        draft.tell("node.crowded", seen.name, now)
    elif before and not now:
        draft.tell("node.roomy", seen.name, "its disk has room again")


def _as_reported(draft: Draft, task: Task, node: Node) -> None:
    """One that is ready knows of its tasks, one whose engine does not answer no more, and one that starts not yet."""
    now = task
    if node.status in ("ready", "returning"):
        now = changed(task, unknown="", forsaken=False)
    elif node.status == "unavailable" and not task.ended and not task.unknown:
        now = changed(task, unknown=node.message)
        draft.tell("task.unknown", task.name, node.message, task.request)
    if now != task:
        draft.put(Change("tasks", task.id, now))


def lost_tasks(state: State, node: str) -> list[Task]:
    """The tasks that a machine has to put away, for others took their place while it was down."""
    return [task for task in state.tasks.values() if task.node == node and task.state == "lost"]


def lose_node(state: State, id: str, words: str, replaced: bool, now: float, cause: Cause = "silence") -> Decided:
    """A machine is lost, for the reason in `words`: of its tasks nothing is known. `replaced`: others take their place.

    That is not taken back before the machine is ready again.
    """
    draft = Draft(state)
    known = state.nodes.get(id)
    if known is not None:
        lose(draft, known, words, replaced, now, cause)
    return draft.decided()


def lose(draft: Draft, known: Node, words: str, replaced: bool, now: float, cause: Cause) -> None:
    """Take in that a machine is lost, as above; for its engine it is only while that does not answer.

    Who judged that may not have heard yet that replacement pauses: nothing is replaced then.
    """
    replaced = known.replaced or (replaced and not alarm(draft.state.settings))
    if cause == "engine":
        if known.status != "unavailable":
            return
        node = replace(known, replaced=replaced)
    else:
        since = known.since if known.status == "down" else now
        node = replace(known, status="down", message=words, replaced=replaced, planned=cause == "plan", since=since)
    if node != known:
        draft.put(Change("nodes", known.id, node))
    if (node.status, node.replaced) != (known.status, known.replaced):
        draft.tell(f"node.{node.status}", known.name, words)
    heirs = _heirs(draft.state, known.id) if replaced else {}
    for task in draft.state.tasks.values():
        heir = heirs.get((task.service_key, task.slot))
        now_unknown = changed(task, unknown=words, forsaken=replaced)
        if task.node != known.id or task.ended:
            continue
        if heir is not None:  # it was about to stop for that one anyhow, and cannot be told so any more
            lose_task(draft, task, f"it runs on {draft.state.nodes[heir.node].name} since", now)
        elif now_unknown != task:
            draft.put(Change("tasks", task.id, now_unknown))
            if not task.unknown:
                draft.tell("task.unknown", task.name, words, task.request)


def lose_task(draft: Draft, task: Task, why: str, now: float) -> None:
    """Another took its place: its machine is to put it away before it does anything else, once it is back."""
    lost = changed(task, state="lost", desired="remove", why=why, message=why, since=now, unknown="", forsaken=False)
    draft.put(Change("tasks", task.id, lost))
    draft.tell("task.lost", task.name, why, task.request)


def _heirs(state: State, id: str) -> dict[tuple[str, int], Task]:
    """By service and slot the tasks that run, or may, on other machines than that one."""
    others = state.nodes.keys() - {id}
    running = (task for task in state.tasks.values() if task.desired == "run" and not task.ended and not task.unknown)
    return {(task.service_key, task.slot): task for task in running if task.node in others}


def _names(tasks: list[Task]) -> str:
    return ", ".join(sorted(task.name for task in tasks))


def note_pruned(state: State, id: str, containers: int, images: int) -> Decided:
    """Tell that a machine was cleared of what nothing needed: somebody may look for the output of what ended there."""
    node = state.nodes.get(id)
    counts = ((containers, "ended container"), (images, "image"))
    words = " and ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts if number)
    if node is None or not words:
        return Decided()
    return Decided(happenings=(Happening("node.pruned", node.name, f"removed {words} that nothing needed"),))


def create_token(state: State, token: Token) -> Decision:
    """Keep a new credential's hash."""
    if why := name_objection(token.name, "token"):
        return Refusal("invalid", why)
    if token.id in state.tokens:
        return Refusal("conflict", f"there is a token {token.id} already")
    draft = Draft(state)
    draft.put(Change("tokens", token.id, token))
    draft.tell("token.created", token.name, f"role {token.role}")
    return draft.decided({token.id: "created"})


def bring_token(state: State, token: Token) -> Decision:
    """Keep a credential that an operator brought: another secret takes the place of the one before, role and all."""
    if is_revoked(state, token.id):
        return Refusal("conflict", f"the token {token.id} was revoked, and stays so: bring one with another id")
    known = state.tokens.get(token.id)
    if known is None:
        return create_token(state, token)
    if known.hash == token.hash:
        return Decided(told={token.id: "unchanged"})
    draft = Draft(state)
    draft.put(Change("tokens", token.id, token))
    draft.tell("token.replaced", token.name, "another secret was brought; the one before is good no more")
    return draft.decided({token.id: "replaced"})


def is_revoked(state: State, id: str) -> bool:
    """Whether a credential of this id was made worthless."""
    return REVOKED + id in state.settings


def revoke_token(state: State, reference: str) -> Decision:
    """Make a credential worthless. Its id is remembered: whoever brought it may do so again."""
    id = meant("token", reference, {token.id: token.name for token in state.tokens.values()}, "gbnt token ls")
    if isinstance(id, Refusal):
        return id
    token, draft = state.tokens[id], Draft(state)
    draft.put(Change("tokens", id, None))
    remembered = [key for key in state.settings if key.startswith(REVOKED)]
    for key in remembered[: max(0, len(remembered) + 1 - KEPT_REVOKED)]:
        draft.put(Change("settings", key, None))
    draft.put(Change("settings", REVOKED + id, token.name))
    draft.tell("token.revoked", token.name, "revoked")
    return draft.decided({id: "revoked"})


def use_token(state: State, id: str, now: float) -> Decision:
    """Note that a credential was used, to the hour. One that was revoked meanwhile is nobody's business."""
    token = state.tokens.get(id)
    if token is None or now - token.used_at < USE_NOTED_EVERY:
        return Decided()
    return Decided((Change("tokens", id, replace(token, used_at=now)),))


def release_held(state: State) -> Decision:
    """A person confirms that containers unknown since a restore may be removed."""
    if HOLD not in state.settings:
        return Decided(told={"containers": "none are held"})
    held = sum(len(node.held) for node in state.nodes.values())
    draft = Draft(state)
    draft.put(Change("settings", HOLD, None))
    draft.tell("containers.released", "cluster", f"{held} containers unknown since a restore are removed")
    return draft.decided({"containers": f"{held} released"})
