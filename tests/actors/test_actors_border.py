"""What a node may say to a manager."""

import pytest

from actors import protocol
from actors.border import why_not


@pytest.mark.parametrize(
    "message",
    [
        protocol.NodeReport("n2", "gaul", "192.0.2.2", "ready", "ready"),
        protocol.RegisterAgent("n2", "n2/agent/executor", "b1"),
        protocol.Observed("n2", "n2/agent/executor", 1, ()),
        protocol.WantNames("n2", "n2/resolver", 7),
        protocol.Progress("t1", "pulling 3%", 0.03),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_machine_speaks_for_itself(message: object):
    assert why_not("n2", message) == ""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (protocol.NodeReport("n3", "gaul", "192.0.2.2", "ready", "ready"), "it speaks for node n3"),
        (protocol.RegisterAgent("n3", "n2/agent/executor", "b1"), "it speaks for node n3"),
        (protocol.RegisterAgent("n2", "n3/agent/executor", "b1"), "the answer would go to n3/agent/executor"),
        (protocol.RegisterAgent("n2", "no//address", "b1"), "the answer would go to no//address"),
        (protocol.Observed("n3", "n2/agent/executor", 1, ()), "it speaks for node n3"),
        (protocol.WantNames("n2", "n1/resolver", 7), "the answer would go to n1/resolver"),
        (protocol.RemoveStack("shop"), "RemoveStack is nothing that a machine says"),
        (protocol.GetState(), "GetState is nothing that a machine says"),
        (protocol.LoseNode("n3", "gone", True), "LoseNode is nothing that a machine says"),
        (protocol.Follow("n2/agent/executor"), "Follow is nothing that a machine says"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_speaks_for_nobody_else_and_commands_nothing(message: object, reason: str):
    assert why_not("n2", message) == reason
