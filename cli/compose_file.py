"""Compose files as the person has them on disk, read and loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cli.compose_choice import STANDARD_INPUT, Choice, settle
from cli.compose_read import read
from cli.errors import BadInput
from cli.words import count, did_you_mean
from cluster.compose.canonical.services import EVERY_PROFILE
from cluster.compose.findings import ComposeError, Finding, quote
from cluster.compose.loader import Loaded, Source, load
from cluster.compose.names import STACK

# What a person, or a program between, reads of errors: past it only their number counts.
LONGEST = 3_500


def load_files(
    choice: Choice, environment: Mapping[str, str] = os.environ, *, strict: bool = False, to_look: bool = False
) -> Loaded:
    """Load the compose files that were chosen; `-` is the standard input.

    Warnings go to the standard error, and with `strict` are errors; with `to_look` they name what keeps the files from
    being deployed, too: see `deployable`. What is wrong with the files raises BadInput with every place, and with the
    warnings, among which the reason may be.
    """
    if not STACK.fullmatch(choice.stack) and Path(choice.stack).is_file():
        raise BadInput(f"{choice.stack} stands where the stack is named, and is a file: read it with -c {choice.stack}")
    settled = settle(choice, environment)
    shown = ", ".join("the standard input" if file == STANDARD_INPUT else file for file in settled.files)
    try:
        sources = [_source(file) for file in settled.files]
        loaded = load(
            sources,
            project=choice.stack or None,
            variables=settled.variables,
            read=read,
            profiles=settled.profiles,
            home=environment.get("HOME") or _home(),
        )
    except ComposeError as error:
        told = listed((*error.findings, *settled.warnings, *error.warnings))
        words = "is no good" if to_look else "cannot be deployed, and nothing was changed"
        raise BadInput(f"{shown} {words}\n{told}") from error
    warnings = [*settled.warnings, *loaded.warnings, *_unnamed(choice.profiles, loaded.profiles)]
    if to_look:
        warnings += map(_to_know, loaded.refusals)
    if strict and warnings:
        raise BadInput(f"{shown} has warnings, which --strict refuses\n{listed(warnings)}")
    for warning in warnings:
        print(warning.render(), file=sys.stderr)
    if warnings:
        print(f"{count(len(warnings), 'warning')} in {shown}\n", file=sys.stderr)
    return loaded


def _unnamed(wanted: Sequence[str], named: Sequence[str]) -> Iterator[Finding]:
    """A warning for each profile that was switched on, and that no file names."""
    for profile in wanted:
        if profile not in (EVERY_PROFILE, *named):
            message = f"no service has the profile {quote(profile)}{did_you_mean(profile, named)}"
            yield Finding("", 0, 0, "", message, severity="warning", code="profile")


def _to_know(refusal: Finding) -> Finding:
    return replace(refusal, severity="warning", message=f"no deploy takes this: {refusal.message}")


def deployable(loaded: Loaded) -> Loaded:
    """The same files, where a cluster can be asked for them; else BadInput with every place."""
    if loaded.refusals:
        raise BadInput(undeployable(loaded, loaded.refusals))
    return loaded


def undeployable(loaded: Loaded, findings: Sequence[Finding]) -> str:
    """What is said of files that are good by themselves, where a cluster cannot do as they say."""
    words = "is good, but cannot be deployed as it is, and nothing was changed"
    return f"the stack {loaded.spec.name} {words}\n{listed(findings)}"


def listed(findings: Sequence[Finding]) -> str:
    """Findings with their source lines, as many as anyone reads."""
    shown: list[str] = []
    length = 0
    for finding in findings:
        text = finding.render()
        length += len(text.encode()) + 1
        if shown and length > LONGEST:
            shown.append(f"and {len(findings) - len(shown)} more")
            break
        shown.append(text)
    return "\n".join(shown)


def _home() -> str:
    """The person's home folder, of which the environment says nothing."""
    import pwd

    return pwd.getpwuid(os.getuid()).pw_dir


def _source(file: str) -> Source:
    try:
        data = read(file)
    except OSError as error:
        raise BadInput(f"cannot read {file}: {error.strerror}") from error
    if file == STANDARD_INPUT:
        return Source(os.path.join(os.getcwd(), "."), data, "standard input")
    return Source(os.path.normpath(Path.cwd() / file), data, file)
