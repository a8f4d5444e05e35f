"""The reconciler: look, find the gap, take one idempotent step, and again.

What the step is, ``gap`` says; how it is done, ``apply``, ``deploy`` and ``observe`` know.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from tars_peer.enact.apply import Applier
from tars_peer.enact.deploy import Deployer
from tars_peer.enact.gap import Sight, Step, next_step
from tars_peer.enact.observe import Prober
from tars_peer.enact.rollback import rollback_to, way_back
from tars_peer.errors import OvertakenError, TarsError
from tars_peer.ledger.deploying import rollback_evidence
from tars_peer.ledger.entry import Decision, Excuse, Promote
from tars_peer.ledger.rollout import turn
from tars_peer.ledger.state import State
from tars_peer.ports.clock import Clock
from tars_peer.ports.events import Events
from tars_peer.ports.log import Log, LogStatus
from tars_peer.ports.runtime import Runtime

_IDLE_S = 0.5
_AFTER_ERROR_S = 1.0
#: Somebody was quicker: look again soon, but never so soon that refused entries fill the log.
_AFTER_OVERTAKEN_S = 0.1
_LEADING = frozenset({Step.PROMOTE, Step.ROLL_BACK, Step.EXCUSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait: for a peer out of reach or not healthy, for controls, for one stuck."""

    grace_ms: int
    patience_ms: int
    stuck_ms: int


