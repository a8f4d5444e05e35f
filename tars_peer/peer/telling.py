"""What watchers hear of the ledger: its effects and the log's leader, put into events."""

from __future__ import annotations

import threading

from tars_peer.ledger.effect import (
    Cleared,
    Effect,
    Enacted,
    Founded,
    Learned,
    PauseChanged,
    Promoted,
    Refused,
    Reported,
)
from tars_peer.ledger.state import State
from tars_peer.ledger.verdict import ONE_PPM, compare
from tars_peer.model.generation import Generation, Kind, Stage
from tars_peer.ports.events import Events
from tars_peer.ports.log import Log

_LOOK_S = 0.2


def tell_effect(events: Events, index: int, state: State, effect: Effect) -> None:
    """Say what an entry led to."""
    number = state.head.number if state.founded else 0
    match effect:
        case Founded(generation=generation):
            events.say("founded", "the ledger begins", index=index, commit=generation.commit)
        case Enacted(generation=generation):
            _tell_enacted(events, index, state, generation)
        case Promoted():
            _tell_promoted(events, index, state, effect)
        case Reported(peer=peer, note=note):
            events.say("report", f"{peer}: {note}", index=index, generation=number, reporter=peer)
        case Learned(improvement=improvement, reason=reason):
            events.say(
                "refusal",
                f"recorded: {improvement}: {reason}",
                index=index,
                generation=number,
                improvement=improvement,
                reason=reason,
            )
        case PauseChanged(paused=paused, reason=reason):
            events.say("paused" if paused else "resumed", reason or "by a person", index=index)
        case Cleared(generation=cleared):
            events.say("cleared", f"generation {cleared} is off the deny-list", index=index)
        case Refused(code=code, reason=reason):
            events.say("not-followed", f"{code}: {reason}", index=index, generation=number)


def watch_leader(events: Events, log: Log, stopped: threading.Event) -> None:
    """Say when the leader changes and when the quorum is lost or back."""
    leader, quorum = None, True
    while not stopped.wait(_LOOK_S):
        status = log.status()
        if status.leader != leader and status.leader is not None:
            leader = status.leader
            events.say("leader", f"{leader} leads", leader=leader, term=status.term)
        if status.has_quorum != quorum:
            quorum = status.has_quorum
            text = "a majority is there again" if quorum else "no majority: nothing is decided"
            events.say("quorum" if quorum else "no-quorum", text, reason=text)


def _tell_enacted(events: Events, index: int, state: State, generation: Generation) -> None:
    if generation.kind is Kind.ROLLBACK:
        assert state.rollout is not None
        events.say(
            "rollback",
            f"generation {state.rollout.withdraws} is taken back: {generation.summary}",
            index=index,
            generation=generation.number,
            to=generation.tree,
            reason=generation.summary,
        )
        return
    events.say(
        "decision",
        f"generation {generation.number}: {generation.improvement} at {generation.target}",
        index=index,
        generation=generation.number,
        change_id=generation.change_id,
        approvals=list(generation.voters),
        ratio_ppm=generation.measured_ratio_ppm,
    )
    _tell_stage(events, index, state)


def _tell_promoted(events: Events, index: int, state: State, effect: Promoted) -> None:
    rollout = effect.rollout
    if effect.cost_ppm:
        comparison = compare(rollout.probes, worse_ppm=state.worse_ppm)
        verdict = "worse" if comparison.worse else "not worse"
        ratio_ppm = ONE_PPM * ONE_PPM // effect.cost_ppm
        events.say(
            "compared",
            f"live, the new generation is {ratio_ppm / ONE_PPM:.3f}x as fast: {verdict}",
            index=index,
            generation=rollout.generation,
            ratio_ppm=ratio_ppm,
            verdict=verdict,
        )
    if rollout.stage in (Stage.COMPLETE, Stage.ROLLED_BACK):
        events.say(
            "complete",
            f"generation {rollout.generation} is live on {', '.join(rollout.live)}",
            index=index,
            generation=rollout.generation,
            stage=str(rollout.stage),
            kind_of=str(state.head.kind),
            ratio_ppm=state.head.measured_ratio_ppm,
        )
    else:
        _tell_stage(events, index, state)


def _tell_stage(events: Events, index: int, state: State) -> None:
    rollout = state.rollout
    assert rollout is not None
    events.say(
        "rollout",
        f"{rollout.stage}: {rollout.target} of {len(rollout.order)} may switch",
        index=index,
        generation=rollout.generation,
        stage=str(rollout.stage),
        target=rollout.target,
        order=list(rollout.order),
    )
