"""A peer's copy of the genome: equal commits from equal bytes, and damage is said, not guessed."""

from __future__ import annotations

import os

import pygit2
import pytest

from tars_peer.adapters.git.worktree import BRANCH, GitWorktree, clone, empty
from tars_peer.errors import CorruptError, RefusedError, UsageError
from tars_peer.ledger.commit import commit_content, commit_id
from tars_peer.model.noun import CommitId, TreeId
from tests.unit.adapters.git.repositories import (
    FILES,
    LINK,
    SCRIPT,
    cloned,
    commit_all,
    content_on,
    emptied,
    make_genome,
    object_file,
)

MISSING = "e" * 40


@pytest.fixture
def first(tmp_path) -> CommitId:
    return make_genome(tmp_path / "genome")


@pytest.fixture
def worktree(tmp_path, first) -> GitWorktree:
    return cloned(tmp_path / "genome", tmp_path / "p1", first)


def test_a_clone_has_the_genome_at_its_commit(worktree, first):
    assert worktree.head() == first
    assert worktree.has(first)
    files = worktree.files(worktree.tree_of(first))
    assert files == {**FILES, SCRIPT: b"#!/bin/sh\n"}


@pytest.mark.usefixtures("worktree")
@pytest.mark.parametrize("lock", ["refs/heads/tars.lock", "config.lock", "HEAD.lock"])
def test_a_lock_left_by_a_killed_process_stops_nobody(tmp_path, first, lock):
    (tmp_path / "p1" / "genome.git" / lock).touch()
    again = GitWorktree(tmp_path / "p1" / "genome.git", tmp_path / "p1" / "artifacts")
    again.point(first)
    assert again.head() == first


def test_a_clone_may_begin_at_an_older_or_a_detached_commit(tmp_path, first):
    repository = pygit2.Repository(str(tmp_path / "genome"))
    (tmp_path / "genome" / "README.md").write_text("later")
    later = commit_all(repository, "later\n")
    repository.set_head(pygit2.Oid(hex=later))
    repository.branches["main"].set_target(pygit2.Oid(hex=first))
    assert cloned(tmp_path / "genome", tmp_path / "old", first).head() == first
    assert cloned(tmp_path / "genome", tmp_path / "new", later).has(later)


def test_a_clone_of_what_is_not_there_is_refused_and_leaves_nothing(tmp_path, first):
    with pytest.raises(UsageError, match="cannot be cloned"):
        clone(tmp_path / "nowhere", tmp_path / "a.git", first)
    with pytest.raises(UsageError, match=f"cannot be cloned at {MISSING}"):
        clone(tmp_path / "genome", tmp_path / "b.git", CommitId(MISSING))
    assert not (tmp_path / "a.git").exists()
    assert not (tmp_path / "b.git").exists()
    (tmp_path / ".making-c.git").mkdir()
    clone(tmp_path / "genome", tmp_path / "c.git", first)


def test_a_damaged_copy_inside_another_repository_is_never_taken_for_that_one(tmp_path, first):
    inside = tmp_path / "genome" / ".tars" / "genome.git"
    inside.parent.mkdir()
    clone(tmp_path / "genome", inside, first)
    (inside / "HEAD").unlink()
    with pytest.raises(CorruptError, match="no git repository in"):
        GitWorktree(inside, tmp_path / "artifacts")
    assert BRANCH not in pygit2.Repository(str(tmp_path / "genome")).references


def test_the_same_bytes_make_the_same_commit_in_two_repositories(tmp_path, worktree, first):
    other = cloned(tmp_path / "genome", tmp_path / "p2", first)
    content, tree = content_on(worktree, first, orchard__deep__trees=b"x = 2\n")
    again, _ = content_on(other, first, orchard__deep__trees=b"x = 2\n")
    assert again == content
    commits = {each.commit(content) for each in (worktree, other)}
    assert commits == {commit_id(content)}
    assert worktree.commit(content) == worktree.head()
    assert worktree.tree_of(worktree.head()) == tree
    assert worktree.files(tree)["orchard/deep/trees.py"] == b"x = 2\n"


def test_a_new_tree_keeps_modes_links_and_everything_else(worktree, first):
    old = worktree.tree_of(first)
    new = worktree.tree_with(old, {SCRIPT: b"#!/bin/sh\nexit 1\n"})
    assert new != old
    artifact = worktree.artifact(new)
    assert os.access(artifact / SCRIPT, os.X_OK)
    assert (artifact / LINK).readlink().as_posix() == "orchard/deep/trees.py"
    assert worktree.tree_with(new, {SCRIPT: b"#!/bin/sh\n"}) == old


def test_a_path_that_the_base_does_not_have_is_refused(worktree, first):
    with pytest.raises(RefusedError, match=r"no file new\.py"):
        worktree.tree_with(worktree.tree_of(first), {"new.py": b""})


