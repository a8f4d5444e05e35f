"""The wheel: when it is our turn, take the best change from the head to a decision.

Each stage is somebody else's; this only says when, and what follows from a refusal: the next
head, or the next idea.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tars_peer.decide.decisions import Decisions
from tars_peer.decide.judge import Judge
from tars_peer.decide.propose import Proposer, say_ballot
from tars_peer.decide.turn import proposing_rank
from tars_peer.errors import OvertakenError, PermanentError, TarsError, TemporaryError
from tars_peer.evolve.engine import Engine
from tars_peer.ledger.parcel import change_id
from tars_peer.ledger.state import State
from tars_peer.model.ballot import Verdict
from tars_peer.model.change import Change
from tars_peer.model.generation import Generation
from tars_peer.model.policy import Policy
from tars_peer.ports.clock import Clock
from tars_peer.ports.events import Events
from tars_peer.ports.log import Log
from tars_peer.ports.worktree import Worktree

_LOOK_S = 0.5
#: A peer whose turn it is not waits this long for each one before it, in case they do nothing;
#: longer where proving takes long (``proving_s``, times the factor below).
_STAGGER_S = 45.0
_PROVING_FACTOR = 6
#: After a round that could not be decided (no majority), so that nothing spins.
_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The rooms that the wheel goes through."""

    engine: Engine
    judge: Judge
    proposer: Proposer
    decisions: Decisions
    worktree: Worktree
    log: Log


class Evolving:
    """Turns the wheel of one peer."""

    def __init__(
        self, *, me: str, policy: Policy, stages: Stages, events: Events, clock: Clock
    ) -> None:
        """Propose as ``me``; set ``proving_s`` to what proving the base took."""
        self._me = me
        self._policy = policy
        self._stages = stages
        self._events = events
        self._clock = clock
        self._wake = threading.Event()
        self._turn = threading.Lock()
        self._active_s = clock.monotonic_s()
        self._idle_at: object = None
        self._failed: set[str] = set()
        self.proving_s = 0.0

    def wake(self) -> None:
        """Something moved: a decision, a ballot, a person; the others' turn begins anew."""
        self._active_s = self._clock.monotonic_s()
        self._wake.set()

    def run(self, stopped: threading.Event) -> None:
        """Turn until ``stopped``."""
        while not stopped.is_set():
            self._wake.wait(_LOOK_S)
            self._wake.clear()
            if stopped.is_set() or not self._may_begin():
                continue
            try:
                self.cycle()
            except TarsError as error:
                self._events.say("fault", f"{error}" + (f" ({error.hint})" if error.hint else ""))
                stopped.wait(_PAUSE_S)
            except Exception as error:  # noqa: BLE001  (no genome and no disk may stop the wheel)
                self._events.say("fault", f"this round failed: {error!r}")
                stopped.wait(_PAUSE_S)

    def cycle(self) -> str:
        """Take one change to a decision; say what came of it.

        Raises:
            TarsError: the genome cannot be analysed, or nothing can be decided now.
        """
        with self._turn:
            self._stages.engine.look(self._stages.decisions.state)
            # Looking takes long where the profile is new: others may have decided meanwhile.
            state = self._stages.decisions.state
            if not state.settled:
                return f"generation {state.head.number} is being rolled out"
            change = self._stages.engine.next_change(state, without=frozenset(self._failed))
            if change is None:
                return self._say_idle(state)
            return self._propose(state, change)

    def propose(self, state: State, change: Change) -> Generation:
        """Take ``change`` to a decision and return the generation it became.

        Raises:
            RefusedError: somebody refused it.
            NoQuorumError: a majority is not there.
        """
        self._say_change(state, change)
        timeout_s = self._policy.timeouts.ballot_ms / 1000
        ballot = self._stages.judge.ballot(change, timeout_s=timeout_s)
        say_ballot(self._events, ballot)
        if ballot.verdict is not Verdict.APPROVE:
            self._events.say(
                "refusal",
                f"{change.improvement} at {change.target}: {ballot.reason}",
                change_id=change_id(change),
                improvement=change.improvement,
                reason=ballot.reason,
            )
        return self._stages.proposer.propose(change, ballot, timeout_s=timeout_s)

    def _propose(self, state: State, change: Change) -> str:
        try:
            generation = self.propose(state, change)
        except OvertakenError as error:
            return f"overtaken: {error}"
        except PermanentError as error:
            # Where voters refused it, the ledger says whether it may be tried again.
            if self._stages.decisions.state.refusals_of(change.fingerprint) is None:
                self._failed.add(change.fingerprint)
            return f"refused: {error}"
        except TemporaryError as error:
            if "stale" in str(error):
                return f"overtaken: {error}"
            raise
        return f"generation {generation.number}"

    def _may_begin(self) -> bool:
        status = self._stages.log.status()
        state = self._stages.decisions.state
        if not (status.ready and status.has_quorum and state.founded and state.settled):
            return False
        if state.paused or self._stages.judge.busy:
            return False
        if self._idle_at == _position(state):
            return False
        if self._stages.worktree.head() != state.head.commit:
            return False
        rank = proposing_rank(state, self._me, status.connected)
        stagger_s = max(_STAGGER_S, self.proving_s * _PROVING_FACTOR)
        return self._clock.monotonic_s() - self._active_s >= rank * stagger_s

    def _say_idle(self, state: State) -> str:
        if self._idle_at != _position(state):
            self._idle_at = _position(state)
            self._events.say(
                "idle",
                f"nothing left to gain in generation {state.head.number}",
                generation=state.head.number,
            )
        return "nothing left to gain"

    def _say_change(self, state: State, change: Change) -> None:
        base = state.head.commit
        self._events.say(
            "change",
            f"{change.improvement} at {change.target}",
            generation=state.head.number,
            change_id=change_id(change),
            improvement=change.improvement,
            target=change.target,
            summary=change.summary,
            diff=self._stages.worktree.diff_trees(base, change.tree),
        )


def _position(state: State) -> tuple[str, int, int]:
    """What idleness depends on: the head, the refusals on it, and those a person cleared."""
    return (state.head.commit, state.refusals, len(state.denied))
