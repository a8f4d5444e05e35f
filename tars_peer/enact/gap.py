"""The gap between what is wanted (the ledger) and what is seen here, and the next step across it.

Pure: the same state and the same sight give the same step. No deed may enter here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tars_peer.ledger.deploying import rollback_evidence
from tars_peer.ledger.rollout import can_excuse, may_switch, turn
from tars_peer.ledger.state import State
from tars_peer.model.generation import GenerationState, Kind, Rollout, Stage


class Step(StrEnum):
    """What to do next; ``docs/rollout.md`` tells each."""

    NOTHING = "nothing"
    START = "start"
    MEASURE_BEFORE = "measure-before"
    SWITCH = "switch"
    REPORT = "report"
    REPORT_FAILURE = "report-failure"
    OBSERVE_BEFORE = "observe-before"
    OBSERVE = "observe"
    PROMOTE = "promote"
    ROLL_BACK = "roll-back"
    EXCUSE = "excuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What this peer sees of itself and of the others.

    ``in_step`` says whether the ledger is caught up here and a majority in touch: nobody may act
    on old news. ``hindered`` says that our own last step did not work, so that a leader with
    troubles of its own still leads. ``applied`` says whether the head's commit is here; ``running``
    is the tree that runs, or None, ``healthy`` whether it serves; ``verdict`` is how our last
    switch to the head's tree went;
    ``measured_before`` whether measuring the old tree was tried for this rollout. ``absent`` are
    those that have been out of reach for long, not just since a moment ago, as one that swaps its
    own process is. ``waited_ms`` is how long this step of the rollout has lasted; ``grace_ms`` how
    long a tree that is not healthy gets, ``patience_ms`` how long to wait for control peers,
    ``stuck_ms`` for a peer that is there but does not come to an end.
    """

    me: str
    leading: bool
    in_step: bool
    hindered: bool
    connected: frozenset[str]
    absent: frozenset[str]
    applied: bool
    running: str | None
    healthy: bool
    verdict: str | None
    measured_before: bool
    waited_ms: int
    grace_ms: int
    patience_ms: int
    stuck_ms: int


def next_step(state: State, sight: Sight) -> Step:
    """Return the one step that this peer takes next."""
    if not (state.founded and sight.in_step and sight.applied):
        return Step.NOTHING
    own = Step.START if sight.running is None else _own_step(state, sight)
    rollout = state.rollout
    if rollout is None or state.settled or not sight.leading:
        return own
    if own is not Step.NOTHING and not sight.hindered:
        return own
    leading = _leading_step(state, rollout, sight)
    return own if leading is Step.NOTHING else leading


def tree_to_start(state: State, me: str) -> str:
    """Return the tree that a peer with nothing running begins with.

    The head where it is live here or everywhere, or a way back; else the newest generation that
    is live, so that a peer whose turn it is switches, and is measured, like any other.
    """
    rollout = state.rollout
    if rollout is None or rollout.withdraws or state.settled or me in rollout.live:
        return state.head.tree
    live = [old for old in state.generations if old.state is GenerationState.LIVE]
    return (live[-1] if live else state.generations[0]).tree


def compares(state: State) -> bool:
    """Say whether old and new are compared live: for changes, while the canary runs."""
    rollout = state.rollout
    return rollout is not None and rollout.stage is Stage.CANARY and state.head.kind is Kind.CHANGE


def _own_step(state: State, sight: Sight) -> Step:
    rollout, on_new = state.rollout, sight.running == state.head.tree
    if rollout is None or sight.me in rollout.live:
        # Live in the ledger, yet not running: it was put back since, or its disk was restored.
        return Step.NOTHING if on_new else Step.SWITCH
    if sight.me in rollout.failed:
        return _step_after_failure(rollout, sight, on_new=on_new)
    if on_new:
        reports = rollout.withdraws or may_switch(rollout, sight.me)
        return _report_step(sight) if reports else Step.NOTHING
    if not may_switch(rollout, sight.me):
        return _control_step(state, rollout, sight)
    if sight.verdict:
        return Step.REPORT_FAILURE
    if compares(state) and not sight.measured_before:
        return Step.MEASURE_BEFORE
    return Step.SWITCH


def _report_step(sight: Sight) -> Step:
    """Live is what serves; what was healthy once and is not any more gets one more try."""
    if sight.healthy:
        return Step.REPORT
    if sight.verdict:
        return Step.REPORT_FAILURE
    return Step.SWITCH if sight.waited_ms > sight.grace_ms else Step.NOTHING


def _step_after_failure(rollout: Rollout, sight: Sight, *, on_new: bool) -> Step:
    """A change that failed here waits to be rolled back; a rollback is tried again if need be."""
    if not rollout.withdraws:
        return Step.NOTHING
    if on_new and sight.healthy:
        return Step.REPORT
    return Step.SWITCH if turn(rollout) == sight.me else Step.NOTHING


def _control_step(state: State, rollout: Rollout, sight: Sight) -> Step:
    """A peer on the old tree measures beside the canary: once before its switch, once after."""
    if not compares(state) or any(probe.peer == sight.me for probe in rollout.probes):
        return Step.NOTHING
    if not sight.measured_before:
        return Step.OBSERVE_BEFORE if not rollout.live else Step.NOTHING
    return Step.OBSERVE if rollout.live else Step.NOTHING


def _leading_step(state: State, rollout: Rollout, sight: Sight) -> Step:
    if rollback_evidence(state):
        return Step.ROLL_BACK
    waiting = turn(rollout)
    if waiting is not None:
        late = waiting in sight.absent or sight.waited_ms > sight.stuck_ms
        excused = late and can_excuse(rollout, len(state.members))
        return Step.EXCUSE if excused else Step.NOTHING
    controls = {
        peer
        for peer in rollout.order
        if peer not in (*rollout.live, *rollout.excused)
        and (peer in sight.connected or peer == sight.me)
    }
    seen = {probe.peer for probe in rollout.probes}
    if compares(state) and controls - seen and sight.waited_ms < sight.patience_ms:
        return Step.NOTHING
    return Step.PROMOTE
