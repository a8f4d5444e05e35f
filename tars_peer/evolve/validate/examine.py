"""Examine a change: replay it on our own base, then climb the gates.

The base is proved first: it builds, its benchmark runs, and its tests are known by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tars_peer.errors import CorruptError, RefusedError, TemporaryError
from tars_peer.gates.baseline import Baseline, take_baseline
from tars_peer.gates.case import Case
from tars_peer.gates.constitution import constitution_for
from tars_peer.gates.ladder import Report, climb
from tars_peer.ledger.parcel import change_id
from tars_peer.model.ballot import GateResult
from tars_peer.model.change import Change, changed_files
from tars_peer.model.noun import TreeId
from tars_peer.model.policy import Policy
from tars_peer.ports.events import Events
from tars_peer.ports.meter import Meter
from tars_peer.ports.store import Store
from tars_peer.ports.worktree import Worktree


class Examiner:
    """Proves the base once, and then any change on it or on what came of it."""

    def __init__(
        self,
        *,
        policy: Policy,
        worktree: Worktree,
        meter: Meter,
        store: Store,
        events: Events,
    ) -> None:
        """Examine under ``policy``; the baseline is remembered in ``store``."""
        self._policy = policy
        self._worktree = worktree
        self._meter = meter
        self._store = store
        self._events = events
        self._baseline: Baseline | None = None

    def prove_base(self, tree: TreeId) -> Baseline:
        """Build, measure and repeatedly test the base ``tree``; a change is judged by its tests.

        Later generations inherit the baseline: each was accepted because these tests passed.

        Raises:
            RefusedError: it does not build, cannot be measured, or no test passes every time.
        """
        artifact = self._worktree.artifact(tree)
        complaint = self._meter.build(artifact)
        if complaint:
            raise RefusedError(
                f"the genome does not build: {complaint}", hint="repair it, commit, and start again"
            )
        baseline = self._remembered(tree)
        if baseline is None:
            with self._meter.exclusive():
                baseline = take_baseline(
                    self._meter, artifact, self._policy.thresholds.baseline_runs
                )
                self._meter.cost(artifact)
            self._store.put("baseline", tree, baseline.to_json())
        self._baseline = baseline
        self._events.say(
            "baseline",
            f"{len(baseline.passed)} tests of the base pass every time"
            + (f", {len(baseline.failed)} fail" if baseline.failed else "")
            + (f", {len(baseline.wavering)} waver" if baseline.wavering else ""),
            passed=len(baseline.passed),
            failed=sorted(baseline.failed),
            wavering=sorted(baseline.wavering),
        )
        return baseline

    def examine(self, change: Change, cancelled: Callable[[], bool]) -> Report:
        """Return how far ``change`` came.

        Raises:
            TemporaryError: it was cancelled, the base is not proved yet, or something is wrong
                with this peer's own disk: that is no evidence against the change.
        """
        if self._baseline is None:
            raise TemporaryError("the base is not proved on this peer yet")
        identity = change_id(change)
        base_tree = TreeId(change.base_tree)
        fault = self._replay_fault(change)
        if fault:
            return Report(
                gates=(GateResult(gate="replay", passed=False, reason=fault),),
                tests_passed=0,
                measurement=None,
            )
        trouble: list[Exception] = []

        def folder(tree: TreeId) -> Path:
            try:
                return self._worktree.artifact(tree)
            except (OSError, CorruptError) as error:
                trouble.append(error)
                raise

        case = Case(
            change=change,
            policy=self._policy,
            base_files=self._worktree.files(base_tree),
            base=lambda: folder(base_tree),
            candidate=lambda: folder(TreeId(change.tree)),
            baseline=self._baseline,
            meter=self._meter,
            constitution=constitution_for(self._policy),
            cancelled=cancelled,
        )

        def observe(result: GateResult) -> None:
            self._events.say(
                "gate",
                f"{result.gate}: {result.reason}",
                change_id=identity,
                gate=result.gate,
                passed=result.passed,
                reason=result.reason,
            )

        report = climb(case, observe=observe)
        if trouble:
            raise TemporaryError(f"this peer cannot judge now: {trouble[0]}") from trouble[0]
        return report

    def _replay_fault(self, change: Change) -> str:
        """Return why the edits do not lead from the base to the tree the change names."""
        base = TreeId(change.base_tree)
        try:
            files = changed_files(self._worktree.files(base), change.edits)
            tree = self._worktree.tree_with(base, files)
        except RefusedError as error:
            return str(error)
        except CorruptError as error:
            raise TemporaryError(f"this peer cannot judge now: {error}") from error
        return "" if tree == change.tree else f"the edits lead to tree {tree}, not {change.tree}"

    def _remembered(self, tree: TreeId) -> Baseline | None:
        kept = self._store.get("baseline", tree)
        if kept is None:
            return None
        try:
            return Baseline.from_json(kept)
        except CorruptError:
            return None
