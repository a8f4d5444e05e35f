"""What "live" means for this genome, behind one port.

Three adapters fill it: a service that the peer runs, the peer itself, or (with neither) an
artifact that is the active one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tars_peer.model.noun import TreeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs now: the tree, whether it is healthy, and how to reach it (``""``: not at all)."""

    tree: TreeId
    healthy: bool
    url: str


class Runtime(Protocol):
    """Runs one tree at a time and swaps trees."""

    def running(self) -> Running | None:
        """Return what runs now, or None where nothing does."""
        ...

    def switch(self, tree: TreeId, artifact: Path) -> str:
        """Make ``tree`` live; return ``""`` when it is healthy within its deadline.

        Otherwise the tree that ran before is put back and the reason is returned. A runtime that
        replaces this very process does not return from a switch; the next process learns from
        ``verdict`` how it went.
        """
        ...

    def verdict(self, tree: TreeId) -> str | None:
        """Return how the last switch to ``tree`` went (``""`` well, else why not), if ever."""
        ...

    def close(self) -> None:
        """Stop what runs."""
        ...
