"""Founding and accepting, field by field; how they go in company is told by the scenarios."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.ledger.accepting import MOST_MEMBERS
from tars_peer.ledger.effect import Effect, Enacted, Founded, Refused
from tars_peer.ledger.entry import Decision, encode_entry
from tars_peer.ledger.signature import sign_ballot
from tars_peer.ledger.state import EMPTY, State
from tars_peer.ledger.step import step
from tests.unit.ledger.members import (
    START_MS,
    acceptance,
    ballot,
    begun,
    certificate,
    change_on,
    entry_of,
    founding,
    git_id,
    measured,
    members,
    names,
    private_key,
)


def followed(
    state: State, decision: Decision, *, time_ms: int = START_MS, index: int = 2
) -> tuple[State, Effect]:
    after, (effect,) = step(state, index, encode_entry(entry_of("p1", decision, time_ms=time_ms)))
    return after, effect


@pytest.mark.parametrize("field", ["base_generation", "base_commit", "base_tree"])
def test_a_change_on_another_base_is_stale_whatever_differs(field: str) -> None:
    state = begun(3)
    change = change_on(state.head, "sum")
    other = 1 if field == "base_generation" else git_id("another")
    change = msgspec.structs.replace(change, **{field: other})
    after, effect = followed(state, acceptance(change, names(3)))
    assert isinstance(effect, Refused)
    assert effect.code == "stale"
    assert after.generations == state.generations


def test_an_accepted_change_is_told_in_full() -> None:
    state = begun(3)
    change = change_on(state.head, "sum")
    figures = {"p1": 1_300_000, "p2": 1_100_000, "p3": 1_200_000}
    ballots = [ballot(name, change, measurement=measured(ppm)) for name, ppm in figures.items()]
    proof = certificate(change, ballots)
    decision = msgspec.structs.replace(acceptance(change, ()), certificate=proof)
    after, effect = followed(state, decision, index=17)
    assert isinstance(effect, Enacted)
    assert effect.change == change
    head = after.head
    assert effect.generation == head
    assert (head.number, head.tree, head.parent_commit) == (1, change.tree, state.head.commit)
    assert (head.improvement, head.summary) == (change.improvement, change.summary)
    assert (head.target, head.fingerprint) == (change.target, change.fingerprint)
    assert head.files == ("orchard.py",)
    assert head.change_id == proof.change_id
    assert head.voters == names(3)
    assert head.measured_ratio_ppm == 1_200_000, "the median of what the voters measured"
    assert head.raft_index == 17


def test_what_nobody_measured_has_no_ratio() -> None:
    state = begun(1)
    change = change_on(state.head, "sum")
    unmeasured = msgspec.structs.replace(ballot("p1", change), measurement=None)
    proof = certificate(change, [sign_ballot(unmeasured, private_key("p1"))])
    decision = msgspec.structs.replace(acceptance(change, ()), certificate=proof)
    after, effect = followed(state, decision)
    assert isinstance(effect, Enacted)
    assert b"Measured: 0.000x" in effect.commit
    assert b"Approved-by: p1 (not measured, 12 tests)" in effect.commit
    assert after.head.measured_ratio_ppm == 0
    assert after.tracks[0].gain_ppm_sum == 0


def test_time_never_goes_back() -> None:
    """Else a clock that is behind would date a commit before its parent."""
    state = begun(1)
    decision = acceptance(change_on(state.head, "sum"), names(1))
    assert followed(state, decision, time_ms=START_MS - 1)[0].head.time_ms == START_MS
    assert followed(state, decision, time_ms=START_MS + 1)[0].head.time_ms == START_MS + 1


@pytest.mark.parametrize("count", [1, 2, MOST_MEMBERS])
def test_a_founding_takes_up_to_the_most_members(count: int) -> None:
    after, effect = followed(EMPTY, founding(members(count)), index=1)
    assert isinstance(effect, Founded)
    assert after.members == members(count)
    assert effect.generation == after.head


def test_a_founding_takes_no_more_and_not_none() -> None:
    _, many = followed(EMPTY, founding(members(MOST_MEMBERS + 1)), index=1)
    assert isinstance(many, Refused)
    assert many.code == "members"
    _, none = followed(EMPTY, founding(()), index=1)
    assert isinstance(none, Refused)
    assert none.code == "stranger"
