"""The entry point of `gbnt`: finds the program's folders, and imports no more than the command needs.

Gubernator's code imports plain names such as `supervisor.mailbox`. In a checkout those folders lie beside this package;
a wheel carries them in `gubernator/app/`, so that an installed gbnt owns one name in site-packages and cannot be broken
by a package called `supervisor` that is installed or removed beside it.
"""

import gc
import os
import sys

from gubernator import __version__
from gubernator.streams import open_closed, tell


def main() -> None:
    """Run the command in `sys.argv`; its exit status is the process's.

    `gbnt version` is answered before the command-line framework is imported. So is the resolver, a process with a life
    of its own beside each node, which is to stay small.
    """
    open_closed()
    sys.path.insert(0, _home())
    match sys.argv[1:]:
        case ["version"] | ["--version"]:
            sys.exit(tell(f"gbnt {__version__}"))
        case ["resolver", *arguments]:
            from network.resolver.main import main as resolver

            sys.exit(resolver(arguments))
        case _:
            # Nothing that is imported is garbage; to look for some after each 700 objects is a twentieth of a command.
            gc.set_threshold(10_000)
            from cli.main import main as command_line

            sys.exit(command_line())


def _home() -> str:
    """Return the folder that holds `supervisor`, `cluster` and the others."""
    package = os.path.dirname(os.path.abspath(__file__))
    bundled = os.path.join(package, "app")
    return bundled if os.path.isdir(bundled) else os.path.dirname(package)


if __name__ == "__main__":
    main()
