"""Real git repositories made from a few files. No test may enter here."""

from __future__ import annotations

from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType

from tars_peer.adapters.git.worktree import GitWorktree, clone, empty
from tars_peer.ledger.commit import commit_content
from tars_peer.model.noun import CommitId, TreeId

SOMEBODY = pygit2.Signature("Ann", "ann@example.org", 1_700_000_000, 60)
FILES = {
    "README.md": b"a genome\n",
    "orchard/__init__.py": b"",
    "orchard/deep/trees.py": b"x = 1\n",
    "name with space.txt": "gr\u00fcn\n".encode(),
    "data.bin": bytes(range(256)),
}
SCRIPT = "run.sh"
LINK = "latest"


def make_genome(folder: Path) -> CommitId:
    """Make a repository with FILES, an executable and a link; return its first commit."""
    for path, content in FILES.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (folder / SCRIPT).write_bytes(b"#!/bin/sh\n")
    (folder / SCRIPT).chmod(0o755)
    (folder / LINK).symlink_to("orchard/deep/trees.py")
    repository = pygit2.init_repository(str(folder), initial_head="main")
    return commit_all(repository)


def commit_all(repository: pygit2.Repository, message: str = "begin\n") -> CommitId:
    """Commit everything in the work tree."""
    repository.index.add_all()
    repository.index.write()
    tree = repository.index.write_tree()
    parents = [] if repository.head_is_unborn else [repository.head.target]
    commit = repository.create_commit("HEAD", SOMEBODY, SOMEBODY, message, tree, parents)
    return CommitId(str(commit))


def cloned(genome: Path, place: Path, commit: CommitId) -> GitWorktree:
    """Return a peer's copy of ``genome`` below ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    clone(genome, place / "genome.git", commit)
    return GitWorktree(place / "genome.git", place / "artifacts")


def emptied(place: Path) -> GitWorktree:
    """Return a peer's copy that has nothing yet."""
    place.mkdir(parents=True, exist_ok=True)
    empty(place / "genome.git")
    return GitWorktree(place / "genome.git", place / "artifacts")


def content_on(worktree: GitWorktree, parent: CommitId, **files: bytes) -> tuple[bytes, TreeId]:
    """Return the commit object that changes ``files`` (``__`` stands for ``/``) on ``parent``."""
    changed = {path.replace("__", "/") + ".py": content for path, content in files.items()}
    tree = worktree.tree_with(worktree.tree_of(parent), changed)
    content = commit_content(
        tree=tree, parent=parent, time_ms=1_700_000_000_000, message="faster: trees"
    )
    return content, tree


def object_file(place: Path, oid: str) -> Path:
    """Return where the loose object ``oid`` is below ``place``."""
    return place / "genome.git" / "objects" / oid[:2] / oid[2:]


def tree_of(repository: pygit2.Repository, **entries: bytes) -> str:
    """Write a flat tree of files; return its id."""
    raw = b"".join(
        f"{FileMode.BLOB:o} {name}\0".encode() + bytes.fromhex(str(repository.create_blob(content)))
        for name, content in sorted(entries.items())
    )
    return str(repository.odb.write(ObjectType.TREE, raw))
