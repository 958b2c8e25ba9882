"""`gbnt doctor`: whether this machine is fit for a node, and what would make it so."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.group import data_dir_option, example, single
from cli.options import default_data_dir
from cli.output import Output, output_option, show_value


@single(epilog=example("sudo gbnt doctor", "sudo gbnt doctor --manager 192.0.2.1:4000 --token-file token"))
@click.option("--manager", metavar="HOST:PORT", default="", help="The manager to look at. [the one that was joined]")
@click.option("--token-file", metavar="FILE", default="", help="A join token, for the way back; - is the input.")
@data_dir_option("Where gbnt keeps its state, or will.")
@click.option(
    "--network-pool",
    metavar="RANGE",
    envvar="GBNT_NETWORK_POOL",
    show_envvar=True,
    default="",
    help="The cluster's range of networks (CIDR).",
)
@output_option()
def app(manager: str, token_file: str, data_dir: Path | None, network_pool: str, output: Output) -> None:
    """Look for what would keep this machine from being a node, and say what mends it.

    Exits 0 where there is no problem, 1 where there is one. What this user may not see is a warning. A join token is
    also taken from GBNT_JOIN_TOKEN, or from a file that GBNT_JOIN_TOKEN_FILE names; it is not used up.
    """
    from cli.config import merged
    from cli.doctor.examination import examine
    from cli.doctor.report import drawn, row, summary
    from cli.doctor.setting import setting
    from cli.legion import given_token

    options = merged({"data_dir": data_dir or default_data_dir(), "network_pool": network_pool}, {})
    token = given_token("", token_file)
    findings = examine(setting(options.data_dir, manager, token, pool=options.network_pool))
    if output.is_table:
        print(drawn(findings, symbols=sys.stdout.isatty()))
        print(summary(findings), file=sys.stderr)
    else:
        show_value([row(finding) for finding in findings], output)
    if any(finding.result == "problem" for finding in findings):
        raise click.exceptions.Exit(1)
