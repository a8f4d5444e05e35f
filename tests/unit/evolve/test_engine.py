"""Stages one to three on a head: looked at once, ranked, and the best change written."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.errors import RefusedError
from tars_peer.evolve.engine import Engine
from tars_peer.evolve.improvements.registry import all_improvements
from tars_peer.ledger.canon import digest
from tars_peer.ledger.state import Denied
from tars_peer.model.finding import Hotspot
from tests.fakes.events import FakeEvents
from tests.fakes.meter import FakeMeter
from tests.fakes.worktree import ARTIFACTS, FakeWorktree
from tests.unit.gates.cases import POLICY
from tests.unit.ledger.members import begun, hex64, some_closed

BEFORE = next(one.finds[0].before for one in all_improvements() if one.finds)


class Choosy(FakeWorktree):
    """A repository that refuses to write some trees."""

    refusals = 0

    def tree_with(self, tree, files):
        if self.refusals:
            self.refusals -= 1
            raise RefusedError("it does not hold together")
        return super().tree_with(tree, files)


class Workshop:
    """An engine on a genome with the same finding in two files."""

    def __init__(self, **meter: object) -> None:
        """Make the genome; its state is one of three that has just begun."""
        self.worktree, self.events = Choosy(), FakeEvents()
        files = {"parcels/a.py": BEFORE.encode(), "parcels/b.py": BEFORE.encode()}
        self.commit, self.tree = self.worktree.begin(files | {"parcels/bad.py": b"def ("})
        self.meter = FakeMeter(**meter)
        begun_state = begun(3)
        head = msgspec.structs.replace(begun_state.head, commit=self.commit, tree=self.tree)
        self.state = msgspec.structs.replace(begun_state, generations=(head,))
        self.engine = Engine(
            policy=POLICY, worktree=self.worktree, meter=self.meter, events=self.events
        )

    def fingerprints(self) -> list[str]:
        """Return the fingerprints of the plan, best first."""
        return [item.finding.fingerprint for item in self.engine.look(self.state).items]


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


def test_the_best_change_is_written_on_the_head(workshop):
    change = workshop.engine.next_change(workshop.state, without=frozenset())
    head = workshop.state.head
    assert (change.base_generation, change.base_commit) == (0, head.commit)
    assert (change.base_tree, change.policy) == (head.tree, digest("policy", POLICY))
    assert change.tree in workshop.worktree.trees
    assert change.fingerprint == workshop.fingerprints()[0]
    (said,) = workshop.events.of("plan")
    assert said.data["items"][0]["rank"] == 1
    assert said.data["items"][0]["path"] == change.files[0]


def test_a_file_with_a_syntax_error_is_named_and_the_others_go_on(workshop):
    view = workshop.engine.look(workshop.state)
    assert [skipped.path for skipped in view.analysis.skipped] == ["parcels/bad.py"]
    assert view.items
    (said,) = workshop.events.of("analysis")
    assert said.data["skipped"][0][0] == "parcels/bad.py"


def test_a_tree_is_looked_at_once(workshop):
    for _ in range(3):
        workshop.engine.look(workshop.state)
    assert [call for call, _ in workshop.meter.calls].count("profile") == 1
    assert len(workshop.events.of("analysis")) == 1


def test_another_head_is_looked_at_anew(workshop):
    change = workshop.engine.next_change(workshop.state, without=frozenset())
    head = msgspec.structs.replace(workshop.state.head, tree=change.tree)
    moved = msgspec.structs.replace(workshop.state, generations=(head,))
    left = [item.finding.fingerprint for item in workshop.engine.look(moved).items]
    assert change.fingerprint not in left
    assert len(workshop.events.of("analysis")) == 2


def test_what_is_closed_denied_or_given_up_is_left_out(workshop):
    first, *rest = workshop.fingerprints()
    assert rest
    closed = msgspec.structs.replace(workshop.state, closed=(some_closed(first),))
    denied = msgspec.structs.replace(
        workshop.state,
        denied=(Denied(generation=1, tree="e" * 40, fingerprint=first, policy=hex64("p")),),
    )
    for state, without in ((closed, ()), (denied, ()), (workshop.state, (first,))):
        change = workshop.engine.next_change(state, without=frozenset(without))
        assert change.fingerprint == rest[0]


def test_a_gain_that_was_not_proved_is_tried_again_after_what_was_tried_less(workshop):
    first, second, *_ = workshop.fingerprints()
    for tries, expected in ((0, first), (1, second)):
        doubted = some_closed(first, tries=tries, final=False)
        state = msgspec.structs.replace(workshop.state, closed=(doubted,))
        assert workshop.engine.next_change(state, without=frozenset()).fingerprint == expected
    everything_else = frozenset(workshop.fingerprints()) - {first}
    assert workshop.engine.next_change(state, without=everything_else).fingerprint == first


def test_where_nothing_is_left_there_is_no_change(workshop):
    everything = frozenset(workshop.fingerprints())
    assert workshop.engine.next_change(workshop.state, without=everything) is None
    assert not workshop.events.of("plan")


def test_one_that_cannot_be_written_is_said_once_and_the_next_is_taken(workshop):
    first, second, *_ = workshop.fingerprints()
    workshop.worktree.refusals = 1
    for _ in range(2):
        change = workshop.engine.next_change(workshop.state, without=frozenset())
        assert change.fingerprint == second != first
    (said,) = workshop.events.of("refusal")
    assert "it does not hold together" in said.text


def test_where_none_can_be_written_it_does_not_go_in_circles(workshop):
    workshop.worktree.refusals = 1_000
    assert workshop.engine.next_change(workshop.state, without=frozenset()) is None
    assert workshop.engine.next_change(workshop.state, without=frozenset()) is None
    assert len(workshop.events.of("refusal")) == len(workshop.fingerprints())


def test_the_profile_is_shown():
    spot = Hotspot(path="parcels/a.py", function="pick", line=1, calls=9, own_share=0.5, share=0.75)
    workshop = Workshop()
    workshop = Workshop(hotspots={ARTIFACTS / workshop.tree: [spot]})
    workshop.engine.look(workshop.state)
    assert workshop.events.of("analysis")[0].data["hotspots"] == [["parcels/a.py", "pick", 0.75]]
