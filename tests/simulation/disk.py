"""A disk in memory that outlives its node, and the moments at which the node can be killed.

The journal on it is the real one, but for its file: a write is whole or absent, as a transaction of
SQLite is (``tests/unit/adapters/raft/test_journal.py`` and ``tests/chaos`` hold SQLite to that).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.journal_file import Entry, JournalState
from tars_peer.adapters.raft.snapshot import Snapshot

#: Told of each entry that a log gets: entry, and the term of the one before it.
OnEntry = Callable[[Entry, int], None]


class KilledError(BaseException):
    """The node is dead; not an ``Exception``, so that nothing in it can go on."""


class Fuse:
    """Kills the node at the so-many-th dangerous moment: around a write, and between two sends."""

    def __init__(self) -> None:
        """Begin without a charge."""
        self.moments_left = 0

    def burn(self) -> None:
        """Pass one such moment.

        Raises:
            KilledError: it was the last.
        """
        if self.moments_left:
            self.moments_left -= 1
            if not self.moments_left:
                raise KilledError


class Disk:
    """What is left after a crash. While ``is_failing``, no write succeeds."""

    def __init__(self) -> None:
        """Begin empty."""
        self.state = JournalState()
        self.entries: list[Entry] = []
        self.snapshot: Snapshot | None = None
        self.is_failing = False

    def holds(self, entry: Entry) -> bool:
        """Say whether the entry is here, or a snapshot in its place."""
        return entry in self.entries or (
            self.snapshot is not None and entry[1] <= self.snapshot.index
        )


class _File:
    """What ``JournalFile`` is to the journal: read once at the start, then written."""

    def __init__(self, disk: Disk, fuse: Fuse) -> None:
        self.path = Path("disk")
        self.state, self.entries = disk.state, list(disk.entries)
        self.snapshot = disk.snapshot
        self._disk, self._fuse = disk, fuse

    def write(
        self,
        *,
        keep_index: int,
        entries: Sequence[Entry],
        state: JournalState,
        head: tuple[Snapshot, int] | None = None,
    ) -> None:
        self._fuse.burn()
        if self._disk.is_failing:
            raise OSError("no space left")
        kept = [entry for entry in self._disk.entries if entry[1] <= keep_index]
        if head is not None:
            self.snapshot = self._disk.snapshot = head[0]
            kept = [entry for entry in kept if entry[1] >= head[1]]
        self._disk.entries = [*kept, *entries]
        self.state = self._disk.state = state
        self._fuse.burn()

    def close(self) -> None:
        pass


class DiskJournal(SqliteJournal):
    """The real journal on such a disk."""

    def __init__(self, disk: Disk, fuse: Fuse, on_entry: OnEntry) -> None:
        """Read the disk."""
        self._on_entry = on_entry
        self._file = _File(disk, fuse)
        self._exit_process = _die
        self._entries = self._file.entries
        self._term, self._voted_for = disk.state.term, disk.state.voted_for
        self._commit_index = disk.state.commit_index
        self._durable_index = disk.state.last_index

    def add(self, command: bytes, index: int, term: int) -> None:
        """Append one entry, and show it."""
        super().add(command, index, term)
        self._on_entry((command, index, term), self._entries[-2][2] if index > 1 else 0)


def _die(_code: int) -> None:
    raise KilledError
