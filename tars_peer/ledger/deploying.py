"""Reports, promotion, excuses and rollback: what may move a rollout, and on which evidence."""

from __future__ import annotations

import msgspec

from tars_peer.ledger.commit import commit_content, commit_id, rollback_message
from tars_peer.ledger.effect import Effect, Enacted, Promoted, Refused, Reported
from tars_peer.ledger.entry import Entry, Excuse, Observe, Promote, Report, Rollback
from tars_peer.ledger.learning import with_track
from tars_peer.ledger.rollout import (
    begin_rollback,
    can_excuse,
    may_switch,
    promoted,
    turn,
)
from tars_peer.ledger.state import Denied, State
from tars_peer.ledger.verdict import compare
from tars_peer.model.generation import (
    Generation,
    GenerationState,
    Kind,
    Probe,
    Rollout,
    Stage,
)

MOST_RUNS = 64


def report(state: State, entry: Entry, decision: Report) -> tuple[State, Effect]:
    """Take a peer's word that it serves the generation, or that it could not."""
    rollout = state.rollout
    if rollout is None or decision.generation != rollout.generation:
        return state, _not_current(state, decision.generation)
    head = state.head
    if decision.live and (decision.commit, decision.tree) != (head.commit, head.tree):
        return state, Refused(
            code="differs", reason="it serves another commit than the decided one"
        )
    if len(decision.before_ns) > MOST_RUNS or len(decision.after_ns) > MOST_RUNS:
        return state, Refused(code="malformed", reason=f"{MOST_RUNS} runs at most")
    peer = entry.author
    known = rollout.live if decision.live else rollout.failed
    if peer in known:
        return state, Refused(code="known", reason=f"{peer} has reported this")
    # A rollback may be live on a peer that never left the old tree, whose turn it is not.
    if decision.live and not rollout.withdraws and not may_switch(rollout, peer):
        return state, Refused(code="turn", reason=f"it is not the turn of {peer}")
    if decision.live:
        probe = Probe(
            peer=peer, control=False, before_ns=decision.before_ns, after_ns=decision.after_ns
        )
        grown = msgspec.structs.replace(
            rollout,
            live=(*rollout.live, peer),
            failed=tuple(name for name in rollout.failed if name != peer),
            probes=(*rollout.probes, probe),
        )
        return _with(state, grown), Reported(peer=peer, rollout=grown, note="live")
    grown = msgspec.structs.replace(
        rollout, failed=(*rollout.failed, peer), reason=f"{peer}: {decision.reason}"[:4_000]
    )
    return _with(state, grown), Reported(peer=peer, rollout=grown, note=decision.reason)


def observe(state: State, entry: Entry, decision: Observe) -> tuple[State, Effect]:
    """Keep what a control peer measured beside the canary."""
    rollout = state.rollout
    if rollout is None or decision.generation != rollout.generation:
        return state, _not_current(state, decision.generation)
    if len(decision.before_ns) > MOST_RUNS or len(decision.after_ns) > MOST_RUNS:
        return state, Refused(code="malformed", reason=f"{MOST_RUNS} runs at most")
    if any(probe.peer == entry.author for probe in rollout.probes):
        return state, Refused(code="known", reason=f"{entry.author} has measured already")
    probe = Probe(
        peer=entry.author,
        control=True,
        before_ns=decision.before_ns,
        after_ns=decision.after_ns,
    )
    grown = msgspec.structs.replace(rollout, probes=(*rollout.probes, probe))
    return _with(state, grown), Reported(peer=entry.author, rollout=grown, note="control")


def promote(state: State, entry: Entry, decision: Promote) -> tuple[State, Effect]:
    """Let the rollout go a step on, if all that are allowed serve it and it is not worse."""
    del entry
    rollout = state.rollout
    if rollout is None or state.settled or decision.generation != rollout.generation:
        return state, _not_current(state, decision.generation)
    if decision.target != rollout.target:
        return state, Refused(code="known", reason=f"the rollout is at {rollout.target} peers")
    waiting = turn(rollout)
    if waiting is not None:
        return state, Refused(code="turn", reason=f"{waiting} has not reported yet")
    if rollout.failed and not rollout.withdraws:
        return state, Refused(code="failed", reason=rollout.reason)
    comparison = compare(rollout.probes, worse_ppm=state.worse_ppm)
    if not rollout.withdraws and not comparison.measured:
        return state, Refused(code="unmeasured", reason="no peer has measured it live")
    if not rollout.withdraws and comparison.worse:
        return state, Refused(code="worse", reason=_worse(comparison.cost_ppm))
    moved = promoted(rollout, len(state.members))
    grown = _with(state, moved)
    if moved.stage in (Stage.COMPLETE, Stage.ROLLED_BACK):
        grown = _settled(grown, moved)
    return grown, Promoted(rollout=moved, cost_ppm=comparison.cost_ppm)


