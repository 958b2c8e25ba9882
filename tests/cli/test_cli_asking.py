"""A question to the person at the terminal."""

import io

import pytest

from cli.asking import confirm
from cli.errors import BadInput


class Typed(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "goes_on"), [("y\n", True), ("YES\n", True), ("\n", False), ("", False)])
def test_a_question_is_no_output_of_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: str, goes_on: bool
):
    monkeypatch.setattr("sys.stdin", Typed(answer))
    try:
        confirm("Remove it?", yes=False)
    except BadInput:
        assert not goes_on
    else:
        assert goes_on
    # Ctrl-D leaves the cursor where it is: what is said next begins a line of its own.
    assert capsys.readouterr() == ("", "Remove it? [y/N] " + ("" if answer else "\n"))
