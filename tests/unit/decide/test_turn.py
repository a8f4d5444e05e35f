"""Whose turn it is: one order for all, and it moves on."""

from __future__ import annotations

import msgspec

from tars_peer.decide.turn import proposing_rank
from tests.unit.ledger.members import begun, names, some_closed

STATE = begun(5)
ALL = names(5)


def ranks(state, live=ALL):
    """Return everybody's rank as everybody sees it."""
    return {name: proposing_rank(state, name, set(live) - {name}) for name in live}


def test_everybody_has_a_rank_of_their_own():
    assert sorted(ranks(STATE).values()) == [0, 1, 2, 3, 4]


def test_counting_oneself_among_the_live_changes_nothing():
    assert proposing_rank(STATE, "p3", ALL) == proposing_rank(STATE, "p3", set(ALL) - {"p3"})


def test_one_that_is_gone_is_left_out_and_the_others_keep_their_order():
    before = sorted(ALL, key=ranks(STATE).__getitem__)
    left = [name for name in before if name != before[0]]
    after = ranks(STATE, left)
    assert [after[name] for name in left] == [0, 1, 2, 3]


def test_the_turn_moves_on_after_each_refusal():
    firsts = set()
    for count in range(20):
        closed = (some_closed("a", tries=count),)
        now = ranks(msgspec.structs.replace(STATE, closed=closed))
        firsts.add(min(now, key=now.__getitem__))
    assert len(firsts) > 2