def test_an_artifact_is_the_tree_with_modes_and_links_and_is_made_once(worktree, first):
    tree = worktree.tree_of(first)
    artifact = worktree.artifact(tree)
    assert artifact.name == tree
    assert {path: (artifact / path).read_bytes() for path in FILES} == FILES
    assert os.access(artifact / SCRIPT, os.X_OK)
    assert not os.access(artifact / "README.md", os.X_OK)
    assert (artifact / LINK).is_symlink()
    inode = artifact.stat().st_ino
    assert worktree.artifact(tree).stat().st_ino == inode


@pytest.mark.parametrize("harm", ["changed", "deleted", "link changed", "link became a file"])
def test_an_artifact_that_was_tampered_with_is_made_again_at_the_next_start(
    worktree, first, tmp_path, harm
):
    tree = worktree.tree_of(first)
    artifact = worktree.artifact(tree)
    victim = artifact / (LINK if "link" in harm else "orchard/deep/trees.py")
    content = victim.read_bytes()
    victim.unlink()
    if harm == "changed":
        victim.write_bytes(b"x = 666\n")
    elif harm == "link changed":
        victim.symlink_to("/etc/passwd")
    elif harm == "link became a file":
        victim.write_bytes(content)
    again = GitWorktree(tmp_path / "p1" / "genome.git", tmp_path / "p1" / "artifacts")
    assert (again.artifact(tree) / "orchard/deep/trees.py").read_bytes() == b"x = 1\n"
    assert (artifact / LINK).readlink().as_posix() == "orchard/deep/trees.py"


def test_an_artifact_that_was_left_half_made_is_made_whole(worktree, first, tmp_path):
    tree = worktree.tree_of(first)
    artifacts = tmp_path / "p1" / "artifacts"
    half = artifacts / f".making-{tree}-{os.getpid()}"
    half.mkdir()
    (half / "left.py").write_text("")
    artifact = worktree.artifact(tree)
    assert not (artifact / "left.py").exists()
    assert [path.name for path in artifacts.iterdir()] == [tree]


def test_an_artifact_that_vanished_while_running_is_made_again(worktree, first):
    tree = worktree.tree_of(first)
    worktree.artifact(tree).rename(worktree.artifact(tree).with_name("away"))
    assert (worktree.artifact(tree) / "README.md").read_bytes() == FILES["README.md"]


def test_discarding_keeps_what_is_named(worktree, first):
    old = worktree.tree_of(first)
    new = worktree.tree_with(old, {"README.md": b"new\n"})
    kept, gone = worktree.artifact(old), worktree.artifact(new)
    worktree.discard([old])
    assert kept.exists()
    assert not gone.exists()
    assert (worktree.artifact(new) / "README.md").read_bytes() == b"new\n"


def test_discarding_spares_what_was_asked_for_lately_and_takes_what_lies_beside(worktree, first):
    old = worktree.tree_of(first)
    new = worktree.tree_with(old, {"README.md": b"new\n"})
    kept, gone = worktree.artifact(old), worktree.artifact(new)
    marks = [folder.with_name(f".{folder.name}.built") for folder in (kept, gone)]
    for mark in marks:
        mark.write_text("")
    worktree.discard([], unused_s=60)
    assert kept.exists()
    assert gone.exists()
    worktree.discard([old])
    assert [mark.exists() for mark in marks] == [True, False]


def test_an_empty_repository_is_filled_from_another(tmp_path, worktree, first):
    content, tree = content_on(worktree, first, orchard__deep__trees=b"x = 2\n")
    head = worktree.commit(content)
    poor = emptied(tmp_path / "p2")
    assert not poor.has(head)
    assert poor.head() == ""
    count = poor.store(worktree.objects(head, None))
    assert count == len(list(worktree.objects(head, None)))
    assert poor.has(head)
    assert poor.has(first)
    poor.point(head)
    assert poor.head() == head
    assert poor.files(tree) == worktree.files(tree)


def test_only_what_the_other_lacks_is_sent(worktree, first):
    content, _ = content_on(worktree, first, orchard__deep__trees=b"x = 2\n")
    head = worktree.commit(content)
    everything = list(worktree.objects(head, None))
    lacking = list(worktree.objects(head, first))
    assert len(lacking) == 5  # commit, three trees, one blob
    assert len(everything) > len(lacking)
    assert {kind for kind, _ in lacking} == {1, 2, 3}
    assert list(worktree.objects(head, head)) == []


@pytest.mark.parametrize("have", [MISSING, "nonsense", ""])
def test_a_have_that_is_not_here_counts_for_nothing(worktree, first, have):
    everything = list(worktree.objects(first, None))
    assert list(worktree.objects(first, CommitId(have))) == everything


