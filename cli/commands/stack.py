"""`gbnt stack`: compose files, and what they became."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from cli.asking import confirm
from cli.compose_choice import Choice, Form, Part
from cli.compose_options import compose_options
from cli.connect import connect, context_option
from cli.errors import NotAllowed
from cli.group import example, group
from cli.kinds import OneOf
from cli.listing import (
    REVISION_FILTERS,
    SERVICE_FILTERS,
    STACK_FILTERS,
    TASK_FILTERS,
    show_revisions,
    show_services,
    show_stacks,
    show_tasks,
)
from cli.output import Output, list_options, output_option
from cli.waiting import Waiting, timeout_option, waiting_options

if TYPE_CHECKING:
    from cli.deploy import Images, Terms
    from cluster.compose.loader import Loaded
    from cluster.pinning import Resolve

app = group("Deploy compose files, and see, stop and remove what they became.")

# At each deploy, where the file names another image than before, or not at all.
RESOLVE: tuple[Resolve, ...] = ("always", "changed", "never")

name_argument = click.argument("name", metavar="STACK")


@app.command("deploy", epilog=example("gbnt stack deploy", "gbnt stack deploy -c compose.yaml shop --detach"))
@compose_options
@waiting_options(by_default=True)
@click.option("--build/--no-build", default=True, show_default=True, help="Build the images that the file builds.")
@click.option(
    "--resolve-image",
    "resolve",
    type=OneOf(RESOLVE),
    default="always",
    show_default=True,
    help="When registries are asked which image a tag is now; all replicas run that one.",
)
@click.option(
    "--registry-auth/--no-registry-auth",
    default=True,
    show_default=True,
    help="Send Docker's sign-ins on this machine along, those to registries that the images name.",
)
@click.option("--prune", is_flag=True, help="Remove the services that the files have no more; else they are kept.")
@click.option("--dry-run", is_flag=True, help="Check the files, say what a deploy would do, and change nothing.")
@output_option()
@click.option("--strict", is_flag=True, help="Take warnings for errors, the manager's too.")
@click.option("--ahead", is_flag=True, help="Though no machine that is there could have its tasks: one is to come.")
@click.option("--draft", is_flag=True, help="Deploy the draft of STACK, which `gbnt stack save` keeps, and no files.")
@context_option
def deploy(
    choice: Choice,
    waiting: Waiting,
    build: bool,
    resolve: Resolve,
    registry_auth: bool,
    prune: bool,
    dry_run: bool,
    strict: bool,
    ahead: bool,
    draft: bool,
    output: Output,
    context: str,
) -> None:
    """Make a stack be as compose files say, and wait until it runs.

    Services whose definition is as it was are not touched, and those that the files have no more are named and kept
    unless --prune is given. The stack is called STACK, else as the files' `name:` says, else as the folder of the
    first.
    """
    if not output.is_table and not dry_run:
        raise click.UsageError("--output is the form of a plan: add --dry-run, which prints one, or leave it out")
    loaded = _drafted(choice, context) if draft else _written(choice, strict)
    from cli.deploy import Images, Terms
    from cli.deploy import deploy as deploy_files

    images, terms = Images(build, resolve, registry_auth), Terms(prune, ahead, strict)
    if dry_run:
        _plan(loaded, images, terms, output, context)
    else:
        deploy_files(connect(context), loaded, images, terms, waiting)


@app.command("ls", epilog=example("gbnt stack ls", "gbnt stack ls -o json"))
@context_option
@list_options(STACK_FILTERS)
def ls(context: str, output: Output, no_trunc: bool) -> None:
    """List the stacks."""
    show_stacks(connect(context).stacks(), output, no_trunc=no_trunc)


@app.command("ps", epilog=example("gbnt stack ps shop"))
@name_argument
@context_option
@list_options(TASK_FILTERS)
def ps(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """List a stack's tasks, and what ran in their places before."""
    client = connect(context)
    client.stack(name)
    show_tasks(client.tasks(name, ended=True), output, no_trunc=no_trunc, empty=f"{name} has no tasks")


