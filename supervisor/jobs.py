"""Jobs of one incarnation: long work beside the mailbox, its result a message to itself ("pipe to self")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from supervisor.envelope import Envelope

Work = Callable[..., Awaitable[object]]


class Job:
    """One piece of work: its scope, and the source of its result."""

    __slots__ = ("_jobs", "done", "key", "live", "scope")

    def __init__(self, jobs: Jobs, key: str) -> None:
        self.key = key
        self.live = True
        self.scope = anyio.CancelScope()
        self.done = anyio.Event()
        self._jobs = jobs

    def take(self) -> bool:
        """Return whether the result is still wanted: a cancelled or replaced job's is not."""
        if self.live:
            self._jobs.forget(self)
        return self.live


class Jobs:
    """Keyed jobs in the actor's own task group. Starting one under a key cancels the one that runs under it.

    Results are read from the mailbox in their turn, beyond its capacity if need be. They never leave the actor, so that
    they need no wire tag.
    """

    def __init__(self, put: Callable[[Envelope], bool], crash: Callable[[Exception], None]) -> None:
        self._put = put
        self._crash = crash
        self._jobs: dict[str, Job] = {}

    def spawn(self, group: TaskGroup, key: str, work: Work, args: tuple[object, ...]) -> None:
        """Start the work. It begins when what ran under the key before has ended."""
        previous = self._cancel(key)
        job = self._jobs[key] = Job(self, key)
        group.start_soon(self._run, job, previous, work, args, name=key)

    def cancel(self, key: str) -> None:
        """Cancel a job, its waiting result included; unknown is fine. Returns at once: clean-up may go on."""
        self._cancel(key)

    def forget(self, job: Job) -> None:
        """The job has ended."""
        if self._jobs.get(job.key) is job:
            del self._jobs[job.key]

    def _cancel(self, key: str) -> Job | None:
        job = self._jobs.pop(key, None)
        if job is not None:
            job.live = False
            job.scope.cancel()
        return job

    async def _run(self, job: Job, previous: Job | None, work: Work, args: tuple[object, ...]) -> None:
        result: object = None
        try:
            if previous is not None:
                with anyio.CancelScope(shield=True):  # a chain of replaced jobs, too, ends one after the other
                    await previous.done.wait()
            with job.scope:
                await anyio.lowlevel.checkpoint_if_cancelled()
                result = await work(*args)
        except Exception as error:  # noqa: BLE001 - part of the actor cell, one of the four boundaries
            self._crash(error)
            return
        finally:
            job.done.set()
        if job.live and result is not None:
            self._put(Envelope(result, source=job))
        else:
            self.forget(job)
