"""Snapshots on disk: a kill at any write of one, damage, and how large the files become."""

# ruff: noqa: SLF001  (writes are counted and cut off where they happen)

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.journal_file import LAYOUT_VERSION
from tars_peer.adapters.raft.operations import digest_of, seal
from tars_peer.adapters.raft.snapshot import Snapshot
from tars_peer.errors import CorruptError
from tars_peer.model.noun import OperationId, PeerId
from tests.unit.adapters.raft.network import Network, Seat

A, B, C = (PeerId(name) for name in "abc")


class Killed(BaseException):
    """A member died in the middle of a call, as ``kill -9`` has it."""


class Fuse:
    """Kills whoever makes the write numbered ``at``, before or after it is on disk."""

    def __init__(self, at: int, *, is_after: bool, only_snapshots: bool) -> None:
        """Count the writes of all members."""
        self.at, self.is_after, self.only_snapshots = at, is_after, only_snapshots
        self.count = 0
        self.victim: PeerId | None = None

    def wire(self, peer: PeerId, seat: Seat) -> None:
        """Look at each write of this member."""
        write = seat.journal._file.write

        def watched(**arguments: Any) -> None:
            self.count += bool(arguments.get("head")) or not self.only_snapshots
            is_mine = self.count == self.at and self.victim is None
            if is_mine and self.is_after:
                write(**arguments)
            if is_mine:
                self.victim = peer
                raise Killed
            write(**arguments)

        seat.journal._file.write = watched  # type: ignore[method-assign]


class Killable(Network):
    """Starts who was killed again, at once."""

    def __init__(self, folder: Path, fuse: Fuse) -> None:
        """Wire everybody."""
        self.fuse = fuse
        super().__init__(folder, snapshot_every=4, trailing=1)

    def start(self, peer: PeerId) -> None:
        super().start(peer)
        self.fuse.wire(peer, self.seats[peer])

    def settle(self, rounds: int = 60) -> None:
        try:
            super().settle(rounds)
        except Killed:
            assert self.fuse.victim is not None
            self.crash(self.fuse.victim)
            self.start(self.fuse.victim)
            super().settle(rounds)

    def _elect_anyone(self) -> None:
        """Have each stand in turn: who lacks an entry pushes the term on, and loses."""
        for peer in sorted(self.seats):
            self.tick(peer, stand=True)
            self.settle()
            if self.leads(peer):
                return

    def write(self, numbers: range) -> None:
        """Have each operation delivered, whoever leads."""
        for number in numbers:
            for _ in range(10):
                if not any(self.leads(peer) for peer in self.seats):
                    self._elect_anyone()
                seat = self.seats[B]
                seat.propose(f"op {number}")
                self.settle()
                if self.seats[B].settled_index(f"op {number}") is not None:
                    break
            else:
                raise AssertionError(f"op {number} is not decided")


def _run(folder: Path, fuse: Fuse) -> None:
    """Write with all, without C, and with C again, who needs a snapshot then."""
    network = Killable(folder, fuse)
    network.elect(A)
    network.write(range(6))
    network.crash(C)
    network.write(range(6, 16))
    network.start(C)
    network.settle()
    network.write(range(16, 24))
    network.elect(B)
    network.settle()
    logs = [seat.delivered for seat in network.seats.values()]
    assert logs[0] == logs[1] == logs[2]
    assert [payload for _, payload in logs[0]] == [f"op {n}".encode() for n in range(24)]
    assert all(seat.faults == [] for seat in network.seats.values())
    network.close()


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_write_of_a_snapshot_loses_nothing(
    tmp_path: Path,
    is_after: bool,  # noqa: FBT001
) -> None:
    """S6, S7, p05, p06: dump and trim apart from each other lost what was acknowledged."""
    at = 0
    while True:
        at += 1
        fuse = Fuse(at, is_after=is_after, only_snapshots=True)
        _run(tmp_path / str(at), fuse)
        if fuse.victim is None:
            break
    assert at > 10, "many were killed, each at another snapshot"


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_kill_at_other_writes_between_snapshots_loses_nothing(
    tmp_path: Path,
    is_after: bool,  # noqa: FBT001
) -> None:
    for at in range(20, 200, 13):
        fuse = Fuse(at, is_after=is_after, only_snapshots=False)
        _run(tmp_path / str(at), fuse)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path, snapshot_every=5)
    network.elect(A)
    yield network
    network.close()


