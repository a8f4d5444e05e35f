"""What a person names as the genome: taken as it is, or refused with what to do next."""

from __future__ import annotations

import shutil

import pygit2
import pytest

from tars_peer.adapters.git.source import inspect, plant
from tars_peer.errors import UsageError
from tests.unit.adapters.git.repositories import commit_all, make_genome


@pytest.fixture
def genome(tmp_path):
    make_genome(tmp_path / "genome")
    return tmp_path / "genome"


def test_a_clean_repository_is_taken_with_its_head(genome):
    repository = pygit2.Repository(str(genome))
    source = inspect(genome)
    assert source.folder == genome
    assert source.commit == str(repository.head.target)
    assert source.tree == str(repository.head.peel(pygit2.Commit).tree_id)


def test_what_git_ignores_does_not_make_it_dirty(genome):
    (genome / ".gitignore").write_text("*.log\n")
    commit_all(pygit2.Repository(str(genome)), "ignore\n")
    (genome / "a.log").write_text("")
    assert inspect(genome).folder == genome


@pytest.mark.parametrize("how", ["changed", "untracked", "deleted", "staged", "in a new folder"])
def test_a_dirty_tree_is_refused_and_the_file_named(genome, how):
    place = genome / ("new.txt" if how in ("untracked", "staged") else "README.md")
    if how == "deleted":
        place.unlink()
    elif how == "in a new folder":
        place = genome / "new" / "one.txt"
        place.parent.mkdir()
        place.write_text("x")
    else:
        place.write_text("another text")
    if how == "staged":
        index = pygit2.Repository(str(genome)).index
        index.add("new.txt")
        index.write()
    named = "new" if how == "in a new folder" else place.name
    with pytest.raises(UsageError, match=rf"not committed: {named}") as caught:
        inspect(genome)
    assert "commit or stash" in caught.value.hint


def test_many_changed_files_are_counted(genome):
    for number in range(8):
        (genome / f"new{number}").write_text("")
    with pytest.raises(UsageError, match=r"new0, new1, new2, new3, new4 and 3 more"):
        inspect(genome)


def test_a_bare_repository_is_taken(genome, tmp_path):
    pygit2.clone_repository(str(genome), str(tmp_path / "bare.git"), bare=True)
    assert inspect(tmp_path / "bare.git").commit == inspect(genome).commit


def test_a_detached_head_is_taken(genome):
    repository = pygit2.Repository(str(genome))
    first = repository.head.target
    (genome / "README.md").write_text("more")
    commit_all(repository, "more\n")
    repository.checkout_tree(repository.get(first), strategy=pygit2.enums.CheckoutStrategy.FORCE)
    repository.set_head(first)
    assert inspect(genome).commit == str(first)


def test_no_folder(tmp_path):
    with pytest.raises(UsageError, match="no folder") as caught:
        inspect(tmp_path / "nowhere")
    assert "--genome" in caught.value.hint


def test_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no folder"):
        inspect(tmp_path / "file")


def test_no_repository(tmp_path):
    with pytest.raises(UsageError, match="is not a git repository") as caught:
        inspect(tmp_path)
    assert f"git -C {tmp_path} init" in caught.value.hint


def test_a_folder_inside_a_repository(genome):
    with pytest.raises(UsageError, match="is inside the git repository") as caught:
        inspect(genome / "orchard")
    assert "top folder" in caught.value.hint


def test_a_repository_without_a_commit(tmp_path):
    pygit2.init_repository(str(tmp_path))
    with pytest.raises(UsageError, match="has no commit yet"):
        inspect(tmp_path)


def test_planting_the_same_files_gives_the_same_commit(genome, tmp_path):
    example = tmp_path / "example"
    shutil.copytree(genome, example, ignore=shutil.ignore_patterns(".git"), symlinks=True)
    (example / "__pycache__").mkdir()
    (example / "__pycache__" / "a.pyc").write_bytes(b"\0")
    (example / ".pytest_cache").mkdir()
    plant(example, tmp_path / "one", time_s=1_750_000_000)
    (tmp_path / ".making-two").mkdir()  # of a start that was killed
    (tmp_path / ".making-two" / "half").write_text("")
    plant(example, tmp_path / "two", time_s=1_750_000_000)
    one, two = inspect(tmp_path / "one"), inspect(tmp_path / "two")
    assert (one.commit, one.tree) == (two.commit, two.tree)
    assert not (tmp_path / "two" / "half").exists()
    assert not (tmp_path / "two" / "__pycache__").exists()
    plant(example, tmp_path / "three", time_s=1_750_000_001)
    assert inspect(tmp_path / "three").commit != one.commit
