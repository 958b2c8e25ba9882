"""`gbnt service`: one service of a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from cli.connect import connect, context_option
from cli.errors import BadInput
from cli.group import example, group
from cli.listing import SERVICE_FILTERS, TASK_FILTERS, show_services, show_tasks
from cli.logs import log_options, print_logs
from cli.output import Output, list_options, output_option, show_value, warn_of
from cli.waiting import Waiting, waiting_options
from cli.words import said

if TYPE_CHECKING:
    from cli.client import Client
    from cli.session import Params
    from portal.shapes import Changed

app = group(
    "See, scale, update and restart services. They are called STACK/SERVICE, or SERVICE where only one stack has it."
)

MOST_DIGITS = 9

name_argument = click.argument("name", metavar="SERVICE")


@app.command("ls", epilog=example("gbnt service ls", "gbnt service ls --stack shop"))
@click.option("--stack", metavar="STACK", default="", help="Only those of this stack.")
@context_option
@list_options(SERVICE_FILTERS)
def ls(stack: str, context: str, output: Output, no_trunc: bool) -> None:
    """List the services."""
    client = connect(context)
    rows = client.services(stack)
    if stack and not rows:
        client.stack(stack)  # which says where there is none of that name
    show_services(rows, output, no_trunc=no_trunc, empty="no services")


@app.command("ps", epilog=example("gbnt service ps shop/web"))
@name_argument
@context_option
@list_options(TASK_FILTERS)
def ps(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """List a service's tasks, and what ran in their places before."""
    client = connect(context)
    key = client.service_key(name)
    client.service(key)
    stack, _, service = key.partition("/")
    tasks = client.tasks(stack, service, ended=True)
    show_tasks(tasks, output, no_trunc=no_trunc, empty=f"{key} has no tasks")


@app.command("inspect", epilog=example("gbnt service inspect shop/web"))
@name_argument
@context_option
@output_option("yaml")
def inspect(name: str, context: str, output: Output) -> None:
    """Print all that is known of a service, its definition included."""
    client = connect(context)
    show_value(client.service(client.service_key(name)), output)


@app.command(
    "scale", epilog=example("gbnt service scale shop/web=3", "gbnt service scale shop/web=3 shop/api=2 --wait")
)
@click.argument("targets", metavar="SERVICE=REPLICAS...", nargs=-1, required=True)
@waiting_options(by_default=False)
@context_option
def scale(targets: tuple[str, ...], waiting: Waiting, context: str) -> None:
    """Run another number of replicas."""
    wanted = [_target(text) for text in targets]
    client = connect(context)
    _change(client, waiting, [(name, partial(client.scale, replicas=replicas)) for name, replicas in wanted])


@app.command("update", epilog=example("gbnt service update shop/web --image nginx:1.29"))
@name_argument
@click.option("--image", metavar="IMAGE", default="", help="The image to run from now on.")
@click.option("--force", is_flag=True, help="New containers, even if nothing changed.")
@waiting_options(by_default=False)
@context_option
def update(name: str, image: str, force: bool, waiting: Waiting, context: str) -> None:
    """Roll a service over to another image, or to new containers of what it is."""
    if not image and not force:
        raise BadInput("say what to change: --image IMAGE, or --force for new containers of the same")
    client = connect(context)
    _change(client, waiting, [(name, partial(client.update, image=image, force=force))])


@app.command("restart", epilog=example("gbnt service restart shop/web"))
@name_argument
@waiting_options(by_default=False)
@context_option
def restart(name: str, waiting: Waiting, context: str) -> None:
    """Replace a service's containers, as its update policy paces it."""
    client = connect(context)
    _change(client, waiting, [(name, partial(client.hold_service, action="restart"))])


@app.command("stop", epilog=example("gbnt service stop shop/web"))
@name_argument
@waiting_options(by_default=False)
@context_option
def stop(name: str, waiting: Waiting, context: str) -> None:
    """Stop a service's containers and keep them down until `start`."""
    client = connect(context)
    _change(client, waiting, [(name, partial(client.hold_service, action="stop"))])


@app.command("start", epilog=example("gbnt service start shop/web"))
@name_argument
@waiting_options(by_default=False)
@context_option
def start(name: str, waiting: Waiting, context: str) -> None:
    """Let a stopped service run again."""
    client = connect(context)
    _change(client, waiting, [(name, partial(client.hold_service, action="start"))])


@app.command("rm", epilog=example("gbnt service rm shop/web"))
@name_argument
@waiting_options(by_default=False)
@context_option
def rm(name: str, waiting: Waiting, context: str) -> None:
    """Remove a service from its stack, until a deploy of a file that has it brings it back."""
    client = connect(context)
    _change(client, waiting, [(name, client.remove_service)])


@app.command("logs", epilog=example("gbnt service logs shop/web -f", "gbnt service logs shop/web --previous"))
@name_argument
@log_options
@context_option
def logs(name: str, query: Params, timestamps: bool, context: str) -> None:
    """Print the output of all tasks of a service, in the order of time."""
    client = connect(context)
    lines = client.service_logs(client.service_key(name), query)
    print_logs(lines, timestamps=timestamps)


def _target(text: str) -> tuple[str, int]:
    name, equals, number = text.partition("=")
    if not (name and equals and number.isdecimal() and len(number) <= MOST_DIGITS):
        raise BadInput(f'"{text[:100]}" is not SERVICE=REPLICAS, as in shop/web=3')
    return name, int(number)


def _change(client: Client, waiting: Waiting, wanted: Sequence[tuple[str, Callable[[str], Changed]]]) -> None:
    """Make a change to each service that a person named, say what it did, and wait for their stacks where asked."""
    changes = [(client.service_key(name), change) for name, change in wanted]  # a wrong name changes nothing
    revisions: dict[str, int] = {}
    for key, change in changes:
        accepted = change(key)
        warn_of(accepted)
        print(said(key, accepted["changes"]))
        revisions[key.partition("/")[0]] = accepted["revision"]
    if waiting.wanted:
        from cli.follow import settle

        for stack, revision in revisions.items():
            settle(client, stack, revision, timeout=waiting.timeout)