def _write(network: Network, peer: PeerId, numbers: range) -> None:
    for number in numbers:
        network.seats[peer].propose(f"op {number}")
        network.settle()


def test_trailing_entries_spare_a_follower_the_snapshot(tmp_path: Path) -> None:
    network = Network(tmp_path, snapshot_every=5, trailing=10)
    network.elect(A)
    _write(network, A, range(20))
    network.crash(C)
    _write(network, A, range(20, 28))
    network.start(C)
    started_from = network.seats[C].history.restored
    network.settle()
    assert network.seats[C].history.restored == started_from
    assert network.seats[C].delivered == network.seats[A].delivered
    assert len(network.seats[C].delivered) == 28
    assert len(network.seats[A].journal) <= 10 + 5 + 2
    network.close()


def test_entries_behind_the_snapshot_are_kept_where_the_log_matches(network: Network) -> None:
    leader = network.seats[A]
    _write(network, A, range(3))
    network.settle()
    journal = network.seats[C].journal
    term = leader.engine.raftCurrentTerm
    last = journal.last_index
    for _ in range(3):
        journal.add(b"\x01", journal.last_index + 1, term)
    state = Snapshot.of(index=last + 2, term=term, state=b"", operations=[])
    journal.install(state)
    for _ in range(2):
        # Entry last + 1 to last + 3 were not on disk before; from the snapshot's on, they are now.
        assert [entry[1] for entry in journal[:]] == [last + 2, last + 3]
        assert journal.getRaftCommitIndex() == last + 2
        journal.close()
        folder = journal._file.path.parent
        journal = SqliteJournal(folder, cluster_id="c", me=C)
    journal.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE snapshot SET raw = substr(raw, 1, 40)", "does not match its checksum"),
        ("UPDATE snapshot SET raw = zeroblob(9)", "does not match its checksum"),
        ("UPDATE snapshot SET raw = CAST(raw AS TEXT)", "Could not decode"),
        ("UPDATE snapshot SET first_index = 3", "entry 3 is missing"),
        ("DELETE FROM snapshot", "entry 1 is missing"),
        ("DELETE FROM entry", "is missing"),
    ],
)
def test_a_damaged_snapshot_does_not_start(network: Network, statement: str, said: str) -> None:
    """S12: a truncated dump made an empty node that votes and leads."""
    _write(network, A, range(12))
    path = network.seats[B].journal._file.path
    network.crash(B)
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()
    with pytest.raises(CorruptError, match=said):
        network.start(B)


def test_a_snapshot_of_another_owner_does_not_start(network: Network) -> None:
    _write(network, A, range(12))
    network.crash(B)
    network.snapshot_every = 0
    with pytest.raises(CorruptError, match="nobody here keeps a state"):
        network.start(B)


def _open(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, cluster_id="c", me=A)


class Cut:
    """A database whose process dies after so many statements."""

    def __init__(self, database: sqlite3.Connection, left: int) -> None:
        """Let ``left`` statements through."""
        self._database, self._left = database, left

    def __getattr__(self, name: str) -> Any:
        """Count what is done with the database."""
        if name != "close":
            if self._left == 0:
                raise Killed
            self._left -= 1
        return getattr(self._database, name)


