"""The next step, for every step there is; rollouts as a whole are in test_cluster.py."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.enact.gap import Sight, Step, compares, next_step, tree_to_start
from tars_peer.ledger.entry import Decision, Excuse, Observe, Promote, Report, Rollback
from tars_peer.ledger.state import EMPTY, State
from tars_peer.ledger.step import step
from tars_peer.model.generation import Stage
from tests.unit.ledger.members import acceptance, begun, change_on, git_id, payload_of

BEGUN = begun(3)
OLD = git_id("tree of genesis")
NEW = git_id("tree of sum")
RUNS = (100, 100, 100)
SLOW = (200, 200, 200)


def after(state: State, *entries: tuple[str, Decision]) -> State:
    """Return the state after these entries, each of which must count."""
    for author, decision in entries:
        state, effects = step(state, state.index + 1, payload_of(author, decision))
        assert type(effects[0]).__name__ != "Refused", effects
    return state


def live(state: State, *, before: tuple[int, ...] = RUNS, after: tuple[int, ...] = RUNS) -> Report:
    """Return the report that the head is live."""
    head = state.head
    return Report(
        generation=head.number,
        commit=head.commit,
        tree=head.tree,
        live=True,
        reason="",
        before_ns=before,
        after_ns=after,
    )


def failed(state: State) -> Report:
    """Return the report that the head could not be made live."""
    return msgspec.structs.replace(live(state), live=False, reason="it hangs")


ROLLING = after(BEGUN, ("p1", acceptance(change_on(BEGUN.head, "sum"), ["p1", "p2"])))
CANARY, SECOND, THIRD = ROLLING.rollout.order
CONTROL = Observe(generation=1, before_ns=RUNS, after_ns=RUNS)
CANARY_LIVE = after(ROLLING, (CANARY, live(ROLLING)))
CANARY_SLOW = after(ROLLING, (CANARY, live(ROLLING, after=SLOW)))
COMPARED = after(CANARY_LIVE, (SECOND, CONTROL), (THIRD, CONTROL))
CANARY_FAILED = after(ROLLING, (CANARY, failed(ROLLING)))
PARTIAL = after(COMPARED, ("p1", Promote(generation=1, target=1)))
SECOND_LIVE = after(PARTIAL, (SECOND, live(PARTIAL)))
LAST = after(SECOND_LIVE, ("p1", Promote(generation=1, target=2)))
ALL_LIVE = after(LAST, (THIRD, live(LAST)))
COMPLETE = after(ALL_LIVE, ("p1", Promote(generation=1, target=3)))
EXCUSED = after(LAST, ("p1", Excuse(generation=1, peer=THIRD, reason="away")))
COMPLETE_WITHOUT = after(EXCUSED, ("p1", Promote(generation=1, target=3)))
BACK = after(CANARY_FAILED, ("p1", Rollback(generation=1, to=0, automatic=True, reason="it hangs")))
BACK_FAILED = after(BACK, *((peer, failed(BACK)) for peer in (SECOND, THIRD)))
LATE_BACK = after(COMPLETE, ("p1", Rollback(generation=1, to=0, automatic=False, reason="by hand")))


def seen(me: str, running: str | None, **fields: object) -> Sight:
    """Return what ``me`` sees when all is well, but for what the caller says."""
    plain: dict[str, object] = {
        "me": me,
        "leading": False,
        "in_step": True,
        "hindered": False,
        "connected": frozenset({"p1", "p2", "p3"} - {me}),
        "absent": frozenset(),
        "applied": True,
        "healthy": True,
        "running": running,
        "verdict": None,
        "measured_before": False,
        "waited_ms": 0,
        "grace_ms": 10,
        "patience_ms": 100,
        "stuck_ms": 1_000,
    }
    return Sight(**{**plain, **fields})  # type: ignore[arg-type]


def alone(me: str, running: str, **fields: object) -> Sight:
    """Return what a leader sees that no other peer has been connected to for long."""
    others = frozenset({"p1", "p2", "p3"} - {me})
    gone = {"connected": frozenset(), "absent": others}
    return seen(me, running, leading=True, **{**gone, **fields})


CASES = [
    ("nothing is founded", EMPTY, seen("p1", None), Step.NOTHING),
    ("the log is not caught up", BEGUN, seen("p1", None, in_step=False), Step.NOTHING),
    ("cut off on its turn", ROLLING, seen(CANARY, OLD, in_step=False), Step.NOTHING),
    ("the commit is not here", BEGUN, seen("p1", None, applied=False), Step.NOTHING),
    ("nothing runs", BEGUN, seen("p1", None), Step.START),
    ("nothing runs on the canary", ROLLING, seen(CANARY, None), Step.START),
    ("all is as it should be", BEGUN, seen("p1", OLD), Step.NOTHING),
    ("something else runs", BEGUN, seen("p1", NEW), Step.SWITCH),
    ("the canary first measures", ROLLING, seen(CANARY, OLD), Step.MEASURE_BEFORE),
    ("then it switches", ROLLING, seen(CANARY, OLD, measured_before=True), Step.SWITCH),
    (
        "the switch went badly",
        ROLLING,
        seen(CANARY, OLD, measured_before=True, verdict="it hangs"),
        Step.REPORT_FAILURE,
    ),
    (
        "an older switch to the same tree went well",
        ROLLING,
        seen(CANARY, OLD, measured_before=True, verdict=""),
        Step.SWITCH,
    ),
    ("the canary runs the new", ROLLING, seen(CANARY, NEW), Step.REPORT),
    ("but it does not serve yet", ROLLING, seen(CANARY, NEW, healthy=False), Step.NOTHING),
    (
        "nor after a while, so it is tried again",
        ROLLING,
        seen(CANARY, NEW, healthy=False, verdict="", waited_ms=11),
        Step.SWITCH,
    ),
    (
        "and then given up",
        ROLLING,
        seen(CANARY, NEW, healthy=False, verdict="it hangs", waited_ms=11),
        Step.REPORT_FAILURE,
    ),
    ("the canary has reported", CANARY_LIVE, seen(CANARY, NEW), Step.NOTHING),
    ("the canary lost what was live", CANARY_LIVE, seen(CANARY, OLD), Step.SWITCH),
    ("the canary failed and waits", CANARY_FAILED, seen(CANARY, OLD), Step.NOTHING),
    ("failed yet running", CANARY_FAILED, seen(CANARY, NEW), Step.NOTHING),
    ("a control measures", ROLLING, seen(SECOND, OLD), Step.OBSERVE_BEFORE),
    ("and waits for the canary", ROLLING, seen(SECOND, OLD, measured_before=True), Step.NOTHING),
    ("and measures again", CANARY_LIVE, seen(SECOND, OLD, measured_before=True), Step.OBSERVE),
    ("a control too late to compare", CANARY_LIVE, seen(SECOND, OLD), Step.NOTHING),
    ("a control that has observed", COMPARED, seen(SECOND, OLD), Step.NOTHING),
    ("not its turn, but it runs it", ROLLING, seen(SECOND, NEW), Step.NOTHING),
    ("the second's turn", PARTIAL, seen(SECOND, OLD), Step.SWITCH),
    ("not the third's turn", PARTIAL, seen(THIRD, OLD), Step.NOTHING),
    ("excused, and still rolling", EXCUSED, seen(THIRD, OLD), Step.NOTHING),
    ("excused, and complete", COMPLETE_WITHOUT, seen(THIRD, OLD), Step.SWITCH),
    ("excused, followed", COMPLETE_WITHOUT, seen(THIRD, NEW), Step.REPORT),
    ("back: it never left", BACK, seen(THIRD, OLD), Step.REPORT),
    ("back: it is only starting", BACK, seen(THIRD, OLD, healthy=False), Step.NOTHING),
    ("back: failing it once", BACK, seen(SECOND, NEW, verdict="no"), Step.NOTHING),
    ("back: its turn", LATE_BACK, seen(LATE_BACK.rollout.order[0], NEW), Step.SWITCH),
    (
        "back: its turn, and it fails",
        LATE_BACK,
        seen(LATE_BACK.rollout.order[0], NEW, verdict="no"),
        Step.REPORT_FAILURE,
    ),
    ("back: failed, but runs it now", BACK_FAILED, seen(SECOND, OLD), Step.REPORT),
    (
        "the leader waits for the canary",
        ROLLING,
        seen(SECOND, OLD, leading=True),
        Step.OBSERVE_BEFORE,
    ),
    (
        "the leader is patient with one that is there",
        ROLLING,
        seen(SECOND, OLD, leading=True, measured_before=True, waited_ms=999),
        Step.NOTHING,
    ),
    (
        "but not for ever",
        ROLLING,
        seen(SECOND, OLD, leading=True, measured_before=True, waited_ms=1_001),
        Step.EXCUSE,
    ),
    (
        "one that has just gone out of reach is given some time, however long this has lasted",
        ROLLING,
        alone(SECOND, OLD, measured_before=True, absent=frozenset(), waited_ms=1_000),
        Step.NOTHING,
    ),
    (
        "and then excused",
        ROLLING,
        alone(SECOND, OLD, measured_before=True),
        Step.EXCUSE,
    ),
    (
        "a majority must be waited for",
        after(ROLLING, ("p1", Excuse(generation=1, peer=CANARY, reason="away"))),
        alone(THIRD, OLD, measured_before=True, waited_ms=10_000),
        Step.NOTHING,
    ),
    ("the leader waits for controls", CANARY_LIVE, seen(CANARY, NEW, leading=True), Step.NOTHING),
    (
        "but not for ever",
        CANARY_LIVE,
        seen(CANARY, NEW, leading=True, waited_ms=100),
        Step.PROMOTE,
    ),
    ("nor for those out of reach", CANARY_LIVE, alone(CANARY, NEW), Step.PROMOTE),
    ("all have measured", COMPARED, seen(CANARY, NEW, leading=True), Step.PROMOTE),
    ("the last step", ALL_LIVE, seen(CANARY, NEW, leading=True), Step.PROMOTE),
    ("it is over", COMPLETE, seen(CANARY, NEW, leading=True), Step.NOTHING),
    ("the canary is slower", CANARY_SLOW, seen(CANARY, NEW, leading=True), Step.ROLL_BACK),
    ("the canary failed", CANARY_FAILED, seen(CANARY, OLD, leading=True), Step.ROLL_BACK),
    ("others see to it", CANARY_SLOW, seen(CANARY, NEW), Step.NOTHING),
    ("own work comes first", CANARY_FAILED, seen(THIRD, None, leading=True), Step.START),
    (
        "unless it does not get on",
        CANARY_FAILED,
        seen(THIRD, None, leading=True, hindered=True),
        Step.ROLL_BACK,
    ),
    (
        "and there is something to lead",
        PARTIAL,
        seen(SECOND, OLD, leading=True, hindered=True),
        Step.SWITCH,
    ),
]


@pytest.mark.parametrize(
    ("state", "sight", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_next_step(state, sight, expected):
    assert next_step(state, sight) is expected


def test_every_step_is_in_the_table():
    assert {case[3] for case in CASES} == set(Step)


def test_a_rollback_that_a_majority_failed_is_tried_again_by_the_one_whose_turn_it_is():
    failing = after(BACK, *((peer, failed(BACK)) for peer in BACK.rollout.order))
    first, second, _ = failing.rollout.order
    assert next_step(failing, seen(first, NEW, verdict="no")) is Step.SWITCH
    assert next_step(failing, seen(second, NEW, verdict="no")) is Step.NOTHING


@pytest.mark.parametrize(
    ("state", "me", "tree"),
    [
        (BEGUN, "p1", OLD),
        (ROLLING, CANARY, OLD),
        (ROLLING, SECOND, OLD),
        (CANARY_LIVE, CANARY, NEW),
        (PARTIAL, THIRD, OLD),
        (COMPLETE, THIRD, NEW),
        (COMPLETE_WITHOUT, THIRD, NEW),
        (BACK, CANARY, OLD),
        (LATE_BACK, THIRD, OLD),
    ],
)
def test_the_tree_to_begin_with(state, me, tree):
    assert tree_to_start(state, me) == tree


def test_changes_are_compared_while_the_canary_runs_only():
    assert compares(ROLLING)
    assert not any(map(compares, (BEGUN, PARTIAL, COMPLETE, BACK)))
    assert PARTIAL.rollout.stage is Stage.PARTIAL
