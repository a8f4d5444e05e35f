"""What a peer remembers for itself between starts: a cache that can be dropped at any time."""

from __future__ import annotations

from typing import Protocol


class Store(Protocol):
    """Small values by kind and key. Losing all of it costs time, never correctness."""

    def get(self, kind: str, key: str) -> bytes | None:
        """Return the value, or None where there is none."""
        ...

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep the value; replaces an older one."""
        ...
