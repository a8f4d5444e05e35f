"""A runtime that runs nothing: a tree is live when it is said to be. No process may start here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tars_peer.model.noun import TreeId
from tars_peer.ports.runtime import Running


@dataclass(slots=True)
class FakeRuntime:
    """Implements ``ports.runtime.Runtime``; its fields are the disk, so a restart keeps them.

    ``unhealthy`` maps trees to why they do not become healthy here; ``ill`` is one that was
    healthy once and is not any more. ``on_switch`` is called as a switch begins; ``fuse`` before
    and after what is live moves. ``switched`` lists every try.
    """

    tree: str | None = None
    unhealthy: dict[str, str] = field(default_factory=dict)
    ill: bool = False
    verdicts: dict[str, str] = field(default_factory=dict)
    switched: list[str] = field(default_factory=list)
    on_switch: Callable[[str], None] = lambda _tree: None
    fuse: Callable[[], None] = lambda: None
    closed: bool = False

    def running(self) -> Running | None:
        """Return what is live."""
        if self.tree is None:
            return None
        return Running(tree=TreeId(self.tree), healthy=not self.ill, url="")

    def switch(self, tree: TreeId, artifact: Path) -> str:
        """Make ``tree`` live, unless it is one of the unhealthy ones."""
        if artifact.name != tree:
            raise AssertionError(f"{artifact} is not the artifact of {tree}")
        self.switched.append(tree)
        self.on_switch(tree)
        self.fuse()
        reason = self.unhealthy.get(tree, "")
        self.verdicts[tree] = reason
        if not reason:
            self.tree, self.ill = tree, False
        self.fuse()
        return reason

    def verdict(self, tree: TreeId) -> str | None:
        """Return how the last switch to ``tree`` went."""
        return self.verdicts.get(tree)

    def close(self) -> None:
        """Note it."""
        self.closed = True
