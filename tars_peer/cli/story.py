"""What the events so far add up to, for ``cluster up``. No printing and no calls may enter here."""

from __future__ import annotations

from collections.abc import Iterable

from tars_peer.model.event import Event

_AT_WORK = frozenset({"analysis", "plan", "change"})
_OWN_WORD = frozenset({"commit", "switch"})
_ALL_SAY = frozenset({"leader"})


class Story:
    """What has happened since ``cluster up`` began."""

    def __init__(self, members: Iterable[str]) -> None:
        """Listen for ``members``."""
        self.members = frozenset(members)
        self.completed: list[int] = []
        self.refused_genome: Event | None = None
        self.head = 0
        self._decided: set[tuple[str, int, str]] = set()
        self._idle: dict[str, int] = {}
        self._rolling: set[int] = set()

    def hear(self, event: Event) -> None:
        """Take one more event into account."""
        generation = event.generation
        self.head = max(self.head, generation)
        if event.kind == "refused-genome":
            self.refused_genome = event
        elif event.kind == "decision":
            self._rolling.add(generation)
        elif event.kind == "complete":
            self._rolling = {number for number in self._rolling if number > generation}
            if generation not in self.completed:
                self.completed.append(generation)
        elif event.kind == "idle":
            self._idle[event.peer] = generation
        elif event.kind in _AT_WORK:
            self._idle.pop(event.peer, None)

    def is_news(self, event: Event) -> bool:
        """Say whether no other peer has said the same of the same log entry before.

        Every replica tells what an entry led to; only of its own commit is each one's word news.
        """
        if event.kind in _OWN_WORD or not (event.index or event.kind in _ALL_SAY):
            return True
        key = (event.kind, event.index, f"{event.text} {event.data}")
        known = key in self._decided
        self._decided.add(key)
        return not known

    def idle(self) -> frozenset[str]:
        """Return the peers that see nothing to gain on the head, while nothing is rolled out."""
        if any(number >= self.head for number in self._rolling):
            return frozenset()
        return frozenset(peer for peer, seen in self._idle.items() if seen >= self.head)
