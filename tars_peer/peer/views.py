"""How things are, for people: the views that ``Desk`` answers with, from state and sight.

Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Sequence

from tars_peer.evolve.engine import View
from tars_peer.ledger.deploying import rollback_evidence
from tars_peer.ledger.state import State
from tars_peer.model.generation import Generation, Stage
from tars_peer.model.member import Member
from tars_peer.model.status import (
    AnalysisView,
    ClusterStatus,
    FindingRow,
    HeadStatus,
    HistoryRow,
    PeerStatus,
    RolloutStatus,
)
from tars_peer.ports.log import LogStatus

UNKNOWN = "unknown"


def running_generation(state: State, me: str, tree: str | None) -> Generation | None:
    """Return the generation that ``tree`` running on ``me`` stands for; None if there is none.

    The head where it is live here; else the newest earlier one with that tree.
    """
    if tree is None or not state.founded:
        return None
    rollout = state.rollout
    waiting = rollout is not None and me not in rollout.live
    for generation in reversed(state.generations):
        is_head = generation.number == state.head.number
        if generation.tree == tree and not (is_head and waiting and len(state.generations) > 1):
            return generation
    return state.head if state.head.tree == tree else None


def rollout_status(state: State) -> RolloutStatus | None:
    """Return how far the newest rollout is; that of a rollback speaks of what it withdraws."""
    rollout = state.rollout
    if rollout is None:
        return None
    if rollout.withdraws:
        stage = "rolled_back" if rollout.stage is Stage.ROLLED_BACK else "partial"
        reason = rollout.reason if stage == "rolled_back" else f"rolling back: {rollout.reason}"
        return RolloutStatus(generation=rollout.withdraws, stage=stage, reason=reason)
    reason = rollback_evidence(state) or rollout.reason
    return RolloutStatus(generation=rollout.generation, stage=str(rollout.stage), reason=reason)


def unreachable(member: Member, reason: str) -> PeerStatus:
    """Return the status of a peer that does not answer."""
    return PeerStatus(
        id=member.id,
        address=member.address,
        state="unreachable",
        generation=0,
        commit="",
        tree="",
        applied_index=0,
        ledger_digest="",
        health=UNKNOWN,
        sandbox="",
        service_url="",
        reason=reason,
    )


def cluster_status(
    state: State, log: LogStatus, cluster_id: str, peers: Sequence[PeerStatus]
) -> ClusterStatus:
    """Return the cluster as one peer sees it, with the reason where it is not healthy."""
    sick = [peer for peer in peers if peer.health != "healthy"]
    if not log.has_quorum:
        reason = "no quorum: nothing can be decided until a majority of the peers is there"
    elif not state.founded:
        reason = "the ledger has not begun yet"
    else:
        reason = "; ".join(f"{peer.id} is {peer.state}: {peer.reason}" for peer in sick)
    head = (
        HeadStatus(generation=state.head.number, commit=state.head.commit, tree=state.head.tree)
        if state.founded
        else HeadStatus(generation=0, commit="", tree="")
    )
    return ClusterStatus(
        cluster_id=cluster_id,
        leader=log.leader,
        term=log.term,
        healthy=not reason,
        head=head,
        rollout=rollout_status(state),
        paused=state.paused,
        reason=reason,
        peers=tuple(peers),
    )


def history(state: State) -> tuple[HistoryRow, ...]:
    """Return all generations, oldest first."""
    return tuple(
        HistoryRow(
            generation=generation.number,
            commit=generation.commit,
            tree=generation.tree,
            parent_commit=generation.parent_commit,
            kind=str(generation.kind),
            improvement=generation.improvement,
            files=generation.files,
            measured_ratio=(generation.measured_ratio_ppm / 1_000_000) or None,
            ballots=generation.voters,
            raft_index=generation.raft_index,
            state=str(generation.state),
            summary=generation.summary,
        )
        for generation in state.generations
    )


def analysis_view(state: State, view: View) -> AnalysisView:
    """Return findings by rank; those that the plan leaves out come last, with rank 0."""
    ranked = {id(item.finding): item for item in view.items}
    rows = []
    for finding in view.analysis.findings:
        item = ranked.get(id(finding))
        rows.append(
            FindingRow(
                rank=item.rank if item else 0,
                improvement=finding.improvement,
                path=finding.path,
                line=finding.line,
                function=finding.function,
                message=finding.message,
                evidence=finding.evidence,
                share=finding.share,
                score=item.score if item else 0.0,
                why=item.why if item else "left out: closed, or nothing to gain",
            )
        )
    rows.sort(key=lambda row: (row.rank == 0, row.rank, row.path, row.line))
    return AnalysisView(
        generation=state.head.number,
        findings=tuple(rows),
        skipped=tuple((skipped.path, skipped.reason) for skipped in view.analysis.skipped),
    )