def excuse(state: State, entry: Entry, decision: Excuse) -> tuple[State, Effect]:
    """Go on without a peer that is out of reach, as long as a majority is waited for."""
    del entry
    rollout = state.rollout
    if rollout is None or state.settled or decision.generation != rollout.generation:
        return state, _not_current(state, decision.generation)
    peer = decision.peer
    if peer not in rollout.order or peer in (*rollout.live, *rollout.excused):
        return state, Refused(code="known", reason=f"{peer} is live, excused, or no member")
    if not can_excuse(rollout, len(state.members)):
        return state, Refused(code="majority", reason="a majority must be waited for")
    grown = msgspec.structs.replace(rollout, excused=(*rollout.excused, peer))
    return _with(state, grown), Reported(
        peer=peer, rollout=grown, note=f"excused: {decision.reason}"
    )


def roll_back(state: State, entry: Entry, decision: Rollback) -> tuple[State, Effect]:
    """Make the tree of an older generation the head again, on evidence or on a person's word."""
    head, target = state.head, state.generation(decision.to)
    if decision.generation != head.number:
        return state, Refused(code="stale", reason=f"the head is generation {head.number}")
    if target is None or target.number == head.number:
        return state, Refused(code="unknown", reason=f"no generation {decision.to} before the head")
    if target.tree == head.tree:
        return state, Refused(code="same", reason=f"generation {target.number} is the same tree")
    if any(denied.tree == target.tree for denied in state.denied):
        return state, Refused(
            code="denied", reason=f"the tree of generation {target.number} was rolled back itself"
        )
    if decision.automatic and not rollback_evidence(state):
        return state, Refused(code="evidence", reason="nothing in the rollout asks for it")
    number = head.number + 1
    time_ms = max(entry.time_ms, head.time_ms)
    content = commit_content(
        tree=target.tree,
        parent=head.commit,
        time_ms=time_ms,
        message=rollback_message(
            to=target.number,
            withdraws=head.number,
            number=number,
            index=state.index,
            reason=decision.reason,
        ),
    )
    generation = msgspec.structs.replace(
        head,
        number=number,
        commit=commit_id(content),
        tree=target.tree,
        parent_commit=head.commit,
        kind=Kind.ROLLBACK,
        state=GenerationState.ROLLING,
        improvement="",
        summary=decision.reason,
        target="",
        fingerprint="",
        change_id="",
        files=(),
        measured_ratio_ppm=0,
        voters=(),
        raft_index=state.index,
        time_ms=time_ms,
    )
    withdrawn = _withdrawn(state, back_to=target)
    rollout = begin_rollback(
        generation, state.members, previous=state.rollout, withdraws=head.number
    )
    grown = msgspec.structs.replace(
        withdrawn, generations=(*withdrawn.generations, generation), rollout=rollout
    )
    return grown, Enacted(generation=generation, commit=content, change=None)


def rollback_evidence(state: State) -> str:
    """Return why the rollout under way must be taken back; ``""`` where nothing says so.

    A rollback is never rolled back by itself: its tree was live before.
    """
    rollout = state.rollout
    if rollout is None or state.settled or rollout.withdraws:
        return ""
    if rollout.failed:
        return rollout.reason
    comparison = compare(rollout.probes, worse_ppm=state.worse_ppm)
    return _worse(comparison.cost_ppm) if comparison.worse else ""


def _withdrawn(state: State, *, back_to: Generation) -> State:
    generations = list(state.generations)
    for number in range(back_to.number + 1, len(generations)):
        gone = generations[number]
        if gone.state is GenerationState.ROLLED_BACK:
            continue
        generations[number] = msgspec.structs.replace(gone, state=GenerationState.ROLLED_BACK)
        if gone.kind is not Kind.CHANGE:
            continue
        state = with_track(state, gone.improvement, rolled_back=1)
        if gone.tree == back_to.tree:  # a change that led back there; the live tree stays allowed
            continue
        denied = Denied(
            generation=number, tree=gone.tree, fingerprint=gone.fingerprint, policy=state.policy
        )
        state = msgspec.structs.replace(state, denied=(*state.denied, denied))
    return msgspec.structs.replace(state, generations=tuple(generations))


def _settled(state: State, rollout: Rollout) -> State:
    generations = list(state.generations)
    for number in range(rollout.generation):
        if generations[number].state is GenerationState.LIVE:
            generations[number] = msgspec.structs.replace(
                generations[number], state=GenerationState.SUPERSEDED
            )
    generations[rollout.generation] = msgspec.structs.replace(
        generations[rollout.generation], state=GenerationState.LIVE
    )
    return msgspec.structs.replace(state, generations=tuple(generations))


def _with(state: State, rollout: Rollout) -> State:
    return msgspec.structs.replace(state, rollout=rollout)


def _not_current(state: State, generation: int) -> Refused:
    current = state.rollout.generation if state.rollout else 0
    return Refused(code="stale", reason=f"{generation} is not rolled out now ({current} was last)")


def _worse(cost_ppm: int) -> str:
    return f"live cost is {cost_ppm // 10_000} % of the old generation's"
