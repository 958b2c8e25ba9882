"""Which decision answers which command: the one table from messages to the cluster's pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors import protocol
from cluster import addresses
from cluster.decide import (
    configs,
    deploy,
    drafts,
    joining,
    legion,
    machines,
    nodes,
    registries,
    replacement,
    rollback,
    services,
    tasks,
    users,
    volumes,
)
from cluster.decide.decision import Decision, Entropy, Refusal
from cluster.model import JoinToken, Node, RegistryLogin, State, Token
from cluster.placement import Board
from cluster.users import User


@dataclass(frozen=True, slots=True)
class Mandate:
    """The cluster's rules with its settings: `pool` is what subnets of networks are taken from, `own` who decides.

    `board` is what they remember from one decision to the next, so as not to count all tasks each time.
    """

    pool: str = addresses.DEFAULT_POOL
    own: str = ""
    board: Board = field(default_factory=Board)

    def decide(self, state: State, message: object, entropy: Entropy) -> Decision:
        """What the command comes to on this state. A message that is no command is refused."""
        for part in (self._on_work, self._on_machines, self._on_admission, self._on_users):
            decision = part(state, message, entropy)
            if decision is not None:
                return decision
        return Refusal("invalid", f"the Senate knows no command {type(message).__name__}")

    def _on_work(self, state: State, message: object, entropy: Entropy) -> Decision | None:
        match message:
            case protocol.DeployStack(spec, logins, _, ahead, prune, origin, aside):
                came = (_login(one, spec.name, entropy.now) for one in logins)
                return deploy.deploy(state, spec, entropy, came, ahead=ahead, prune=prune, aside=aside, origin=origin)
            case protocol.RollBack(stack, number, newest, by):
                return rollback.roll_back(state, stack, number, newest, by, entropy)
            case protocol.SaveDraft(spec, origin, _, refusals, replaces):
                return drafts.save(state, spec, origin, entropy, refusals, replaces)
            case protocol.DropDraft(stack):
                return drafts.drop(state, stack)
            case protocol.RemoveStack(stack, doomed):
                return deploy.remove_stack(state, stack, doomed, entropy)
            case protocol.HoldStack(stack, stopped):
                return services.hold_stack(state, stack, stopped, entropy)
            case protocol.HoldService(service, stopped):
                return services.hold(state, service, stopped, entropy)
            case protocol.ScaleService(service, replicas):
                return services.scale(state, service, replicas, entropy)
            case protocol.UpdateService(service, image, digest, force):
                return services.update(state, service, image, digest, force, entropy)
            case protocol.RemoveService(service):
                return services.remove(state, service, entropy)
            case protocol.StopTask(task):
                return tasks.stop_task(state, task)
            case protocol.RemoveConfig(config):
                return configs.remove(state, config)
            case protocol.RemoveVolume(volume):
                return volumes.remove_volume(state, volume)
            case protocol.Plan(service, decided):
                return tasks.carry_out(state, service, decided, entropy, self.pool, self.board)
            case protocol.Observed(node, seen=seen):
                return tasks.take_in(state, node, seen)
            case protocol.ReleaseHeld():
                return nodes.release_held(state)
        return None

    def _on_machines(self, state: State, message: object, entropy: Entropy) -> Decision | None:
        match message:
            case protocol.NodeReport() as report:
                return nodes.report_node(state, _node(report, entropy.now))
            case protocol.NotePruned(node, containers, images):
                return nodes.note_pruned(state, node, containers, images)
            case protocol.UpdateNode(node, availability, labels, unlabel, role):
                wish = machines.Wanted(availability, labels, unlabel, role)
                return machines.update_node(state, node, wish, self.own)
            case protocol.RemoveNode(node, force):
                return machines.remove_node(state, node, force, entropy.now, self.own)
            case protocol.LeaveNode(node, force):
                return machines.leave_node(state, node, force, entropy.now, self.own)
            case protocol.LoseNode(node, words, replaced, cause):
                return nodes.lose_node(state, node, words, replaced, entropy.now, cause)
            case protocol.PauseReplacement(words):
                return replacement.pause(state, words)
            case protocol.ConfirmLoss():
                return replacement.confirm_loss(state, entropy.now)
            case protocol.UpdateLegion(above, privileged):
                return legion.update_legion(state, above, privileged)
        return None

    def _on_admission(self, state: State, message: object, entropy: Entropy) -> Decision | None:
        match message:
            case protocol.CreateToken() as token:
                return nodes.create_token(state, _token(token, entropy.now))
            case protocol.BringToken(id, hash):
                return nodes.bring_token(state, Token(id, "brought", "admin", hash, entropy.now))
            case protocol.RevokeToken(token):
                return nodes.revoke_token(state, token)
            case protocol.UseToken(token):
                return nodes.use_token(state, token, entropy.now)
            case protocol.SignIn() as login:
                return registries.sign_in(state, _login(login, "", entropy.now))
            case protocol.SignOut(registry):
                return registries.sign_out(state, registry)
            case protocol.IssueJoinToken() as token:
                return joining.issue(state, _join_token(token, entropy.now))
            case protocol.RotateJoinTokens() as token:
                return joining.rotate(state, _join_token(token, entropy.now))
            case protocol.RevokeJoinToken(token):
                return joining.revoke(state, token)
            case protocol.AdmitNode(token, _, name, address, version, node):
                wanted = joining.Newcomer(token, name, address, version, node)
                return joining.admit(state, wanted, entropy)
            case protocol.CertifyNode(node, serial, expires_at):
                return joining.certify(state, node, serial, expires_at)
        return None

    def _on_users(self, state: State, message: object, entropy: Entropy) -> Decision | None:
        now = entropy.now
        match message:
            case protocol.CreateUser(name, role, hash):
                return users.create(state, User(name, role, hash, now, now))
            case protocol.UpdateUser(user, role, disabled, hash):
                return users.update(state, user, users.Wanted(role, disabled, hash), now)
            case protocol.RemoveUser(user):
                return users.remove(state, user)
            case protocol.ChangePassword(user, hash, seen, keep):
                return users.change_password(state, user, hash, seen, keep, now)
            case protocol.OpenSession(id, user, hash, seen, expires_at):
                session = Token(id, "session", "viewer", hash, now, expires_at, now, user=user)
                return users.open_session(state, session, seen, now)
            case protocol.CloseSession(id):
                return users.close_session(state, id)
        return None


def _node(report: protocol.NodeReport, now: float) -> Node:
    return Node(
        id=report.node,
        name=report.name,
        role=report.role,
        status=report.status,
        message=report.message,
        address=report.address,
        since=now,
        engine_version=report.engine_version,
        engine_api=report.engine_api,
        engine_id=report.engine_id,
        os=report.os,
        arch=report.arch,
        cpus=report.cpus,
        memory=report.memory,
        disk=report.disk,
        gpus=report.gpus,
        gpu_runtime=report.gpu_runtime,
        engine_labels=report.labels,
        used_subnets=report.used_subnets,
        networks=report.networks,
        volumes=report.volumes,
        held=report.held,
        stuck=report.stuck,
        version=report.version,
        link_port=report.link_port,
    )


def _login(came: protocol.SignIn | protocol.Brought, stack: str, now: float) -> RegistryLogin:
    return RegistryLogin(came.registry, stack, came.username, came.sealed, now)


def _join_token(command: protocol.IssueJoinToken | protocol.RotateJoinTokens, now: float) -> JoinToken:
    return JoinToken(command.id, command.role, now, command.expires_at, command.uses)


def _token(command: protocol.CreateToken, now: float) -> Token:
    return Token(
        id=command.id,
        name=command.name,
        role=command.role,
        hash=command.hash,
        created_at=now,
        expires_at=command.expires_at,
        first=command.first,
    )
