"""What a node may say to a manager."""

import pytest

from actors import protocol
from actors.border import why_not
from actors.places import DISPATCHER, KEYRING, SENATE

REPORT = protocol.NodeReport("n2", "gaul", "192.0.2.2", "ready", "ready")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (SENATE, REPORT),
        (DISPATCHER, protocol.RegisterAgent("n2", "n2/agent/executor", "b1")),
        (SENATE, protocol.Observed("n2", "n2/agent/executor", 1, ())),
        (DISPATCHER, protocol.WantNames("n2", "n2/resolver", 7)),
        (SENATE, protocol.Progress("t1", "pulling 3%", 0.03)),
        (KEYRING, protocol.WantCredential("n2", "t1")),
        (SENATE, protocol.GetConfig("n2", "5a1e")),
        (SENATE, None),
        (DISPATCHER, None),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_machine_speaks_for_itself(path: str, message: object):
    assert why_not("n2", path, message) == ""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (protocol.NodeReport("n3", "gaul", "192.0.2.2", "ready", "ready"), "it speaks for node n3"),
        (protocol.RegisterAgent("n3", "n2/agent/executor", "b1"), "it speaks for node n3"),
        (protocol.RegisterAgent("n2", "n3/agent/executor", "b1"), "the answer would go to n3/agent/executor"),
        (protocol.RegisterAgent("n2", "no//address", "b1"), "the answer would go to no//address"),
        (protocol.Observed("n3", "n2/agent/executor", 1, ()), "it speaks for node n3"),
        (protocol.WantNames("n2", "n1/resolver", 7), "the answer would go to n1/resolver"),
        (protocol.WantCredential("n3", "t1"), "it speaks for node n3"),
        (protocol.SignOut("hub.example"), "SignOut is nothing that a machine says"),
        (protocol.GetConfig("n3", "5a1e"), "it speaks for node n3"),
        (protocol.RemoveStack("shop"), "RemoveStack is nothing that a machine says"),
        (protocol.GetState(), "GetState is nothing that a machine says"),
        (protocol.LoseNode("n3", "gone", True), "LoseNode is nothing that a machine says"),
        (protocol.Follow("n2/agent/executor"), "Follow is nothing that a machine says"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_speaks_for_nobody_else_and_commands_nothing(message: object, reason: str):
    assert why_not("n2", SENATE, message) == reason


@pytest.mark.parametrize(
    "path", ["control/nodes/n3", "control/services/shop/web", "portal/admin", "agent/executor", ""]
)
def test_it_speaks_to_nobody_else_and_watches_nobody_else(path: str):
    for message in (protocol.RegisterAgent("n2", "n2/agent/executor", "b1"), REPORT, None):
        assert why_not("n2", path, message) == f"no machine has to do with {path}"
