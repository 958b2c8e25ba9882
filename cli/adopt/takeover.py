"""The takeover itself: stop, deploy, watch, and then put the old containers away, or bring them back."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from cli.adopt.old import OldContainers
from cli.adopt.record import Record, RecordFile
from cli.client import Client
from cli.deploy import Images, change
from cli.errors import CliError, NotFound
from cli.follow import watch
from cluster.sources import Sources
from cluster.spec import StackSpec

# A tag may mean another image by now: data that a later release has changed would not be the old one's any more.
AS_THEY_ARE = Images(resolve="never")


@dataclass(frozen=True, slots=True)
class Takeover:
    """One project's. Each step may be done again, so that one that was broken off is done from the beginning."""

    client: Client
    old: OldContainers
    file: RecordFile
    timeout: float | None = None

    def deploy(self, record: Record, spec: StackSpec, sources: Sources | None) -> Record:
        """Stop the old containers, and have the stack serve in their place; the record of that. `sources` are kept.

        Raises CliError with what went wrong, and whatever else broke it off; the old containers run again then, or the
        text says why not.
        """
        try:
            self.file.save(record)
            self.old.stop(record)
            revision = change(self.client, spec, AS_THEY_ARE, sources)
            watch(self.client, spec.name, revision, timeout=self.timeout)
            if not self.old.has_stack(spec.name):
                raise CliError(f"{spec.name} runs, but not on this machine's engine: is this the right DOCKER_HOST?")
            served = replace(record, serves=True)
            self.file.save(served)
        except BaseException as error:  # whatever it was: what served before has to serve again
            print(f"failed: {error}" if isinstance(error, Exception) else "\nbroken off", file=sys.stderr)
            self.undo(record)
            if isinstance(error, CliError):
                raise CliError(f"{record.project} was not adopted, and runs as before: {error}") from error
            raise
        return served

    def undo(self, record: Record) -> None:
        """Remove the stack, and have the old containers run again. Raises CliError with what is left to do."""
        print(f"going back: the stack {record.stack} is removed, and its volumes kept", file=sys.stderr)
        try:
            self._remove_stack(record.stack)
            self.old.bring_back(record)
        except (KeyboardInterrupt, CliError) as error:
            why = str(error) or "broken off"
            raise CliError(
                f"{record.project} is not yet back: {why}; `gbnt stack adopt {record.project} --undo` goes on with "
                f"that, and without --undo the stack {record.stack} is deployed again"
            ) from error
        self.file.remove()
        names = ", ".join(one.name for one in reversed(record.containers) if one.running)
        print(f"running again: {names or 'nothing, as before'}", file=sys.stderr)

    def finish(self, record: Record) -> None:
        """Remove the old containers, and never a volume."""
        self.old.discard(record)
        self.file.remove()
        print(f"removed {', '.join(one.name for one in record.containers)}; volumes are kept", file=sys.stderr)

    def _remove_stack(self, name: str) -> None:
        try:
            self.client.stack(name)
        except NotFound:
            return
        accepted = self.client.remove_stack(name, ())
        watch(self.client, name, accepted["revision"], wanted="removed")
