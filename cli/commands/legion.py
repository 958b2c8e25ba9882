"""`gbnt legion`: machines that join the cluster."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.connect import admin_socket, connect, connect_here, context_option
from cli.errors import BadInput, CliError
from cli.filters import Filter, begins, is_
from cli.group import data_dir_option, example, group
from cli.kinds import OneOf, Whole
from cli.options import default_data_dir
from cli.output import Output, list_options, output_option, show_list, show_value
from cli.table import Column, column
from cli.waiting import timeout_option
from cli.words import age, count, countdown, duration, span

if TYPE_CHECKING:
    from cli.client.nodes import NodeRole
    from cli.legion import Wish
    from portal.access_rows import JoinTokenRow
    from portal.api.joining import JoinTokenMade

app = group("Let machines join the cluster, have this one join, and see how all of them are.")

ROLES: tuple[NodeRole, ...] = ("worker", "manager")
JOIN_TOKENS: Mapping[str, Filter[JoinTokenRow]] = {
    "id": begins("id"),
    "role": is_("role", ROLES),
    "state": is_("state", ("good", "expired", "used up", "revoked")),
}
# A pasted line is for a rack of workers; a manager is let in by name.
USES = {"worker": 10, "manager": 1}
TTL = "1h"
_SETTINGS = {"pause_above": "replacement", "privileged": "privileged keys"}

node_dir_option = data_dir_option("Where this node's identity is kept.")


@app.command("init", epilog=example("sudo gbnt legion init"))
@click.option("--advertise-addr", metavar="ADDRESS", default="", help="The address that others reach this machine by.")
@click.option("--listen-addr", metavar="ADDRESS", default="", help="The address that gbnt is to listen on.")
@click.option("--install", is_flag=True, help="Where gbnt does not serve yet, set up a systemd service that does.")
def init(advertise_addr: str, listen_addr: str, install: bool) -> None:
    """Print the line that lets another machine join this one.

    A machine that serves keeps its stacks and containers as they are.
    """
    if os.access(admin_socket(), os.W_OK):
        if listen_addr:
            raise BadInput(
                "a gbnt that serves keeps its address to listen on: restart it with `gbnt serve --bind ADDRESS`, and "
                "leave --listen-addr out"
            )
    else:
        _begin(advertise_addr, listen_addr, install)
    made = connect_here().create_join_token("worker", duration(TTL), USES["worker"], rotate=False)
    host, _, port = str(made["manager"]).rpartition(":")
    if advertise_addr and advertise_addr != host.strip("[]"):
        print(
            f"gbnt serves as {host}, and tells nodes so: restart it with --advertise-addr {advertise_addr}, too",
            file=sys.stderr,
        )
        host = f"[{advertise_addr}]" if ":" in advertise_addr else advertise_addr
        made = {**made, "manager": f"{host}:{port}"}
    _print_line(made)


@app.group("join-token", invoke_without_command=True, epilog=example("gbnt legion join-token --role manager --ttl 10m"))
@click.option("--role", type=OneOf(ROLES), default="worker", show_default=True, help="What it lets a machine be.")
@click.option("--ttl", metavar="TIME", default=TTL, show_default=True, help="How long it is good for, 30d at most.")
@click.option("--uses", metavar="N", type=click.IntRange(1), help="For how many machines. [worker: 10, manager: 1]")
@click.option("--rotate", is_flag=True, help="Make all earlier tokens of this role worthless.")
@context_option
@click.pass_context
def join_token(
    click_context: click.Context, role: NodeRole, ttl: str, uses: int | None, rotate: bool, context: str
) -> None:
    """Make a join token, and print the line that joins by it."""
    if click_context.invoked_subcommand is not None:
        return
    wanted = uses or USES[role]
    _print_line(connect(context, socket_first=True).create_join_token(role, duration(ttl), wanted, rotate=rotate))


@join_token.command("ls", epilog=example("gbnt legion join-token ls"))
@context_option
@list_options(JOIN_TOKENS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the join tokens, without their texts."""
    now = time.time()
    columns: tuple[Column[JoinTokenRow], ...] = (
        column("ID", "id"),
        column("ROLE", "role"),
        column("STATE", "state"),
        Column("USED", lambda row: f"{row['used']}/{row['uses']}"),
        Column("CREATED", lambda row: age(row["created_at"], now)),
        Column("EXPIRES", lambda row: f"in {span(countdown(row['expires_at'], now))}" if _is_good(row, now) else "-"),
    )
    rows = connect(context, socket_first=True).join_tokens()
    show_list(rows, columns, output, no_trunc=no_trunc, empty="no join tokens")


