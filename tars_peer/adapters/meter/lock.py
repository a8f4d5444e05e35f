"""One job at a time on one machine, so that peers that share it do not disturb each other.

Nothing but the lock may enter here.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MachineLock:
    """A lock between processes (``flock``) and between threads; re-entrant in its thread."""

    def __init__(self, path: Path) -> None:
        """Use the file at ``path``; it is made when it is first needed."""
        self._path = path
        self._mine = threading.RLock()
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the machine; wait as long as somebody else does."""
        with self._mine:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._depth = 1
                yield
            finally:
                self._depth = 0
                os.close(descriptor)
