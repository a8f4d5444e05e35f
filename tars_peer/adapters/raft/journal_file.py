"""The journal's file: one SQLite database that knows whose it is and checks every row it reads.

``journal`` decides what is written and when; this module only opens, verifies, and writes one
transaction at a time (WAL, ``synchronous=FULL``: on disk before ``write`` returns). No buffering,
no Raft rule and no decision to end the process may enter here.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tars_peer.adapters.raft.mark import Mark
from tars_peer.adapters.raft.snapshot import Snapshot
from tars_peer.errors import CorruptError, TarsError, TemporaryError, UsageError
from tars_peer.model.noun import PeerId

#: (command, index, term), as PySyncObj has it.
Entry = tuple[bytes, int, int]

JOURNAL_FILE = "raft.sqlite"
MARK_FILE = "raft.mark"
LAYOUT_VERSION = 2
#: A supervisor starts the next peer while the last one is still closing its files.
LOCK_WAIT_S = 1.5

_TABLES = """
CREATE TABLE identity (one INTEGER PRIMARY KEY CHECK (one = 1), cluster TEXT, node TEXT);
CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER, term INTEGER,
                    voted_for TEXT, commit_index INTEGER, last_index INTEGER, checksum INTEGER);
CREATE TABLE entry (number INTEGER PRIMARY KEY, term INTEGER, command BLOB, checksum INTEGER)
"""
#: Layout 1 had no snapshots, and is brought here by adding the table.
_SNAPSHOT_TABLE = """
CREATE TABLE snapshot (one INTEGER PRIMARY KEY CHECK (one = 1), first_index INTEGER,
                       checksum BLOB, raw BLOB)
"""
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_ACCESS_CODES = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """Term, vote and how far it goes; ``sequence`` counts the writes."""

    sequence: int = 0
    term: int = 0
    voted_for: str | None = None
    commit_index: int = 1
    last_index: int = 0

    def row(self) -> tuple[int, int, str | None, int, int, int]:
        """Return the columns in the table's order, the checksum last."""
        columns = (self.sequence, self.term, self.voted_for, self.commit_index, self.last_index)
        return (*columns, zlib.crc32(repr(columns).encode()))


def entry_checksum(entry: Entry) -> int:
    """Cover the place as well as the content, so that a row in the wrong place is found too."""
    command, index, term = entry
    return zlib.crc32(command, zlib.crc32(struct.pack("<QQ", index, term)))


