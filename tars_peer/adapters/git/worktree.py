"""One peer's bare repository and the folders checked out from it, behind ``ports.worktree``.

Whatever is here follows from the log or can be fetched from another peer, so a missing or damaged
object is said (``CorruptError``) and never guessed at.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pygit2
from pygit2.enums import FileMode, ObjectType, RepositoryOpenFlag

from tars_peer.adapters.git.artifact import check_out, is_intact
from tars_peer.errors import CorruptError, RefusedError, UsageError
from tars_peer.model.noun import CommitId, TreeId

BRANCH = "refs/heads/tars"
_FLUSHED = "core.fsyncObjectFiles"
LARGEST_OBJECT_BYTES = 64 * 1024 * 1024


class GitWorktree:
    """Fills ``ports.worktree.Worktree``; safe to use from several threads."""

    def __init__(self, folder: Path, artifacts: Path) -> None:
        """Open the bare repository in ``folder``; trees are checked out below ``artifacts``.

        Raises:
            CorruptError: there is no repository.
        """
        try:
            # Never search above: a damaged copy inside somebody's own repository is not that one.
            self._repository = pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH)
        except pygit2.GitError as error:
            raise CorruptError(f"no git repository in {folder}: {error}") from error
        _unlock(folder)
        # Set before the first write: a commit that is reported must outlive a loss of power.
        self._repository.config[_FLUSHED] = True
        self._artifacts = artifacts
        self._lock = threading.RLock()
        self._checked: set[str] = set()
        #: When each artifact was last asked for, in seconds of the monotonic clock.
        self._asked_s: dict[TreeId, float] = {}
        artifacts.mkdir(parents=True, exist_ok=True)

    def files(self, tree: TreeId) -> Mapping[str, bytes]:
        """See ``ports.worktree``."""
        with self._reading():
            return dict(self._walk(self._tree(tree), ""))

    def tree_with(self, tree: TreeId, files: Mapping[str, bytes]) -> TreeId:
        """See ``ports.worktree``."""
        with self._reading():
            index = pygit2.Index()
            index.read_tree(self._tree(tree))
            for path, content in sorted(files.items()):
                if path not in index:
                    raise RefusedError(f"the base has no file {path}")
                blob = self._write(ObjectType.BLOB, content)
                index.add(pygit2.IndexEntry(path, blob, index[path].mode))
            return TreeId(str(index.write_tree(self._repository)))

    def commit(self, content: bytes) -> CommitId:
        """See ``ports.worktree``."""
        with self._reading():
            fields = dict(
                line.split(" ", 1)
                for line in content.decode().split("\n\n", 1)[0].splitlines()
                if line.startswith(("tree ", "parent "))
            )
            self._tree(fields["tree"])
            self._commit(fields["parent"])
            oid = self._write(ObjectType.COMMIT, content)
            self._repository.references.create(BRANCH, oid, force=True)
            return CommitId(str(oid))

    def point(self, commit: CommitId) -> None:
        """See ``ports.worktree``."""
        with self._reading():
            self._repository.references.create(BRANCH, self._commit(commit).id, force=True)

    def has(self, commit: CommitId) -> bool:
        """See ``ports.worktree``; the history before the commit is not looked into."""
        with self._lock:
            if commit in self._checked:
                return True
            try:
                with self._reading():
                    tree = self._commit(commit).tree
                    whole = all(entry in self._repository for entry in self._entries(tree))
            except CorruptError:
                return False
            if whole:
                self._checked.add(commit)
            return whole

    def head(self) -> CommitId:
        """See ``ports.worktree``."""
        with self._lock:
            reference = self._repository.references.get(BRANCH)
            return CommitId(str(reference.target) if reference else "")

    def tree_of(self, commit: CommitId) -> TreeId:
        """See ``ports.worktree``."""
        with self._reading():
            return TreeId(str(self._commit(commit).tree_id))

    def artifact(self, tree: TreeId) -> Path:
        """See ``ports.worktree``; the first use in a process checks the folder against the tree."""
        folder = self._artifacts / tree
        with self._reading():
            files = None
            if tree not in self._checked:
                files = tuple(self._entries_of_files(self._tree(tree), ""))
                if folder.exists() and not is_intact(folder, files):
                    shutil.rmtree(folder)
            if not folder.exists():
                files = files or tuple(self._entries_of_files(self._tree(tree), ""))
                check_out(self._repository, files, folder)
            self._checked.add(tree)
            self._asked_s[tree] = time.monotonic()
            return folder

    def discard(self, keep: Iterable[TreeId], *, unused_s: float = 0.0) -> None:
        """See ``ports.worktree``."""
        kept = set(keep)
        with self._lock:
            used_since_s = time.monotonic() - unused_s
            kept |= {tree for tree, asked_s in self._asked_s.items() if asked_s > used_since_s}
            for place in self._artifacts.iterdir():
                # What lies beside a folder begins with a dot and its name.
                tree = TreeId(place.name.removeprefix(".").partition(".")[0])
                if tree in kept:
                    continue
                self._checked.discard(tree)
                self._asked_s.pop(tree, None)
                if place.is_dir():
                    shutil.rmtree(place, ignore_errors=True)
                else:
                    place.unlink(missing_ok=True)

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        """See ``ports.worktree``."""
        with self._reading():
            commits = self._repository.walk(self._commit(want).id)
            seen: set[str] = set()
            if have is not None and self.has(have):
                commits.hide(pygit2.Oid(hex=have))
                seen = {str(oid) for oid in self._entries(self._commit(have).tree)}
            wanted: list[pygit2.Oid] = []
            for commit in commits:
                for oid in (*self._entries(commit.tree), commit.id):
                    if str(oid) not in seen:
                        seen.add(str(oid))
                        wanted.append(oid)
        for oid in wanted:
            with self._reading():
                kind, content = self._repository.odb.read(oid)
            yield int(kind), content

    def store(self, objects: Iterable[tuple[int, bytes]]) -> int:
        """See ``ports.worktree``."""
        count = 0
        for kind, content in objects:
            if len(content) > LARGEST_OBJECT_BYTES:
                raise CorruptError(f"an object of {len(content)} bytes was offered")
            with self._reading():
                self._write(ObjectType(kind), content)
            count += 1
        return count

    def diff(self, old: CommitId, new: CommitId) -> str:
        """See ``ports.worktree``."""
        with self._reading():
            patch = self._repository.diff(self._commit(old), self._commit(new)).patch
            return patch or ""

    def diff_trees(self, old: CommitId | str, new: TreeId | str) -> str:
        """See ``ports.worktree``."""
        with self._reading():
            patch = self._commit(old).tree.diff_to_tree(self._tree(new)).patch
            return patch or ""

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Hold the repository; whatever libgit2 finds wrong with it is said in our own words."""
        with self._lock:
            try:
                yield
            except (pygit2.GitError, KeyError, ValueError) as error:
                raise CorruptError(
                    f"the genome's repository: {error}", hint="run `tars evolve sync`"
                ) from error

    def _write(self, kind: ObjectType, content: bytes) -> pygit2.Oid:
        """Store an object; one that is here but cannot be read is put right."""
        oid = self._repository.odb.write(kind, content)
        try:
            self._repository.odb.read(oid)
        except pygit2.GitError:
            # libgit2 writes nothing where a file of that name is, be it empty or torn.
            name = str(oid)
            place = Path(self._repository.path, "objects", name[:2], name[2:])
            place.unlink(missing_ok=True)
            self._repository.odb.write(kind, content)
        return oid

    def _tree(self, tree: str) -> pygit2.Tree:
        found = self._repository.get(tree)
        if not isinstance(found, pygit2.Tree):
            raise CorruptError(f"tree {tree} is missing", hint="run `tars evolve sync`")
        return found

    def _commit(self, commit: str) -> pygit2.Commit:
        found = self._repository.get(commit)
        if not isinstance(found, pygit2.Commit):
            raise CorruptError(f"commit {commit} is missing", hint="run `tars evolve sync`")
        return found

    def _walk(self, tree: pygit2.Tree, prefix: str) -> Iterator[tuple[str, bytes]]:
        for path, oid, mode in self._entries_of_files(tree, prefix):
            if mode != FileMode.LINK:
                yield path, self._repository.odb.read(oid)[1]

    def _entries_of_files(
        self, tree: pygit2.Tree, prefix: str
    ) -> Iterator[tuple[str, pygit2.Oid, int]]:
        for entry in tree:
            mode = int(entry.filemode)
            if mode == FileMode.TREE:
                yield from self._entries_of_files(
                    self._tree(str(entry.id)), f"{prefix}{entry.name}/"
                )
            elif mode != FileMode.COMMIT:
                yield f"{prefix}{entry.name}", entry.id, mode

    def _entries(self, tree: pygit2.Tree) -> Iterator[pygit2.Oid]:
        yield tree.id
        for entry in tree:
            if int(entry.filemode) == FileMode.TREE:
                yield from self._entries(self._tree(str(entry.id)))
            elif int(entry.filemode) != FileMode.COMMIT:
                yield entry.id


def _unlock(folder: Path) -> None:
    """Remove the lock files that a process killed in the middle of a write left behind.

    Nobody else can hold one: a peer's repository belongs to one process at a time.
    """
    for lock in (*folder.glob("*.lock"), *(folder / "refs").rglob("*.lock")):
        lock.unlink(missing_ok=True)


def clone(source: Path, folder: Path, commit: CommitId) -> None:
    """Make the bare repository ``folder`` from ``source``, with its head at ``commit``.

    Made beside its place and moved there, so a crash leaves nothing half done.

    Raises:
        UsageError: ``source`` is no git repository or lacks the commit.
    """
    making = folder.with_name(f".making-{folder.name}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        repository = pygit2.clone_repository(str(source), str(making), bare=True)
        repository.references.create(BRANCH, pygit2.Oid(hex=commit), force=True)
    except (pygit2.GitError, ValueError, KeyError) as error:
        raise UsageError(f"{source} cannot be cloned at {commit}: {error}") from error
    making.rename(folder)


def empty(folder: Path) -> None:
    """Make an empty bare repository in ``folder``: its objects will be fetched from peers."""
    pygit2.init_repository(str(folder), bare=True)
