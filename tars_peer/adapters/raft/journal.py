"""Raft's persistent state as PySyncObj asks for it, made durable by group commit.

It takes the place of ``pysyncobj.journal``, which has no fsync, no checksum, and whose memory and
disk differ after a failed write. Changes are collected in memory and written by ``flush`` in ONE
transaction. The engine flushes before any message leaves, and the commit index never moves past
what is on disk. An error while writing ends the process (see ``fault``).

Entries are kept without holes. A snapshot replaces those at its head in the same transaction as
the commit index, and at least one entry stays, at or before the snapshot's: PySyncObj looks at the
first one to know where the log begins. No meaning of an entry and no network may enter here.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import overload

from tars_peer.adapters.raft.fault import ExitProcess, stop_for_storage
from tars_peer.adapters.raft.journal_file import Entry, JournalFile, JournalState
from tars_peer.adapters.raft.operations import EMPTY_ENTRY
from tars_peer.adapters.raft.snapshot import Snapshot
from tars_peer.model.noun import PeerId


class SqliteJournal:
    """Has the interface of ``pysyncobj.journal.Journal``, and names for those who count by index.

    PySyncObj counts by list position, from the first entry there is; nobody else may.

    One thread at a time may use it: the constructor's until the node's thread starts, then that.
    """

    def __init__(
        self, folder: Path, *, cluster_id: str, me: PeerId, exit_process: ExitProcess = os._exit
    ) -> None:
        """Open or create the journal in ``folder`` and verify every entry.

        Raises:
            CorruptError: the file is damaged, or older than its mark; names file and index.
            UsageError: it is another cluster's, node's or layout's file, or cannot be opened.
            TemporaryError: another process has it open.
        """
        self._file = JournalFile(folder, cluster_id=cluster_id, me=me)
        self._exit_process = exit_process
        self._entries = self._file.entries
        stored = self._file.state
        self._term, self._voted_for = stored.term, stored.voted_for
        self._commit_index = stored.commit_index
        # The entries up to here are on disk exactly as they are in memory.
        self._durable_index = stored.last_index

    # -- what PySyncObj calls ------------------------------------------------------------------

    def add(self, command: bytes, index: int, term: int) -> None:
        """Append one entry, to be written by the next ``flush``."""
        if index != self.last_index + 1:
            raise AssertionError(f"entry {index} was added after entry {self.last_index}")
        if self._entries and term < self._entries[-1][2]:
            raise AssertionError(f"the term goes back to {term} at entry {index}")
        self._entries.append((command, index, term))

    def deleteEntriesFrom(self, position: int) -> None:  # noqa: N802  (PySyncObj's name)
        """Drop the entries from list position ``position`` on; never a committed one."""
        index = self.first_index + position
        if index <= self._commit_index:
            raise AssertionError(
                f"entry {index} was to be dropped, but all up to {self._commit_index} are committed"
            )
        del self._entries[position:]
        self._durable_index = min(self._durable_index, index - 1)

    def deleteEntriesTo(self, position: int) -> None:  # noqa: N802
        """Refuse: only a snapshot of our own drops the head of the log."""
        raise AssertionError(f"nothing may trim the journal (asked up to {position})")

    def clear(self) -> None:
        """Refuse, for the same reason."""
        raise AssertionError("nothing may clear the journal")

    @overload
    def __getitem__(self, item: int) -> Entry: ...
    @overload
    def __getitem__(self, item: slice) -> list[Entry]: ...
    def __getitem__(self, item: int | slice) -> Entry | list[Entry]:
        """Return the entry, or entries, at a list position."""
        return self._entries[item]

    def __len__(self) -> int:
        """Return how many entries there are in the list."""
        return len(self._entries)

    def setRaftCommitIndex(self, commit_index: int) -> None:  # noqa: N802
        """Move the commit index, once everything up to it is on disk here.

        Its own value may reach the disk later: it only spares work at the next start.
        """
        if commit_index > self._durable_index:
            self.flush()
        self._commit_index = commit_index

    def getRaftCommitIndex(self) -> int:  # noqa: N802
        """Return the commit index."""
        return self._commit_index

    def setCurrentTerm(self, term: int, voted_for: str | None) -> None:  # noqa: N802
        """Set term and vote; the next ``flush``, before any message leaves, makes them durable."""
        if term < self._term:
            raise AssertionError(f"the term goes back from {self._term} to {term}")
        self._term, self._voted_for = term, voted_for

    def getCurrentTerm(self) -> int:  # noqa: N802
        """Return the term."""
        return self._term

    def getVotedForNodeId(self) -> str | None:  # noqa: N802
        """Return who got this node's vote in the current term."""
        return self._voted_for

    def onOneSecondTimer(self) -> None:  # noqa: N802
        """Write the commit index when it moved and nothing else has carried it along."""
        if self._commit_index != self._file.state.commit_index:
            self._write()

    def _destroy(self) -> None:
        """Do nothing: the node closes the journal, after the last flush."""

    # -- by index --------------------------------------------------------------------------------

    @property
    def first_index(self) -> int:
        """The index of the first entry there is; what is before it is in the snapshot."""
        return self._entries[0][1] if self._entries else 1

    @property
    def last_index(self) -> int:
        """The index of the last entry; 0 in a new journal."""
        return self._entries[-1][1] if self._entries else 0

    @property
    def snapshot(self) -> Snapshot | None:
        """The snapshot on disk."""
        return self._file.snapshot

    def term_at(self, index: int) -> int:
        """Return the term of the entry at ``index``, from ``first_index`` to ``last_index``."""
        return self.entries_from(index, 1)[0][2]

    def entries_from(self, index: int, count: int) -> list[Entry]:
        """Return at most ``count`` entries, the first at ``index``, which is not trimmed."""
        position = index - self.first_index
        if position < 0:
            raise AssertionError(f"entry {index} was asked for, they begin at {self.first_index}")
        return self._entries[position : position + count]

    # -- what the node calls -------------------------------------------------------------------

    def trim_to(self, snapshot: Snapshot, *, trailing: int) -> None:
        """Put ``snapshot`` in the place of the entries up to its own, on disk at once.

        The last ``trailing`` of them are kept, for followers that are a little behind.

        Raises:
            StoppedError: it could not, and the exit function came back.
        """
        is_new = self.snapshot is None or snapshot.index > self.snapshot.index
        if not is_new or not self.first_index <= snapshot.index <= self._commit_index:
            raise AssertionError(f"a snapshot of entry {snapshot.index} was taken out of turn")
        first_index = max(self.first_index, snapshot.index - trailing)
        del self._entries[: first_index - self.first_index]
        self._write((snapshot, first_index))

    def install(self, snapshot: Snapshot) -> None:
        """Put a snapshot of the leader's in the place of the log, on disk at once.

        Entries behind it are kept where this log has the snapshot's last entry too, else all are
        dropped (Raft, section 7, figure 13).

        Raises:
            StoppedError: it could not, and the exit function came back.
        """
        if snapshot.index <= self._commit_index:
            raise AssertionError(f"a snapshot of entry {snapshot.index} would go back")
        index = snapshot.index
        if index <= self.last_index and self.term_at(index) == snapshot.term:
            del self._entries[: index - self.first_index]
        else:
            self._entries[:] = [(EMPTY_ENTRY, index, snapshot.term)]
        # What is before it goes with the head, what is left is written anew.
        self._durable_index = index - 1
        self._commit_index = index
        self._write((snapshot, index))

    def flush(self) -> None:
        """Make everything but the commit index durable, in one transaction, if it is not yet.

        Raises:
            StoppedError: it could not, and the exit function came back.
        """
        stored = self._file.state
        is_clean = (
            self._durable_index == self.last_index == stored.last_index
            and self._term == stored.term
            and self._voted_for == stored.voted_for
        )
        if not is_clean:
            self._write()

    def _write(self, head: tuple[Snapshot, int] | None = None) -> None:
        state = JournalState(
            sequence=self._file.state.sequence + 1,
            term=self._term,
            voted_for=self._voted_for,
            commit_index=self._commit_index,
            last_index=self.last_index,
        )
        added = self._entries[self._durable_index + 1 - self.first_index :]
        try:
            self._file.write(keep_index=self._durable_index, entries=added, state=state, head=head)
        except (sqlite3.Error, OSError) as error:
            stop_for_storage(f"{self._file.path}: {error}", self._exit_process)
        self._durable_index = self.last_index

    def close(self) -> None:
        """Close the files without another write; may be called again."""
        self._file.close()
