"""Generations and their rollout: what has been accepted, and how far it is live.

No decisions may enter here; those are the ledger's.
"""

from __future__ import annotations

from enum import StrEnum

from tars_peer.model.noun import Count, GitId, Noun, PeerName, Text, Word


class Kind(StrEnum):
    """Where a generation came from."""

    GENESIS = "genesis"
    CHANGE = "change"
    ROLLBACK = "rollback"


class GenerationState(StrEnum):
    """How far a generation is."""

    ROLLING = "rolling"
    LIVE = "live"
    SUPERSEDED = "superseded"
    ROLLED_BACK = "rolled_back"


class Generation(Noun, frozen=True, kw_only=True):
    """One accepted state of the genome. ``raft_index`` is the log index of its decision."""

    number: Count
    commit: GitId
    tree: GitId
    parent_commit: str
    kind: Kind
    state: GenerationState
    improvement: str
    summary: Text
    target: str
    fingerprint: str
    change_id: str
    files: tuple[str, ...]
    measured_ratio_ppm: Count
    voters: tuple[PeerName, ...]
    raft_index: Count
    time_ms: Count


class Stage(StrEnum):
    """How far a rollout is: one peer, some, all; or taken back."""

    CANARY = "canary"
    PARTIAL = "partial"
    COMPLETE = "complete"
    ROLLED_BACK = "rolled_back"


class Probe(Noun, frozen=True, kw_only=True):
    """What one peer measured live: cost in nanoseconds a run, before and after in the same place.

    A peer that switched measured the old tree before and the new one after; a control peer
    measured the old tree both times.
    """

    peer: PeerName
    control: bool
    before_ns: tuple[Count, ...]
    after_ns: tuple[Count, ...]


class Rollout(Noun, frozen=True, kw_only=True):
    """The staged deployment of the head generation.

    ``order`` is the order in which peers switch and ``target`` how many of them may by now;
    ``live`` have reported that they serve it; ``excused`` were out of reach when it was their
    turn. ``withdraws`` is the generation a rollback takes back, else 0.
    """

    generation: Count
    withdraws: Count
    stage: Stage
    order: tuple[PeerName, ...]
    target: Count
    live: tuple[PeerName, ...]
    excused: tuple[PeerName, ...]
    failed: tuple[PeerName, ...]
    probes: tuple[Probe, ...]
    reason: Text


class Track(Noun, frozen=True, kw_only=True):
    """The record of one improvement: what the planner learns from.

    ``gain_ppm_sum`` adds up the measured gains (ratio minus one, in parts per million) of what
    was accepted.
    """

    improvement: Word
    accepted: Count
    refused: Count
    rolled_back: Count
    gain_ppm_sum: Count
