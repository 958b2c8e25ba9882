"""The Senate: the only writer of the cluster's state.

It decides on an immutable snapshot, commits all commands that wait in its mailbox as one guarded batch, and only then
answers them and tells its followers. When a commit's outcome stays unknown it crashes rather than guess: the next
incarnation reads what is really there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import anyio

from actors import auditing, protocol, records, repeats
from actors.mandate import Mandate
from cluster.audit import AuditRecord
from cluster.decide.configs import may_read
from cluster.decide.decision import Decided, Entropy, Refusal
from cluster.decide.signing import signed
from cluster.decide.tasks import ahead
from cluster.decide.versions import objection
from cluster.model import Change, State
from cluster.spec import Unwritable
from store import entities
from store.contract import Applied, Outcome, Statement, Store, StoreError
from supervisor.actor import Actor, Context, Envelope, ReplyTo
from supervisor.address import Address
from supervisor.message import Terminated, message
from supervisor.ref import Ref

RETRIES = 5
RETRY_PAUSE = 0.05
KEPT_COMMANDS = 10_000
KEPT_EVENTS = 20_000
KEPT_EVENT_SECONDS = 14 * 24 * 3600.0
RETAIN_EVERY = 500
PROBE_PAUSE = 5.0
# Characters of a config in one answer: a link of 1 Mbit/s carries so much in a second, and has to carry beats as well.
PIECE = 128 * 1024

Observe = Callable[[str, float], None]


class StoreLost(Exception):
    """The outcome of a commit stayed unknown, or a newer epoch was claimed: this incarnation may not go on."""


@message("senate.probe/1")
@dataclass(frozen=True, slots=True)
class Probe:
    """A timer's tick: see whether the store takes writes again, though nobody writes."""


@dataclass(slots=True)
class _Answer:
    """A command's answer, kept until its batch is durable: `bodies` are what it adds to that where it is `decided`."""

    envelope: Envelope
    reply: object
    decided: bool = False
    bodies: records.Bodies = field(default_factory=dict)
    record: AuditRecord | None = None


