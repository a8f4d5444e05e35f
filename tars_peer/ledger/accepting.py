"""Founding, accepting and refusing: how a ledger begins and how a proved change becomes its head.

The certificate is verified here, on every replica: a leader that lies is refused by all.
"""

from __future__ import annotations

import msgspec

from tars_peer.errors import RefusedError
from tars_peer.ledger.commit import change_message, commit_content, commit_id
from tars_peer.ledger.effect import Effect, Enacted, Founded, Learned, Refused
from tars_peer.ledger.entry import Accept, Entry, Found, Refuse
from tars_peer.ledger.learning import is_known, reason_against, with_closed, with_track
from tars_peer.ledger.parcel import change_id, unpack
from tars_peer.ledger.quorum import ballot_fault, certificate_fault
from tars_peer.ledger.rollout import begin
from tars_peer.ledger.state import State
from tars_peer.ledger.verdict import ONE_PPM, median
from tars_peer.model.ballot import Certificate, Verdict
from tars_peer.model.change import Change
from tars_peer.model.generation import Generation, GenerationState, Kind

MOST_MEMBERS = 64


def found(state: State, entry: Entry, decision: Found) -> tuple[State, Effect]:
    """Begin the ledger; only once."""
    if state.founded:
        return state, Refused(code="founded", reason="the ledger has begun already")
    names = [member.id for member in decision.members]
    keys = {member.ballot_key for member in decision.members}
    if not 1 <= len(names) <= MOST_MEMBERS or len(set(names)) != len(names):
        return state, Refused(code="members", reason="members must be distinct, 1 to 64 of them")
    if len(keys) != len(names):
        return state, Refused(code="members", reason="each member needs a ballot key of its own")
    genesis = Generation(
        number=0,
        commit=decision.commit,
        tree=decision.tree,
        parent_commit="",
        kind=Kind.GENESIS,
        state=GenerationState.LIVE,
        improvement="",
        summary="the genome as it was given",
        target="",
        fingerprint="",
        change_id="",
        files=(),
        measured_ratio_ppm=0,
        voters=(),
        raft_index=state.index,
        time_ms=entry.time_ms,
    )
    begun = msgspec.structs.replace(
        state,
        cluster_id=entry.cluster_id,
        members=decision.members,
        policy=decision.policy,
        worse_ppm=decision.worse_ppm,
        generations=(genesis,),
    )
    return begun, Founded(generation=genesis)


def accept(state: State, entry: Entry, decision: Accept) -> tuple[State, Effect]:
    """Make a proved change the head and begin its rollout."""
    try:
        change = unpack(decision.change)
    except RefusedError as error:
        return state, Refused(code="malformed", reason=str(error))
    fault = _acceptance_fault(state, change, decision.certificate)
    if fault:
        return state, fault
    number, ratio_ppm = state.head.number + 1, _ratio_ppm(decision.certificate)
    time_ms = max(entry.time_ms, state.head.time_ms)
    content = commit_content(
        tree=change.tree,
        parent=state.head.commit,
        time_ms=time_ms,
        message=change_message(
            change, decision.certificate, number=number, index=state.index, ratio_ppm=ratio_ppm
        ),
    )
    generation = Generation(
        number=number,
        commit=commit_id(content),
        tree=change.tree,
        parent_commit=state.head.commit,
        kind=Kind.CHANGE,
        state=GenerationState.ROLLING,
        improvement=change.improvement,
        summary=change.summary,
        target=change.target,
        fingerprint=change.fingerprint,
        change_id=decision.certificate.change_id,
        files=change.files,
        measured_ratio_ppm=ratio_ppm,
        voters=tuple(ballot.voter for ballot in decision.certificate.ballots),
        raft_index=state.index,
        time_ms=time_ms,
    )
    grown = msgspec.structs.replace(
        state,
        generations=(*state.generations, generation),
        rollout=begin(generation, state.members),
    )
    gain_ppm = max(0, ratio_ppm - ONE_PPM)
    learned = with_track(grown, change.improvement, accepted=1, gain_ppm=gain_ppm)
    return learned, Enacted(generation=generation, commit=content, change=change)


def refuse(state: State, entry: Entry, decision: Refuse) -> tuple[State, Effect]:
    """Record that voters refused a change, so that the idea is not tried again on that code."""
    del entry
    try:
        change = unpack(decision.change)
    except RefusedError as error:
        return state, Refused(code="malformed", reason=str(error))
    identity = change_id(change)
    against = [ballot for ballot in decision.ballots if ballot.verdict is Verdict.REFUSE]
    if not against:
        return state, Refused(code="ballots", reason="no ballot refuses the change")
    for ballot in decision.ballots:
        fault = ballot_fault(
            ballot, change_id=identity, cluster_id=state.cluster_id, members=state.members
        )
        if fault:
            return state, Refused(code="ballots", reason=fault)
    if is_known(state, change.fingerprint, against):
        return state, Refused(code="known", reason="this was refused before")
    learned = with_track(state, change.improvement, refused=1)
    effect = Learned(
        improvement=change.improvement,
        fingerprint=change.fingerprint,
        reason=reason_against(against),
    )
    return with_closed(learned, change.fingerprint, against), effect


def _acceptance_fault(state: State, change: Change, certificate: Certificate) -> Refused | None:
    head = state.head
    based = (change.base_generation, change.base_commit, change.base_tree)
    if based != (head.number, head.commit, head.tree):
        return Refused(
            code="stale",
            reason=f"made on generation {change.base_generation}, the head is {head.number}",
        )
    if change.policy != state.policy:
        return Refused(code="policy", reason="judged under other settings than this cluster's")
    if state.paused:
        return Refused(code="paused", reason=f"changes are paused: {state.pause_reason}")
    if not state.settled:
        return Refused(code="rolling", reason=f"generation {head.number} is still rolled out")
    if change.tree == change.base_tree or not change.edits:
        return Refused(code="empty", reason="the change changes nothing")
    for denied in state.denied:
        if denied.policy == change.policy and (
            denied.tree == change.tree or denied.fingerprint == change.fingerprint
        ):
            return Refused(
                code="denied",
                reason=f"it was rolled back as generation {denied.generation}",
            )
    fault = certificate_fault(
        certificate,
        change_id=change_id(change),
        cluster_id=state.cluster_id,
        members=state.members,
    )
    return Refused(code="certificate", reason=fault) if fault else None


def _ratio_ppm(certificate: Certificate) -> int:
    ratios = [ballot.measurement.ratio_ppm for ballot in certificate.ballots if ballot.measurement]
    return median(ratios) if ratios else 0
