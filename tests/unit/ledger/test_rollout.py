"""How a rollout moves, whatever the size: one at a time, and a majority always waited for."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_peer.ledger.rollout import (
    begin,
    begin_rollback,
    can_excuse,
    expected,
    may_switch,
    promoted,
    steps,
    switching_order,
    turn,
)
from tars_peer.model.generation import Rollout, Stage
from tars_peer.model.member import majority
from tests.unit.ledger.members import begun, git_id, members, names

GENESIS = begun(1).head


def going(count: int, **changes: object) -> Rollout:
    return msgspec.structs.replace(begin(GENESIS, members(count)), **changes)


def back(count: int, **changes: object) -> Rollout:
    rollout = begin_rollback(GENESIS, members(count), previous=None, withdraws=1)
    return msgspec.structs.replace(rollout, **changes)


@pytest.mark.parametrize(
    ("count", "expected_steps"),
    [(1, (1,)), (2, (1, 2)), (3, (1, 2, 3)), (4, (1, 2, 4)), (5, (1, 3, 5)), (7, (1, 4, 7))],
)
def test_canary_then_half_then_all(count: int, expected_steps: tuple[int, ...]) -> None:
    assert steps(count) == expected_steps


@given(st.integers(min_value=1, max_value=9), st.text(max_size=9))
def test_the_order_holds_all_members_and_follows_from_the_commit(count: int, word: str) -> None:
    commit = git_id(word)
    order = switching_order(commit, members(count))
    assert sorted(order) == sorted(names(count))
    assert order == switching_order(commit, tuple(reversed(members(count))))


def test_the_risk_of_being_first_is_spread() -> None:
    first = {switching_order(git_id(str(number)), members(5))[0] for number in range(50)}
    assert first == set(names(5))


@pytest.mark.parametrize("count", range(1, 8))
def test_a_rollout_without_trouble_reaches_all_one_at_a_time(count: int) -> None:
    rollout, allowed = going(count), [1]
    for _ in range(20):
        if rollout.stage is Stage.COMPLETE:
            break
        peer = turn(rollout)
        if peer is None:
            rollout = promoted(rollout, count)
            allowed.append(rollout.target)
            continue
        assert [name for name in names(count) if may_switch(rollout, name)] == [
            name for name in names(count) if name in rollout.live or name == peer
        ]
        rollout = msgspec.structs.replace(rollout, live=(*rollout.live, peer))
    assert rollout.stage is Stage.COMPLETE
    assert rollout.live == rollout.order
    assert allowed == [*steps(count), count]


def test_an_excused_canary_gives_its_turn_to_the_next() -> None:
    rollout = going(3)
    first, second, third = rollout.order
    rollout = msgspec.structs.replace(rollout, excused=(first,))
    assert turn(rollout) == second
    assert not may_switch(rollout, first)
    assert not may_switch(rollout, third)


def test_excused_peers_follow_when_it_is_complete() -> None:
    rollout = going(3)
    done = msgspec.structs.replace(
        rollout, stage=Stage.COMPLETE, live=rollout.order[1:], excused=rollout.order[:1]
    )
    assert all(may_switch(done, name) for name in rollout.order)


@pytest.mark.parametrize(("count", "most"), [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
def test_a_majority_is_always_waited_for(count: int, most: int) -> None:
    rollout = going(count)
    for excused in range(count + 1):
        some = msgspec.structs.replace(rollout, excused=rollout.order[:excused])
        assert can_excuse(some, count) == (excused < most)


def test_a_rollback_begins_with_those_that_run_the_withdrawn_tree() -> None:
    previous = going(5)
    exposed = previous.order[2:4]
    previous = msgspec.structs.replace(previous, live=exposed[:1], failed=exposed[1:])
    rollout = begin_rollback(GENESIS, members(5), previous=previous, withdraws=1)
    assert set(rollout.order[:2]) == set(exposed)
    assert sorted(rollout.order) == sorted(names(5))
    assert (rollout.target, rollout.stage, rollout.withdraws) == (5, Stage.PARTIAL, 1)


def test_a_rollback_does_not_wait_for_a_minority_that_failed() -> None:
    rollout = back(5)
    order = rollout.order
    rollout = msgspec.structs.replace(rollout, failed=order[:2])
    assert turn(rollout) == order[2]
    rollout = msgspec.structs.replace(rollout, live=order[2:])
    assert turn(rollout) is None
    assert promoted(rollout, 5).stage is Stage.ROLLED_BACK


def test_a_rollback_that_a_majority_failed_is_not_over() -> None:
    """Else all of them might switch at once, and the next change begin on a tree that few run."""
    rollout = back(3)
    first, second, third = rollout.order
    rollout = msgspec.structs.replace(rollout, failed=(first, second))
    assert turn(rollout) == third
    rollout = msgspec.structs.replace(rollout, live=(third,))
    assert turn(rollout) == first
    assert not may_switch(rollout, second)
    rollout = msgspec.structs.replace(rollout, excused=(first,))
    assert turn(rollout) == second
    rollout = msgspec.structs.replace(rollout, live=(third, second), failed=(first,))
    assert turn(rollout) is None


@given(data=st.data(), count=st.integers(min_value=1, max_value=7), withdraws=st.booleans())
def test_where_nobody_is_waited_for_a_majority_is_live_or_it_is_only_a_step(
    data: st.DataObject, count: int, *, withdraws: bool
) -> None:
    rollout = back(count) if withdraws else going(count)
    some = st.lists(st.sampled_from(rollout.order), unique=True).map(tuple)
    most_excused = count - majority(count)
    rollout = msgspec.structs.replace(
        rollout,
        live=data.draw(some),
        failed=data.draw(some),
        excused=data.draw(some)[:most_excused],
        target=data.draw(st.sampled_from(steps(count))) if not withdraws else count,
    )
    switching = [
        name for name in rollout.order if may_switch(rollout, name) and name not in rollout.live
    ]
    assert len(switching) <= 1
    assert switching == ([turn(rollout)] if turn(rollout) else [])
    assert len(expected(rollout)) <= rollout.target
    if turn(rollout) is None:
        after = promoted(rollout, count)
        done = after.stage in (Stage.COMPLETE, Stage.ROLLED_BACK)
        assert not done or len(set(rollout.live)) >= majority(count)
        assert done or after.target > rollout.target