@pytest.mark.parametrize("want", [MISSING, "nonsense", "", "a" * 50])
def test_what_is_not_here_is_said(worktree, want):
    assert not worktree.has(CommitId(want))
    for call in (
        lambda: list(worktree.objects(CommitId(want), None)),
        lambda: worktree.files(TreeId(want)),
        lambda: worktree.tree_with(TreeId(want), {}),
        lambda: worktree.tree_of(CommitId(want)),
        lambda: worktree.point(CommitId(want)),
        lambda: worktree.artifact(TreeId(want)),
        lambda: worktree.diff(CommitId(want), CommitId(want)),
    ):
        with pytest.raises(CorruptError) as caught:
            call()
        assert "tars evolve sync" in caught.value.hint


def test_a_commit_is_no_tree_and_a_tree_no_commit(worktree, first):
    with pytest.raises(CorruptError, match="is missing"):
        worktree.files(TreeId(first))
    assert not worktree.has(CommitId(worktree.tree_of(first)))


@pytest.mark.parametrize("field", ["tree", "parent"])
def test_a_commit_whose_tree_or_parent_is_missing_is_not_made(worktree, first, field):
    ids = {"tree": worktree.tree_of(first), "parent": first, field: MISSING}
    content = commit_content(**ids, time_ms=0, message="x")
    with pytest.raises(CorruptError, match=f"{MISSING} is missing"):
        worktree.commit(content)
    assert worktree.head() == first


@pytest.mark.parametrize("harm", ["lost", "damaged", "empty"])
def test_a_lost_or_damaged_object_is_said_and_can_be_fetched(tmp_path, worktree, first, harm):
    content, tree = content_on(worktree, first, orchard__deep__trees=b"x = 2\n")
    head = worktree.commit(content)
    blob = pygit2.hash(b"x = 2\n")
    sound = emptied(tmp_path / "p2")
    sound.store(worktree.objects(head, None))
    file = object_file(tmp_path / "p1", str(blob))
    file.chmod(0o644)
    file.unlink()
    if harm != "lost":
        file.write_bytes(b"garbage" if harm == "damaged" else b"")
    hurt = GitWorktree(tmp_path / "p1" / "genome.git", tmp_path / "p1" / "artifacts")
    assert not hurt.has(head)
    with pytest.raises(CorruptError):
        hurt.files(tree)
    with pytest.raises(CorruptError):
        hurt.artifact(tree)
    assert not (tmp_path / "p1" / "artifacts" / tree).exists()
    hurt.store(sound.objects(head, None))
    assert hurt.files(tree)["orchard/deep/trees.py"] == b"x = 2\n"
    assert hurt.has(head)


def test_what_was_torn_by_a_loss_of_power_is_put_right_by_making_it_again(
    tmp_path, worktree, first
):
    content, tree = content_on(worktree, first, orchard__deep__trees=b"x = 2\n")
    head = worktree.commit(content)
    for oid in (str(pygit2.hash(b"x = 2\n")), head):
        file = object_file(tmp_path / "p1", oid)
        file.chmod(0o644)
        file.write_bytes(b"")
    again = GitWorktree(tmp_path / "p1" / "genome.git", tmp_path / "p1" / "artifacts")
    assert not again.has(head)
    assert content_on(again, first, orchard__deep__trees=b"x = 2\n") == (content, tree)
    assert again.commit(content) == head
    assert again.has(head)


def test_objects_are_flushed_to_the_disk(tmp_path, worktree):
    config = pygit2.Repository(str(tmp_path / "p1" / "genome.git")).config
    assert config.get_bool("core.fsyncObjectFiles")
    assert worktree.head()


@pytest.mark.parametrize("kind", [0, 9, -2, 7])
def test_an_offered_object_of_no_kind_is_refused(worktree, kind):
    with pytest.raises(CorruptError):
        worktree.store([(kind, b"x")])


def test_an_offered_object_that_is_too_large_is_refused(worktree):
    with pytest.raises(CorruptError, match="67108865 bytes was offered"):
        worktree.store([(3, bytes(64 * 1024 * 1024 + 1))])


def test_garbage_that_is_offered_does_not_make_a_commit_be_here(tmp_path):
    poor = emptied(tmp_path / "p2")
    junk = b"tree nonsense\n\n"
    poor.store([(1, junk)])
    assert not poor.has(commit_id(junk))


def test_diffs_are_unified(worktree, first):
    content, tree = content_on(worktree, first, orchard__deep__trees=b"x = 2\n")
    head = worktree.commit(content)
    diff = worktree.diff(first, head)
    assert "--- a/orchard/deep/trees.py" in diff
    assert "-x = 1\n+x = 2\n" in diff
    assert worktree.diff_trees(first, tree) == diff
    assert worktree.diff(head, head) == ""


def test_an_empty_repository_has_no_head(tmp_path):
    empty(tmp_path / "a.git")
    assert GitWorktree(tmp_path / "a.git", tmp_path / "artifacts").head() == ""
