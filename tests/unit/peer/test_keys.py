"""A peer's key is its own or it does not start; its genome is cloned, repaired or fetched."""

from __future__ import annotations

import pytest

from tars_peer.adapters.git.worktree import GitWorktree
from tars_peer.adapters.identity.private_file import write_private
from tars_peer.errors import CorruptError, UsageError
from tars_peer.ledger.signature import public_key
from tars_peer.model.noun import TreeId
from tars_peer.peer.founding import members_of
from tars_peer.peer.keys import open_worktree, read_key
from tests.fakes.home import some_home
from tests.fakes.voters import FakeVoters
from tests.unit.adapters.git.repositories import cloned, make_genome

KEY = b"k" * 32


def test_our_own_key_is_read(tmp_path):
    write_private(tmp_path / "ballot.key", KEY)
    assert read_key(tmp_path, public_key(KEY)) == KEY


@pytest.mark.parametrize("content", [b"", b"k" * 31, b"k" * 33, b"j" * 32])
def test_another_key_is_refused(tmp_path, content):
    write_private(tmp_path / "ballot.key", content)
    with pytest.raises(CorruptError, match="is not this peer's") as caught:
        read_key(tmp_path, public_key(KEY))
    assert "backup" in caught.value.hint


def test_a_missing_key_is_said(tmp_path):
    with pytest.raises(CorruptError, match="no ballot key in"):
        read_key(tmp_path, public_key(KEY))


@pytest.fixture
def home(tmp_path):
    commit = make_genome(tmp_path / "genome")
    worktree = cloned(tmp_path / "genome", tmp_path / "elsewhere", commit)
    home = some_home(tmp_path, commit=commit, tree=TreeId(worktree.tree_of(commit)))
    home.folder("p1").mkdir(parents=True)
    return home


def opened(home, others=None) -> GitWorktree:
    """Open the copy of p1; others are repositories by peer."""
    voters = FakeVoters(repositories=others or {})
    return open_worktree(home, "p1", members_of(home), voters)


def test_the_first_start_clones_and_the_next_takes_what_is_there(home):
    assert opened(home).head() == home.commit
    (home.genome_folder).rename(home.path / "moved")
    assert opened(home).files(home.tree)


def test_a_genome_that_is_gone_is_fetched_from_another_peer(home, tmp_path):
    other = GitWorktree(tmp_path / "elsewhere" / "genome.git", tmp_path / "elsewhere" / "a")
    home.genome_folder.rename(home.path / "moved")
    worktree = opened(home, {"p2": other})
    assert worktree.has(home.commit)
    assert worktree.files(home.tree)


def test_a_damaged_copy_is_put_aside_and_fetched_anew_each_time(home, tmp_path):
    other = GitWorktree(tmp_path / "elsewhere" / "genome.git", tmp_path / "elsewhere" / "a")
    opened(home)
    for _ in range(2):
        (home.folder("p1") / "genome.git" / "HEAD").unlink()
        assert opened(home, {"p2": other}).has(home.commit)
    assert (home.folder("p1") / "genome.git.damaged").is_dir()


def test_a_genome_that_nobody_has_is_said_with_everybodys_reason(home):
    home.genome_folder.rename(home.path / "moved")
    with pytest.raises(UsageError, match=r"nowhere to be had \(p2: p2 has no") as caught:
        opened(home)
    assert "put the genome back" in caught.value.hint
