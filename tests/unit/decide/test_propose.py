"""From a change to a decision: a majority decides, refusals are kept, liars do not count."""

from __future__ import annotations

import threading

import msgspec
import pytest

from tars_peer.decide.propose import Proposer
from tars_peer.errors import NoQuorumError, OvertakenError, RefusedError
from tars_peer.ledger.effect import Refused
from tars_peer.ledger.entry import Accept, Pause, Refuse
from tars_peer.ledger.parcel import change_id
from tars_peer.ledger.step import step
from tars_peer.model.ballot import Verdict
from tars_peer.model.noun import PeerId
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.voters import FakeVoters
from tests.unit.ledger.members import ballot, begun, change_on, payload_of


def approve(name):
    """Return how ``name`` votes for everything."""
    return lambda change: ballot(name, change)


def refuse(name):
    """Return how ``name`` votes against everything."""
    return lambda change: ballot(name, change, verdict=Verdict.REFUSE)


class Parliament:
    """A proposer p1 among ``count`` members, with a real ledger behind it."""

    def __init__(self, count, answers) -> None:
        """Let others vote by ``answers``."""
        self.state = begun(count)
        self.voters, self.events = FakeVoters(answers=answers), FakeEvents()
        self.decided: list = []
        self.change = change_on(self.state.head, "sum")
        self.fault: Exception | None = None
        self.proposer = Proposer(
            me=PeerId("p1"),
            voters=self.voters,
            submit=self.submit,
            state=lambda: self.state,
            events=self.events,
            clock=FakeClock(),
        )

    def submit(self, decision, _timeout_s):
        """Step the ledger over ``decision`` as ``Decisions.submit`` does."""
        if self.fault is not None:
            raise self.fault
        payload = payload_of("p1", decision)
        self.state, (effect,) = step(self.state, self.state.index + 1, payload)
        if isinstance(effect, Refused):
            kind = OvertakenError if effect.code in ("stale", "known") else RefusedError
            raise kind(f"{effect.code}: {effect.reason}")
        self.decided.append(decision)
        return effect

    def propose(self, *, own=Verdict.APPROVE, timeout_s=5.0):
        """Propose the change with p1's ballot."""
        mine = ballot("p1", self.change, verdict=own)
        return self.proposer.propose(self.change, mine, timeout_s=timeout_s)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_change_that_a_majority_approves_becomes_a_generation(count):
    names = [f"p{number}" for number in range(2, count + 1)]
    parliament = Parliament(count, {name: approve(name) for name in names})
    generation = parliament.propose()
    assert generation == parliament.state.head
    assert generation.change_id == change_id(parliament.change)
    (decision,) = parliament.decided
    assert isinstance(decision, Accept)
    assert len(decision.certificate.ballots) == count // 2 + 1
    assert {said.data["verdict"] for said in parliament.events.of("ballot")} <= {"approve"}


def test_a_majority_is_enough_and_the_rest_is_dismissed():
    late = threading.Event()

    def never(change):
        late.wait(10)
        return ballot("p3", change)

    parliament = Parliament(3, {"p2": approve("p2"), "p3": never})
    assert parliament.propose().number == 1
    assert parliament.voters.dismissed == [("p3", change_id(parliament.change))]
    late.set()


def test_our_own_refusal_is_recorded_and_nobody_is_asked():
    parliament = Parliament(3, {"p2": approve("p2"), "p3": approve("p3")})
    with pytest.raises(RefusedError, match="tests: 2 tests fail"):
        parliament.propose(own=Verdict.REFUSE)
    assert not parliament.voters.asked
    assert isinstance(parliament.decided[0], Refuse)
    assert parliament.state.closed[0].fingerprint == parliament.change.fingerprint


def test_a_majority_against_it_is_recorded_with_its_reasons():
    parliament = Parliament(3, {"p2": refuse("p2"), "p3": refuse("p3")})
    with pytest.raises(RefusedError, match=r"p[23]: tests: 2 tests fail"):
        parliament.propose()
    (decision,) = parliament.decided
    assert {each.voter for each in decision.ballots} == {"p2", "p3"}
    assert parliament.state.tracks[0].refused == 1


