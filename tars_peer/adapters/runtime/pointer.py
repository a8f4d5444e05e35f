"""Which tree is live, as a small file that survives a crash: written beside its place and moved."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Pointer:
    """The live tree and how the last switch to each tree went."""

    def __init__(self, path: Path) -> None:
        """Read the file at ``path``; one that cannot be read counts as none."""
        self._path = path
        try:
            content = json.loads(path.read_bytes())
            self.tree: str | None = content["tree"]
            self._verdicts: dict[str, str] = dict(content["verdicts"])
        except (OSError, ValueError, KeyError, TypeError):
            self.tree = None
            self._verdicts = {}

    def verdict(self, tree: str) -> str | None:
        """Return how the last switch to ``tree`` went; None if there was none."""
        return self._verdicts.get(tree)

    def move(self, tree: str | None, *, tried: str, verdict: str) -> None:
        """Make ``tree`` the live one, and keep how the switch to ``tried`` went."""
        self._verdicts[tried] = verdict
        self.tree = tree
        making = self._path.with_name(f".{self._path.name}.making")
        with making.open("w") as file:
            json.dump({"tree": tree, "verdicts": self._verdicts}, file)
            file.flush()
            os.fsync(file.fileno())
        making.replace(self._path)
