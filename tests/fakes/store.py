"""A memory in memory; it is the disk of a fake peer, so a restart keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class FakeStore:
    """Implements ``ports.store.Store``; ``fuse`` is called before and after each write."""

    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)
    fuse: Callable[[], None] = lambda: None

    def get(self, kind: str, key: str) -> bytes | None:
        """Return the value, if there is one."""
        return self.kept.get((kind, key))

    def put(self, kind: str, key: str, value: bytes) -> None:
        """Keep the value."""
        self.fuse()
        self.kept[kind, key] = value
        self.fuse()
