"""Stages 1 to 3 on one head: look at it, rank what was found, write the best change.

What is done with the change is not known here.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tars_peer.errors import RefusedError
from tars_peer.evolve.analyse.analyse import analyse
from tars_peer.evolve.generate.generate import generate
from tars_peer.evolve.plan.plan import plan
from tars_peer.gates.constitution import constitution_for
from tars_peer.ledger.canon import digest
from tars_peer.ledger.state import State
from tars_peer.model.change import Change
from tars_peer.model.finding import Analysis, PlanItem
from tars_peer.model.noun import TreeId
from tars_peer.model.policy import Policy
from tars_peer.ports.events import Events
from tars_peer.ports.meter import Meter
from tars_peer.ports.worktree import Worktree

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the head looks like now: everything found, and the plan over it, best first."""

    analysis: Analysis
    items: tuple[PlanItem, ...]


class Engine:
    """Finds, ranks and writes changes."""

    def __init__(self, *, policy: Policy, worktree: Worktree, meter: Meter, events: Events) -> None:
        """Evolve what ``policy`` names as source."""
        self._policy = policy
        self._policy_digest = digest("policy", policy)
        self._worktree = worktree
        self._meter = meter
        self._events = events
        self._lock = threading.Lock()
        self._analysis: Analysis | None = None
        self._unwritten: frozenset[str] = frozenset()

    def look(self, state: State) -> View:
        """Return findings and plan for the head; the profile is taken once a tree.

        Raises:
            RefusedError: the benchmark fails under the profiler.
        """
        with self._lock:
            analysis = self._analyse(TreeId(state.head.tree), state.head.number)
        closed = {closed.fingerprint for closed in state.closed if closed.final}
        denied = {denied.fingerprint for denied in state.denied}
        tracks = {track.improvement: track for track in state.tracks}
        tries = {closed.fingerprint: closed.tries for closed in state.closed}
        items = plan(analysis, tracks=tracks, tries=tries, closed=closed | denied)
        return View(analysis=analysis, items=items)

    def next_change(self, state: State, *, without: frozenset[str]) -> Change | None:
        """Return the best change on the head, or None where nothing is left to gain.

        ``without`` are fingerprints of ideas that this peer has given up on.
        """
        without |= self._unwritten
        items = [item for item in self.look(state).items if item.finding.fingerprint not in without]
        if not items:
            return None
        self._events.say(
            "plan",
            f"{len(items)} worth trying, first {items[0].finding.improvement}",
            generation=state.head.number,
            items=[
                {
                    "rank": item.rank,
                    "improvement": item.finding.improvement,
                    "path": item.finding.path,
                    "line": item.finding.line,
                    "function": item.finding.function,
                    "why": item.why,
                }
                for item in items[:_SHOWN]
            ],
        )
        for item in items:
            try:
                return self.write(state, item)
            except RefusedError as error:
                self._leave_out(state, item, error)
        return None

    def write(self, state: State, item: PlanItem) -> Change:
        """Return the change that ``item`` leads to on the head.

        Raises:
            RefusedError: the rewrite does not hold together.
        """
        tree = TreeId(state.head.tree)
        return generate(
            item,
            files=self._worktree.files(tree),
            generation=state.head.number,
            commit=state.head.commit,
            tree=tree,
            policy=self._policy_digest,
            write_tree=lambda files: self._worktree.tree_with(tree, files),
        )

    def _leave_out(self, state: State, item: PlanItem, error: RefusedError) -> None:
        """Say that ``item`` could not be written, and do not try it again on this peer."""
        finding = item.finding
        self._unwritten |= {finding.fingerprint}
        self._events.say(
            "refusal",
            f"{finding.improvement} at {finding.path}:{finding.line}: {error}",
            generation=state.head.number,
            improvement=finding.improvement,
            reason=f"{error}",
        )

    def _analyse(self, tree: TreeId, generation: int) -> Analysis:
        if self._analysis is not None and self._analysis.tree == tree:
            return self._analysis
        artifact = self._worktree.artifact(tree)
        self._meter.build(artifact)
        analysis = analyse(
            tree,
            self._worktree.files(tree),
            source=self._policy.source,
            protected=(*self._policy.protected, *constitution_for(self._policy)),
            hotspots=self._meter.profile(artifact),
        )
        self._analysis = analysis
        self._events.say(
            "analysis",
            f"{len(analysis.findings)} findings in generation {generation}",
            generation=generation,
            findings=len(analysis.findings),
            skipped=[[skipped.path, skipped.reason] for skipped in analysis.skipped],
            hotspots=[
                [spot.path, spot.function, round(spot.share, 4)]
                for spot in analysis.hotspots[:_SHOWN]
            ],
        )
        return analysis