@join_token.command("rm", epilog=example("gbnt legion join-token rm 4f9a2c11"))
@click.argument("token", metavar="JOIN-TOKEN-ID")
@context_option
def rm(token: str, context: str) -> None:
    """Make a join token worthless, at once. Nodes that joined by it stay."""
    changes = connect(context, socket_first=True).revoke_join_token(token)["changes"]
    print(f"nobody joins by {next(iter(changes), token)} from now on")


@app.command("join", epilog=example("sudo gbnt legion join --token-file token --manager 192.0.2.1:4000"))
@click.option("--token", metavar="TOKEN", default="", help="The join token; others may see it while the command runs.")
@click.option("--token-file", metavar="FILE", default="", help="A file with the join token; - is the standard input.")
@click.option("--manager", metavar="HOST:PORT", required=True, help="Where a manager's API answers.")
@click.option("--node-name", metavar="NAME", default="", help="This node's name. [the host name]")
@click.option("--advertise-addr", metavar="ADDRESS", default="", help="The address that others reach this machine by.")
@node_dir_option
@click.option("--no-serve", is_flag=True, help="Join only, and leave it to `gbnt serve` to run the node.")
@click.option("--install", is_flag=True, help="Set up a systemd service that serves as this node, and start it.")
@click.option("--skip-checks", is_flag=True, help="Join whatever `gbnt doctor` has against this machine.")
def join(
    token: str,
    token_file: str,
    manager: str,
    node_name: str,
    advertise_addr: str,
    data_dir: Path | None,
    no_serve: bool,
    install: bool,
    skip_checks: bool,
) -> None:
    """Make this machine a node of a manager's cluster, and run it, until it is told to stop.

    The manager must be one of the cluster that made the token: it gets nothing secret before that is certain. The token
    is also taken from GBNT_JOIN_TOKEN, or from a file that GBNT_JOIN_TOKEN_FILE names. What `gbnt doctor` calls a
    problem stops the join.
    """
    where = (data_dir or default_data_dir()).absolute()

    def become() -> None:
        from cli.legion import Wish, become_node, token_from  # certificates and their library come with it

        wish = Wish(token_from(token, token_file), manager, node_name or socket.gethostname(), advertise_addr)
        admitted = become_node(where, wish, (lambda: None) if skip_checks else (lambda: _examine(where, wish)))
        print(
            f"{admitted.name} is node {admitted.node} of the cluster {admitted.cluster}, as a {admitted.role}",
            flush=True,
        )

    if no_serve:
        if install:
            raise BadInput("--install runs the node, and --no-serve does not: choose one")
        become()
        print(f"its identity is in {where}; `gbnt serve --data-dir {where}` runs it", file=sys.stderr)
        return
    from cli.overlap import serve_while, turn_into
    from cli.systemd import expect_installable, this_program

    serving = [*this_program(), "serve", "--data-dir", str(where)]
    if install:
        expect_installable()
        become()
        turn_into([*serving, "--install"])
    serve_while(become, serving)


@app.command("leave", epilog=example("sudo gbnt legion leave", "sudo gbnt legion leave --timeout 10m"))
@click.option("--force", is_flag=True, help="Wait for nothing and nobody; its tasks are replaced elsewhere.")
@timeout_option
@node_dir_option
def leave(force: bool, timeout: float | None, data_dir: Path | None) -> None:
    """Take this machine out of its cluster, and leave nothing of it here but volumes.

    Its tasks move elsewhere first, and the command says of each what it waits for. gbnt is stopped where systemd runs
    it; containers and networks are removed, and so is what made this machine a node: it can join again.
    """
    if force and timeout is not None:
        raise BadInput("--force waits for nothing, so that there is nothing for --timeout to end: leave out one")
    from cli.leave import leave as leave_cluster  # certificates and the engine come with it

    leave_cluster((data_dir or default_data_dir()).absolute(), force=force, timeout=timeout)