class JournalFile:
    """One open database; the lock on it is exclusive until ``close``."""

    def __init__(self, folder: Path, *, cluster_id: str, me: PeerId) -> None:
        """Open or create the database in ``folder``, check its owner and read all of it.

        ``state``, ``snapshot`` and ``entries`` hold what was read.

        Raises:
            CorruptError: it is damaged, or older than its mark; names file and index.
            UsageError: it is another cluster's, node's or layout's file, or cannot be opened.
            TemporaryError: another process has it open.
        """
        self.path = folder / JOURNAL_FILE
        self.state = JournalState()
        self.entries: list[Entry] = []
        self.snapshot: Snapshot | None = None
        self._database: sqlite3.Connection | None = None
        self._mark: Mark | None = None
        try:
            with self._translating():
                folder.mkdir(parents=True, exist_ok=True)
                self._mark = Mark(folder / MARK_FILE)
                self._database = sqlite3.connect(
                    self.path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
                )
                self._prepare(self._database, cluster_id, me)
                self._check_owner(self._database, cluster_id, me)
                self._read(self._database, self._mark)
        except TarsError:
            self.close()
            raise

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Say what SQLite's and the system's errors mean for a person."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            # Python itself finds text that is none, and gives no code; the system's are of access.
            default = sqlite3.SQLITE_CANTOPEN if isinstance(error, OSError) else 0
            code = getattr(error, "sqlite_errorcode", default) & 0xFF
            if code in _BUSY_CODES:
                raise TemporaryError(
                    f"the journal {self.path} is in use by another process",
                    hint="a peer of this name still runs on this folder; stop it first",
                ) from error
            if code in _ACCESS_CODES:
                raise UsageError(
                    f"the journal {self.path} cannot be opened: {error}",
                    hint="check that its folder exists, is writable and has free space",
                ) from error
            raise self._corrupt(f"SQLite says: {error}") from error

    def _prepare(self, database: sqlite3.Connection, cluster_id: str, me: PeerId) -> None:
        run = database.execute
        # Exclusive: a second process on the same folder must not even read it.
        run("PRAGMA locking_mode=EXCLUSIVE")
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=FULL")
        run("BEGIN IMMEDIATE")
        version = run("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in _TABLES.split(";"):
                run(statement)
            run("INSERT INTO identity VALUES (1, ?, ?)", (cluster_id, me))
            run("INSERT INTO state VALUES (1, ?, ?, ?, ?, ?, ?)", self.state.row())
        elif not 1 <= version <= LAYOUT_VERSION:
            raise UsageError(
                f"the journal {self.path} has layout {version}; this peer knows {LAYOUT_VERSION}",
                hint="run the version of tars that wrote it",
            )
        if version < LAYOUT_VERSION:
            run(_SNAPSHOT_TABLE)
            run(f"PRAGMA user_version={LAYOUT_VERSION}")
        run("COMMIT")
        # SQLite syncs contents; the file's name in its folder must be durable too.
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _check_owner(self, database: sqlite3.Connection, cluster_id: str, me: PeerId) -> None:
        row = database.execute("SELECT cluster, node FROM identity").fetchone()
        if row is None:
            raise self._corrupt("it does not say whose it is")
        if row != (cluster_id, me):
            raise UsageError(
                f"the journal {self.path} belongs to node {row[1]!r} of cluster {row[0]!r}, "
                f"not to node {me!r} of cluster {cluster_id!r}",
                hint="point this peer at its own data folder; a journal must never be shared",
            )

    def _read(self, database: sqlite3.Connection, mark: Mark) -> None:
        row = database.execute(
            "SELECT sequence, term, voted_for, commit_index, last_index, checksum FROM state"
        ).fetchone()
        if row is None or row[5] != zlib.crc32(repr(row[:5]).encode()):
            raise self._corrupt("its term and vote do not match their checksum")
        self.state = JournalState(
            sequence=row[0], term=row[1], voted_for=row[2], commit_index=row[3], last_index=row[4]
        )
        self._read_entries(database, first_index=self._read_snapshot(database))
        if self.state.sequence < mark.read():
            raise self._corrupt(
                f"it was written {mark.read()} times but holds only the first "
                f"{self.state.sequence}: entries after {self.state.last_index} may be lost"
            )

    def _read_snapshot(self, database: sqlite3.Connection) -> int:
        """Read and verify the snapshot, if there is one; return the index of the first entry."""
        row = database.execute("SELECT first_index, checksum, raw FROM snapshot").fetchone()
        if row is None:
            return 1
        try:
            self.snapshot = Snapshot.open(row[2], row[1])
        except CorruptError as error:
            raise self._corrupt(f"its snapshot cannot be used: {error}") from error
        first_index = int(row[0])
        if not first_index <= self.snapshot.index <= self.state.commit_index:
            raise self._corrupt(
                f"its snapshot of entry {self.snapshot.index} does not fit entries from "
                f"{first_index}, committed up to {self.state.commit_index}"
            )
        return first_index

    def _read_entries(self, database: sqlite3.Connection, *, first_index: int) -> None:
        index = first_index
        rows = database.execute("SELECT command, number, term, checksum FROM entry ORDER BY number")
        for command, number, term, checksum in rows:
            if number != index:
                raise self._corrupt(f"entry {index} is missing")
            entry = (command, index, term)
            if not isinstance(command, bytes) or checksum != entry_checksum(entry):
                raise self._corrupt(f"entry {index} does not match its checksum")
            self.entries.append(entry)
            index += 1
        if index - 1 != self.state.last_index:
            raise self._corrupt(f"entry {index} of {self.state.last_index} is missing")

    def _corrupt(self, what: str) -> CorruptError:
        return CorruptError(
            f"the journal {self.path} is damaged: {what}",
            hint="do not edit it; with a majority of the other members healthy, move this peer's "
            "raft folder away and let it join as a new member under a new name",
        )

    def write(
        self,
        *,
        keep_index: int,
        entries: Sequence[Entry],
        state: JournalState,
        head: tuple[Snapshot, int] | None = None,
    ) -> None:
        """Drop all entries behind ``keep_index``, add ``entries``, replace the state.

        ``head``, a new snapshot and the index of the first entry that is kept with it, replaces
        the old snapshot and all entries before that one. All of it happens or nothing.

        Raises:
            sqlite3.Error: nothing was written, or it is not known to be on disk.
            OSError: the same.
        """
        assert self._database is not None
        assert self._mark is not None
        rows = [(entry[1], entry[2], entry[0], entry_checksum(entry)) for entry in entries]
        run = self._database.execute
        run("BEGIN IMMEDIATE")
        if keep_index < self.state.last_index:
            run("DELETE FROM entry WHERE number > ?", (keep_index,))
        if head is not None:
            snapshot, first_index = head
            run(
                "REPLACE INTO snapshot VALUES (1, ?, ?, ?)",
                (first_index, snapshot.checksum, snapshot.raw),
            )
            run("DELETE FROM entry WHERE number < ?", (first_index,))
            self.snapshot = snapshot
        self._database.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)
        run("REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?)", state.row())
        run("COMMIT")
        self._mark.write(state.sequence)
        self.state = state

    def close(self) -> None:
        """Close both files; may be called again."""
        if self._database is not None:
            self._database.close()
        if self._mark is not None:
            self._mark.close()
