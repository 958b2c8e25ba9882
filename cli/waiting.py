"""Whether a command that changes something waits until the change has come true, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click

from cli.group import together
from cli.kinds import Seconds


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the person wants: to wait at all, and no longer than `timeout` seconds where that is not None."""

    wanted: bool
    timeout: float | None = None


timeout_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--timeout", metavar="TIME", type=Seconds(), help="Wait no longer than this: seconds, or as 90s, 10m, 2h."
)


def waiting_options(*, by_default: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--wait`, `--detach` and `--timeout`, all three for every command that may wait, as its parameter `waiting`."""
    here = " This is the default."
    options = together(
        click.option("--wait", is_flag=True, help=f"Wait until it has come true.{here if by_default else ''}"),
        click.option(
            "--detach",
            "-d",
            is_flag=True,
            help=f"Return when the change is durable, without waiting.{'' if by_default else here}",
        ),
        timeout_option,
    )

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def told(*, wait: bool, detach: bool, timeout: float | None, **more: Any) -> None:
            command(waiting=_chosen(wait, detach, timeout, by_default=by_default), **more)

        return options(told)

    return decorate


def _chosen(wait: bool, detach: bool, timeout: float | None, *, by_default: bool) -> Waiting:
    """A time to wait for is a wish to wait. Raises UsageError for wishes that contradict each other."""
    if detach and wait:
        raise click.UsageError("--wait and --detach are opposites: leave out one")
    if detach and timeout is not None:
        raise click.UsageError(
            "--detach waits for nothing, so that there is nothing for --timeout to end: leave out one"
        )
    return Waiting(wait or timeout is not None or (by_default and not detach), timeout)
