"""The high-water mark: how often the journal was written, kept in a second, tiny file.

SQLite drops everything behind the first damaged frame of its write-ahead log and says nothing, so
a flipped bit (or a database put back from an old copy) would silently lose acknowledged entries.
The mark is written, not synced, after each commit: it can lag behind the journal, never lead it,
so a journal that is behind its mark has lost something. Nothing but that number may enter here.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

_LAYOUT = struct.Struct("<QI")


class Mark:
    """The number in one file; opened once, rewritten in place."""

    def __init__(self, path: Path) -> None:
        """Open or create ``path``.

        Raises:
            OSError: it cannot be opened.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def read(self) -> int:
        """Return the number, or 0 where there is none or it is torn."""
        raw = os.pread(self._descriptor, _LAYOUT.size, 0)
        if len(raw) != _LAYOUT.size:
            return 0
        sequence, checksum = _LAYOUT.unpack(raw)
        return int(sequence) if zlib.crc32(raw[:8]) == checksum else 0

    def write(self, sequence: int) -> None:
        """Replace the number.

        Raises:
            OSError: it cannot be written.
        """
        checksum = zlib.crc32(sequence.to_bytes(8, "little"))
        os.pwrite(self._descriptor, _LAYOUT.pack(sequence, checksum), 0)

    def close(self) -> None:
        """Close the file; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
