"""The end of an endless stream. No decoding rules beyond UTF-8 and no limits of time enter here."""

from __future__ import annotations

from typing import Final

#: How much of each stream is kept, in bytes.
KEPT_BYTES: Final = 64 * 1024


class Tail:
    """Keeps the last ``KEPT_BYTES`` of what it is fed, in memory that does not grow with it."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        """Take ``data`` in and forget what is too old."""
        self._kept += data
        if len(self._kept) > 2 * KEPT_BYTES:
            del self._kept[:-KEPT_BYTES]

    def text(self) -> str:
        """Return what is kept; what is no UTF-8 reads as U+FFFD."""
        return bytes(self._kept[-KEPT_BYTES:]).decode(errors="replace")
