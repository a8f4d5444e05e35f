"""Lines to a file that is turned over before it grows too large; what the disk refuses is lost."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

#: A peer keeps the file it writes and this many older ones, each at most so large.
LARGEST_BYTES = 32 * 1024 * 1024
OLDER_FILES = 2


class RotatingLines(logging.handlers.RotatingFileHandler):
    """A logger for structlog: ``info`` takes a finished line."""

    def __init__(self, path: Path, *, largest_bytes: int = LARGEST_BYTES) -> None:
        """Append to ``path``; older lines are in ``path`` with ``.1``, ``.2`` behind it."""
        super().__init__(path, maxBytes=largest_bytes, backupCount=OLDER_FILES)

    def info(self, line: str) -> None:
        """Write one line, at once."""
        self.emit(logging.makeLogRecord({"msg": line}))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (logging's name)
        """Lose what cannot be written: a full disk must not stop whoever wants to say something."""
