"""A sandbox that runs nothing and answers from a script. No process may start here."""

from __future__ import annotations

from collections.abc import Callable

from tars_peer.ports.sandbox import Ending, Job, Outcome


def outcome(
    *, stdout: str = "", stderr: str = "", code: int = 0, ending: Ending = Ending.EXITED
) -> Outcome:
    """Make the outcome of a job that took a millisecond."""
    return Outcome(
        ending=ending,
        code=code,
        stdout=stdout,
        stderr=stderr,
        wall_ns=1_000_000,
        cpu_ns=1_000_000,
    )


class FakeSandbox:
    """Answers each job with ``answer(job)`` and keeps the ``jobs`` it was given."""

    def __init__(
        self, answer: Callable[[Job], Outcome] | None = None, *, level: str = "bubblewrap"
    ) -> None:
        """Keep the script; without one every job ends well and prints nothing."""
        self._answer = answer or (lambda _job: outcome())
        self._level = level
        self.jobs: list[Job] = []

    @property
    def level(self) -> str:
        """The level it was told to claim."""
        return self._level

    def run(self, job: Job) -> Outcome:
        """Note the job and return its scripted outcome."""
        self.jobs.append(job)
        return self._answer(job)