@pytest.mark.parametrize("is_leaders", [False, True], ids=["taken", "received"])
def test_a_kill_inside_a_write_leaves_the_old_or_the_new_and_nothing_between(
    tmp_path: Path,
    is_leaders: bool,  # noqa: FBT001
) -> None:
    seen = []
    for left in range(12):
        journal = _open(tmp_path / f"{left}")
        for index in range(1, 9):
            journal.add(b"x", index, 1)
        journal.setRaftCommitIndex(6)
        journal.onOneSecondTimer()
        before = (journal[:], 6, None)
        journal.setRaftCommitIndex(7)
        journal._file._database = Cut(journal._file._database, left)  # type: ignore[assignment, arg-type]
        with contextlib.suppress(Killed):
            if is_leaders:
                journal.install(Snapshot.of(index=12, term=2, state=b"s", operations=[]))
            else:
                journal.trim_to(Snapshot.of(index=5, term=1, state=b"s", operations=[]), trailing=2)
        journal.close()
        journal = _open(tmp_path / f"{left}")
        snapshot = journal.snapshot
        found = (journal[:], journal.getRaftCommitIndex(), snapshot and snapshot.index)
        entries = [(b"\x01", 12, 2)] if is_leaders else before[0][2:]
        after = (entries, 12, 12) if is_leaders else (entries, 7, 5)
        assert found in (before, after)
        seen.append(found == after)
        journal.close()
    assert seen == sorted(seen)
    assert set(seen) == {False, True}


def test_a_snapshot_goes_forward_only_and_over_what_is_committed_only(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    for index in range(1, 9):
        journal.add(b"x", index, 1)
    journal.setRaftCommitIndex(6)
    snapshots = {n: Snapshot.of(index=n, term=1, state=b"", operations=[]) for n in (3, 5, 7)}
    journal.trim_to(snapshots[5], trailing=1)
    assert [entry[1] for entry in journal[:]] == [4, 5, 6, 7, 8]
    for wrong in (3, 5, 7):
        with pytest.raises(AssertionError, match="out of turn"):
            journal.trim_to(snapshots[wrong], trailing=0)
    with pytest.raises(AssertionError, match="would go back"):
        journal.install(snapshots[5])
    with pytest.raises(AssertionError, match="are committed"):
        journal.deleteEntriesFrom(2)
    journal.deleteEntriesFrom(3)
    assert journal.last_index == 6
    with pytest.raises(AssertionError, match="they begin at 4"):
        journal.term_at(3)
    journal.close()
    journal = _open(tmp_path)
    assert (journal.first_index, journal.getRaftCommitIndex()) == (4, 6)
    journal.close()


def test_a_snapshot_of_a_leader_replaces_a_log_that_differs(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    for index in range(1, 9):
        journal.add(b"x", index, 1)
    journal.flush()
    journal.install(Snapshot.of(index=5, term=2, state=b"s", operations=[]))
    for _ in range(2):
        assert journal[:] == [(b"\x01", 5, 2)]
        assert journal.getRaftCommitIndex() == 5
        assert journal.snapshot is not None
        assert journal.snapshot.state == b"s"
        journal.close()
        journal = _open(tmp_path)
    journal.add(b"y", 6, 2)
    journal.flush()
    journal.close()


def test_a_journal_of_the_layout_before_snapshots_is_taken_over(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    journal.add(b"x", 1, 0)
    journal.flush()
    journal.close()
    with sqlite3.connect(tmp_path / "raft.sqlite") as database:
        database.execute("DROP TABLE snapshot")
        database.execute("PRAGMA user_version=1")
    database.close()
    journal = _open(tmp_path)
    assert journal[:] == [(b"x", 1, 0)]
    journal.close()
    with sqlite3.connect(tmp_path / "raft.sqlite") as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == LAYOUT_VERSION
    database.close()


def test_the_files_stay_bounded_over_many_entries(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    sizes_bytes = []
    for index in range(1, 20_001):
        journal.add(seal(b"p" * 200, digest_of(OperationId(f"{index}"))), index, 1)
        if index % 100 == 0:
            journal.setRaftCommitIndex(index)
        if index % 1000 == 0:
            journal.trim_to(
                Snapshot.of(index=index, term=1, state=b"s" * 50_000, operations=[]), trailing=200
            )
            sizes_bytes.append(sum(each.stat().st_size for each in tmp_path.iterdir()))
    assert len(journal) == 201
    journal.close()
    assert max(sizes_bytes) < sizes_bytes[9] * 1.05, "no growth in the second half"
    # All entries would be 5 MB here; beside it lies SQLite's own log, of 4 MB at any time.
    assert (tmp_path / "raft.sqlite").stat().st_size < 1_000_000
