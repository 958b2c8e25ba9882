"""The clock: against the manager's, and whether anything keeps it right."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.facts import Manager
from cli.doctor.finding import Finding, Unseen, ok, problem, unseen, warning

# Below it is what an answer's date, in whole seconds, and its way can make.
WARN_SECONDS = 5.0
# A node's proofs are refused from 900 s on: a third of that leaves time to mend it.
PROBLEM_SECONDS = 300.0

SET = "timedatectl set-ntp true"


def difference(manager: Manager) -> Iterator[Finding]:
    """How far the clock here is from the manager's."""
    check, ahead = "clock", manager.ahead
    if isinstance(ahead, Unseen):
        yield unseen(check, ahead, "see that the manager is reached, and look again")
        return
    found = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} that of {manager.name}"
    if abs(ahead) <= WARN_SECONDS:
        yield ok(check, f"agrees with that of {manager.name}")
    elif abs(ahead) <= PROBLEM_SECONDS:
        yield warning(check, found, f"{SET}, on the machine that is wrong")
    else:
        yield problem(check, f"{found}: a node that far off is refused", f"{SET}, on the machine that is wrong")


def synchronisation(synchronised: bool | Unseen) -> Iterator[Finding]:
    """Whether the kernel holds its clock for one that is kept right."""
    check = "time sync"
    if isinstance(synchronised, Unseen):
        yield unseen(check, synchronised)
    elif synchronised:
        yield ok(check, "the kernel's clock is kept right")
    else:
        yield warning(check, "nothing keeps the kernel's clock right", f"{SET}, or install chrony")
