"""What must be true of the whole cluster at every moment, checked as it happens.

Each check costs the same however long the log is, but for the one of a new leader's log. The
witness knows the figures of Raft's paper, and nothing of how the engine reaches them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.journal_file import Entry
from tests.simulation.disk import Disk


class ViolationError(AssertionError):
    """A promise was broken; the first word says which."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One operation of clients. All acknowledged before its first try must lie at lower indexes."""

    name: str
    floor_index: int
    acknowledged_index: int | None = None


def _holds(log: SqliteJournal, entry: Entry) -> bool:
    """Say whether the entry is in the log, or a snapshot is in its place."""
    index = entry[1]
    if log.snapshot is not None and index <= log.snapshot.index:
        return True
    return log.entries_from(index, 1) == [entry]


class Witness:
    """Sees every entry, leader, delivery and acknowledgement of all incarnations of all nodes."""

    def __init__(self, disks: Sequence[Disk]) -> None:
        """Expect as many members as there are disks."""
        self._count = len(disks)
        self._disks = disks
        self._leader_of: dict[int, tuple[str, int]] = {}
        self._entries: dict[tuple[int, int], tuple[bytes, int]] = {}
        #: Index and payload of all that was delivered anywhere, in order, each once.
        self.sequence: list[tuple[int, bytes]] = []
        self._index_of: dict[bytes, int] = {}
        self._digests: list[bytes] = []
        #: By index: the entry, and a term in which it was committed already.
        self._committed: dict[int, tuple[Entry, int]] = {}
        self._acknowledged_index = 0
        self.calls: dict[str, Call] = {}
        self.restored_count = 0

    @property
    def leader_count(self) -> int:
        """Return how many terms have had a leader."""
        return len(self._leader_of)

    def entry(self, entry: Entry, previous_term: int) -> None:
        """Log matching: equal index and term, equal command, and, step by step, equal before."""
        command, index, term = entry
        known = self._entries.setdefault((index, term), (command, previous_term))
        if known != (command, previous_term):
            raise ViolationError(f"matching: two entries {index} of term {term}")

    def leads(self, me: str, incarnation: int, term: int, log: SqliteJournal) -> None:
        """Election safety and leader completeness (Raft, figure 3)."""
        if self._leader_of.get(term) == (me, incarnation):
            return
        if term in self._leader_of:
            raise ViolationError(f"leaders: {self._leader_of[term]} and {me} lead in term {term}")
        self._leader_of[term] = (me, incarnation)
        for index, (entry, commit_term) in self._committed.items():
            # Elected late, in a term that is over, it may lack what newer terms committed.
            if commit_term < term and not _holds(log, entry):
                raise ViolationError(f"lost: the leader {me} of term {term} lacks entry {index}")

    def committed(self, me: str, term: int, log: SqliteJournal, upto: int) -> None:
        """What a node holds for committed is on the disks of a majority, and nothing else is."""
        for index in range(len(self._committed) + 1, upto + 1):
            entry = log.entries_from(index, 1)[0]
            held = sum(each.holds(entry) for each in self._disks)
            # Entry 1 is in every log from birth, so nobody has to write it.
            if index > 1 and held * 2 <= self._count:
                raise ViolationError(f"durable: entry {index} of {me} is on {held} disks")
            self._committed[index] = (entry, term)

    def delivered(self, me: str, position: int, index: int, payload: bytes) -> None:
        """State machine safety: the same payload at the same index and place, and only once."""
        if position < len(self.sequence):
            if self.sequence[position] != (index, payload):
                raise ViolationError(f"diverged: {me} delivers {payload!r} at {index}")
            return
        if payload in self._index_of:
            raise ViolationError(f"twice: {me} delivers {payload!r} at {index} again")
        if self.sequence and index <= self.sequence[-1][0]:
            raise ViolationError(f"order: {me} delivers {index} after {self.sequence[-1][0]}")
        self.sequence.append((index, payload))
        self._index_of[payload] = index
        before = self._digests[-1] if self._digests else b""
        self._digests.append(hashlib.sha256(before + b"%d:" % index + payload).digest())

    def restored(self, me: str, count: int, index: int, digest: bytes) -> None:
        """A snapshot is the state after the entry that it names, as everybody had it there."""
        self.restored_count += 1
        if self.sequence[count - 1][0] != index or self.digest(count) != digest:
            raise ViolationError(f"snapshot: {me} restores another state at {index}")

    def digest(self, count: int) -> bytes:
        """Return the digest of the first ``count`` deliveries."""
        return self._digests[count - 1] if count else b""

    def call(self, name: str) -> Call:
        """Note a try of a client; the first one counts as its beginning."""
        return self.calls.setdefault(name, Call(name=name, floor_index=self._acknowledged_index))

    def acknowledged(self, name: str, index: int) -> None:
        """Linearizable: the right index, above that of all that had ended before it began."""
        call = self.calls[name]
        if self._index_of.get(name.encode()) != index:
            raise ViolationError(f"answer: {name} is said to be at {index}, and is not")
        if index <= call.floor_index:
            raise ViolationError(f"time: {name} at {index} began after {call.floor_index} was told")
        call.acknowledged_index = index
        self._acknowledged_index = max(self._acknowledged_index, index)
