"""The cache outlives a restart, and is begun again rather than trusted when it is damaged."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from tars_peer.adapters.store.sqlite import SqliteStore
from tars_peer.errors import TemporaryError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.sqlite"


def test_what_is_kept_is_there_after_a_restart(path):
    store = SqliteStore(path)
    store.put("ballot", "a", b"1\x00\xff")
    store.put("ballot", "a", b"2")
    store.put("before", "a", b"")
    store.close()
    again = SqliteStore(path)
    assert again.get("ballot", "a") == b"2"
    assert again.get("before", "a") == b""
    assert again.get("ballot", "b") is None
    again.close()


def test_many_threads_may_use_it(path):
    store = SqliteStore(path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put("kind", f"{number}", b"%d" % number), range(100)))
    assert all(store.get("kind", f"{number}") == b"%d" % number for number in range(100))
    store.close()


def test_a_file_that_is_no_database_is_begun_again(path):
    path.write_bytes(b"not a database at all" * 1_000)
    path.with_name("store.sqlite-wal").write_bytes(b"of another life")
    store = SqliteStore(path)
    assert store.get("ballot", "a") is None
    store.put("ballot", "a", b"1")
    assert store.get("ballot", "a") == b"1"
    store.close()


def test_damage_that_shows_later_is_begun_again_too(path):
    store = SqliteStore(path)
    for number in range(2_000):
        store.put("ballot", f"{number}", os.urandom(100))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:  # every page but the first, which says what the file is
        file.seek(4_096)
        file.write(os.urandom(size - 4_096))
    store = SqliteStore(path)
    store.put("ballot", "7", b"1")
    assert store.get("ballot", "7") == b"1"
    assert store.get("ballot", "8") is None
    store.close()


def test_a_place_that_cannot_be_written_says_what_to_look_at(tmp_path):
    with pytest.raises(TemporaryError, match="cannot be used") as caught:
        SqliteStore(tmp_path / "nowhere" / "store.sqlite")
    assert "room" in caught.value.hint


def test_a_store_that_somebody_else_locks_is_left_alone(path):
    store = SqliteStore(path)
    store.put("ballot", "a", b"1")
    store._connection.execute("PRAGMA busy_timeout = 50")  # noqa: SLF001  (5 s are too long here)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryError, match="locked"):
        store.put("ballot", "a", b"2")
    other.execute("ROLLBACK")
    other.close()
    assert store.get("ballot", "a") == b"1"
    store.close()
