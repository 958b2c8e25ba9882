"""`gbnt stack`: compose files, and what they became."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from cli.connect import ContextOption, connect
from cli.errors import BadInput
from cli.group import DetachOption, TimeoutOption, example, group
from cli.listing import SERVICES, show_tasks
from cli.output import NoTruncOption, Output, OutputOption, show_list, show_value
from cli.table import Column, Row, column
from cli.words import age, count

app = group("Deploy compose files, and see, stop and remove what they became.")

Name = Annotated[str, typer.Argument(metavar="STACK", show_default=False)]
OptionalName = Annotated[str, typer.Argument(metavar="STACK", show_default=False)]
FileOption = Annotated[
    str,
    typer.Option("--file", "-c", metavar="FILE", help="The compose file; - is the standard input.", show_default=False),
]


@app.command(
    "deploy", epilog=example("gbnt stack deploy -c compose.yaml", "gbnt stack deploy -c compose.yaml shop --detach")
)
def deploy(
    name: OptionalName = "",
    file: FileOption = "",
    detach: DetachOption = False,
    timeout: TimeoutOption = None,
    build: Annotated[bool, typer.Option("--build/--no-build", help="Build the images that the file builds.")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check the file, and change nothing.")] = False,
    context: ContextOption = "",
) -> None:
    """Make a stack be as a compose file says, and wait until it runs.

    Services whose definition is as it was are not touched. The stack is called STACK, else as the file's `name:`
    says, else as the file's folder.
    """
    from cli.compose_file import load_file  # the YAML parser, which only this command and `config` need

    spec = load_file(file, name or None).spec
    if dry_run:
        print(f"the file is good: stack {spec.name} with {count(len(spec.services), 'service')}; nothing was changed")
        return
    from cli.deploy import deploy as deploy_spec

    deploy_spec(connect(context), spec, build=build, detach=detach, timeout=timeout)


@app.command("ls", epilog=example("gbnt stack ls", "gbnt stack ls -o json"))
def ls(context: ContextOption = "", output: OutputOption = Output.TABLE, no_trunc: NoTruncOption = False) -> None:
    """List the stacks."""
    now = time.time()
    columns = (
        column("NAME", "name"),
        column("STATUS", "status"),
        Column("TASKS", lambda row: f"{row['tasks_running']}/{row['tasks_wanted']}"),
        column("SERVICES", "services"),
        Column("CHANGED", lambda row: age(row["updated_at"], now)),
    )
    empty = "no stacks; `gbnt stack deploy -c compose.yaml` makes one"
    show_list(connect(context).stacks(), columns, output, no_trunc=no_trunc, empty=empty)


@app.command("ps", epilog=example("gbnt stack ps shop"))
def ps(
    name: Name, context: ContextOption = "", output: OutputOption = Output.TABLE, no_trunc: NoTruncOption = False
) -> None:
    """List a stack's tasks, and what ran in their places before."""
    client = connect(context)
    client.stack(name)
    show_tasks(client.tasks(name, ended=True), output, no_trunc=no_trunc, empty=f"{name} has no tasks")


@app.command("services", epilog=example("gbnt stack services shop"))
def services(
    name: Name, context: ContextOption = "", output: OutputOption = Output.TABLE, no_trunc: NoTruncOption = False
) -> None:
    """List a stack's services."""
    client = connect(context)
    client.stack(name)
    show_list(client.services(name), SERVICES, output, no_trunc=no_trunc, empty=f"{name} has no services")


@app.command("stop", epilog=example("gbnt stack stop shop"))
def stop(name: Name, detach: DetachOption = False, timeout: TimeoutOption = None, context: ContextOption = "") -> None:
    """Stop a stack's containers and keep them down until `start`."""
    _hold(name, "stop", detach, timeout, context)


@app.command("start", epilog=example("gbnt stack start shop"))
def start(name: Name, detach: DetachOption = False, timeout: TimeoutOption = None, context: ContextOption = "") -> None:
    """Let a stopped stack run again, and wait until it does."""
    _hold(name, "start", detach, timeout, context)


@app.command("rm", epilog=example("gbnt stack rm shop", "gbnt stack rm shop --volumes --yes"))
def rm(
    name: Name,
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove its named volumes and their data too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    detach: DetachOption = False,
    timeout: TimeoutOption = None,
    context: ContextOption = "",
) -> None:
    """Remove a stack, and wait until its containers and networks are gone.

    Named volumes are kept, and listed, unless --volumes is given: then they are named, and you are asked.
    """
    from cli.follow import settle

    client = connect(context)
    client.stack(name)
    owned = [str(row["name"]) for row in client.volumes(name) if not row.get("external")]
    if volumes and owned and not yes:
        _ask_about(owned)
    accepted = client.remove_stack(name, owned if volumes else ())
    if not detach:
        settle(client, name, accepted["revision"], timeout=timeout, wanted="removed")
    print(f"{name} {'is being removed' if detach else 'is gone'}")
    if owned and not volumes:
        print(f"kept its volumes {', '.join(owned)}: the next deploy of {name} finds them")


@app.command("config", epilog=example("gbnt stack config -c compose.yaml"))
def config(name: OptionalName = "", file: FileOption = "", output: OutputOption = Output.YAML) -> None:
    """Print a compose file as gbnt understands it, in full."""
    from cli.canonical import canonical
    from cli.compose_file import load_file

    show_value(canonical(load_file(file, name or None).spec), output)


def _hold(name: str, action: str, detach: bool, timeout: float | None, context: str) -> None:
    from cli.follow import settle

    client = connect(context)
    accepted: Row = client.hold_stack(name, "stop" if action == "stop" else "start")
    if not detach:
        settle(client, name, accepted["revision"], timeout=timeout)
    print(f"{name} is {'stopped' if action == 'stop' else 'started'}")


def _ask_about(volumes: list[str]) -> None:
    listed = "\n".join(f"  {volume}" for volume in volumes)
    if not sys.stdin.isatty():
        raise BadInput(f"--volumes would remove these for good; say --yes to do it without being asked:\n{listed}")
    print(f"These volumes and all data in them will be removed for good:\n{listed}", file=sys.stderr)
    if input("Remove them? [y/N] ").strip().lower() not in ("y", "yes"):
        raise BadInput("nothing was removed")
