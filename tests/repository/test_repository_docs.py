"""The pages: their links lead somewhere, their command lines parse, and what they list is what there is."""

import re
import shlex
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import click
import pytest

from cli.main import COMMANDS, load
from cluster.transitions import LEGAL
from portal.api.app import ENDPOINTS
from tests.repository import reference_page
from tests.repository.compose_page import rendered
from tests.repository.tree import ROOT, tracked

PAGES = sorted(path for path in tracked() if path.suffix == ".md")
DOCS = Path("docs")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PROMPT = re.compile(r"^\s*(?:\$ )?(?:sudo )?(?:docker exec gbnt )?(gbnt [a-z].*)$", re.MULTILINE)
INLINE = re.compile(r"`(?:sudo )?(gbnt [a-z][^`\n]*)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL_ENDS = ("|", "||", "&&", "&", ";", ">", ">>", "<", "2>&1", "…")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page):
    assert [link for link in LINK.findall(_text(page)) if not _resolves(page, link)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_line_parses(page):
    lines = sorted(set(_command_lines(_text(page))))
    assert {line: problem for line in lines if (problem := _problem(line))} == {}


def test_the_check_of_command_lines_sees_what_is_wrong():
    assert _problem("gbnt stack ls -o json") == ""
    for wrong in (
        "gbnt stak ls",
        "gbnt stack lst",
        "gbnt stack ls --colour",
        "gbnt stack ls a b",
        "gbnt stack ls -o xml",
    ):
        assert _problem(wrong) != "", wrong


def test_the_compose_page_lists_the_keys_of_the_tables():
    # They differ? `python -m tests.repository.compose_page` prints what belongs at the page's end.
    assert _text(DOCS / "compose.md").rstrip().endswith(rendered().rstrip())


def test_the_reference_page_is_what_the_code_makes_of_it():
    # They differ? `python -m tests.repository.reference_page >docs/reference.md` writes it anew.
    assert _text(DOCS / "reference.md") == reference_page.rendered()


def test_the_reference_page_has_every_command():
    named = {name.split()[1] for name, _ in reference_page.commands()} | {reference_page.PLAIN}
    assert named == set(COMMANDS)


def test_the_api_page_lists_every_endpoint():
    served = {f"{one.method} {_plain(one.path)}" for one in ENDPOINTS}
    listed = set(re.findall(r"`((?:GET|PUT|POST|PATCH|DELETE) /v1/\S*)`", _text(DOCS / "api.md")))
    assert listed == served


def test_the_operations_page_explains_every_metric():
    made = {name for file in ("portal/metrics.py", "cli/manager.py") for name in _metrics(_text(Path(file)))}
    assert made - set(_metrics(_text(DOCS / "operations.md"))) == set()


def test_the_architecture_page_lists_every_transition():
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", _text(DOCS / "architecture.md"), re.MULTILINE)
    listed = {state: frozenset(re.findall(r"`(\w+)`", after)) for state, after in rows if state in LEGAL}
    assert listed == LEGAL


def _text(page: Path) -> str:
    return (ROOT / page).read_text()


def _resolves(page: Path, link: str) -> bool:
    if re.match(r"https?://", link):
        return True
    path, _, anchor = link.partition("#")
    target = (ROOT / page.parent / path) if path else ROOT / page
    return target.exists() and (not anchor or anchor in _anchors(target.read_text()))


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _plain(path: str) -> str:
    return path.replace(":path}", "}")


def _metrics(text: str) -> list[str]:
    return re.findall(r"\bgbnt_[a-z]+(?:_[a-z]+)*(?=[\"`])", text)


def _command_lines(text: str) -> Iterator[str]:
    """What a person may type: lines of blocks that begin as a command does, and commands within a sentence."""
    for line in [*(line for _, block in BLOCK.findall(text) for line in PROMPT.findall(block))]:
        yield from _alternatives(re.split(r"\s{2,}(?![\\-])", line)[0])
    for line in INLINE.findall(BLOCK.sub("", text)):
        yield from _alternatives(line)


def _alternatives(line: str) -> Iterator[str]:
    """`a b|c [-d]` stands for `a b -d` and `a c -d`."""
    words = re.sub(r"[\[\]]", "", line).split(" ")
    choices = [word.split("|") if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", word) else [word] for word in words]
    yield from (" ".join(chosen) for chosen in product(*choices))


def _problem(line: str) -> str:
    """What the command line has against it; empty where it would run. It is parsed and not run."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        return str(error)
    end = next((index for index, word in enumerate(words) if word in SHELL_ENDS), len(words))
    _, name, *arguments = words[:end]
    if name in ("version", "help", "resolver") or arguments[-1:] == ["--help"]:
        return ""
    if name not in COMMANDS:
        return f"there is no command {name}"
    return _parsed(load(name), name, arguments)


def _parsed(command: click.Command, name: str, arguments: list[str], parent: click.Context | None = None) -> str:
    try:
        context = command.make_context(name, list(arguments), parent=parent)
        if not isinstance(command, click.Group) or (command.invoke_without_command and not context._protected_args):
            return ""
        below, found, rest = command.resolve_command(context, context._protected_args + context.args)
        assert below is not None
        assert found is not None
        return _parsed(found, below, rest, context)
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        return ""  # a sentence may name a command without its arguments
    except click.UsageError as error:
        return error.format_message()
