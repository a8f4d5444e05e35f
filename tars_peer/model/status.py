"""What a peer answers when it is asked how things are. A view for people and programs, no more.

The JSON of these nouns is the contract of ``tars cluster status --json`` and of
``tars evolve history --json``; a field once there keeps its meaning.
"""

from __future__ import annotations

from tars_peer.model.noun import Noun


class HeadStatus(Noun, frozen=True, kw_only=True):
    """The newest decided generation."""

    generation: int
    commit: str
    tree: str


class RolloutStatus(Noun, frozen=True, kw_only=True):
    """How far the newest rollout is: canary, partial, complete or rolled_back, and why."""

    generation: int
    stage: str
    reason: str


class PeerStatus(Noun, frozen=True, kw_only=True):
    """One peer, as it sees itself (or, with state ``unreachable``, as it is not seen).

    ``state`` is one of starting, leader, follower, no-quorum, stopped-by-fault, unreachable;
    ``generation``, ``commit`` and ``tree`` are what runs there; ``health`` is healthy, unhealthy,
    starting or unknown; ``sandbox`` is the level that candidate code runs under.
    """

    id: str
    address: str
    state: str
    generation: int
    commit: str
    tree: str
    applied_index: int
    ledger_digest: str
    health: str
    sandbox: str
    service_url: str
    reason: str


class ClusterStatus(Noun, frozen=True, kw_only=True):
    """The cluster as the answering peer sees it; ``reason`` says why it is not healthy."""

    cluster_id: str
    leader: str | None
    term: int
    healthy: bool
    head: HeadStatus
    rollout: RolloutStatus | None
    paused: bool
    reason: str
    peers: tuple[PeerStatus, ...]


class HistoryRow(Noun, frozen=True, kw_only=True):
    """One generation in the history; ``measured_ratio`` is old/new cost, None where unmeasured."""

    generation: int
    commit: str
    tree: str
    parent_commit: str
    kind: str
    improvement: str
    files: tuple[str, ...]
    measured_ratio: float | None
    ballots: tuple[str, ...]
    raft_index: int
    state: str
    summary: str


class FindingRow(Noun, frozen=True, kw_only=True):
    """A finding with its rank in the plan; ``rank`` 0 where the plan left it out."""

    rank: int
    improvement: str
    path: str
    line: int
    function: str
    message: str
    evidence: str
    share: float | None
    score: float
    why: str


class AnalysisView(Noun, frozen=True, kw_only=True):
    """What one look at the head found: findings by rank, and files that were left alone."""

    generation: int
    findings: tuple[FindingRow, ...]
    skipped: tuple[tuple[str, str], ...]


class ChangeView(Noun, frozen=True, kw_only=True):
    """A change for people: what it is, and its unified diff."""

    change_id: str
    improvement: str
    summary: str
    target: str
    base_generation: int
    tree: str
    diff: str
