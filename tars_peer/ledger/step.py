"""The one door of the ledger: bytes in, the next state and its effects out. It is total."""

from __future__ import annotations

from typing import assert_never

import msgspec

from tars_peer.errors import RefusedError
from tars_peer.ledger.accepting import accept, found, refuse
from tars_peer.ledger.deploying import excuse, observe, promote, report, roll_back
from tars_peer.ledger.effect import Cleared, Effect, PauseChanged, Refused
from tars_peer.ledger.entry import (
    Accept,
    Clear,
    Entry,
    Excuse,
    Found,
    Observe,
    Pause,
    Promote,
    Refuse,
    Report,
    Rollback,
    decode_entry,
    is_entry_of,
)
from tars_peer.ledger.state import State
from tars_peer.model.member import Member


def step(state: State, index: int, payload: bytes) -> tuple[State, tuple[Effect, ...]]:
    """Return what follows from the entry ``payload`` at log index ``index``.

    Never raises: what is malformed, forged or out of place gives a ``Refused`` effect, and only
    the index moves.
    """
    moved = msgspec.structs.replace(state, index=max(state.index, index))
    try:
        entry = decode_entry(payload)
    except RefusedError as error:
        return moved, (Refused(code="malformed", reason=str(error)),)
    fault = _author_fault(moved, entry)
    if fault:
        return moved, (fault,)
    after, effect = _decide(moved, entry)
    return after, (effect,)


def _author_fault(state: State, entry: Entry) -> Refused | None:
    members: tuple[Member, ...] = state.members
    if isinstance(entry.decision, Found) and not state.founded:
        members = entry.decision.members
    elif not state.founded:
        return Refused(code="unfounded", reason="the ledger has not begun")
    elif entry.cluster_id != state.cluster_id:
        return Refused(code="stranger", reason=f"the entry is of cluster {entry.cluster_id}")
    key = next((member.ballot_key for member in members if member.id == entry.author), None)
    if key is None:
        return Refused(code="stranger", reason=f"{entry.author} is not a member")
    if not is_entry_of(entry, key):
        return Refused(code="forged", reason=f"the signature is not that of {entry.author}")
    return None


def _decide(state: State, entry: Entry) -> tuple[State, Effect]:
    match entry.decision:
        case Found() as decision:
            return found(state, entry, decision)
        case Accept() as decision:
            return accept(state, entry, decision)
        case Refuse() as decision:
            return refuse(state, entry, decision)
        case Report() as decision:
            return report(state, entry, decision)
        case Observe() as decision:
            return observe(state, entry, decision)
        case Promote() as decision:
            return promote(state, entry, decision)
        case Excuse() as decision:
            return excuse(state, entry, decision)
        case Rollback() as decision:
            return roll_back(state, entry, decision)
        case Pause() as decision:
            return _pause(state, decision)
        case Clear() as decision:
            return _clear(state, decision)
    assert_never(entry.decision)


def _pause(state: State, decision: Pause) -> tuple[State, Effect]:
    if decision.paused == state.paused:
        return state, Refused(code="known", reason="nothing changes by that")
    changed = msgspec.structs.replace(
        state, paused=decision.paused, pause_reason=decision.reason if decision.paused else ""
    )
    return changed, PauseChanged(paused=decision.paused, reason=decision.reason)


def _clear(state: State, decision: Clear) -> tuple[State, Effect]:
    kept = tuple(denied for denied in state.denied if denied.generation != decision.generation)
    if len(kept) == len(state.denied):
        return state, Refused(code="unknown", reason=f"{decision.generation} is not denied")
    return msgspec.structs.replace(state, denied=kept), Cleared(generation=decision.generation)
