"""`gbnt backup`: all that a lost manager's machine is rebuilt from, in one sealed file."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cli.errors import BadInput, CliError, NotFound
from cli.group import data_dir_option, example, group
from cli.options import default_data_dir
from cli.output import Output, output_option, show_value
from cli.words import clock_time, size

if TYPE_CHECKING:
    from cli.backup.archive import Backup

app = group("Keep all that a manager's machine is rebuilt from, and rebuild it.")

passphrase_option = click.option(
    "--passphrase-file", metavar="FILE", default="", help="A file with the passphrase; - is the standard input."
)
manager_dir_option = data_dir_option("The manager's state.")


@app.command("create", epilog=example("sudo gbnt backup create /mnt/rome.backup --passphrase-file /root/passphrase"))
@click.argument("file", required=False, default="", help="- is the standard output. [by node and time]")
@passphrase_option
@manager_dir_option
def create(file: str, passphrase_file: str, data_dir: Path | None) -> None:
    """Write state, authority and identity of this machine's manager into one file, sealed by a passphrase.

    The manager may serve meanwhile. The passphrase is also taken from GBNT_BACKUP_PASSPHRASE, or from a file that
    GBNT_BACKUP_PASSPHRASE_FILE names; otherwise it is asked for. Without it the file is of no use to anybody.
    """
    from cli.backup.create import collect, insist_on_new, usual_name, write
    from cli.backup.passphrase import new_passphrase

    if file == "-" and sys.stdout.isatty():
        raise BadInput("a sealed file is nothing for a terminal: name a file, or pipe it elsewhere")
    backup = collect(data_dir or default_data_dir(), time.time())
    target = None if file == "-" else Path(file or usual_name(backup.manifest))
    if target is not None:
        insist_on_new(target)
    write(backup, new_passphrase(passphrase_file), target)
    print(_said(backup), file=sys.stderr)
    if target is not None:
        print(target)


@app.command("inspect", epilog=example("gbnt backup inspect rome.backup --passphrase-file passphrase"))
@click.argument("file")
@passphrase_option
@output_option("yaml")
def inspect(file: str, passphrase_file: str, output: Output) -> None:
    """Check a backup from its first byte to its last, and show whose it is and what is in it."""
    show_value(_loaded(file, passphrase_file).described(), output)


@app.command("restore", epilog=example("sudo gbnt backup restore rome.backup --advertise-addr 192.0.2.7"))
@click.argument("file")
@passphrase_option
@manager_dir_option
@click.option("--advertise-addr", metavar="ADDRESS", default="", help="The address that others reach this machine by.")
@click.option("--force", is_flag=True, help="Keep what is in the folder under another name, and take its place.")
def restore(file: str, passphrase_file: str, data_dir: Path | None, advertise_addr: str, force: bool) -> None:
    """Make this machine the manager that a backup is of, and print the line that starts it.

    The one that the backup is of must be gone: two of them would lead one cluster. Containers that the backup does not
    know are left alone until `gbnt snapshot confirm`.
    """
    from cli.backup.restore import insist_on_room
    from cli.backup.restore import restore as put_back

    place = (data_dir or default_data_dir()).absolute()
    insist_on_room(place, force=force)
    backup = _loaded(file, passphrase_file)
    restored = put_back(backup, place, time.time(), force=force)
    print(f"{_said(backup)}\nit is in {place}, and goes on at revision {restored.revision}", file=sys.stderr)
    if restored.aside is not None:
        print(f"what was there is in {restored.aside}", file=sys.stderr)
    print(
        "containers that the backup does not know will be left alone until `gbnt snapshot confirm`\n"
        "make sure that the machine that it was made on does not come back; then run this as root, or with --install:",
        file=sys.stderr,
    )
    advertised = ["--advertise-addr", advertise_addr] if advertise_addr else []
    print(shlex.join(["gbnt", "serve", "--data-dir", str(place), *advertised]))


def _said(backup: Backup) -> str:
    one, amount = backup.manifest, sum(map(len, backup.parts.values()))
    return (
        f"{one.name}, node {one.node} of the cluster {one.cluster}, at revision {one.revision} of "
        f"{clock_time(one.created)}: {', '.join(backup.parts)}; {size(amount)}"
    )


def _loaded(file: str, passphrase_file: str) -> Backup:
    from cli.backup.passphrase import known_passphrase
    from cli.backup.restore import load

    with _opened(Path(file)) as content:
        return load(content, file, known_passphrase(passphrase_file))


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}: name one that `gbnt backup create` wrote") from error
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror}; name a file that this user may read") from error
    with file:
        yield file
