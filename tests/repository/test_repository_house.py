"""The rules of the house that no linter knows: sizes, folders named everywhere, nothing of one machine in the files."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.repository.tree import ROOT, folders, modules, pyproject, tracked

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


def test_no_module_holds_two_nouns():
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in modules()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_functions_are_short():
    long = {name: lines for path in modules() for name, lines in _functions(str(path)) if lines > LONGEST_FUNCTION}
    assert long == {}


def _functions(path: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(lambda tools: tools["hatch"]["build"]["targets"]["sdist"]["only-include"], id="sdist"),
        pytest.param(lambda tools: tools["hatch"]["build"]["targets"]["wheel"]["only-include"], id="wheel"),
        pytest.param(lambda tools: [*tools["hatch"]["build"]["targets"]["wheel"]["sources"], "gubernator"], id="app"),
        pytest.param(lambda tools: tools["mypy"]["files"], id="types"),
        pytest.param(lambda tools: tools["importlinter"]["root_packages"], id="import rules"),
        pytest.param(lambda tools: tools["ruff"]["lint"]["isort"]["known-first-party"], id="import order"),
    ],
)
def test_every_folder_of_code_is_known_to_each_tool(named):
    assert folders() - set(named(pyproject()["tool"])) == set()


def test_every_folder_of_code_is_a_package():
    lacking = {path.parent for path in modules() if not (ROOT / path.parent / "__init__.py").is_file()}
    assert lacking == set()


def test_no_file_speaks_of_one_machine():
    private = re.compile(rf"{re.escape(str(ROOT))}\b|/home/\w+/|/Users/\w+/")
    found = {str(path): match.group() for path in tracked() if (match := private.search(_text(path)))}
    assert found == {}


def test_no_code_leaves_a_note_to_itself():
    note = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    found = {str(path): match.group() for path in modules() if (match := note.search(_text(path)))}
    assert found == {}


def _text(path: object) -> str:
    return (ROOT / str(path)).read_text(errors="replace")
