"""Where a peer says what happens, for logs and watchers. Saying it never blocks and never fails."""

from __future__ import annotations

from typing import Protocol


class Events(Protocol):
    """A place to say things."""

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
        """Say that ``kind`` happened; ``text`` is for people, ``data`` (JSON) for programs."""
        ...