class Senate(Actor):
    """Decides, commits, answers, announces. `clock` is the time of day; `observe` takes latencies in seconds."""

    mailbox_size = 10_000
    batch = 256

    def __init__(
        self,
        store: Store,
        mandate: Mandate,
        holder: str,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        observe: Observe = lambda name, seconds: None,
    ) -> None:
        self._store = store
        self._mandate = mandate
        self._holder = holder
        self._entropy: Callable[[], Entropy] = lambda: Entropy(clock(), new_id)
        self._observe = observe
        self._state = State()
        self._followers: dict[str, None] = {}
        self._batches = 0
        self._commits = 0
        self._reads = 0
        self._ledger = auditing.Ledger()
        self._problem = ""

    async def started(self, ctx: Context) -> None:
        """Claim an epoch, so that no earlier writer can commit any more, and read the state."""
        epoch = await self._store.claim_epoch(self._holder)
        self._state = await records.load(self._store, epoch)

    async def receive_batch(self, envelopes: Sequence[Envelope], ctx: Context) -> None:
        """Decide on each message in turn, on the state that the ones before it lead to; commit them together."""
        begun = time.perf_counter()
        answers: list[_Answer] = []
        working, decided = self._state, list[Decided]()
        for envelope in envelopes:
            decision = self._consider(envelope, working, ctx)
            if decision is None:
                continue
            answer, outcome = decision
            answers.append(answer)
            if outcome.changes or outcome.happenings:
                decided.append(outcome)
                working = working.after(outcome.changes)
        if decided:
            await self._commit(working, decided, answers, ctx)
        elif _records(answers) or (self._problem and any(isinstance(one.message, Probe) for one in envelopes)):
            await self._keep(answers, ctx)
        for answer in answers:
            self._send(answer, ctx)
        if answers:
            self._observe("command", time.perf_counter() - begun)

    def _consider(self, envelope: Envelope, working: State, ctx: Context) -> tuple[_Answer, Decided] | None:
        """What a message comes to; None where it is no command and was dealt with."""
        match envelope.message:
            case protocol.GetState():
                # Only what is durable is ever shown.
                envelope.reply_to.send(self._state)
            case protocol.GetConfig() as wanted:
                envelope.reply_to.send(_piece(self._state, wanted))
            case protocol.GetEvents() | protocol.GetAudit() as wanted:
                # Beside the decisions: a read that fails or takes long is no reason to keep commands waiting.
                self._reads += 1
                ctx.spawn(f"reading:{self._reads}", self._answer_reading, envelope.reply_to, wanted)
            case protocol.NoteDeed() as note:
                record = auditing.noted(note, self._entropy().now, self._state.revision)
                return _Answer(envelope, protocol.Accepted(self._state.revision), record=record), Decided()
            case protocol.Follow(follower):
                self._followers[follower] = None
                ctx.watch(_ref(ctx, follower))
                _ref(ctx, follower).tell(protocol.Committed(self._state))
            case protocol.Unfollow(follower):
                self._followers.pop(follower, None)
            case Terminated(address=address):
                self._followers.pop(address, None)
            case protocol.Progress() as progress:
                self._tell_followers(progress, ctx)
            case Probe():
                pass  # once for all of a batch
            case protocol.Asked() as asked:
                return self._decide_for(envelope, asked, working)
            case message:
                return self._decide(envelope, message, working)
        return None

    def _decide_for(self, envelope: Envelope, asked: protocol.Asked, working: State) -> tuple[_Answer, Decided]:
        """Decide for somebody, and have that in the record. A repeat is answered as before, whatever was read since."""
        command, entropy = asked.command, self._entropy()
        repeated = getattr(command, "request", "") in working.commands
        refusal = None if asked.expected is None or repeated else objection(working, asked.expected)
        if refusal is not None:
            answer, outcome = _Answer(envelope, protocol.Refused(refusal.code, refusal.message)), Decided()
        else:
            answer, outcome = self._decide(envelope, command, working)
            outcome = signed(outcome, asked.deed.caller.request)
        reply, revision = answer.reply, self._state.revision + answer.decided
        answer.record = auditing.record(asked, reply, entropy.now, revision, decided=answer.decided, repeated=repeated)
        return answer, outcome

    def _decide(self, envelope: Envelope, message: object, working: State) -> tuple[_Answer, Decided]:
        try:
            return self._writable(envelope, message, working)
        except Unwritable as why:
            return _Answer(envelope, protocol.Refused("invalid", f"this cannot be kept: {why}")), Decided()

    def _writable(self, envelope: Envelope, message: object, working: State) -> tuple[_Answer, Decided]:
        """Raises Unwritable here: in a batch it would take the commands beside it along."""
        request = getattr(message, "request", "")
        if request and request in working.commands:
            return _Answer(envelope, repeats.answer(working.commands[request], message)), Decided()
        decision = self._mandate.decide(working, message, self._entropy())
        if isinstance(decision, Refusal):
            return _Answer(envelope, protocol.Refused(decision.code, decision.message, decision.problems)), Decided()
        decided = bool(decision.changes or decision.happenings)
        revision = self._state.revision + decided
        accepted = protocol.Accepted(revision, dict(decision.told), dict(decision.detail))
        reply = _confirmed(working, message) if isinstance(message, protocol.Observed) else accepted
        if request and decided:
            kept = Change("commands", request, repeats.kept(message, accepted))
            decision = Decided((*decision.changes, kept), decision.happenings)
        return _Answer(envelope, reply, decided, records.to_bodies(decision.changes)), decision

    async def _commit(self, working: State, decided: list[Decided], answers: list[_Answer], ctx: Context) -> None:
        """Make the batch durable and tell everybody; where it cannot be, nothing of it has happened."""
        revision, now = self._state.revision + 1, self._entropy().now
        forgotten, trimming = self._retention(working, now)
        bodies = {place: body for answer in answers for place, body in answer.bodies.items()}
        bodies |= records.to_bodies(forgotten)
        events = records.numbered([h for outcome in decided for h in outcome.happenings], revision, now)
        batch = records.statements(bodies, events, revision) + self._ledger.batch(_records(answers), now)
        applied = await self._apply(batch + trimming, ctx)
        if applied.outcome in (Outcome.COMMITTED, Outcome.DUPLICATE):
            self._ledger.taken()
            self._state = working.after(forgotten, revision)
            self._tell_followers(protocol.Committed(self._state, events), ctx)
            return
        # From the first change on, each decision rests on what has not happened: a repeated command's answer, too.
        first = next(index for index, answer in enumerate(answers) if answer.decided)
        for answer in answers[first:]:
            self._take_back(answer, applied.reason)
        self._ledger.refused(_records(answers))

    async def _keep(self, answers: list[_Answer], ctx: Context) -> None:
        """Make records durable where nothing was decided; they wait where they cannot be."""
        fresh = _records(answers)
        applied = await self._apply(self._ledger.batch(fresh, self._entropy().now), ctx)
        if applied.outcome in (Outcome.COMMITTED, Outcome.DUPLICATE):
            self._ledger.taken()
            return
        self._ledger.refused(fresh)
        for answer in answers:
            if isinstance(answer.envelope.message, protocol.NoteDeed):
                self._take_back(answer, applied.reason)

    def _take_back(self, answer: _Answer, reason: str) -> None:
        """Answer that nothing came of it, and have its record say so; but what a note is of has happened."""
        if isinstance(answer.envelope.message, protocol.NoteDeed):
            answer.reply = protocol.Refused("unavailable", f"the record waits until the store takes it: {reason}")
            return
        answer.reply = refused = protocol.Refused("unavailable", f"nothing was changed: {reason}")
        if answer.record is not None:
            answer.record = replace(answer.record, outcome=refused.code, message=refused.message)

    async def _apply(self, batch: list[Statement], ctx: Context) -> Applied:
        self._batches += 1
        rid = f"{self._holder}:{self._state.epoch}:{self._batches}"
        begun = time.perf_counter()
        applied = Applied(Outcome.UNKNOWN)
        for attempt in range(RETRIES):
            applied = await self._store.apply(batch, rid=rid, epoch=self._state.epoch)
            if applied.outcome is not Outcome.UNKNOWN:
                break
            await anyio.sleep(RETRY_PAUSE * 2**attempt)
        self._observe("store", time.perf_counter() - begun)
        if applied.outcome in (Outcome.UNKNOWN, Outcome.FENCED, Outcome.CONFLICT, Outcome.REJECTED):
            raise StoreLost(f"the store answered {applied.outcome}: {applied.reason}")
        self._problem = applied.reason if applied.outcome is Outcome.UNAVAILABLE else ""
        if self._problem:
            ctx.timers.start("probe", PROBE_PAUSE, Probe())
        return applied

    def _retention(self, working: State, now: float) -> tuple[list[Change], list[Statement]]:
        """Nothing grows for ever: every so many commits the oldest command answers, events and request ids go.

        The answers are part of the state and go by changes; of the others the store alone knows.
        """
        self._commits += 1
        if self._commits % RETAIN_EVERY:
            return [], []
        answers = [Change("commands", key, None) for key in list(working.commands)[:-KEPT_COMMANDS]]
        events = entities.forget_events(keep=KEPT_EVENTS, since=now - KEPT_EVENT_SECONDS)
        requests = entities.forget_requests(before=self._state.revision - KEPT_COMMANDS)
        return answers, [*events, requests]

    def _send(self, answer: _Answer, ctx: Context) -> None:
        message = answer.envelope.message
        if not isinstance(message, protocol.Observed):
            answer.envelope.reply_to.send(answer.reply)
        elif isinstance(answer.reply, protocol.Confirmed):
            _ref(ctx, message.agent).tell(answer.reply)

    def _tell_followers(self, message: object, ctx: Context) -> None:
        for follower in self._followers:
            _ref(ctx, follower).tell(message)

    async def _answer_reading(self, reply_to: ReplyTo, wanted: protocol.GetEvents | protocol.GetAudit) -> None:
        try:
            if isinstance(wanted, protocol.GetEvents):
                reply_to.send(await self._events(wanted))
            else:
                reply_to.send(await auditing.read(self._store, wanted))
        except StoreError as error:
            reply_to.send(protocol.Refused("unavailable", str(error)))

    async def _events(self, wanted: protocol.GetEvents) -> protocol.Events:
        chosen = (int(wanted.discreet), wanted.limit)
        if wanted.after:
            rows = await self._store.read(entities.EVENTS_AFTER, (wanted.after, wanted.number, *chosen))
        else:
            rows = list(reversed(await self._store.read(entities.NEWEST_EVENTS, chosen)))
        return protocol.Events(*records.to_events(rows))

    def describe(self) -> dict[str, object]:
        """What inspection shows beside the runtime's own figures."""
        state = self._state
        return {
            "revision": state.revision,
            "epoch": state.epoch,
            "followers": len(self._followers),
            "commits": self._commits,
            "problem": self._problem,
            "records_waiting": self._ledger.waiting,
        }


def _records(answers: Sequence[_Answer]) -> list[AuditRecord]:
    return [answer.record for answer in answers if answer.record is not None]


def _confirmed(state: State, observed: protocol.Observed) -> protocol.Confirmed:
    return protocol.Confirmed(observed.batch, ahead(state, observed.node, observed.seen))


def _piece(state: State, wanted: protocol.GetConfig) -> protocol.ConfigPiece | protocol.Refused:
    """The next part of a content, for a machine that has a task to read it."""
    if not may_read(state, wanted.node, wanted.digest):
        return protocol.Refused("forbidden", "no task of this machine reads it any more")
    content = state.configs[wanted.digest].content
    return protocol.ConfigPiece(content[wanted.offset : wanted.offset + PIECE], len(content))


def _ref(ctx: Context, address: str) -> Ref:
    """Who a message names by address, on this node or another."""
    return ctx.ref(Address.parse(address))
