"""The peer's own secrets and its genome repository, made at its first start."""

from __future__ import annotations

import shutil
from pathlib import Path

from tars_peer.adapters.git.worktree import GitWorktree, clone, empty
from tars_peer.config.home import ClusterHome
from tars_peer.errors import CorruptError, TarsError, UsageError
from tars_peer.ledger.signature import public_key
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId
from tars_peer.ports.voters import Voters

KEY_FILE = "ballot.key"
_KEY_BYTES = 32


def read_key(folder: Path, expected: str) -> bytes:
    """Return the private ballot key in ``folder``, whose public half must be ``expected`` (hex).

    Raises:
        CorruptError: it is missing, damaged or another peer's.
    """
    hint = "restore the peer's folder from a backup, or make the peer anew"
    try:
        key = (folder / KEY_FILE).read_bytes()
    except OSError as error:
        raise CorruptError(f"no ballot key in {folder}: {error}", hint=hint) from error
    if len(key) != _KEY_BYTES or public_key(key) != expected:
        raise CorruptError(f"the ballot key in {folder} is not this peer's", hint=hint)
    return key


def open_worktree(
    home: ClusterHome, me: str, members: tuple[Member, ...], voters: Voters
) -> GitWorktree:
    """Return the peer's copy of the genome: as it is, cloned, or fetched from another peer.

    Raises:
        UsageError: the genome is neither where it was given nor on another peer.
    """
    folder = home.folder(me)
    repository = folder / "genome.git"
    if not repository.exists():
        try:
            clone(home.genome_folder, repository, home.commit)
        except UsageError:
            empty(repository)
    try:
        worktree = GitWorktree(repository, folder / "artifacts")
    except CorruptError:
        damaged = repository.with_name("genome.git.damaged")
        shutil.rmtree(damaged, ignore_errors=True)
        repository.rename(damaged)
        empty(repository)
        worktree = GitWorktree(repository, folder / "artifacts")
    if not worktree.has(home.commit):
        _fetch(worktree, home.commit, me, members, voters)
    return worktree


def _fetch(
    worktree: GitWorktree, commit: CommitId, me: str, members: tuple[Member, ...], voters: Voters
) -> None:
    reasons = []
    for member in members:
        if member.id == me:
            continue
        try:
            worktree.store(voters.fetch(member, commit, CommitId("")))
        except TarsError as error:
            reasons.append(f"{member.id}: {error}")
            continue
        if worktree.has(commit):
            return
    raise UsageError(
        f"the genome's first commit {commit[:12]} is nowhere to be had ({'; '.join(reasons)})",
        hint="put the genome back where it was given, or start a peer that has it",
    )
