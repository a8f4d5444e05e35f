"""The desk of a peer: answers the faces, by asking the rooms. Fills ``ports.desk.Desk``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from tars_peer.decide.decisions import Decisions
from tars_peer.decide.judge import Judge
from tars_peer.enact.apply import Applier
from tars_peer.enact.rollback import rollback_to, way_back
from tars_peer.errors import (
    NoQuorumError,
    OvertakenError,
    RefusedError,
    TarsError,
    TemporaryError,
    UsageError,
)
from tars_peer.evolve.engine import Engine
from tars_peer.ledger.effect import Effect, Enacted
from tars_peer.ledger.entry import Clear, Decision, Pause
from tars_peer.ledger.parcel import change_id
from tars_peer.ledger.state import State, state_digest
from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.event import Event
from tars_peer.model.finding import PlanItem
from tars_peer.model.generation import Generation
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId
from tars_peer.model.status import (
    AnalysisView,
    ChangeView,
    ClusterStatus,
    HistoryRow,
    PeerStatus,
)
from tars_peer.peer.evolving import Evolving
from tars_peer.peer.views import (
    analysis_view,
    cluster_status,
    history,
    running_generation,
    unreachable,
)
from tars_peer.ports.log import Log
from tars_peer.ports.runtime import Runtime
from tars_peer.ports.worktree import Worktree

_DECIDE_S = 20.0
_STATUS_S = 2.0


class Neighbours(Protocol):
    """How the other peers are asked how they are."""

    def status(self, member: Member) -> PeerStatus:
        """Return ``member`` as it sees itself, or raise ``UnreachableError``."""
        ...


class Watching(Protocol):
    """Where events can be watched."""

    def watch(self, *, replay: bool) -> Iterator[Event]:
        """Yield events."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Whom the desk asks."""

    member: Member
    members: tuple[Member, ...]
    cluster_id: str
    sandbox: str
    log: Log
    decisions: Decisions
    judge: Judge
    engine: Engine
    evolving: Evolving
    applier: Applier
    worktree: Worktree
    runtime: Runtime
    neighbours: Neighbours
    voice: Watching
    wake: Callable[[], None]
    trouble: Callable[[], str]


