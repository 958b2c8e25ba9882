"""What a node may say to a manager: whatever it sends, it speaks for itself alone."""

from __future__ import annotations

from actors import protocol
from actors.places import DISPATCHER, KEYRING, SENATE
from supervisor.address import Address


def why_not(peer: str, path: str, message: object | None) -> str:
    """Why the node `peer` may not send this message to the actor at `path` here; empty where it may.

    Pure; for a manager's links. A peer is a machine with an agent: it reports to the Senate and asks it for configs,
    asks the dispatcher for orders and names, and the keyring for what an image is pulled with. `message` None is a wish
    to watch that actor.
    """
    if path not in (SENATE, DISPATCHER, KEYRING):
        return f"no machine has to do with {path}"
    match message:
        case None:
            return ""
        case protocol.NodeReport(node) | protocol.GetConfig(node):
            return _speaks(peer, node)
        case protocol.RegisterAgent(node, agent) | protocol.Observed(node, agent):
            return _speaks(peer, node, agent)
        case protocol.WantNames(node, resolver):
            return _speaks(peer, node, resolver)
        case protocol.WantCredential(node):
            return _speaks(peer, node)
        case protocol.Progress():
            return ""  # of a task whose picture it is shown in, and nothing more
    return f"{type(message).__name__} is nothing that a machine says"


def _speaks(peer: str, node: str, answer_to: str = "") -> str:
    """Why not, where it speaks for another node, or wants that another one is answered."""
    if node != peer:
        return f"it speaks for node {node}"
    try:
        stranger = bool(answer_to) and Address.parse(answer_to).node != peer
    except ValueError:
        stranger = True
    return f"the answer would go to {answer_to}" if stranger else ""
