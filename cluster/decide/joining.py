"""Decisions on join tokens, and on the machines that come with one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

from cluster.decide.decision import Decided, Decision, Draft, Entropy, Refusal
from cluster.decide.legion import say_no_longer_alone
from cluster.decide.references import meant
from cluster.model import Change, JoinToken, Node, State

MOST_USES = 1_000
LONGEST_SECONDS = 30 * 24 * 3600.0
MOST_TOKENS = 1_000
# How long a token that is worthless is still listed, and answered with the reason.
KEPT_SECONDS = 7 * 24 * 3600.0
# Longer than any certificate of a node is good.
REMEMBERED_SECONDS = 90 * 24 * 3600.0

ANOTHER = "make another on a manager: `gbnt legion join-token`"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A machine that wants to be a node: by which token, and what it says of itself. `node` empty is given an id."""

    token: str
    name: str
    address: str
    version: str = ""
    node: str = ""


def issue(state: State, token: JoinToken) -> Decision:
    """Keep a new join token."""
    draft = Draft(state)
    return _issued(draft, token) or draft.decided({token.id: "issued"})


def rotate(state: State, token: JoinToken) -> Decision:
    """Keep a new join token, and make all others of its role worthless."""
    draft = Draft(state)
    others = [one for one in state.join_tokens.values() if one.role == token.role and not one.revoked]
    for one in others:
        _revoke(draft, one)
    return _issued(draft, token) or draft.decided({**{one.id: "revoked" for one in others}, token.id: "issued"})


def revoke(state: State, reference: str) -> Decision:
    """Make a join token worthless; doing so again changes nothing."""
    id = meant("join token", reference, dict.fromkeys(state.join_tokens, ""), "gbnt legion join-token ls")
    if isinstance(id, Refusal):
        return id
    token = state.join_tokens[id]
    if token.revoked:
        return Decided(told={id: "revoked"})
    draft = Draft(state)
    _revoke(draft, token)
    return draft.decided({id: "revoked"})


def why_not(token: JoinToken | None, now: float) -> str:
    """Why nobody can join by this token, in a sentence with what to do; empty where somebody can."""
    if token is None:
        return f"this cluster does not know the join token any more: {ANOTHER}"
    if token.revoked:
        return f"the join token was revoked: {ANOTHER}"
    if now >= token.expires_at:
        return f"the join token has expired: {ANOTHER}"
    if token.used >= token.uses:
        machines = "machine" if token.uses == 1 else "machines"
        return f"the join token is used up, it was good for {token.uses} {machines}: {ANOTHER}"
    return ""


def admit(state: State, newcomer: Newcomer, entropy: Entropy) -> Decision:
    """Take one use off a join token, and make the record of the node that came with it."""
    token = state.join_tokens.get(newcomer.token)
    reason = why_not(token, entropy.now)
    if token is None or reason:
        return Refusal("forbidden", reason)
    id = newcomer.node or entropy.new_id()
    if id in state.departed:
        return Refusal("forbidden", f"node {id} was removed from this cluster: join as a new node, without its old id")
    if id in state.nodes:
        return Refusal("conflict", f"there is a node {id} already: join as a new node, without this id")
    node = Node(
        id=id,
        name=_free_name(state, newcomer.name),
        role=token.role,
        status="down",
        message="joined, and has not reported yet",
        address=newcomer.address,
        since=entropy.now,
        version=newcomer.version,
    )
    draft = Draft(state)
    draft.put(Change("join_tokens", token.id, replace(token, used=token.used + 1)), Change("nodes", id, node))
    for departed in state.departed.values():
        if entropy.now - departed.at > REMEMBERED_SECONDS:
            draft.put(Change("departed", departed.id, None))
    draft.tell("node.joined", node.name, f"joined as {node.role}")
    say_no_longer_alone(draft, state)
    return draft.decided({node.name: "joined"}, {"node": id, "name": node.name, "role": node.role})


def certify(state: State, id: str, serial: str, expires_at: float) -> Decision:
    """Note a node's newest certificate."""
    node = state.nodes.get(id)
    if node is None or id in state.departed:
        return Refusal("forbidden", f"node {id} is not of this cluster: join again with a new join token")
    changed = replace(node, certificate=serial, certificate_expires=expires_at)
    if changed == node:
        return Decided(told={node.name: "certified"})
    return Decided((Change("nodes", id, changed),), told={node.name: "certified"})


def _issued(draft: Draft, token: JoinToken) -> Refusal | None:
    """Add the token to the draft, or refuse it; what is long worthless is forgotten."""
    lasts = token.expires_at - token.created_at
    if not 1 <= token.uses <= MOST_USES or not 0 < lasts <= LONGEST_SECONDS:
        return Refusal(
            "invalid", f"a join token is for 1 to {MOST_USES} machines, and for 30 days at most: give it less"
        )
    if token.id in draft.state.join_tokens:
        return Refusal("conflict", f"there is a join token {token.id} already: ask again")
    for old in list(draft.state.join_tokens.values()):
        if token.created_at - old.expires_at > KEPT_SECONDS:
            draft.put(Change("join_tokens", old.id, None))
    if len(draft.state.join_tokens) >= MOST_TOKENS:
        return Refusal("conflict", f"there are {MOST_TOKENS} join tokens: a program makes too many, or wait for a week")
    draft.put(Change("join_tokens", token.id, token))
    uses = "1 machine" if token.uses == 1 else f"{token.uses} machines"
    draft.tell("join_token.issued", token.id, f"for {uses} as {token.role}")
    return None


def _revoke(draft: Draft, token: JoinToken) -> None:
    draft.put(Change("join_tokens", token.id, replace(token, revoked=True)))
    draft.tell("join_token.revoked", token.id, f"nobody joins as {token.role} by it any more")


def _free_name(state: State, name: str) -> str:
    """The name, or with a number where another node has it: machines that were cloned are called alike."""
    taken = {node.name for node in state.nodes.values()}
    if name not in taken:
        return name
    return next(f"{name}-{number}" for number in count(2) if f"{name}-{number}" not in taken)
