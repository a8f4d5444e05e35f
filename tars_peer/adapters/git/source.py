"""The folder that a person names as the genome: is it a clean git repository, and where is it?"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileStatus

from tars_peer.errors import UsageError
from tars_peer.model.noun import CommitId, TreeId

#: How many changed files a message lists.
_SHOWN = 5
_IGNORED = FileStatus.IGNORED | FileStatus.CURRENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A genome as it is given: where it is, and the commit that evolution begins from."""

    folder: Path
    commit: CommitId
    tree: TreeId


def inspect(folder: Path) -> Source:
    """Return the genome at ``folder``.

    Raises:
        UsageError: it is no git repository, has no commit, or has changes that are not committed.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}", hint="name a folder with --genome PATH")
    try:
        repository = pygit2.Repository(str(folder))
    except pygit2.GitError as error:
        raise UsageError(
            f"{folder} is not a git repository: {error}",
            hint=f"make it one: git -C {folder} init && git -C {folder} add . "
            f"&& git -C {folder} commit -m begin",
        ) from error
    if repository.workdir and Path(repository.workdir).resolve() != folder.resolve():
        raise UsageError(
            f"{folder} is inside the git repository {repository.workdir}, not one of its own",
            hint="name the repository's top folder",
        )
    if repository.head_is_unborn:
        raise UsageError(f"{folder} has no commit yet", hint=f"git -C {folder} commit first")
    if not repository.is_bare:
        dirty = sorted(path for path, flags in repository.status().items() if flags & ~_IGNORED)
        if dirty:
            raise UsageError(
                f"{folder} has changes that are not committed: {', '.join(dirty[:_SHOWN])}"
                + (f" and {len(dirty) - _SHOWN} more" if len(dirty) > _SHOWN else ""),
                hint="commit or stash them first",
            )
    commit = repository.head.peel(pygit2.Commit)
    return Source(folder=folder, commit=CommitId(str(commit.id)), tree=TreeId(str(commit.tree_id)))


def plant(example: Path, folder: Path, *, time_s: int) -> None:
    """Make the git repository ``folder`` from the plain files of ``example``; equal everywhere.

    Identity and time are fixed, so each machine gets the same first commit.
    """
    making = folder.with_name(f".making-{folder.name}")
    shutil.rmtree(making, ignore_errors=True)
    shutil.copytree(
        example, making, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*cache")
    )
    repository = pygit2.init_repository(str(making), initial_head="main")
    repository.index.add_all()
    repository.index.write()
    tree = repository.index.write_tree()
    someone = pygit2.Signature("TARS", "tars@tars.local", time_s, 0)
    repository.create_commit("HEAD", someone, someone, "Begin with the example\n", tree, [])
    making.rename(folder)
