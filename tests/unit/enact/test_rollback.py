"""The way back: to the newest sound generation of another tree."""

from __future__ import annotations

from tars_peer.enact.rollback import rollback_to, way_back
from tars_peer.ledger.entry import Promote, Rollback
from tests.unit.enact.test_gap import BACK, BEGUN, COMPLETE, NEW, ROLLING, after, live
from tests.unit.ledger.members import acceptance, change_on


def finished(state):
    """Return ``state`` with its rollout at the end."""
    head = state.head.number
    while not state.settled:
        for peer in state.rollout.order[: state.rollout.target]:
            if peer not in state.rollout.live:
                state = after(state, (peer, live(state)))
        step = Promote(generation=head, target=state.rollout.target)
        state = after(state, ("p1", step))
    return state


def grown(state, word):
    """Return ``state`` with the change ``word`` live."""
    change = change_on(state.head, word)
    return finished(after(state, ("p1", acceptance(change, ["p1", "p2"]))))


def test_at_the_beginning_there_is_none():
    assert way_back(BEGUN) is None


def test_it_leads_to_the_one_before():
    assert way_back(ROLLING).number == 0
    assert way_back(grown(COMPLETE, "next")).number == 1


def test_what_was_taken_back_is_never_gone_back_to():
    assert way_back(finished(BACK)) is None
    again = grown(finished(BACK), "again")
    assert [generation.number for generation in again.generations] == [0, 1, 2, 3]
    assert way_back(again).number == 2
    third = grown(grown(COMPLETE, "two"), "three")
    undone = finished(
        after(third, ("p1", Rollback(generation=3, to=1, automatic=False, reason="")))
    )
    assert undone.head.tree == NEW
    assert way_back(undone).number == 0


def test_the_decision_names_both_ends():
    decision = rollback_to(ROLLING, ROLLING.generations[0], reason="slow", automatic=True)
    assert (decision.generation, decision.to, decision.automatic) == (1, 0, True)
    assert decision.reason == "slow"
