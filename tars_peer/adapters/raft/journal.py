"""Raft's persistent state as PySyncObj asks for it, made durable by group commit.

It takes the place of ``pysyncobj.journal``, which has no fsync, no checksum, and whose memory and
disk differ after a failed write. Changes are collected in memory and written by ``flush`` in ONE
transaction. The engine flushes before any message leaves, and the commit index never moves past
what is on disk. An error while writing ends the process (see ``fault``).

Entries are kept from index 1 on, without holes; there is no trimming, because there are no
snapshots. No meaning of an entry and no network may enter here.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import overload

from tars_peer.adapters.raft.fault import ExitProcess, stop_for_storage
from tars_peer.adapters.raft.journal_file import Entry, JournalFile, JournalState
from tars_peer.model.noun import PeerId


class SqliteJournal:
    """Has the interface of ``pysyncobj.journal.Journal``; list position is index - 1.

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
        # The first so many entries are on disk exactly as they are in memory.
        self._durable_count = stored.last_index

    # -- what PySyncObj calls ------------------------------------------------------------------

    def add(self, command: bytes, index: int, term: int) -> None:
        """Append one entry, to be written by the next ``flush``."""
        if index != len(self._entries) + 1:
            raise AssertionError(f"entry {index} was added after {len(self._entries)} entries")
        if self._entries and term < self._entries[-1][2]:
            raise AssertionError(f"the term goes back to {term} at entry {index}")
        self._entries.append((command, index, term))

    def deleteEntriesFrom(self, position: int) -> None:  # noqa: N802  (PySyncObj's name)
        """Drop the entries from list position ``position`` on; never a committed one."""
        if position < self._commit_index:
            raise AssertionError(
                f"entry {position + 1} was to be dropped, but all up to {self._commit_index} "
                "are committed"
            )
        del self._entries[position:]
        self._durable_count = min(self._durable_count, position)

    def deleteEntriesTo(self, position: int) -> None:  # noqa: N802
        """Refuse: without snapshots the head of the log is never dropped."""
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
        """Return how many entries there are, which is the last index."""
        return len(self._entries)

    def setRaftCommitIndex(self, commit_index: int) -> None:  # noqa: N802
        """Move the commit index, once everything up to it is on disk here.

        Its own value may reach the disk later: it only spares work at the next start.
        """
        if commit_index > self._durable_count:
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

    # -- what the node calls -------------------------------------------------------------------

    def flush(self) -> None:
        """Make everything but the commit index durable, in one transaction, if it is not yet.

        Raises:
            StoppedError: it could not, and the exit function came back.
        """
        stored = self._file.state
        is_clean = (
            self._durable_count == len(self._entries) == stored.last_index
            and self._term == stored.term
            and self._voted_for == stored.voted_for
        )
        if not is_clean:
            self._write()

    def _write(self) -> None:
        state = JournalState(
            sequence=self._file.state.sequence + 1,
            term=self._term,
            voted_for=self._voted_for,
            commit_index=self._commit_index,
            last_index=len(self._entries),
        )
        try:
            self._file.write(
                keep_count=self._durable_count,
                entries=self._entries[self._durable_count :],
                state=state,
            )
        except (sqlite3.Error, OSError) as error:
            stop_for_storage(f"{self._file.path}: {error}", self._exit_process)
        self._durable_count = len(self._entries)

    def close(self) -> None:
        """Close the files without another write; may be called again."""
        self._file.close()
