"""`--install` of `gbnt serve` and of `gbnt legion join`, and `gbnt serve --uninstall`: gbnt as a systemd service."""

from __future__ import annotations

import os
import pwd
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.context import config_path
from cli.errors import BadInput, CliError, NotFound
from cli.home import Home, contexts_to
from cli.options import ServeOptions
from cli.unit import data_dir_of, unit_text

UNIT = Path("etc/systemd/system/gubernator.service")
RUNNING = Path("run/systemd/system")  # there exactly where systemd is the init system: sd_booted(3)

SECRETS = ("GBNT_API_TOKEN", "GBNT_WEB_PASSWORD")
FILES = ("GBNT_API_TOKEN_FILE", "GBNT_WEB_PASSWORD_FILE", "GBNTCTL_CONFIG")
KEPT = (*FILES, "DOCKER_HOST")

Run = Callable[[Sequence[str]], int]


def install(
    options: ServeOptions,
    *,
    root: Path = Path("/"),
    run: Run = subprocess.call,
    program: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Write the unit, have systemd read it, enable it, start it and wait until it serves, saying each step.

    `root` is where the machine's file system begins, `run` runs a command and returns its status, `program` is the
    command line of gbnt; empty is this very one's. Raises CliError without systemd, without the right to write the
    unit, and where systemd refuses or gbnt does not start; BadInput for a secret that the unit would have to hold.
    """
    expect_installable(root=root, environment=environment)
    unit = root / UNIT
    text = unit_text(options, program or this_program(), _kept(environment))
    try:
        unit.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(unit, error) from error
    print(f"wrote {unit}", flush=True)  # before what systemd says
    for step in (("daemon-reload",), ("enable", "--quiet", unit.name)):
        _systemctl(run, *step)
    if run(("systemctl", "restart", unit.name)):
        # Its own last words; what systemd adds to them says no more than that it ended.
        last = ("--unit", unit.name, "--identifier", "gbnt", "--lines", "1", "--output", "cat")
        run(("journalctl", "--quiet", "--no-pager", *last))
        raise CliError(
            f"{unit.stem} does not start, and is tried again each second; `journalctl -u {unit.stem}` says why"
        )
    print(f"{unit.stem} runs, and starts with the machine; `journalctl -fu {unit.stem}` shows its log")
    _say_where(Home(options.data_dir), _context_file(environment))


def expect_installable(*, root: Path = Path("/"), environment: Mapping[str, str] = os.environ) -> None:
    """Raise what `install` would raise before it changes anything, for who has other things to do first."""
    _expect_systemd(root)
    if given := [name for name in SECRETS if environment.get(name)]:
        raise BadInput(
            f"{given[0]} is not written into a unit, which everybody may read: put it into a file and name that in "
            f"{given[0]}_FILE"
        )
    if not os.access((root / UNIT).parent, os.W_OK):
        raise CliError(f"cannot write {root / UNIT}: run this as root, with sudo")


def uninstall(*, root: Path = Path("/"), run: Run = subprocess.call) -> None:
    """Stop and disable the unit and remove it, and say what stays.

    Raises NotFound where there is no unit, CliError without systemd, without the right to remove the unit, and where
    systemd refuses.
    """
    _expect_systemd(root)
    unit = root / UNIT
    try:
        data = data_dir_of(unit.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"there is no {unit}: gbnt is no service of this machine") from error
    _take_away(unit, run)
    where = data or Path("DIR")
    print(f"its containers run on; `gbnt serve --data-dir {shlex.quote(str(where))}` takes them up again")
    print(f"their names resolve until `gbnt resolver --stop --runtime-dir {shlex.quote(str(where / 'run'))}`")


def unit_of(data_dir: Path, *, root: Path = Path("/")) -> Path | None:
    """The unit that serves this data directory, on a machine that systemd runs."""
    unit = root / UNIT
    if not (root / RUNNING).is_dir() or not unit.exists():
        return None
    return unit if data_dir_of(unit.read_text(encoding="utf-8")) == data_dir else None


def retire(data_dir: Path, *, root: Path = Path("/"), run: Run = subprocess.call) -> None:
    """Stop, disable and remove the unit where it is that of this data directory, for its node is none any more.

    Raises CliError without the right to remove the unit, and where systemd refuses.
    """
    if unit := unit_of(data_dir, root=root):
        _take_away(unit, run)


def _take_away(unit: Path, run: Run) -> None:
    _systemctl(run, "disable", "--quiet", "--now", unit.name)
    try:
        unit.unlink()
    except OSError as error:
        raise _unwritable(unit, error) from error
    _systemctl(run, "daemon-reload")
    print(f"stopped {unit.stem} and removed {unit}")


def _expect_systemd(root: Path) -> None:
    if not (root / RUNNING).is_dir():
        raise CliError("this machine is not run by systemd: start `gbnt serve` from what starts its services instead")


def _systemctl(run: Run, *words: str) -> None:
    if run(("systemctl", *words)):
        raise CliError(f"`systemctl {' '.join(words)}` failed; `journalctl -xe` says why")


def _unwritable(unit: Path, error: OSError) -> CliError:
    return CliError(f"cannot write {unit} ({error.strerror}): run this as root, with sudo")


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that gbnt would have read here and now, none of them a secret."""
    given = {name: environment[name] for name in KEPT if environment.get(name)}
    return {name: os.path.abspath(value) if name in FILES else value for name, value in given.items()}


def this_program() -> tuple[str, ...]:
    """The command line that runs this very gbnt again: what was called, or the interpreter where a module was."""
    called = Path(sys.argv[0]).absolute()
    if called.suffix != ".py" and os.access(called, os.X_OK):
        return (str(called),)
    return (sys.executable, "-P", "-m", "gubernator")


def _context_file(environment: Mapping[str, str]) -> Path:
    """Where the service keeps its contexts: it runs as root, whoever's home directory sudo left in the environment."""
    given = environment.get("GBNTCTL_CONFIG")
    return config_path({"GBNTCTL_CONFIG": given or str(Path(pwd.getpwuid(0).pw_dir, ".gbntctl", "config"))})


def _say_where(home: Home, file: Path) -> None:
    """Where the state is, and what a person gets at it by."""
    print(f"state: {home.path}")
    for name in contexts_to(home, file):
        print(f"context: {name}, in {file}")
    if home.credentials.exists():
        print(f"first credential: {home.credentials}, until it is first used")
