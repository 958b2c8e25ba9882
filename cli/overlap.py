"""A machine joins and gets ready to serve at the same time: most of its way to `ready` is to load what serving needs.

The process that a person started becomes `gbnt serve` at once, so that the join token is in no list of processes for as
long as the node runs; a child of it joins. Serving begins when the child has ended well, and ends as it did where not.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from ctypes import CDLL
from importlib import import_module
from threading import Thread
from typing import NoReturn

from cli.errors import BadInput

PR_SET_PDEATHSIG = 1
NEEDED = ("cli.serve", "cli.worker")
"""The modules that a machine serves by which has just joined."""


def serve_while(join: Callable[[], None], serving: list[str]) -> None:
    """Become the command `serving`, which is told of the child that calls `join`. Returns in that child alone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # inherited as ignored it would keep the child's end from its parent
    parent = os.getpid()
    child = os.fork()
    if child:
        _become(serving, child)
    CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # whoever stops what was started stops the join with it
    if os.getppid() != parent:
        os._exit(1)  # it was stopped before that was said
    join()


def turn_into(command: list[str]) -> NoReturn:
    """Become a command that has no join token in its words nor in its environment."""
    os.execve(command[0], command, {name: value for name, value in os.environ.items() if name != "GBNT_JOIN_TOKEN"})


def wait_until_joined(child: int) -> None:
    """Load what serving needs until the child has ended. Where it failed, which it has said, the process ends as it.

    That is at once, for it is in the midst of loading. Raises BadInput where there is no such child.
    """
    loading = Thread(target=_load, daemon=True)
    loading.start()
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code < 0:
            print(f"the join was ended by signal {-code}", file=sys.stderr, flush=True)
        if code:
            os._exit(code if code > 0 else 128 - code)
        loading.join()
    except KeyboardInterrupt:
        os._exit(130)
    except ChildProcessError as error:
        raise BadInput("--once-joined is for `gbnt legion join` alone, which names a child of this process") from error


def _become(serving: list[str], child: int) -> NoReturn:
    try:
        turn_into([*serving, "--once-joined", str(child)])
    except OSError:
        os.kill(child, signal.SIGTERM)
        raise


def _load() -> None:
    for module in NEEDED:
        import_module(module)
