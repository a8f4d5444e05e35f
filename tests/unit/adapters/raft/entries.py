"""A log of terms alone, for tests of what only looks at it; fills ``guard.LogView``."""

from __future__ import annotations

from tars_peer.adapters.raft.journal_file import Entry


class Entries:
    """Entries from ``first_index`` on."""

    def __init__(self, entries: list[Entry], first_index: int = 1) -> None:
        """Look at ``entries``."""
        self._entries = entries
        self.first_index = first_index

    @classmethod
    def of(cls, *terms: int, first_index: int = 1) -> Entries:
        """Make one entry of each term."""
        numbered = enumerate(terms, start=first_index)
        return cls([(b"e", index, term) for index, term in numbered], first_index)

    def extend(self, *terms: int) -> None:
        """Add entries."""
        for term in terms:
            self._entries.append((b"e", self.last_index + 1, term))

    @property
    def last_index(self) -> int:
        """The index of the last entry."""
        return self.first_index + len(self._entries) - 1

    def term_at(self, index: int) -> int:
        """Return the term of an entry."""
        assert self.first_index <= index <= self.last_index, index
        return self._entries[index - self.first_index][2]
