"""`gbnt completion`: a shell's script that completes command lines."""

from __future__ import annotations

import click

from cli.group import example, single
from cli.kinds import OneOf


@single(
    epilog=example(
        "source <(gbnt completion bash)",
        "gbnt completion bash > /etc/bash_completion.d/gbnt",
        'gbnt completion zsh > "${fpath[1]}/_gbnt"',
        "gbnt completion fish > ~/.config/fish/completions/gbnt.fish",
    )
)
@click.argument("shell", metavar="bash|zsh|fish", type=OneOf(("bash", "zsh", "fish")))
def app(shell: str) -> None:
    """Print the script by which a shell completes commands, options, and names from the cluster.

    For names the manager of the current context is asked, or of --context on the line, and waited for a second at most.
    """
    from cli.completion import script

    print(script(shell))
