"""How long to wait before a task that ended is tried again."""

from __future__ import annotations

from cluster.registries import Trouble
from cluster.spec import RestartPolicy

CAP = 60.0
# What a registry's no is worth: a person mends a name or a sign-in in minutes, a limit is over in hours.
FIRST_PAUSES: dict[Trouble, float] = {"denied": 5.0, "missing": 5.0, "limited": 60.0}
LIMITED_CAP = 600.0
HEALTHY_WHILE = 30.0


def delay(policy: RestartPolicy, crashes: int, jitter: float) -> float:
    """Seconds to wait after the `crashes`-th crash in a row; `jitter` is a random number from 0 to 1.

    The first crash is repaired at once, unless the file gives a delay; from then on the pause doubles up to a cap of
    one minute, less up to a fifth of it, so that many tasks that fell together do not come back together.
    """
    if crashes <= 0:
        return 0.0
    if policy.delay is not None:
        pause = policy.delay * 2.0 ** min(crashes - 1, 30)
    elif crashes == 1:
        return 0.0
    else:
        pause = 2.0 ** min(crashes - 2, 30)
    return min(CAP, pause) * (1.0 - 0.2 * jitter)


def step_pause(failures: int, trouble: Trouble, jitter: float) -> float:
    """Seconds to wait before a step is tried again that failed so often in a row; `trouble` is a registry's reason.

    It doubles up to a minute, and up to ten where the registry limits how much it gives: then less up to a fifth of it,
    so that many machines do not ask together.
    """
    pause = FIRST_PAUSES.get(trouble, 1.0) * 2.0 ** min(failures - 1, 10)
    return min(LIMITED_CAP, pause) * (1.0 - 0.2 * jitter) if trouble == "limited" else min(CAP, pause)


def crashes_after(crashes: int, ran_for: float) -> int:
    """The crashes in a row once a container ended that ran for so many seconds: a healthy while clears the record."""
    return 1 if ran_for >= HEALTHY_WHILE else crashes + 1
