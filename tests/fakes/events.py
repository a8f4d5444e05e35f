"""A place to say things that remembers them. Nothing may be decided from what was said."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said."""

    kind: str
    text: str
    generation: int
    index: int
    change_id: str
    data: dict[str, object]


@dataclass(slots=True)
class FakeEvents:
    """Implements ``ports.events.Events``; ``said`` keeps everything in order."""

    said: list[Said] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(
        self,
        kind: str,
        text: str,
        *,
        generation: int = 0,
        index: int = 0,
        change_id: str = "",
        **data: object,
    ) -> None:
        """Remember it."""
        with self._lock:
            self.said.append(Said(kind, text, generation, index, change_id, data))

    def texts(self, kind: str) -> list[str]:
        """Return what was said of ``kind``."""
        return [said.text for said in self.said if said.kind == kind]

    def of(self, kind: str) -> list[Said]:
        """Return everything of ``kind``."""
        return [said for said in self.said if said.kind == kind]
