"""A genome in memory: trees are dicts, commits have git's own ids. It is a fake peer's disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tars_peer.errors import CorruptError, RefusedError
from tars_peer.ledger.commit import commit_id
from tars_peer.model.noun import CommitId, TreeId

_COMMIT, _TREE = 1, 2
ARTIFACTS = Path("/artifacts")


def tree_id(files: Mapping[str, bytes]) -> TreeId:
    """Return the id of a tree with these files; not git's, but as unique."""
    return TreeId(hashlib.sha1(_tree_bytes(files), usedforsecurity=False).hexdigest())


def _tree_bytes(files: Mapping[str, bytes]) -> bytes:
    return json.dumps({path: content.hex() for path, content in sorted(files.items())}).encode()


@dataclass(slots=True)
class FakeWorktree:
    """Implements ``ports.worktree.Worktree``; ``fuse`` is called before and after each write."""

    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)
    commits: dict[str, bytes] = field(default_factory=dict)
    branch: str = ""
    made: list[str] = field(default_factory=list)
    fuse: Callable[[], None] = lambda: None

    def begin(self, files: Mapping[str, bytes]) -> tuple[CommitId, TreeId]:
        """Make the first commit, of ``files``; the same everywhere."""
        tree = self._add(files)
        content = f"tree {tree}\nauthor a <a> 0 +0000\n\nbegin\n".encode()
        self.branch = commit_id(content)
        self.commits[self.branch] = content
        return CommitId(self.branch), tree

    def files(self, tree: TreeId) -> Mapping[str, bytes]:
        """Return the files of ``tree``."""
        if tree not in self.trees:
            raise CorruptError(f"tree {tree} is missing", hint="the test says so")
        return dict(self.trees[tree])

    def tree_with(self, tree: TreeId, files: Mapping[str, bytes]) -> TreeId:
        """Keep ``tree`` with other files."""
        whole = dict(self.files(tree))
        for path in files:
            if path not in whole:
                raise RefusedError(f"the base has no file {path}")
        return self._add(whole | dict(files))

    def commit(self, content: bytes) -> CommitId:
        """Keep the commit and make it the head."""
        self.fuse()
        fields = self._fields(content)
        self.files(TreeId(fields["tree"]))
        if fields.get("parent", "") not in self.commits:
            raise CorruptError("the parent is missing", hint="the test says so")
        commit = commit_id(content)
        self.commits[commit] = content
        self.fuse()
        self.branch = commit
        self.fuse()
        return CommitId(commit)

    def point(self, commit: CommitId) -> None:
        """Make ``commit`` the head."""
        self.tree_of(commit)
        self.branch = commit

    def has(self, commit: CommitId) -> bool:
        """Say whether the commit and its tree are here."""
        return commit in self.commits and self._fields(self.commits[commit])["tree"] in self.trees

    def head(self) -> CommitId:
        """Return the head."""
        return CommitId(self.branch)

    def tree_of(self, commit: CommitId) -> TreeId:
        """Return the tree of ``commit``."""
        if commit not in self.commits:
            raise CorruptError(f"commit {commit} is missing", hint="the test says so")
        return TreeId(self._fields(self.commits[commit])["tree"])

    def artifact(self, tree: TreeId) -> Path:
        """Return the folder that would hold ``tree``."""
        self.files(tree)
        self.made.append(tree)
        return ARTIFACTS / tree

    def discard(self, keep: Iterable[TreeId], *, unused_s: float = 0.0) -> None:
        """Forget all artifacts but these; no time passes here, so all are unused."""
        del unused_s
        kept = set(keep)
        self.made = [tree for tree in self.made if tree in kept]

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        """Yield everything that ``want`` reaches; ``have`` saves nothing here."""
        if want not in self.commits:
            raise CorruptError(f"commit {want} is missing", hint="the test says so")
        commit: str | None = want
        while commit:
            content = self.commits[commit]
            fields = self._fields(content)
            yield _TREE, _tree_bytes(self.trees[fields["tree"]])
            yield _COMMIT, content
            commit = fields.get("parent")

    def store(self, objects: Iterable[tuple[int, bytes]]) -> int:
        """Keep what ``objects`` yielded elsewhere."""
        count = 0
        for kind, content in objects:
            self.fuse()
            if kind == _COMMIT:
                self.commits[commit_id(content)] = content
            else:
                files = json.loads(content)
                self._add({path: bytes.fromhex(text) for path, text in files.items()})
            count += 1
        return count

    def diff(self, old: CommitId, new: CommitId) -> str:
        """Say what differs."""
        return self.diff_trees(old, self.tree_of(new))

    def diff_trees(self, old: CommitId | str, new: TreeId | str) -> str:
        """Say what differs."""
        before, after = self.files(self.tree_of(CommitId(old))), self.files(TreeId(new))
        changed = (
            path for path in sorted({*before, *after}) if before.get(path) != after.get(path)
        )
        return "".join(f"{path} differs\n" for path in changed)

    def _add(self, files: Mapping[str, bytes]) -> TreeId:
        tree = tree_id(files)
        self.trees[tree] = dict(files)
        return tree

    @staticmethod
    def _fields(content: bytes) -> dict[str, str]:
        lines = content.decode().split("\n\n", 1)[0].splitlines()
        return dict(line.split(" ", 1) for line in lines if line.startswith(("tree", "parent")))
