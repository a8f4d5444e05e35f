"""When a node that has just started is up to date. Pure; no clock and no link may enter here.

A node is *ready* once it has delivered everything that was committed, anywhere, when it started.
It cannot know that from its own disk. It is sure as soon as it has applied up to a commit index C
that a leader of term T told it after the start, and entry C is of term T: what was committed in
earlier terms lies before that leader's first own entry, so before C (Raft, section 5.4 and 8),
and what was committed in term T before the start was known to that leader when it spoke.
"""

from __future__ import annotations

from tars_peer.adapters.raft.guard import LogView


class Readiness:
    """Sticky: once ready, ready until the process ends."""

    def __init__(self, log: LogView) -> None:
        """Look entries up in ``log``."""
        self._log = log
        self._term = 0
        self._target: int | None = None
        self.is_ready = False

    def heard(self, term: int, commit_index: int) -> None:
        """Note what a leader of ``term`` says is committed; its first useful word counts."""
        if self.is_ready:
            return
        if term != self._term or self._target is None or not self._is_good(self._target):
            self._term, self._target = term, commit_index

    def applied(self, index: int) -> None:
        """Note how far this node has applied."""
        if not self.is_ready and self._target is not None and index >= self._target:
            self.is_ready = self._is_good(self._target)

    def _is_good(self, target: int) -> bool:
        """Say whether the entry is of the leader's own term, or not here yet, so unknown.

        One that a snapshot has replaced is not good: its term is no longer known. The leader's
        next word names a later one.
        """
        if target > self._log.last_index:
            return True
        return target >= self._log.first_index and self._log.term_at(target) == self._term
