"""The genome as a git repository, and its trees as folders that code can run from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from tars_peer.model.noun import CommitId, TreeId


class Worktree(Protocol):
    """One peer's copy of the genome."""

    def files(self, tree: TreeId) -> Mapping[str, bytes]:
        """Return path → content of every file in ``tree`` (links and submodules left out).

        Raises:
            CorruptError: the repository lacks the tree or one of its objects.
        """
        ...

    def tree_with(self, tree: TreeId, files: Mapping[str, bytes]) -> TreeId:
        """Write ``tree`` with the content of ``files`` replaced; return the new tree's id.

        Modes are kept. The objects are stored, but no commit names them yet.

        Raises:
            CorruptError: the repository lacks the tree.
            RefusedError: a path is not in the tree.
        """
        ...

    def commit(self, content: bytes) -> CommitId:
        """Store the commit object ``content``, make it the head, and return its id; idempotent.

        Raises:
            CorruptError: its tree or parent is missing.
        """
        ...

    def point(self, commit: CommitId) -> None:
        """Make ``commit``, which is here, the head."""
        ...

    def has(self, commit: CommitId) -> bool:
        """Say whether ``commit`` and all that it reaches is here."""
        ...

    def head(self) -> CommitId:
        """Return the commit that the main branch names."""
        ...

    def tree_of(self, commit: CommitId) -> TreeId:
        """Return the tree of ``commit``.

        Raises:
            CorruptError: the commit is missing.
        """
        ...

    def artifact(self, tree: TreeId) -> Path:
        """Return a read-only-by-habit folder with ``tree`` checked out; made at most once.

        A crash in the middle leaves nothing that looks finished.

        Raises:
            CorruptError: the repository lacks the tree.
        """
        ...

    def discard(self, keep: Iterable[TreeId], *, unused_s: float = 0.0) -> None:
        """Remove the artifacts of all trees but ``keep`` and those asked for ``unused_s`` ago."""
        ...

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        """Yield ``(git object type, data)`` of all that ``want`` reaches and ``have`` does not.

        Raises:
            CorruptError: ``want`` is not here.
        """
        ...

    def store(self, objects: Iterable[tuple[int, bytes]]) -> int:
        """Write ``objects`` (their ids follow from their content); return how many there were."""
        ...

    def diff(self, old: CommitId, new: CommitId) -> str:
        """Return the unified diff from ``old`` to ``new``."""
        ...

    def diff_trees(self, old: CommitId | str, new: TreeId | str) -> str:
        """Return the unified diff from commit ``old`` to the tree ``new``, which may have none."""
        ...
