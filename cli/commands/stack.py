"""`gbnt stack`: compose files, and what they became."""

from __future__ import annotations

import sys
import time

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.group import example, group, together
from cli.listing import SERVICES, show_tasks
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.table import Column, Row, column
from cli.waiting import Waiting, waiting_options
from cli.words import age, count

app = group("Deploy compose files, and see, stop and remove what they became.")

name_argument = click.argument("name", metavar="STACK")
# A compose file, and what its stack is called where the file is not to say it.
file_options = together(
    click.argument("name", metavar="[STACK]", default=""),
    click.option(
        "--file",
        "-c",
        "-f",
        metavar="FILE",
        default="",
        help="The compose file, - for the standard input. Without it compose.yaml or docker-compose.yml here.",
    ),
)


@app.command("deploy", epilog=example("gbnt stack deploy", "gbnt stack deploy -c compose.yaml shop --detach"))
@file_options
@waiting_options(by_default=True)
@click.option("--build/--no-build", default=True, show_default=True, help="Build the images that the file builds.")
@click.option("--dry-run", is_flag=True, help="Read and check the file, and change nothing.")
@context_option
def deploy(name: str, file: str, waiting: Waiting, build: bool, dry_run: bool, context: str) -> None:
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

    deploy_spec(connect(context), spec, build=build, waiting=waiting)


@app.command("ls", epilog=example("gbnt stack ls", "gbnt stack ls -o json"))
@context_option
@list_options
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the stacks."""
    now = time.time()
    columns = (
        column("NAME", "name"),
        column("STATUS", "status"),
        Column("TASKS", lambda row: f"{row['tasks_running']}/{row['tasks_wanted']}"),
        column("SERVICES", "services"),
        Column("CHANGED", lambda row: age(row["updated_at"], now)),
        column("NOTE", "message", flexible=True),
    )
    empty = "no stacks; `gbnt stack deploy -c compose.yaml` makes one"
    show_list(connect(context).stacks(), columns, output, no_trunc=no_trunc, empty=empty)


@app.command("ps", epilog=example("gbnt stack ps shop"))
@name_argument
@context_option
@list_options
def ps(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """List a stack's tasks, and what ran in their places before."""
    client = connect(context)
    client.stack(name)
    show_tasks(client.tasks(name, ended=True), output, no_trunc=no_trunc, empty=f"{name} has no tasks")


@app.command("services", epilog=example("gbnt stack services shop"))
@name_argument
@context_option
@list_options
def services(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """List a stack's services."""
    client = connect(context)
    client.stack(name)
    show_list(client.services(name), SERVICES, output, no_trunc=no_trunc, empty=f"{name} has no services")


@app.command("stop", epilog=example("gbnt stack stop shop"))
@name_argument
@waiting_options(by_default=True)
@context_option
def stop(name: str, waiting: Waiting, context: str) -> None:
    """Stop a stack's containers and keep them down until `start`."""
    _hold(name, "stop", waiting, context)


@app.command("start", epilog=example("gbnt stack start shop"))
@name_argument
@waiting_options(by_default=True)
@context_option
def start(name: str, waiting: Waiting, context: str) -> None:
    """Let a stopped stack run again, and wait until it does."""
    _hold(name, "start", waiting, context)


@app.command("rm", epilog=example("gbnt stack rm shop", "gbnt stack rm shop --volumes --yes"))
@name_argument
@click.option("--volumes", is_flag=True, help="Remove its named volumes and their data too.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@waiting_options(by_default=True)
@context_option
def rm(name: str, volumes: bool, yes: bool, waiting: Waiting, context: str) -> None:
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
    if waiting.wanted:
        settle(client, name, accepted["revision"], timeout=waiting.timeout, wanted="removed")
    print(f"{name} is {'gone' if waiting.wanted else 'being removed'}")
    if owned and not volumes:
        print(f"kept its volumes {', '.join(owned)}: the next deploy of {name} finds them")


@app.command("config", epilog=example("gbnt stack config -c compose.yaml"))
@file_options
@output_option("yaml")
def config(name: str, file: str, output: Output) -> None:
    """Print a compose file as gbnt understands it, in full."""
    from cli.canonical import canonical
    from cli.compose_file import load_file

    show_value(canonical(load_file(file, name or None).spec), output)


def _hold(name: str, action: str, waiting: Waiting, context: str) -> None:
    from cli.follow import settle

    client = connect(context)
    accepted: Row = client.hold_stack(name, "stop" if action == "stop" else "start")
    if waiting.wanted:
        settle(client, name, accepted["revision"], timeout=waiting.timeout)
    done = "stopped" if action == "stop" else "started"
    print(f"{name} is {done if waiting.wanted else f'being {done}'}")


def _ask_about(volumes: list[str]) -> None:
    from cli.asking import agreed

    listed = "\n".join(f"  {volume}" for volume in volumes)
    if not sys.stdin.isatty():
        raise BadInput(f"--volumes would remove these for good; say --yes to do it without being asked:\n{listed}")
    print(f"These volumes and all data in them will be removed for good:\n{listed}", file=sys.stderr)
    if not agreed("Remove them?"):
        raise BadInput("nothing was removed")