class Reconciler:
    """One peer's hands."""

    def __init__(
        self,
        *,
        me: str,
        state: Callable[[], State],
        caught_up: Callable[[], bool],
        log: Log,
        applier: Applier,
        deployer: Deployer,
        prober: Prober,
        runtime: Runtime,
        submit: Callable[[Decision], object],
        clock: Clock,
        events: Events,
        patience: Patience,
        enacted: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take steps as ``me``; ``caught_up`` says whether ``state`` has all that was delivered.

        ``enacted`` is told the newest generation whose commit is here, with all before it.
        """
        self._me = me
        self._state = state
        self._caught_up = caught_up
        self._enacted = enacted
        self._log = log
        self._applier = applier
        self._deployer = deployer
        self._prober = prober
        self._runtime = runtime
        self._submit = submit
        self._clock = clock
        self._events = events
        self._patience = patience
        self._wake = threading.Event()
        #: Who is out of reach, and since when, in seconds of the monotonic clock.
        self._missed_s: dict[str, float] = {}
        self._phase: object = None
        self._phase_since_s = 0.0
        self._hindered = False
        self._last = Step.NOTHING
        self._tidied = -1
        self.last_error = ""

    def wake(self) -> None:
        """Look again now; called whenever the ledger has moved."""
        self._wake.set()

    def run(self, stopped: threading.Event) -> None:
        """Take steps until ``stopped``; whatever goes wrong in one is said, and it goes on."""
        while not stopped.is_set():
            self._wake.clear()
            try:
                step = self.step()
            except OvertakenError:
                stopped.wait(_AFTER_OVERTAKEN_S)
                continue
            except Exception as error:  # noqa: BLE001  (a full disk must not end the hands for good)
                said = f"{error}" if isinstance(error, TarsError) else f"{error!r}"
                self._say_error(said)
                stopped.wait(_AFTER_ERROR_S)
                continue
            self.last_error = ""
            if step is Step.NOTHING:
                self._wake.wait(_IDLE_S)
            elif self._hindered:
                stopped.wait(_AFTER_ERROR_S)

    def step(self) -> Step:
        """Take the one step that is next, if any, and return it.

        Raises:
            TarsError: it did not work this time; the next call tries what is next then.
        """
        state = self._state()
        if not (state.founded and self._knows_all()):
            return Step.NOTHING
        if not self._applier.applied() and not self._applier.catch_up():
            return Step.NOTHING
        if state.founded:
            self._enacted(state.head.number)
        sight = self._look(state)
        step = next_step(state, sight)
        own = step is not Step.NOTHING and step not in _LEADING
        self._hindered = own
        self._do(step, state)
        # A step that is next again did not change what is seen: it did not work either.
        self._hindered = own and step is self._last
        self._last = step
        if step is Step.NOTHING and state.founded and state.settled and sight.in_step:
            self._tidy(state)
        return step

    def _tidy(self, state: State) -> None:
        """Make room once a generation, when all is done."""
        if self._tidied != state.head.number:
            self._tidied = state.head.number
            self._deployer.tidy(state)

    def _knows_all(self) -> bool:
        """Say whether ``state`` has all that was decided before: at a start it passes old ones."""
        return self._log.status().ready and self._caught_up()

    def _look(self, state: State) -> Sight:
        status = self._log.status()
        running = self._runtime.running()
        generation = state.head.number if state.founded else 0
        return Sight(
            me=self._me,
            leading=status.leader == self._me,
            in_step=status.ready and status.has_quorum and self._caught_up(),
            hindered=self._hindered,
            connected=frozenset(status.connected),
            absent=self._absent(state, status),
            applied=state.founded and self._applier.applied(),
            running=running.tree if running else None,
            healthy=running is not None and running.healthy,
            verdict=self._deployer.verdict(state) if state.founded else None,
            measured_before=self._prober.is_measured(generation),
            waited_ms=self._waited_ms(state),
            grace_ms=self._patience.grace_ms,
            patience_ms=self._patience.patience_ms,
            stuck_ms=self._patience.stuck_ms,
        )

    def _absent(self, state: State, status: LogStatus) -> frozenset[str]:
        """Return who has been out of reach for as long as grace lasts, as seen here.

        Counted from the first look that missed it: between two looks a deed of ours may take long.
        """
        now_s = self._clock.monotonic_s()
        missed = {member.id for member in state.members} - {self._me, *status.connected}
        self._missed_s = {peer: self._missed_s.get(peer, now_s) for peer in missed}
        grace_s = self._patience.grace_ms / 1000
        return frozenset(peer for peer, at_s in self._missed_s.items() if now_s - at_s > grace_s)

    def _waited_ms(self, state: State) -> int:
        """Return how long the rollout has stood where it stands, as seen here."""
        rollout = state.rollout
        phase = rollout and (
            rollout.generation,
            rollout.target,
            rollout.live,
            rollout.excused,
        )
        now_s = self._clock.monotonic_s()
        if phase != self._phase:
            self._phase, self._phase_since_s = phase, now_s
        return int((now_s - self._phase_since_s) * 1000)

    def _do(self, step: Step, state: State) -> None:
        match step:
            case Step.NOTHING:
                return
            case Step.START:
                self._deployer.start(state)
            case Step.MEASURE_BEFORE | Step.OBSERVE_BEFORE:
                self._deployer.measure_before(state)
            case Step.SWITCH:
                self._deployer.switch(state)
            case Step.REPORT:
                self._deployer.report(state)
            case Step.REPORT_FAILURE:
                reason = self._deployer.verdict(state) or "it was not healthy"
                self._deployer.report_failure(state, reason)
            case Step.OBSERVE:
                self._deployer.observe(state)
            case Step.PROMOTE:
                self._promote(state)
            case Step.ROLL_BACK:
                self._roll_back(state)
            case Step.EXCUSE:
                self._excuse(state)
            case _:
                assert_never(step)

    def _promote(self, state: State) -> None:
        assert state.rollout is not None
        self._submit(Promote(generation=state.head.number, target=state.rollout.target))

    def _roll_back(self, state: State) -> None:
        back = way_back(state)
        if back is not None:
            reason = rollback_evidence(state)
            self._submit(rollback_to(state, back, reason=reason, automatic=True))

    def _excuse(self, state: State) -> None:
        assert state.rollout is not None
        peer = turn(state.rollout)
        if peer is not None:
            self._submit(
                Excuse(generation=state.head.number, peer=peer, reason="it is out of reach")
            )

    def _say_error(self, error: str) -> None:
        if error != self.last_error:
            self.last_error = error
            self._events.say("fault", error)
