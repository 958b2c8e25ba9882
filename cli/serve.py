"""`gbnt serve`: runs a node until it is told to stop.

The first signal ends it in order; containers go on either way. A second one ends it at once.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import time
from functools import partial
from random import SystemRandom

import anyio

from actors.tree import new_id
from cli.assembly import Assembly
from cli.errors import CliError
from cli.home import Home
from cli.log import said, set_up
from cli.notify import Notifier
from cli.options import ServeOptions
from engine.port import EngineError
from portal.sockets import DoorError
from store.contract import StoreError
from supervisor.errors import SupervisionError
from transport.identity import IdentityError

# What keeps a node from starting, each in a sentence of its own.
TOLD = (CliError, DoorError, EngineError, IdentityError, StoreError)


def run(options: ServeOptions) -> int:
    """Serve; the exit status. Raises CliError with a sentence where the node cannot start or go on."""
    home = Home(options.data_dir)
    home.tidy()
    faulthandler.enable()  # systemd ends a gbnt that hangs by SIGABRT: its log then shows where
    notifier = Notifier(os.environ)
    random = SystemRandom()
    identity = home.identity(options.node_name, lambda: new_id(random))
    set_up(options.log_level, options.log_format, identity.name)
    failure: CliError | None = None
    try:
        anyio.run(_serve, Assembly(options, home, identity, random, time.time), notifier)
    except* (*TOLD, SupervisionError) as errors:
        failure = _in_words(_first(errors))  # raised out here: in there it would become another group
    if failure is not None:
        raise failure
    return 0


async def _serve(assembly: Assembly, notifier: Notifier) -> None:
    async with anyio.create_task_group() as group:
        await group.start(_stop_on_signal, assembly, notifier)
        group.start_soon(notifier.stay_alive)
        await assembly.run(partial(_ready, notifier))
        group.cancel_scope.cancel()


def _ready(notifier: Notifier, status: str) -> None:
    # What is there now stays. A collection that went through all of it would hold everything up, in the midst of work.
    gc.freeze()
    notifier.ready(status)


async def _stop_on_signal(assembly: Assembly, notifier: Notifier, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        first = True
        async for _ in signals:
            if not first:
                os._exit(130)  # asked twice: do not wait for anything
            first = False
            said.info("gbnt: stopping; containers go on")
            notifier.stopping("stopping; containers go on")
            assembly.stop()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _in_words(error: BaseException) -> CliError:
    """What a person is told, by the first cause where a supervisor gave up over something that says what to do."""
    cause: BaseException | None = error
    while isinstance(cause, SupervisionError):
        cause = cause.__cause__
    if isinstance(cause, CliError):
        return cause
    if isinstance(cause, TOLD):
        return CliError(str(cause))
    return CliError(f"gbnt gave up: {error}; its containers go on. Start it again")