class PeerDesk:
    """Answers for one peer."""

    def __init__(self, rooms: Rooms) -> None:
        """Answer from ``rooms``."""
        self._rooms = rooms

    def healthy(self) -> bool:
        """See ``ports.desk``."""
        return self._rooms.log.status().ready and self._rooms.decisions.state.founded

    def peer_status(self) -> PeerStatus:
        """See ``ports.desk``."""
        rooms, state, log = self._rooms, self._rooms.decisions.state, self._rooms.log.status()
        running = rooms.runtime.running() if state.founded else None
        generation = running_generation(state, rooms.member.id, running.tree if running else None)
        trouble = rooms.trouble()
        if trouble:
            how, reason = "stopped-by-fault", trouble
        elif not log.has_quorum:
            how, reason = "no-quorum", "a majority of the peers is out of reach"
        elif not (log.ready and state.founded):
            how, reason = "starting", "catching up with the log"
        else:
            how, reason = ("leader" if log.leader == rooms.member.id else "follower"), ""
        health = "starting"
        if running is not None:
            health = "healthy" if running.healthy and not trouble else "unhealthy"
        return PeerStatus(
            id=rooms.member.id,
            address=rooms.member.address,
            state=how,
            generation=generation.number if generation else 0,
            commit=generation.commit if generation else "",
            tree=running.tree if running else "",
            applied_index=state.index,
            ledger_digest=state_digest(state),
            health=health,
            sandbox=rooms.sandbox,
            service_url=running.url if running else "",
            reason=reason,
        )

    def cluster_status(self) -> ClusterStatus:
        """See ``ports.desk``."""
        rooms = self._rooms
        others = [member for member in rooms.members if member.id != rooms.member.id]
        with ThreadPoolExecutor(max_workers=max(1, len(others))) as pool:
            answers = dict(zip(others, pool.map(self._ask, others), strict=True))
        peers = [
            self.peer_status() if member.id == rooms.member.id else answers[member]
            for member in rooms.members
        ]
        state = rooms.decisions.state
        return cluster_status(state, rooms.log.status(), rooms.cluster_id, peers)

    def history(self) -> tuple[HistoryRow, ...]:
        """See ``ports.desk``."""
        return history(self._rooms.decisions.state)

    def analysis(self) -> AnalysisView:
        """See ``ports.desk``."""
        state = self._founded()
        return analysis_view(state, self._rooms.engine.look(state))

    def generate(self, rank: int) -> ChangeView:
        """See ``ports.desk``."""
        state = self._founded()
        change = self._change(state, rank)
        return ChangeView(
            change_id=change_id(change),
            improvement=change.improvement,
            summary=change.summary,
            target=change.target,
            base_generation=change.base_generation,
            tree=change.tree,
            diff=self._rooms.worktree.diff_trees(state.head.commit, change.tree),
        )

    def validate(self, rank: int) -> Ballot:
        """See ``ports.desk``."""
        change = self._change(self._founded(), rank)
        return self._rooms.judge.ballot(change, timeout_s=600.0)

    def deploy(self, rank: int) -> int:
        """See ``ports.desk``."""
        state = self._founded()
        return self._rooms.evolving.propose(state, self._change(state, rank)).number

    def diff(self, older: int, newer: int) -> str:
        """See ``ports.desk``."""
        state = self._founded()
        old, new = self._generation(state, older), self._generation(state, newer)
        return self._rooms.worktree.diff(CommitId(old.commit), CommitId(new.commit))

    def rollback(self, to: int | None, reason: str, operation: str) -> int:
        """See ``ports.desk``."""
        state = self._founded()
        target = way_back(state) if to is None else self._generation(state, to)
        decision = rollback_to(
            state, target or state.head, reason=reason or "asked for by a person", automatic=False
        )
        try:
            # Asked even where it seems to be in vain: a retry is answered with what it led to.
            effect = self._submit(decision, operation)
        except RefusedError as error:
            if target is None:
                raise UsageError(
                    "there is nothing to go back to: no older generation has another tree",
                    hint="see `tars evolve history`",
                ) from error
            if target.tree == state.head.tree:
                raise UsageError(
                    f"generation {target.number} has the same tree as the head, "
                    f"generation {state.head.number}",
                    hint="name an older one: `tars evolve history` shows them",
                ) from error
            raise
        if not isinstance(effect, Enacted):
            raise RefusedError(f"the rollback led to {type(effect).__name__}")
        return effect.generation.number

    def pause(self, *, paused: bool, reason: str, operation: str) -> None:
        """See ``ports.desk``; asking twice changes nothing.

        The ledger is asked, never our own idea of it, which may be behind.
        """
        self._founded()
        with suppress(OvertakenError):
            self._submit(Pause(paused=paused, reason=reason), operation)

    def clear(self, generation: int, operation: str) -> None:
        """See ``ports.desk``."""
        self._founded()
        try:
            self._submit(Clear(generation=generation), operation)
        except RefusedError as error:
            denied = {denied.generation for denied in self._founded().denied}
            if generation in denied:
                raise
            listed = ", ".join(map(str, sorted(denied))) or "none"
            raise UsageError(
                f"generation {generation} is not on the deny-list", hint=f"on it: {listed}"
            ) from error

    def sync(self) -> str:
        """See ``ports.desk``."""
        state = self._founded()
        if not (self._rooms.log.status().ready and self._rooms.decisions.caught_up):
            raise TemporaryError(
                "this peer is still reading the log", hint="try again when it has caught up"
            )
        before = self._rooms.worktree.head()
        here = self._rooms.applier.catch_up()
        self._rooms.wake()
        if not here:
            raise TemporaryError(
                f"generation {state.head.number} is still missing here: "
                f"{self._rooms.applier.fault}",
                hint="no peer that has it could be reached; see `tars cluster status`",
            )
        moved = "already in step" if before == state.head.commit else f"was at {before[:12]}"
        return f"at generation {state.head.number}, commit {state.head.commit[:12]} ({moved})"

    def run_once(self) -> str:
        """See ``ports.desk``."""
        state = self._founded()
        if not state.settled:
            raise TemporaryError(
                f"generation {state.head.number} is still rolled out", hint="try again when it is"
            )
        if state.paused:
            raise RefusedError("changes are paused", hint="`tars evolve resume` first")
        return self._rooms.evolving.cycle()

    def ballot(self, change: Change, *, timeout_s: float) -> Ballot:
        """See ``ports.desk``."""
        self._rooms.evolving.wake()
        try:
            return self._rooms.judge.ballot(change, timeout_s=timeout_s)
        finally:
            self._rooms.evolving.wake()

    def dismiss(self, change_id: str) -> None:
        """See ``ports.desk``."""
        self._rooms.judge.dismiss(change_id)

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        """See ``ports.desk``."""
        if not self._rooms.worktree.has(want):
            raise UsageError(f"commit {want[:12]} is not on {self._rooms.member.id}")
        return self._rooms.worktree.objects(want, have)

    def events(self, *, replay: bool) -> Iterator[Event]:
        """See ``ports.desk``."""
        return self._rooms.voice.watch(replay=replay)

    def _ask(self, member: Member) -> PeerStatus:
        try:
            return self._rooms.neighbours.status(member)
        except TarsError as error:
            return unreachable(member, str(error))

    def _founded(self) -> State:
        state = self._rooms.decisions.state
        if not state.founded:
            raise NoQuorumError(
                "this peer has not caught up with the log",
                hint="wait until a majority of the peers is up: `tars cluster status`",
            )
        return state

    def _generation(self, state: State, number: int) -> Generation:
        generation = state.generation(number)
        if generation is None:
            raise UsageError(
                f"there is no generation {number}",
                hint=f"they are 0 to {state.head.number}: `tars evolve history`",
            )
        return generation

    def _change(self, state: State, rank: int) -> Change:
        items: tuple[PlanItem, ...] = self._rooms.engine.look(state).items
        if not 1 <= rank <= len(items):
            raise UsageError(
                f"the plan has no rank {rank}",
                hint=f"it has 1 to {len(items)}: `tars evolve plan`"
                if items
                else "nothing is left to gain: `tars evolve analyze`",
            )
        return self._rooms.engine.write(state, items[rank - 1])

    def _submit(self, decision: Decision, operation: str) -> Effect:
        rooms = self._rooms
        return rooms.decisions.submit(
            rooms.log, decision, timeout_s=_DECIDE_S, operation=operation or None
        )
