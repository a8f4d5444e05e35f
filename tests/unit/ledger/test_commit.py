"""The commit of a decision is, byte for byte and id for id, a commit of git's."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest

from tars_peer.ledger.commit import (
    change_message,
    commit_content,
    commit_id,
    rollback_message,
    times,
)
from tests.unit.ledger.members import ballot, begun, certificate, change_on, measured

PARENT = "0123456789abcdef0123456789abcdef01234567"

AWKWARD = {
    "plain": "Hoist a loop",
    "empty": "",
    "only newlines": "\n\n\n",
    "ends in newlines": "subject\n\nbody\n\n\n",
    "starts with newlines": "\n\nsubject",
    "looks like a header": "tree 1234\nparent 5678\n\nauthor x",
    "looks like a comment": "# subject\n# body",
    "multi-byte": "\u00e4\u20ac\U0001d538 \u202e right to left",
    "carriage returns": "one\r\ntwo\rthree",
    "control characters": "nul \x00 bell \x07 escape \x1b[31m delete \x7f tab \t.",
    "very long": "x" * 100_000,
    "line separators": "one\u2028two\x85three\x0bfour",
}


@pytest.fixture
def repository(tmp_path: Path) -> pygit2.Repository:
    return pygit2.init_repository(str(tmp_path / "genome"))


@pytest.fixture
def tree(repository: pygit2.Repository) -> str:
    return str(repository.TreeBuilder().write())


@pytest.fixture
def git_hash(repository: pygit2.Repository) -> Callable[[bytes], str]:
    """Ask git itself, which checks the object's form before it gives an id."""

    def ask(content: bytes) -> str:
        command = ["git", "-C", repository.workdir, "hash-object", "-t", "commit", "--stdin", "-w"]
        answer = subprocess.run(command, input=content, capture_output=True, check=False)
        assert not answer.stderr
        return answer.stdout.decode().strip()

    return ask


@pytest.mark.parametrize("message", AWKWARD.values(), ids=AWKWARD.keys())
def test_git_gives_the_same_id_to_an_awkward_message(
    message: str, tree: str, repository: pygit2.Repository, git_hash: Callable[[bytes], str]
) -> None:
    content = commit_content(tree=tree, parent=PARENT, time_ms=1_700_000_000_999, message=message)
    assert commit_id(content) == git_hash(content)
    written = str(repository.write(pygit2.enums.ObjectType.COMMIT, content))
    assert commit_id(content) == written
    commit = repository[written]
    assert isinstance(commit, pygit2.Commit)
    assert str(commit.tree_id) == tree
    assert [str(parent) for parent in commit.parent_ids] == [PARENT]
    assert (commit.commit_time, commit.commit_time_offset) == (1_700_000_000, 0)
    assert commit.author == commit.committer


@pytest.mark.parametrize("time_ms", [0, 999, 1_000, 2**31 * 1_000, 2**53 - 1])
def test_any_time_that_an_entry_can_hold_is_a_time_of_git(
    time_ms: int, tree: str, git_hash: Callable[[bytes], str]
) -> None:
    content = commit_content(tree=tree, parent=PARENT, time_ms=time_ms, message="x")
    assert commit_id(content) == git_hash(content)
    assert f" {time_ms // 1000} +0000\n".encode() in content


def test_readable_text_is_kept_as_it_is() -> None:
    message = "subject \u20ac\n\n\tbody\u2028\U0001d538"
    content = commit_content(tree=PARENT, parent=PARENT, time_ms=0, message=message)
    assert content.endswith(("\n\n" + message + "\n").encode())


def test_times_are_written_without_floats() -> None:
    assert [times(ppm) for ppm in (0, 999, 1_000, 999_999, 1_082_999, 12_000_000)] == [
        "0.000x",
        "0.000x",
        "0.001x",
        "0.999x",
        "1.082x",
        "12.000x",
    ]


def test_the_message_of_a_change_holds_its_evidence() -> None:
    change = change_on(begun(3).head, "sum")
    ballots = [ballot("p1", change), ballot("p3", change, measurement=measured(1_200_000))]
    proof = certificate(change, ballots)
    assert change_message(change, proof, number=4, index=17, ratio_ppm=1_100_000).splitlines() == [
        "hoist: orchard.py:sum",
        "",
        "make sum faster",
        "",
        "Generation: 4",
        "Raft-Index: 17",
        f"Change-Id: {proof.change_id}",
        "Measured: 1.100x",
        "Approved-by: p1 (1.100x over 12 pairs, 12 tests)",
        "Approved-by: p3 (1.200x over 12 pairs, 12 tests)",
    ]


def test_the_message_of_a_rollback_says_what_is_withdrawn() -> None:
    lines = rollback_message(to=1, withdraws=2, number=3, index=9, reason="").splitlines()
    assert lines == [
        "Roll back generation 2 to generation 1",
        "",
        "(no reason given)",
        "",
        "Generation: 3",
        "Raft-Index: 9",
    ]