@app.command("status", epilog=example("gbnt legion status"))
@context_option
@output_option()
def status(context: str, output: Output) -> None:
    """Print how the cluster is: its machines, and an alarm where a person has to say what to do."""
    from cli.sheet import facts_of_legion, page

    client = connect(context)
    cluster, nodes = client.cluster(), client.nodes()
    if output.is_table:
        print(page(facts_of_legion(cluster, nodes)))
    else:
        show_value({**cluster, "nodes": nodes}, output)


@app.command("update", epilog=example("gbnt legion update --pause-above 80"))
@click.option(
    "--pause-above",
    metavar="PERCENT",
    type=Whole(0, 100),
    default=None,
    help="Replace no tasks where more of the machines than this are lost at once; 100 is never. [at first: 50]",
)
@click.option(
    "--privileged",
    type=OneOf(("auto", "allow", "refuse")),
    default=None,
    help="Whether stacks may use keys that make a container as mighty as its machine's root; auto takes them while "
    "there is but one machine. [at first: auto]",
)
@context_option
def update(pause_above: int | None, privileged: str | None, context: str) -> None:
    """Change what holds for all machines."""
    given = {"pause_above": pause_above, "privileged": privileged}
    settings = {name: value for name, value in given.items() if value is not None}
    if not settings:
        raise click.UsageError("say what to change: --pause-above or --privileged")
    changes = connect(context).update_cluster(settings)["changes"]
    said = [f"{_SETTINGS[name]} {words}" for name, words in changes.items() if words != "unchanged"]
    print("\n".join(said) or "nothing to change")


@app.command("confirm-loss", epilog=example("gbnt legion confirm-loss"))
@context_option
def confirm_loss(context: str) -> None:
    """After an alarm: the lost machines are gone, so replace their tasks.

    Where many machines are lost at once the network is the likelier fault, and nothing is replaced until a person has
    looked. Tasks whose volumes are on a lost machine wait for it still.
    """
    for name, words in connect(context).confirm_loss()["changes"].items():
        print(f"{name}: {words}")


def _examine(data_dir: Path, wish: Wish) -> None:
    """What `gbnt doctor` has against this machine, on the standard error. Raises CliError for a problem."""
    from cli.doctor.setting import setting

    told = setting(data_dir, wish.manager, wish.token, wish.name)
    from cli.doctor.examination import examine  # the engine comes with it, and a token that is none needs none
    from cli.doctor.report import drawn, summary

    findings = examine(told)
    if against := [finding for finding in findings if finding.result != "ok"]:
        print(f"{drawn(against, symbols=sys.stderr.isatty())}\n{summary(against)}", file=sys.stderr)
    if any(finding.result == "problem" for finding in against):
        raise CliError("this machine is not fit for a node yet, and did not join: mend that, or add --skip-checks")


def _begin(advertise_addr: str, listen_addr: str, install: bool) -> None:
    """Have this machine serve. Raises CliError where nobody asked for that."""
    wanted = [("--advertise-addr", advertise_addr), ("--bind", listen_addr)]
    options = [word for option, value in wanted if value for word in (option, value)]
    if not install:
        raise CliError(
            "no gbnt of yours serves on this machine: `sudo gbnt legion init --install` has systemd start it first; or "
            f"start `{' '.join(['sudo gbnt serve', *options])}`, and then run `sudo gbnt legion init` again"
        )
    from cli.commands.serve import app as serve

    serve.main(["--install", *options], standalone_mode=False)


def _print_line(made: JoinTokenMade) -> None:
    """The line alone on the standard output, so that it can be piped; what to know of it beside."""
    left = span(countdown(made["expires_at"], time.time()))
    revoked = sum(change == "revoked" for change in made["changes"].values())
    print(f"run this on the machine that is to be a {made['role']}, as root:", file=sys.stderr)
    print(f"gbnt legion join --token {made['token']} --manager {made['manager']}", flush=True)
    notes = [f"it is good for {count(int(made['uses']), 'machine')} within {left}, and not shown again"]
    notes += [f"{count(revoked, 'earlier token')} made worthless"] if revoked else []
    print("; ".join(notes), file=sys.stderr)


def _is_good(row: JoinTokenRow, now: float) -> bool:
    return row["state"] == "good" and countdown(row["expires_at"], now) > 0
