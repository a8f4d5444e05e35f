"""The record of improvements: it adds up, it stays small, and it can always be written."""

from __future__ import annotations

import msgspec

from tars_peer.ledger.learning import MOST_CLOSED, with_closed, with_track
from tars_peer.ledger.state import EMPTY, Closed, state_digest
from tars_peer.model.generation import Track
from tars_peer.model.noun import LARGEST_INTEGER
from tests.unit.ledger.members import hex64, round_trip


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


def test_the_newest_reason_stands() -> None:
    state = with_closed(EMPTY, hex64("a"), "first")
    state = with_closed(state, hex64("b"), "other")
    state = with_closed(state, hex64("a"), "x" * 5_000)
    assert [closed.fingerprint for closed in state.closed] == [hex64("b"), hex64("a")]
    assert state.closed[-1].reason == "x" * 4_000


def test_the_oldest_closed_idea_makes_room() -> None:
    full = tuple(Closed(fingerprint=str(number), reason="") for number in range(MOST_CLOSED))
    state = with_closed(msgspec.structs.replace(EMPTY, closed=full), "new", "")
    assert len(state.closed) == MOST_CLOSED
    assert state.closed[0].fingerprint == "1"
    assert state.closed[-1].fingerprint == "new"
