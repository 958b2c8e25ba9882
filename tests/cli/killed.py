"""Lives of `gbnt` that end by SIGKILL at a chosen step: `python -m tests.cli.killed WORDS...`.

For each line on its input, the number of a step, this process forks one that runs `gbnt WORDS...` and kills itself
before it takes that step; how that ended is told in a line of output. A step is what changes a file system, as CPython
tells its audit hooks before it is done.
"""

from __future__ import annotations

import os
import signal
import sys

import cli.backup.create
import cli.backup.restore
import cli.commands.backup
from cli.backup.seal import Cost
from cli.main import run

# What a life needs is imported before its steps are counted: an import may write files, too.
IMPORTED = (cli.backup.create, cli.backup.restore, cli.commands.backup)

CHANGES = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "sqlite3.connect"}


def live(step: int, words: list[str]) -> int:
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in CHANGES or (event == "open" and opens_to_write(arguments[2])):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    return run(words)


def opens_to_write(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def main(words: list[str]) -> None:
    cli.backup.create.COST = Cost(doublings=1, block=1, passes=1)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            os._exit(live(int(line), words))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