@app.command("services", epilog=example("gbnt stack services shop"))
@name_argument
@context_option
@list_options(SERVICE_FILTERS)
def services(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """List a stack's services."""
    client = connect(context)
    client.stack(name)
    show_services(client.services(name), output, no_trunc=no_trunc, empty=f"{name} has no services")


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
        listed = "\n".join(f"  {volume}" for volume in owned)
        print(f"These volumes and all data in them are removed for good:\n{listed}", file=sys.stderr)
        confirm("Remove them?", yes=yes)
    accepted = client.remove_stack(name, owned if volumes else ())
    if waiting.wanted:
        settle(client, name, accepted["revision"], timeout=waiting.timeout, wanted="removed")
    print(f"{name} is {'gone' if waiting.wanted else 'being removed'}")
    if owned and not volumes:
        print(f"kept its volumes {', '.join(owned)}: the next deploy of {name} finds them")


@app.command("adopt", epilog=example("gbnt stack adopt shop --dry-run", "gbnt stack adopt shop"))
@click.argument("project")
@click.option("--name", metavar="STACK", default="", help="What the stack is called; as the project, where not given.")
@click.option("--file", "-c", "-f", metavar="FILE", multiple=True, help="Read this file, not those it was run by.")
@click.option(
    "--leave-anonymous", is_flag=True, help="Begin with empty volumes where old ones have data and no name; those stay."
)
@click.option("--keep", is_flag=True, help="Keep the old containers, stopped.")
@click.option("--undo", is_flag=True, help="Go back: remove the stack, and start the old containers.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@timeout_option
@output_option()
@context_option
def adopt(project: str, name: str, file: tuple[str, ...], undo: bool, yes: bool, context: str, **more: Any) -> None:
    """Make a stack of what `docker compose` runs on this machine.

    Its containers are stopped, those of the stack take their place with the same volumes, and once they serve the old
    ones are removed. If they do not, or on Ctrl-C, the old ones run again. What was broken off goes on with the same
    command. You see the plan first, and are asked.
    """
    from cli.adopt import adoption  # the engine and the YAML parser come with it

    if undo:
        adoption.undo(connect(context), project, yes=yes)
    else:
        adoption.adopt(connect(context), adoption.Wanted(project, name, file, yes=yes, **more))


@app.command("save", epilog=example("gbnt stack save", "gbnt stack save shop --drop"))
@compose_options
@click.option("--replace", "over", is_flag=True, help="In the place of a draft that somebody else saved.")
@click.option("--drop", is_flag=True, help="Forget the draft of STACK instead.")
@context_option
def save(choice: Choice, over: bool, drop: bool, context: str) -> None:
    """Keep compose files with the manager as the draft of a stack: nothing is deployed, and no container touched.

    Files that no deploy takes are kept too, with a warning. `gbnt stack sources STACK --draft` shows them to whoever
    goes on with them, and `gbnt stack deploy STACK --draft` deploys them.
    """
    from cli import draft

    if drop:
        if not choice.stack:
            raise click.UsageError("--drop needs the name of the stack whose draft is to go")
        draft.drop(connect(context), choice.stack)
    else:
        from cli.compose_file import load_files

        draft.save(connect(context), load_files(choice), over=over)


@app.command("history", epilog=example("gbnt stack history shop"))
@name_argument
@context_option
@list_options(REVISION_FILTERS)
def history(name: str, context: str, output: Output, no_trunc: bool) -> None:
    """List what a stack said at its last deploys, and who deployed it: ten at most, newest first."""
    empty = f"{name} has no revisions: its next deploy makes one"
    show_revisions(connect(context).revisions(name), output, no_trunc=no_trunc, empty=empty)


@app.command("sources", epilog=example("gbnt stack sources shop", "gbnt stack sources shop --revision 3 --values"))
@name_argument
@click.option("--revision", type=int, metavar="NUMBER", help="Of this one, instead of the newest.")
@click.option("--draft", is_flag=True, help="Of its draft, which `gbnt stack save` keeps, instead.")
@click.option("--values", is_flag=True, help="Show the values of the variables too.")
@click.option("--file", metavar="NAME", default="", help="Print this one alone, to the letter.")
@output_option()
@context_option
def sources(
    name: str, revision: int | None, draft: bool, values: bool, file: str, output: Output, context: str
) -> None:
    """Print the compose files of a stack as they were deployed, and the variables that they name.

    The variables go to the standard error. What one file says can be written to a file; of several --file names one.
    """
    from cli.draft import sources_of
    from cli.history import newest, show_sources

    if draft and revision is not None:
        raise click.UsageError("--draft and --revision name two things to show: leave out one")
    client = connect(context)
    if draft:
        found = sources_of(client, name, values=values)
    else:
        found = client.sources(name, newest(client, name) if revision is None else revision, values=values)
    show_sources(found, output, file)


@app.command("rollback", epilog=example("gbnt stack rollback shop", "gbnt stack rollback shop 3"))
@name_argument
@click.argument("revision", type=int, required=False)
@waiting_options(by_default=True)
@context_option
def rollback(name: str, revision: int | None, waiting: Waiting, context: str) -> None:
    """Make a stack be as REVISION says, else as the last one before that said another thing; and wait until it runs.

    What was gone back from never returns: a second time leads further back. The images are the very ones of then,
    services that it does not have are removed, and volumes are left as they are.
    """
    from cli.history import roll_back

    roll_back(connect(context), name, revision, waiting)


@app.command("config", epilog=example("gbnt stack config -c compose.yaml", "gbnt stack config --images"))
@compose_options
@click.option(
    "--format",
    "--output",
    "-o",
    "form",
    type=OneOf(("yaml", "json")),
    default="yaml",
    show_default=True,
    help="How to print it.",
)
@click.option("--quiet", "-q", is_flag=True, help="Only check the files.")
@click.option("--services", "part", flag_value="services", help="Only the names of the services, one a line.")
@click.option("--volumes", "part", flag_value="volumes", help="Only the names of the volumes.")
@click.option("--networks", "part", flag_value="networks", help="Only the names of the networks.")
@click.option("--images", "part", flag_value="images", help="Only the images.")
@click.option("--profiles", "part", flag_value="profiles", help="Only the profiles that the files name.")
@click.option(
    "--hash", "service", metavar="[SERVICE]", is_flag=False, flag_value="*", help="Only what each service is known by."
)
@click.option("--strict", is_flag=True, help="Take warnings for errors, and what no deploy takes.")
def config(choice: Choice, form: Form, quiet: bool, part: Part | None, service: str | None, strict: bool) -> None:
    """Print compose files as gbnt understands them, in full: Compose's own canonical model.

    What is printed is a compose file that means the same. What no deploy takes is printed too, and warned of.
    """
    from cli import compose_print
    from cli.compose_file import load_files

    loaded = load_files(choice, strict=strict, to_look=True)
    if choice.stack in loaded.spec.services:
        said = "stands where the stack is named, and is a service: all services are shown, of a stack of that name"
        print(f"warning: {choice.stack} {said}", file=sys.stderr)
    if quiet:
        return
    if service is not None:
        print(*compose_print.hashes(loaded, service), sep="\n")
    elif part is not None:
        for name in compose_print.part(loaded, part):
            print(name)
    else:
        print(compose_print.document(loaded, form))


def _written(choice: Choice, strict: bool) -> Loaded:
    from cli.compose_file import deployable, load_files  # the YAML parser, which only this command and `config` need

    return deployable(load_files(choice, strict=strict))


def _drafted(choice: Choice, context: str) -> Loaded:
    from cli.draft import load_draft

    if not choice.stack:
        raise click.UsageError("--draft needs the name of the stack whose draft is to be deployed")
    if choice.files or choice.env_files or choice.profiles or choice.with_env_file:
        raise click.UsageError("--draft and the options for files name two things to deploy: leave out one")
    return load_draft(connect(context), choice.stack)


def _plan(loaded: Loaded, images: Images, terms: Terms, output: Output, context: str) -> None:
    from cli.dry_run import say_good, show_plan

    say_good(loaded)
    try:
        client = connect(context)
    except NotAllowed as unknown:  # a person without a cluster has files to check, too
        print(f"what a deploy would change is not known: {unknown}", file=sys.stderr)
        return
    show_plan(client, loaded, images, terms, output)


def _hold(name: str, action: str, waiting: Waiting, context: str) -> None:
    from cli.follow import settle

    client = connect(context)
    accepted = client.hold_stack(name, "stop" if action == "stop" else "start")
    if waiting.wanted:
        settle(client, name, accepted["revision"], timeout=waiting.timeout)
    done = "stopped" if action == "stop" else "started"
    print(f"{name} is {done if waiting.wanted else f'being {done}'}")
