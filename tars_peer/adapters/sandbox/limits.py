"""The last resort: limits and a deadline, but no walls. Only for code that is trusted anyway."""

from __future__ import annotations

from tars_peer.adapters.sandbox import keeper
from tars_peer.adapters.sandbox.follow import Cancelled, never
from tars_peer.ports.sandbox import Job, Outcome


class LimitsSandbox:
    """Runs each job with limits on time, memory, files and processes, and nothing else."""

    def __init__(self, *, cancelled: Cancelled = never) -> None:
        """Ask ``cancelled`` every 50 ms."""
        self._cancelled = cancelled

    @property
    def level(self) -> str:
        """Always ``limits``."""
        return "limits"

    def run(self, job: Job) -> Outcome:
        """Run ``job``; every process that did not flee on purpose is gone afterwards.

        Raises:
            PermanentError: a limit could not be set.
        """
        return keeper.run(job, landlock=False, cancelled=self._cancelled)
