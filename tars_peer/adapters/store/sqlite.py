"""A cache in one SQLite file; a file that cannot be read is thrown away and begun again."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from tars_peer.errors import TemporaryError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS memory "
    "(kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)) STRICT"
)


class SqliteStore:
    """Fills ``ports.store.Store``; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open or begin the cache at ``path``."""
        self._lock = threading.Lock()
        self._path = path
        try:
            self._connection = self._open(path)
        except sqlite3.OperationalError as error:
            raise self._trouble(error) from error
        except sqlite3.DatabaseError:
            self._connection = self._begin_again()

    def get(self, kind: str, key: str) -> bytes | None:
        """See ``ports.store``.

        Raises:
            TemporaryError: the disk does not let it be read.
        """
        row = self._run("SELECT value FROM memory WHERE kind = ? AND key = ?", (kind, key))
        return bytes(row[0]) if row else None

    def put(self, kind: str, key: str, value: bytes) -> None:
        """See ``ports.store``.

        Raises:
            TemporaryError: the disk does not let it be kept.
        """
        self._run(
            "INSERT OR REPLACE INTO memory (kind, key, value) VALUES (?, ?, ?)", (kind, key, value)
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _run(self, statement: str, values: tuple[object, ...]) -> tuple[bytes] | None:
        """Run a statement in its own transaction; damage found on the way begins the file anew."""
        with self._lock:
            for last in (False, True):
                try:
                    with self._connection:
                        row: tuple[bytes] | None = self._connection.execute(
                            statement, values
                        ).fetchone()
                        return row
                except sqlite3.OperationalError as error:
                    raise self._trouble(error) from error
                except sqlite3.DatabaseError as error:
                    if last:
                        raise self._trouble(error) from error
                    self._connection.close()
                    self._connection = self._begin_again()
        return None

    def _begin_again(self) -> sqlite3.Connection:
        # A write-ahead log that outlives its database would be replayed into the next one.
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return self._open(self._path)

    def _trouble(self, error: sqlite3.Error) -> TemporaryError:
        return TemporaryError(
            f"{self._path} cannot be used: {error}",
            hint="see that the disk has room and that the file may be written; it is only a cache",
        )

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_TABLE)
        return connection
