"""Stage 6, second half: this peer's switch to the head, and what it reports of it."""

from __future__ import annotations

from collections.abc import Callable

from tars_peer.enact.gap import compares, tree_to_start
from tars_peer.enact.observe import Prober
from tars_peer.errors import RefusedError
from tars_peer.ledger.entry import Decision, Observe, Report
from tars_peer.ledger.state import State
from tars_peer.model.noun import TreeId
from tars_peer.ports.events import Events
from tars_peer.ports.meter import Meter
from tars_peer.ports.runtime import Runtime
from tars_peer.ports.store import Store
from tars_peer.ports.worktree import Worktree

#: The folders of so many of the newest generations are kept, for a quick way back.
_KEPT_GENERATIONS = 4
#: A folder that was asked for more lately than this may be under examination.
_UNUSED_S = 3_600.0


class Deployer:
    """Switches what runs here and says in the ledger how it went."""

    def __init__(
        self,
        *,
        me: str,
        runtime: Runtime,
        worktree: Worktree,
        meter: Meter,
        prober: Prober,
        store: Store,
        submit: Callable[[Decision], object],
        events: Events,
    ) -> None:
        """Switch ``runtime``; report through ``submit``."""
        self._me = me
        self._runtime = runtime
        self._worktree = worktree
        self._meter = meter
        self._prober = prober
        self._store = store
        self._submit = submit
        self._events = events

    def start(self, state: State) -> None:
        """Run the tree this peer begins with."""
        self._switch(tree_to_start(state, self._me), state.head.number)

    def switch(self, state: State) -> None:
        """Run the head's tree; the attempt is noted first, for this process may end in it."""
        self._store.put("attempt", str(state.head.number), b"1")
        self._switch(state.head.tree, state.head.number)

    def verdict(self, state: State) -> str | None:
        """Return how our switch to the head went; None where none was tried for this generation."""
        number = str(state.head.number)
        if self._store.get("attempt", number) is None:
            return None
        complaint = self._store.get("complaint", number)
        return complaint.decode() if complaint else self._runtime.verdict(TreeId(state.head.tree))

    def measure_before(self, state: State) -> None:
        """Measure what runs now, before a switch (or beside the canary's)."""
        running = self._runtime.running()
        if running is not None:
            costs = self._costs(running.tree, state.head.number)
            self._prober.keep_before(state.head.number, costs)

    def report(self, state: State) -> None:
        """Say that the head is live here; where it is compared, with its cost before and after."""
        before: tuple[int, ...] = ()
        after: tuple[int, ...] = ()
        if compares(state):
            before = self._prober.before(state.head.number)
            try:
                if not before:
                    before = self._prober.measure(state.generations[-2].tree)
                after = self._prober.measure(state.head.tree)
            except RefusedError as error:
                self.report_failure(state, f"its probe failed: {error}")
                return
        self._put_report(state, live=True, reason="", before=before, after=after)

    def report_failure(self, state: State, reason: str) -> None:
        """Say that the head could not be made live here; the old one has been put back."""
        self._put_report(state, live=False, reason=reason[:1_000], before=(), after=())

    def observe(self, state: State) -> None:
        """Measure the old tree once more and add it to the ledger as the canary's control."""
        running = self._runtime.running()
        if running is None:
            return
        before = self._prober.before(state.head.number)
        after = self._costs(running.tree, state.head.number)
        self._submit(Observe(generation=state.head.number, before_ns=before, after_ns=after))

    def tidy(self, state: State) -> None:
        """Remove the folders of trees that nobody will need soon; they can be made again."""
        running = self._runtime.running()
        keep = {generation.tree for generation in state.generations[-_KEPT_GENERATIONS:]}
        keep |= {running.tree} if running else set()
        self._worktree.discard((TreeId(tree) for tree in keep), unused_s=_UNUSED_S)

    def _switch(self, tree: str, generation: int) -> None:
        artifact = self._worktree.artifact(TreeId(tree))
        complaint = self._meter.build(artifact)
        # The runtime never hears of a tree that does not build, so that is remembered here.
        self._store.put("complaint", str(generation), complaint.encode())
        self._say_switch(tree, generation, "starting", "")
        reason = complaint or self._runtime.switch(TreeId(tree), artifact)
        self._say_switch(tree, generation, "failed" if reason else "live", reason)

    def _costs(self, tree: str, generation: int) -> tuple[int, ...]:
        """Measure ``tree``; nothing where it cannot be, for a rollout must not wait for it."""
        try:
            return self._prober.measure(tree)
        except RefusedError as error:
            self._events.say("fault", f"the probe failed: {error}", generation=generation)
            return ()

    def _put_report(
        self,
        state: State,
        *,
        live: bool,
        reason: str,
        before: tuple[int, ...],
        after: tuple[int, ...],
    ) -> None:
        self._submit(
            Report(
                generation=state.head.number,
                commit=state.head.commit,
                tree=state.head.tree,
                live=live,
                reason=reason,
                before_ns=before,
                after_ns=after,
            )
        )

    def _say_switch(self, tree: str, generation: int, how: str, reason: str) -> None:
        self._events.say(
            "switch",
            f"tree {tree[:12]} {how}" + (f": {reason}" if reason else ""),
            generation=generation,
            tree=tree,
            state=how,
            reason=reason,
        )
