"""`gbnt serve`: runs a node until it is told to stop.

The first signal ends it in order; containers go on either way. A second one ends it at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from random import SystemRandom

import anyio

from actors.tree import new_id
from cli.assembly import Assembly
from cli.errors import CliError
from cli.home import Home
from cli.options import ServeOptions
from portal.sockets import DoorError
from store.contract import StoreError
from supervisor.errors import SupervisionError
from transport.identity import IdentityError


def run(options: ServeOptions) -> int:
    """Serve; the exit status. Raises CliError with a sentence where the node cannot start."""
    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    home = Home(options.data_dir)
    random = SystemRandom()
    identity = home.identity(options.node_name, lambda: new_id(random))
    try:
        anyio.run(_serve, Assembly(options, home, identity, random, time.time))
    except* (StoreError, DoorError, IdentityError) as errors:
        raise CliError(str(_first(errors))) from None
    except* SupervisionError as errors:
        raise CliError(f"gbnt gave up: {_first(errors)}; its containers go on. Start it again") from None
    return 0


async def _serve(assembly: Assembly) -> None:
    async with anyio.create_task_group() as group:
        await group.start(_stop_on_signal, assembly)
        await assembly.run()
        group.cancel_scope.cancel()


async def _stop_on_signal(assembly: Assembly, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        first = True
        async for _ in signals:
            if not first:
                os._exit(130)  # asked twice: do not wait for anything
            first = False
            print("gbnt: stopping; containers go on", file=sys.stderr)
            assembly.stop()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error.__cause__ if isinstance(error.__cause__, StoreError | DoorError | IdentityError) else error
