"""The second sandbox: Landlock, a filter of calls, no privileges; needs nothing of the host.

It holds where no namespace can be made, as in an ordinary container.
"""

from __future__ import annotations

from tars_peer.adapters.sandbox import keeper
from tars_peer.adapters.sandbox.follow import Cancelled, never
from tars_peer.ports.sandbox import Job, Outcome


class LandlockSandbox:
    """Runs each job with the rights to files, network and privileges taken away."""

    def __init__(self, *, cancelled: Cancelled = never) -> None:
        """Ask ``cancelled`` every 50 ms."""
        self._cancelled = cancelled

    @property
    def level(self) -> str:
        """Always ``landlock``."""
        return "landlock"

    def run(self, job: Job) -> Outcome:
        """Run ``job``; every process that it started is gone afterwards.

        Raises:
            PermanentError: the job could not be confined.
        """
        return keeper.run(job, landlock=True, cancelled=self._cancelled)
