"""Commits follow from entries, the same everywhere; what is missing is fetched, never guessed."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.enact.apply import Applier
from tars_peer.ledger.effect import Enacted
from tars_peer.ledger.state import EMPTY, State
from tars_peer.ledger.step import step
from tars_peer.model.change import Change, Edit
from tests.fakes.events import FakeEvents
from tests.fakes.voters import FakeVoters
from tests.fakes.worktree import FakeWorktree, tree_id
from tests.unit.ledger.members import POLICY, acceptance, founding, hex64, members, payload_of

FILE = "orchard.py"


class Replica:
    """A ledger and an applier on a fake repository."""

    def __init__(self, *, others: dict[str, FakeWorktree] | None = None) -> None:
        """Begin with the first commit."""
        self.worktree, self.events = FakeWorktree(), FakeEvents()
        self.commit, self.tree = self.worktree.begin({FILE: b"0"})
        self.voters = FakeVoters(repositories=others or {})
        who = founding(members(3))
        found = msgspec.structs.replace(who, commit=self.commit, tree=self.tree)
        self.state, _ = step(EMPTY, 1, payload_of("p1", found))
        self.applier = Applier(
            me="p1",
            worktree=self.worktree,
            voters=self.voters,
            state=lambda: self.state,
            events=self.events,
        )

    def accept(self, text: str, *, tree: str = "", before: str = "") -> State:
        """Accept the change of the file to ``text``; its tree is right unless named."""
        head = self.state.head
        before = before or self.worktree.files(head.tree)[FILE].decode()
        change = Change(
            base_generation=head.number,
            base_commit=head.commit,
            base_tree=head.tree,
            tree=tree or tree_id({FILE: text.encode()}),
            improvement="hoist",
            summary="",
            target=FILE,
            fingerprint=hex64(text),
            policy=POLICY,
            edits=(Edit(path=FILE, start=0, end=len(before), before=before, after=text),),
        )
        payload = payload_of("p1", acceptance(change, ["p1", "p2"]))
        self.state, effects = step(self.state, self.state.index + 1, payload)
        assert isinstance(effects[0], Enacted)
        self.applier.enqueue(effects[0])
        return self.state


def test_an_accepted_change_becomes_its_commit():
    replica = Replica()
    head = replica.accept("1").head
    assert not replica.applier.applied()
    assert replica.applier.catch_up()
    assert replica.worktree.head() == head.commit
    assert replica.worktree.files(head.tree) == {FILE: b"1"}
    assert replica.events.of("commit")[0].data == {"commit": head.commit, "tree": head.tree}


def test_what_is_committed_already_is_not_committed_again():
    replica = Replica()
    replica.accept("1")
    assert replica.applier.catch_up()
    replica.events.said.clear()
    assert replica.applier.catch_up()
    assert not replica.events.said


def test_a_tree_other_than_the_decided_one_stops_deploying_and_says_so_once():
    replica = Replica()
    replica.accept("1", tree="e" * 40)
    assert not replica.applier.catch_up()
    assert not replica.applier.catch_up()
    assert "not " + "e" * 40 in replica.applier.fault
    told = [text for text in replica.events.texts("fault") if "tars evolve sync" in text]
    assert len(told) == 1
    assert replica.worktree.head() == replica.commit


@pytest.mark.parametrize("lost", ["tree", "everything"])
def test_what_is_missing_here_is_fetched_from_whoever_has_it(lost):
    sound = Replica()
    poor = Replica(others={"p3": sound.worktree})
    head = sound.accept("1").head
    assert sound.applier.catch_up()
    poor.accept("1")
    if lost == "everything":
        poor.worktree.commits.clear()
    poor.worktree.trees.clear()
    assert poor.applier.catch_up()
    assert poor.voters.fetched == ["p2", "p3"]
    assert poor.worktree.head() == head.commit
    assert "fetched" in poor.events.texts("commit")[0]
    assert not poor.applier.fault


def test_a_fault_is_over_once_the_head_is_here():
    replica = Replica()
    missing = replica.worktree.trees.pop(replica.tree)
    replica.accept("1", before="0")
    assert not replica.applier.catch_up()
    assert replica.applier.fault
    replica.worktree.trees[replica.tree] = missing
    assert replica.applier.catch_up()
    assert not replica.applier.fault


def test_a_branch_that_was_moved_by_hand_is_put_back():
    replica = Replica()
    head = replica.accept("1").head
    replica.applier.catch_up()
    replica.worktree.point(replica.commit)
    assert replica.applier.catch_up()
    assert replica.worktree.head() == head.commit
    assert not replica.voters.fetched
