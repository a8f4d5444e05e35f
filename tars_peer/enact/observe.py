"""Stage 7, the eyes: what the running tree costs on this peer, as whole nanoseconds a run.

The verdict over what was seen is the ledger's; no judgement may enter here.
"""

from __future__ import annotations

import msgspec

from tars_peer.ledger.deploying import MOST_RUNS
from tars_peer.ledger.verdict import FEWEST_RUNS
from tars_peer.model.noun import TreeId
from tars_peer.ports.meter import Meter
from tars_peer.ports.store import Store
from tars_peer.ports.worktree import Worktree

#: A probe whose first run takes longer than this is kept to the fewest runs that count.
_LONG_RUN_NS = 5_000_000_000


class Prober:
    """Measures trees by the genome's benchmark (or its tests) and remembers the old one's cost."""

    def __init__(self, *, worktree: Worktree, meter: Meter, store: Store, runs: int) -> None:
        """Measure ``runs`` times, or as few or many as count in the ledger.

        What was measured before a switch is kept in ``store``.
        """
        self._worktree = worktree
        self._meter = meter
        self._store = store
        self._runs = min(max(runs, FEWEST_RUNS), MOST_RUNS)

    def measure(self, tree: str) -> tuple[int, ...]:
        """Return the cost of ``tree`` in nanoseconds, one figure a run.

        Raises:
            RefusedError: a run failed.
        """
        artifact = self._worktree.artifact(TreeId(tree))
        with self._meter.exclusive():
            costs = [self._meter.cost(artifact)]
            runs = self._runs if costs[0] < _LONG_RUN_NS else FEWEST_RUNS
            costs += [self._meter.cost(artifact) for _ in range(runs - 1)]
        return tuple(costs)

    def is_measured(self, generation: int) -> bool:
        """Say whether measuring before the switch to ``generation`` was tried."""
        return self._store.get("before", str(generation)) is not None

    def before(self, generation: int) -> tuple[int, ...]:
        """Return what was measured before the switch to ``generation``; empty where nothing was."""
        kept = self._store.get("before", str(generation))
        return tuple(msgspec.json.decode(kept, type=list[int])) if kept else ()

    def keep_before(self, generation: int, costs: tuple[int, ...]) -> None:
        """Keep ``costs`` as those before ``generation``; empty where it cannot be measured."""
        self._store.put("before", str(generation), msgspec.json.encode(costs))
