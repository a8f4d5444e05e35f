"""The genome is TARS itself: the peer process is what is live, and its supervisor swaps it.

A switch is a note to the supervisor and the end of this process; how it went is read from the
supervisor's note by the process that comes next.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tars_peer.adapters.runtime.pointer import Pointer
from tars_peer.adapters.runtime.swap import Swap, write_swap
from tars_peer.model.noun import TreeId
from tars_peer.ports.runtime import Running


class SelfRuntime:
    """Fills ``ports.runtime.Runtime`` for ``--genome self``."""

    def __init__(
        self, folder: Path, *, python: Path, leave: Callable[[], None], tree: TreeId
    ) -> None:
        """``tree`` is what this process was started from; ``leave`` ends it for a swap."""
        self._folder = folder
        self._python = python
        self._leave = leave
        self._tree = tree

    def running(self) -> Running | None:
        """See ``ports.runtime``: this very process runs, so it is healthy."""
        return Running(tree=self._tree, healthy=True, url="")

    def switch(self, tree: TreeId, artifact: Path) -> str:
        """See ``ports.runtime``; ends this process."""
        write_swap(self._folder, Swap(tree=tree, artifact=str(artifact), python=str(self._python)))
        self._leave()
        return ""

    def verdict(self, tree: TreeId) -> str | None:
        """See ``ports.runtime``."""
        return Pointer(self._folder / "active.json").verdict(tree)

    def close(self) -> None:
        """Nothing but this process runs."""
