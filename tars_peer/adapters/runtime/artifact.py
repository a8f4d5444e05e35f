"""A genome that is no service: a generation is live when its artifact is the active one.

People and programs find it through the link ``active``; the probe stands for its traffic.
"""

from __future__ import annotations

from pathlib import Path

from tars_peer.adapters.runtime.pointer import Pointer
from tars_peer.model.noun import TreeId
from tars_peer.ports.runtime import Running


class ArtifactRuntime:
    """Fills ``ports.runtime.Runtime``; everything it keeps is in ``folder``."""

    def __init__(self, folder: Path) -> None:
        """Take up what was active when the peer ran last."""
        self._link = folder / "active"
        self._pointer = Pointer(folder / "active.json")

    def running(self) -> Running | None:
        """See ``ports.runtime``."""
        tree = self._pointer.tree
        return Running(tree=TreeId(tree), healthy=True, url="") if tree else None

    def switch(self, tree: TreeId, artifact: Path) -> str:
        """See ``ports.runtime``."""
        if not artifact.is_dir():
            verdict = f"its artifact {artifact.name} is not there"
            self._pointer.move(self._pointer.tree, tried=tree, verdict=verdict)
            return verdict
        making = self._link.with_name(".active.making")
        making.unlink(missing_ok=True)
        making.symlink_to(artifact, target_is_directory=True)
        making.replace(self._link)
        self._pointer.move(tree, tried=tree, verdict="")
        return ""

    def verdict(self, tree: TreeId) -> str | None:
        """See ``ports.runtime``."""
        return self._pointer.verdict(tree)

    def close(self) -> None:
        """Nothing runs between calls."""
