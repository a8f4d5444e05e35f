"""When a snapshot is taken, and how the log goes on from one.

The state is asked for right after an entry that every member picks alike, so that all make the
same bytes of it; the answer may come much later, or never. Messages may not enter here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.operations import Operations
from tars_peer.adapters.raft.snapshot import LARGEST_SNAPSHOT_BYTES, Snapshot
from tars_peer.errors import CorruptError
from tars_peer.ports.log import StateKeeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a snapshot is taken; ``trailing_entries`` before it stay in the log.

    Its cost, tens of milliseconds, is spread over so many entries, and a start replays no more than
    that. Who was away for less than what trails is sent entries, not the state.
    """

    every_entries: int = 4096
    trailing_entries: int = 1024


PACE = Pace()


class Compaction:
    """One member's snapshots; on the node's thread only."""

    def __init__(
        self,
        *,
        journal: SqliteJournal,
        operations: Operations,
        keeper: StateKeeper | None,
        pace: Pace = PACE,
    ) -> None:
        """Take snapshots at this pace; without a ``keeper``, none."""
        self._journal = journal
        self._operations = operations
        self._keeper = keeper
        self._pace = pace
        self._delivered_index = 0
        # What is remembered at the index whose state was asked for last and has not come yet.
        self._asked: tuple[int, list[tuple[bytes, int]]] | None = None

    def restore(self) -> int:
        """Give the owner the snapshot on disk; return its index, 1 where there is none.

        Raises:
            CorruptError: the owner cannot read it, or there is no owner who could.
        """
        snapshot = self._journal.snapshot
        if snapshot is None:
            return 1
        fault = self._give(snapshot)
        if fault:
            raise CorruptError(
                f"the log's snapshot of entry {snapshot.index} cannot be used: {fault}",
                hint="a newer version of tars may have written it; update this peer",
            )
        return snapshot.index

    def note_delivered(self, index: int) -> None:
        """Ask for the state after this entry, if it is the first of the next so many."""
        every = self._pace.every_entries
        is_boundary = index // every > self._delivered_index // every
        self._delivered_index = index
        if self._keeper is not None and is_boundary and self._asked is None:
            self._asked = index, self._operations.remembered_at(index)
            self._keeper.capture(index)

    def tick(self) -> None:
        """Trim the journal, if the state asked for has come."""
        if self._keeper is None or self._asked is None:
            return
        captured = self._keeper.captured()
        if captured is None or captured[0] != self._asked[0]:
            return
        (index, state), operations = captured, self._asked[1]
        self._asked = None
        snapshot = Snapshot.of(
            index=index, term=self._journal.term_at(index), state=state, operations=operations
        )
        # Too large to be sent is too large to be needed by anyone.
        if len(snapshot.raw) <= LARGEST_SNAPSHOT_BYTES:
            self._journal.trim_to(snapshot, trailing=self._pace.trailing_entries)

    def install(self, snapshot: Snapshot) -> str:
        """Go on from a leader's snapshot; return why not, ``""`` if it is done and on disk."""
        fault = self._give(snapshot)
        if not fault:
            self._asked = None
            self._journal.install(snapshot)
        return fault

    def _give(self, snapshot: Snapshot) -> str:
        if self._keeper is None:
            return "nobody here keeps a state"
        fault = self._keeper.restore(snapshot.index, snapshot.state)
        if not fault:
            self._operations.restore(snapshot.operations, snapshot.index)
            self._delivered_index = snapshot.index
        return fault