def test_one_refusal_of_three_does_not_stop_a_majority():
    parliament = Parliament(3, {"p2": refuse("p2"), "p3": approve("p3")})
    assert parliament.propose().voters == ("p1", "p3")
    assert [type(decision) for decision in parliament.decided] == [Accept]


@pytest.mark.parametrize(
    "lie",
    [
        lambda change: ballot("p2", change, key_of="p9"),
        lambda change: ballot("p3", change),
        lambda change: ballot("p2", change, cluster="meadow"),
        lambda change: ballot("p2", msgspec.structs.replace(change, summary="another")),
        lambda change: msgspec.structs.replace(ballot("p2", change), tests_passed=10**6),
        lambda change: ballot("p7", change),
    ],
    ids=["forged", "of another voter", "other cluster", "other change", "altered", "no member"],
)
def test_a_ballot_that_is_not_what_it_says_counts_for_nothing(lie):
    parliament = Parliament(3, {"p2": lie, "p3": approve("p3")})
    assert parliament.propose().voters == ("p1", "p3")
    alone = Parliament(3, {"p2": lie})
    with pytest.raises(NoQuorumError, match="p2: "):
        alone.propose()
    assert not alone.decided


def test_the_missing_are_named():
    parliament = Parliament(5, {"p2": approve("p2")})
    with pytest.raises(NoQuorumError) as caught:
        parliament.propose()
    text = str(caught.value)
    assert "2 of 5 peers approve, 3 are needed" in text
    assert all(f"{name}: {name} does not answer" in text for name in ("p3", "p4", "p5"))
    assert "cluster up" in caught.value.hint
    assert not parliament.decided


def test_those_who_take_too_long_are_named_and_dismissed():
    late = threading.Event()

    def never(change):
        late.wait(10)
        return ballot("p2", change)

    parliament = Parliament(3, {"p2": never})
    with pytest.raises(NoQuorumError, match="p2: no answer in time"):
        parliament.propose(timeout_s=0.2)
    assert parliament.voters.dismissed == [("p2", change_id(parliament.change))]
    late.set()


def test_a_voter_that_fails_in_an_unforeseen_way_is_only_missing():
    def broken(_change):
        raise ZeroDivisionError("in a stub")

    parliament = Parliament(3, {"p2": broken, "p3": approve("p3")})
    assert parliament.propose().number == 1
    alone = Parliament(3, {"p2": broken})
    with pytest.raises(NoQuorumError, match="in a stub"):
        alone.propose()


def test_a_stale_change_is_refused_by_the_ledger():
    parliament = Parliament(3, {"p2": approve("p2"), "p3": approve("p3")})
    winner = change_on(parliament.state.head, "quicker")
    loser, parliament.change = parliament.change, winner
    parliament.propose()
    parliament.change = loser
    with pytest.raises(OvertakenError, match="stale"):
        parliament.propose()
    assert parliament.state.head.change_id == change_id(winner)


def test_a_paused_ledger_refuses():
    parliament = Parliament(3, {"p2": approve("p2"), "p3": approve("p3")})
    parliament.submit(Pause(paused=True, reason="lunch"), 1)
    with pytest.raises(RefusedError, match="paused: changes are paused: lunch"):
        parliament.propose()


def test_a_refusal_that_cannot_be_recorded_still_reaches_the_caller():
    parliament = Parliament(3, {"p2": refuse("p2"), "p3": refuse("p3")})
    parliament.fault = NoQuorumError("no majority")
    with pytest.raises(RefusedError, match="2 tests fail"):
        parliament.propose()
    assert "could not be recorded" in parliament.events.texts("fault")[0]


def test_a_refusal_that_is_known_already_is_no_fault():
    parliament = Parliament(3, {})
    for _ in range(2):
        with pytest.raises(RefusedError, match="2 tests fail"):
            parliament.propose(own=Verdict.REFUSE)
    assert not parliament.events.of("fault")
    assert len(parliament.decided) == 1


def test_a_decision_that_led_to_something_else_is_not_taken_for_ours():
    parliament = Parliament(1, {})
    parliament.proposer = Proposer(
        me=PeerId("p1"),
        voters=parliament.voters,
        submit=lambda _decision, _timeout_s: None,
        state=lambda: parliament.state,
        events=parliament.events,
        clock=FakeClock(),
    )
    with pytest.raises(RefusedError, match="led to NoneType"):
        parliament.propose()
