"""A stack's compose files, read.

    bytes -> trees -> variables, extends, include -> one tree -> canonical form -> spec -> checks

Each stage tells all the errors that it finds and then stops. What comes out is Compose's canonical model, in which
every short form is written out and every path absolute, and the spec that follows from it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cluster.compose.canonical.scope import Scope
from cluster.compose.canonical.stack import Document, folder_name, stack, stack_name
from cluster.compose.checks import problems
from cluster.compose.findings import ComposeError, Finding, quote
from cluster.compose.joining.model import Model
from cluster.compose.names import STACK, STACK_HINT
from cluster.compose.reading.files import Files
from cluster.compose.reading.value import Value
from cluster.compose.report import Refused, Report
from cluster.compose.spec import stack_spec
from cluster.compose.tree.events import decode, parse
from cluster.compose.tree.nodes import Mapping as MappingNode
from cluster.compose.tree.nodes import Node, Place, dotted, place_named, place_of
from cluster.compose.tree.text import Text
from cluster.compose.variables.interpolate import Interpolation
from cluster.sources import Sources
from cluster.spec import StackSpec

NAME_VARIABLE = "COMPOSE_PROJECT_NAME"


@dataclass(frozen=True, slots=True)
class Source:
    """A compose file. `path` is absolute; `shown` is what messages call the file, where that is not its path.

    The path of what is in no file is that of its folder and `/.`: it is none of the files that another may name.
    """

    path: str
    data: bytes
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Good files: what they ask for, and what a person should be told all the same.

    `document` is the canonical form and `spec` what a cluster is asked for; with `refusals` no cluster is. `profiles`
    are all that the files name, switched on or not, and `sources` the compose files themselves, included ones too.
    `root` is all that was written, and `origins` say where, by its path in the canonical form, of what has another path
    there: see `place`.
    `relative` are the paths, absolute, of binds that were written relative to a file or to the home folder, and `aside`
    the services that are left out, for none of their profiles is on.
    """

    document: Document
    spec: StackSpec
    warnings: tuple[Finding, ...]
    refusals: tuple[Finding, ...]
    profiles: tuple[str, ...] = ()
    sources: Sources = Sources()
    root: Node | None = field(default=None, repr=False)
    origins: Mapping[str, Place] = field(default_factory=dict, repr=False)
    relative: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()

    def place(self, path: str) -> Place | None:
        """Where a part of the stack was written, or what it is in (`services.web.volumes[0]`); None for what is not."""
        if path in self.origins or self.root is None:
            return self.origins.get(path)
        return place_named(self.root, path)


def load(
    sources: Sequence[Source],
    *,
    project: str | None,
    variables: Mapping[str, str],
    read: Callable[[str], bytes],
    profiles: Iterable[str] = (),
    home: str = "/",
) -> Loaded:
    """Read a stack's compose files; each is laid over those before it.

    The stack is called `project`, else as the last `name:` says, else as the folder of the first file. `variables` are
    those that the files may name, and `home` is what `~` stands for. `read` gives the bytes of an absolute path or
    raises OSError; it decides which files may be read, and how large they may be. Relative paths begin at the first
    file's folder.

    Raises ComposeError.
    """
    report = Report()
    folder = posixpath.dirname(sources[0].path)
    named = dict(variables)
    texts = [Text(one.shown or one.path, "", one.path, folder, named, home) for one in sources]
    for source, text in zip(sources, texts, strict=True):
        decode(source.data, text, report)
    roots = [root for text in texts for root in parse(text, report)]
    named[NAME_VARIABLE] = name = _name(roots, project or variables.get(NAME_VARIABLE) or None, folder, report)
    files = Files(read)
    model = Model(files, report)
    root = model.joined(roots)
    profiles = tuple(profiles)
    scope = Scope(name, files, frozenset(profiles))
    document = Value(root, (), report, root.place).attempt(lambda value: stack(value, scope))
    report.end_stage()
    if document is None:
        raise report.failure()
    spec = stack_spec(document, scope.contents)
    _check(spec, root, report, scope)
    warnings, refusals = tuple(report.warnings), tuple(report.refusals)
    written = model.sources(folder, (one.path for one in sources), profiles)
    origins = {dotted(path): place for path, place in scope.origins.items()}
    profiles_named = tuple(sorted(scope.named_profiles))
    relative, aside = tuple(sorted(scope.relative)), tuple(scope.aside)
    return Loaded(document, spec, warnings, refusals, profiles_named, written, root, origins, relative, aside)


def _name(roots: Sequence[MappingNode], project: str | None, folder: str, report: Report) -> str:
    """The stack's name. It is settled first, since `${COMPOSE_PROJECT_NAME}` is a variable of the files."""
    if project is not None:
        if not STACK.fullmatch(project):
            message = f"{quote(project)} cannot be a stack's name"
            raise ComposeError([Finding("", 0, 0, "", message, STACK_HINT, code="name")])
        return project
    entry = next((root.entries["name"] for root in reversed(roots) if "name" in root.entries), None)
    if entry is not None:
        own = Interpolation(report).tree(MappingNode(entry.place, {"name": entry}))
        report.end_stage()
        try:
            return stack_name(Value(own.entries["name"].value, ("name",), report, entry.shown))
        except Refused as refused:
            report.refuse(refused.finding)
            report.end_stage()
    if name := folder_name(folder):
        return name
    return report.fatal(roots[0].place, "the stack has no name", 'add "name: NAME" to the file, or give one', "name")


def _check(spec: StackSpec, root: MappingNode, report: Report, scope: Scope) -> None:
    unread = {key for key, one in spec.configs.items() if not one.external and key not in scope.contents}
    for problem in problems(spec):
        if problem.path[:1] == ("configs",) and problem.path[1] in unread:
            continue  # that it cannot be had was told, and what it holds is not known
        place = scope.origins.get(problem.path) or place_of(root, problem.path)
        # What two services have of one `extends` is wrong of neither.
        shared = problem.other and scope.origins.get(problem.other) is place
        tell = report.withhold if problem.policy or shared else report.error
        tell(place, problem.path, problem.message, problem.hint, problem.code)
    report.end_stage()
