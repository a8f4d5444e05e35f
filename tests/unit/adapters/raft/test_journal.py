"""The journal: what was flushed is there after any end of the process, and damage is found."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tars_peer.adapters.raft.fault import STORAGE_EXIT_CODE
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.errors import CorruptError, TemporaryError, UsageError
from tars_peer.model.noun import PeerId

ME = PeerId("peer-a")

#: Runs in a process of its own and ends it without any goodbye, as ``kill -9`` does.
_WRITER = """
import os, resource, signal, sys
from pathlib import Path
from tars_peer.adapters.raft.journal import SqliteJournal
journal = SqliteJournal(Path(sys.argv[1]), cluster_id="c", me="peer-a")
{body}
os._exit(9)
"""


def _open(folder: Path) -> SqliteJournal:
    return SqliteJournal(folder, cluster_id="c", me=ME)


def _write_and_die(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _WRITER.format(body=body), str(folder)],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
        timeout=30,
    )


def _contents(folder: Path) -> tuple[list[tuple[bytes, int, int]], int, str | None, int]:
    journal = _open(folder)
    try:
        return (
            journal[:],
            journal.getCurrentTerm(),
            journal.getVotedForNodeId(),
            journal.getRaftCommitIndex(),
        )
    finally:
        journal.close()


def test_what_was_flushed_comes_back(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    journal.add(b"one", 1, 0)
    journal.add(b"two", 2, 3)
    journal.setCurrentTerm(3, "peer-b")
    journal.setRaftCommitIndex(2)
    journal.onOneSecondTimer()
    journal.close()
    assert _contents(tmp_path) == ([(b"one", 1, 0), (b"two", 2, 3)], 3, "peer-b", 2)


def test_entries_are_dropped_and_replaced_on_disk_as_in_memory(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    for index in range(1, 6):
        journal.add(b"old", index, 1)
    journal.flush()
    journal.deleteEntriesFrom(3)
    journal.add(b"new", 4, 2)
    journal.deleteEntriesFrom(2)
    journal.add(b"newer", 3, 2)
    expected = [(b"old", 1, 1), (b"old", 2, 1), (b"newer", 3, 2)]
    assert journal[:] == expected
    journal.flush()
    journal.deleteEntriesFrom(2)
    journal.flush()
    journal.close()
    assert _contents(tmp_path)[0] == expected[:2]


def test_a_kill_between_two_writes_keeps_the_first_and_only_the_first(tmp_path: Path) -> None:
    body = (
        "journal.add(b'kept', 1, 1); journal.setCurrentTerm(1, 'peer-b'); journal.flush()\n"
        "journal.add(b'lost', 2, 2); journal.setCurrentTerm(2, 'peer-c')"
    )
    assert _write_and_die(tmp_path, body).returncode == 9
    assert _contents(tmp_path) == ([(b"kept", 1, 1)], 1, "peer-b", 1)


def test_the_commit_index_never_passes_what_is_on_disk(tmp_path: Path) -> None:
    body = "journal.add(b'committed', 1, 1); journal.setRaftCommitIndex(1)"
    assert _write_and_die(tmp_path, body).returncode == 9
    assert _contents(tmp_path)[0] == [(b"committed", 1, 1)]


def test_committed_entries_and_the_head_are_never_dropped(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    journal.add(b"one", 1, 1)
    journal.add(b"two", 2, 1)
    journal.setRaftCommitIndex(2)
    refused: list[Callable[[], None]] = [
        lambda: journal.deleteEntriesFrom(1),
        lambda: journal.deleteEntriesTo(1),
        journal.clear,
        lambda: journal.add(b"hole", 4, 1),
        lambda: journal.add(b"back", 3, 0),
    ]
    for act in refused:
        with pytest.raises(AssertionError):
            act()
    assert journal[:] == [(b"one", 1, 1), (b"two", 2, 1)]
    journal.close()


def test_one_flipped_byte_of_an_entry_is_found(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    for index in range(1, 4):
        journal.add(b"payload-%d" % index, index, 1)
    journal.flush()
    journal.close()
    path = tmp_path / "raft.sqlite"
    damaged = path.read_bytes().replace(b"payload-2", b"pbyload-2")
    path.write_bytes(damaged)
    with pytest.raises(CorruptError, match=r"raft\.sqlite is damaged: entry 2 does not match"):
        _open(tmp_path)


def test_a_changed_vote_is_found(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    journal.setCurrentTerm(7, "peer-b")
    journal.flush()
    journal.close()
    with sqlite3.connect(tmp_path / "raft.sqlite") as database:
        database.execute("UPDATE state SET voted_for = 'peer-c'")
    database.close()
    with pytest.raises(CorruptError, match="term and vote"):
        _open(tmp_path)


@pytest.mark.parametrize("statement", ["DELETE FROM entry WHERE number = 2", "DROP TABLE entry"])
def test_a_missing_entry_or_table_is_found(tmp_path: Path, statement: str) -> None:
    journal = _open(tmp_path)
    for index in range(1, 3):
        journal.add(b"x", index, 1)
    journal.flush()
    journal.close()
    with sqlite3.connect(tmp_path / "raft.sqlite") as database:
        database.execute(statement)
    database.close()
    with pytest.raises(CorruptError, match=r"raft\.sqlite is damaged"):
        _open(tmp_path)


def test_a_file_that_is_no_database_is_found(tmp_path: Path) -> None:
    (tmp_path / "raft.sqlite").write_bytes(b"not a database at all" * 400)
    with pytest.raises(CorruptError, match="SQLite says"):
        _open(tmp_path)


def _die_after_three_flushes(folder: Path) -> Path:
    body = "for index in (1, 2, 3):\n    journal.add(b'x' * 3000, index, 1); journal.flush()"
    assert _write_and_die(folder, body).returncode == 9
    return folder / "raft.sqlite-wal"


def test_a_torn_write_behind_the_last_flush_is_ignored(tmp_path: Path) -> None:
    wal = _die_after_three_flushes(tmp_path)
    with wal.open("ab") as file:
        file.write(os.urandom(2000))
    assert len(_contents(tmp_path)[0]) == 3


def test_a_damaged_write_ahead_log_that_loses_a_flush_is_found(tmp_path: Path) -> None:
    wal = _die_after_three_flushes(tmp_path)
    with wal.open("r+b") as file:
        file.truncate(wal.stat().st_size - 100)
    with pytest.raises(CorruptError, match="entries after 2 may be lost"):
        _open(tmp_path)


def test_an_old_copy_put_back_is_found(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    journal.add(b"one", 1, 1)
    journal.flush()
    journal.close()
    shutil.copy(tmp_path / "raft.sqlite", tmp_path / "backup")
    journal = _open(tmp_path)
    journal.setCurrentTerm(2, "peer-b")
    journal.flush()
    journal.close()
    shutil.copy(tmp_path / "backup", tmp_path / "raft.sqlite")
    with pytest.raises(CorruptError, match="holds only the first"):
        _open(tmp_path)


@pytest.mark.parametrize(("cluster", "node"), [("c", "peer-b"), ("other", "peer-a")])
def test_a_foreign_journal_is_refused(tmp_path: Path, cluster: str, node: str) -> None:
    _open(tmp_path).close()
    with pytest.raises(UsageError, match="belongs to node 'peer-a' of cluster 'c'"):
        SqliteJournal(tmp_path, cluster_id=cluster, me=PeerId(node))
    _open(tmp_path).close()


def test_a_journal_of_another_layout_is_refused(tmp_path: Path) -> None:
    _open(tmp_path).close()
    with sqlite3.connect(tmp_path / "raft.sqlite") as database:
        database.execute("PRAGMA user_version=3")
    database.close()
    with pytest.raises(UsageError, match="has layout 3"):
        _open(tmp_path)


def test_a_second_process_on_the_folder_is_refused(tmp_path: Path) -> None:
    journal = _open(tmp_path)
    with pytest.raises(TemporaryError, match="in use by another process"):
        _open(tmp_path)
    journal.close()


def test_a_folder_that_cannot_be_is_a_mistake_of_use(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be opened"):
        _open(tmp_path / "file" / "raft")


def test_a_full_disk_ends_the_process_and_keeps_what_was_flushed(tmp_path: Path) -> None:
    body = (
        "journal.add(b'kept', 1, 1); journal.flush()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "for index in range(2, 20):\n"
        "    journal.add(b'x' * 40_000, index, 1); journal.flush()\n"
        "    print(index, flush=True)"
    )
    done = _write_and_die(tmp_path, body)
    assert done.returncode == STORAGE_EXIT_CODE, done
    assert "the journal cannot be written, stopping now" in done.stderr
    flushed = [int(line) for line in done.stdout.split()]
    entries = _contents(tmp_path)[0]
    assert entries[0] == (b"kept", 1, 1)
    assert len(entries) >= max(flushed, default=1)
