"""The record of improvements: it adds up, it stays small, and it can always be written."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.ledger.learning import (
    MOST_CLOSED,
    MOST_TRIES,
    PROMISING_PPM,
    is_known,
    with_closed,
    with_track,
)
from tars_peer.ledger.state import EMPTY, state_digest
from tars_peer.model.ballot import Ballot, GateResult, Verdict
from tars_peer.model.generation import Track
from tars_peer.model.noun import LARGEST_INTEGER
from tests.unit.ledger.members import (
    ballot,
    begun,
    change_on,
    hex64,
    measured,
    round_trip,
    some_closed,
)


def test_tracks_add_up_and_are_sorted() -> None:
    state = with_track(EMPTY, "slots", accepted=1, gain_ppm=100)
    state = with_track(state, "hoist", refused=1)
    state = with_track(state, "slots", accepted=1, rolled_back=1, gain_ppm=50)
    assert state.tracks == (
        Track(improvement="hoist", accepted=0, refused=1, rolled_back=0, gain_ppm_sum=0),
        Track(improvement="slots", accepted=2, refused=0, rolled_back=1, gain_ppm_sum=150),
    )


def test_gains_add_up_to_the_largest_number_and_no_further() -> None:
    state = with_track(EMPTY, "slots", gain_ppm=LARGEST_INTEGER)
    state = with_track(state, "slots", gain_ppm=LARGEST_INTEGER)
    assert state.tracks[0].gain_ppm_sum == LARGEST_INTEGER
    assert state_digest(round_trip(state)) == state_digest(state)


CHANGE = change_on(begun(3).head, "sum")


def doubt(voter: str, ratio_ppm: int) -> Ballot:
    """Return a ballot that refuses only because ``ratio_ppm`` is not proved."""
    measurement = measured(ratio_ppm)
    refuse = Verdict.REFUSE
    return ballot(voter, CHANGE, verdict=refuse, gate="benchmark", measurement=measurement)


def test_the_newest_reason_stands() -> None:
    endless = GateResult(gate="tests", passed=False, reason="x" * 5_000)
    last = msgspec.structs.replace(ballot("p3", CHANGE), gates=(endless,))
    state = with_closed(EMPTY, hex64("a"), [doubt("p1", PROMISING_PPM)])
    state = with_closed(state, hex64("b"), [ballot("p1", CHANGE, verdict=Verdict.REFUSE)])
    state = with_closed(state, hex64("a"), [last])
    assert [closed.fingerprint for closed in state.closed] == [hex64("b"), hex64("a")]
    assert state.closed[-1].reason == ("p3: tests: " + "x" * 5_000)[:4_000]
    assert (state.closed[-1].tries, state.closed[-1].final) == (2, True)
    assert state.refusals == 3


def test_a_gain_that_was_not_proved_may_be_tried_again_but_not_for_ever() -> None:
    state = EMPTY
    for tries in range(1, MOST_TRIES + 1):
        assert not is_known(state, hex64("a"), [doubt("p1", 1_020_000 + tries)])
        state = with_closed(state, hex64("a"), [doubt("p1", 1_020_000 + tries)])
        assert is_known(state, hex64("a"), [doubt("p1", 1_020_000 + tries)])
        assert state.closed[0].final == (tries == MOST_TRIES)
    assert is_known(state, hex64("a"), [doubt("p1", 1_090_000)])


@pytest.mark.parametrize(
    "against",
    [
        [doubt("p1", PROMISING_PPM - 1)],
        [doubt("p1", PROMISING_PPM), doubt("p2", PROMISING_PPM - 1)],
        [doubt("p1", PROMISING_PPM), ballot("p2", CHANGE, verdict=Verdict.REFUSE)],
        [msgspec.structs.replace(doubt("p1", PROMISING_PPM), measurement=None)],
    ],
    ids=["no gain", "no gain for one", "tests fail for one", "nothing measured"],
)
def test_whatever_else_speaks_against_an_idea_closes_it_at_once(against: list[Ballot]) -> None:
    assert with_closed(EMPTY, hex64("a"), against).closed[0].final


def test_the_oldest_closed_idea_makes_room() -> None:
    full = tuple(some_closed(str(number)) for number in range(MOST_CLOSED))
    state = msgspec.structs.replace(EMPTY, closed=full)
    state = with_closed(state, "new", [doubt("p1", PROMISING_PPM)])
    assert len(state.closed) == MOST_CLOSED
    assert state.closed[0].fingerprint == "1"
    assert state.closed[-1].fingerprint == "new"
