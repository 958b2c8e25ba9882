from dataclasses import dataclass

import pytest

from supervisor.message import Terminated, class_of, message, registered, tag_of


def test_tag_and_class_find_each_other():
    assert tag_of(Terminated) == "actor.terminated/1"
    assert class_of("actor.terminated/1") is Terminated
    assert registered()["actor.terminated/1"] is Terminated


def test_a_tag_is_taken_once():
    with pytest.raises(TypeError, match="belongs to Terminated"):

        @message("actor.terminated/1")
        @dataclass(frozen=True, slots=True)
        class Impostor:
            pass


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"slots": True}])
def test_a_message_is_frozen_and_slotted(options: dict[str, bool]):
    with pytest.raises(TypeError, match=r"@dataclass\(frozen=True, slots=True\)"):
        message("test.loose/1")(dataclass(**options)(type("Loose", (), {})))


def test_a_plain_class_is_no_message():
    with pytest.raises(TypeError, match="no message yet"):
        message("test.plain/1")(int)


def test_the_unknown_is_a_key_error():
    with pytest.raises(KeyError):
        tag_of(int)
    with pytest.raises(KeyError):
        class_of("nobody/1")
