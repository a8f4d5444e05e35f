"""Ask all peers at once for their ballots; a majority makes the certificate and one entry.

Refusals are recorded too, with their reasons. Peers that do not answer count for neither side.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from tars_peer.errors import NoQuorumError, OvertakenError, RefusedError, TarsError
from tars_peer.ledger.effect import Effect, Enacted
from tars_peer.ledger.entry import Accept, Decision, Refuse
from tars_peer.ledger.parcel import change_id, pack
from tars_peer.ledger.quorum import ballot_fault
from tars_peer.ledger.state import State
from tars_peer.model.ballot import Ballot, Certificate, Verdict
from tars_peer.model.change import Change
from tars_peer.model.generation import Generation
from tars_peer.model.member import Member, majority
from tars_peer.model.noun import PeerId
from tars_peer.ports.clock import Clock
from tars_peer.ports.events import Events
from tars_peer.ports.voters import Voters

_APPEND_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The ballots so far, and what went wrong with those that are missing."""

    approve: tuple[Ballot, ...]
    refuse: tuple[Ballot, ...]
    missing: tuple[str, ...]


class Proposer:
    """Takes a change, and our own ballot on it, to a decision."""

    def __init__(
        self,
        *,
        me: PeerId,
        voters: Voters,
        submit: Callable[[Decision, float], Effect],
        state: Callable[[], State],
        events: Events,
        clock: Clock,
    ) -> None:
        """Ask through ``voters`` and decide through ``submit`` (decision, seconds)."""
        self._me = me
        self._voters = voters
        self._submit = submit
        self._state = state
        self._events = events
        self._clock = clock

    def propose(self, change: Change, own: Ballot, *, timeout_s: float) -> Generation:
        """Return the generation that ``change`` became.

        Raises:
            RefusedError: we, a majority, or the ledger refused it; refusals are recorded.
            NoQuorumError: too few peers answered in time, or nothing could be decided.
        """
        state = self._state()
        needed = majority(len(state.members))
        if own.verdict is not Verdict.APPROVE:
            self._record(change, (own,))
            raise RefusedError(own.reason)
        tally = self._gather(state, change, own, timeout_s)
        if len(tally.approve) >= needed:
            return self._accept(change, tally.approve[:needed])
        if len(state.members) - len(tally.refuse) < needed:
            self._record(change, tally.refuse)
            raise RefusedError(f"{tally.refuse[0].voter}: {tally.refuse[0].reason}")
        raise NoQuorumError(
            f"{len(tally.approve)} of {len(state.members)} peers approve, {needed} are needed; "
            + "; ".join(tally.missing),
            hint="start the peers that are down: `tars cluster up`",
        )

    def _gather(self, state: State, change: Change, own: Ballot, timeout_s: float) -> Tally:
        identity = change_id(change)
        others = [member for member in state.members if member.id != self._me]
        needed = majority(len(state.members))
        approve, refuse, missing = [own], list[Ballot](), list[str]()
        pool = ThreadPoolExecutor(max_workers=max(1, len(others)), thread_name_prefix="ask")
        try:
            asked: dict[Future[Ballot], Member] = {
                pool.submit(self._voters.ask, member, change, timeout_s=timeout_s): member
                for member in others
            }
            deadline_s = self._clock.monotonic_s() + timeout_s
            while asked and len(approve) < needed and len(refuse) <= len(others) + 1 - needed:
                left_s = deadline_s - self._clock.monotonic_s()
                done, _ = wait(asked, max(0.0, left_s), FIRST_COMPLETED)
                if not done:
                    missing += [f"{member.id}: no answer in time" for member in asked.values()]
                    break
                for future in done:
                    member = asked.pop(future)
                    try:
                        ballot = self._checked(state, identity, member, future.result())
                    except Exception as error:  # noqa: BLE001  (each peer fails on its own)
                        said = f"{error}" if isinstance(error, TarsError) else f"{error!r}"
                        missing.append(f"{member.id}: {said}")
                        continue
                    (approve if ballot.verdict is Verdict.APPROVE else refuse).append(ballot)
            for member in asked.values():
                self._voters.dismiss(member, identity)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return Tally(approve=tuple(approve), refuse=tuple(refuse), missing=tuple(missing))

    def _checked(self, state: State, identity: str, member: Member, ballot: Ballot) -> Ballot:
        fault = ballot_fault(
            ballot, change_id=identity, cluster_id=state.cluster_id, members=state.members
        )
        if not fault and ballot.voter != member.id:
            fault = f"{member.id} answered with the ballot of {ballot.voter}"
        if fault:
            raise RefusedError(fault)
        say_ballot(self._events, ballot)
        return ballot

    def _accept(self, change: Change, approve: tuple[Ballot, ...]) -> Generation:
        certificate = Certificate(change_id=change_id(change), ballots=approve)
        voters = [ballot.voter for ballot in approve]
        self._events.say(
            "certificate",
            f"{', '.join(voters)} make a majority",
            change_id=certificate.change_id,
            voters=voters,
        )
        effect = self._submit(Accept(change=pack(change), certificate=certificate), _APPEND_S)
        if not isinstance(effect, Enacted):
            raise RefusedError(f"the decision led to {type(effect).__name__}")
        return effect.generation

    def _record(self, change: Change, ballots: tuple[Ballot, ...]) -> None:
        """Record a refusal; where that cannot be done now, the caller still gets the reason."""
        try:
            self._submit(Refuse(change=pack(change), ballots=ballots), _APPEND_S)
        except OvertakenError:
            return
        except TarsError as error:
            self._events.say("fault", f"the refusal could not be recorded: {error}")


def say_ballot(events: Events, ballot: Ballot) -> None:
    """Tell watchers of a ballot, with its figures."""
    figure = ballot.measurement
    events.say(
        "ballot",
        f"{ballot.voter} says {ballot.verdict}" + (f": {ballot.reason}" if ballot.reason else ""),
        change_id=ballot.change_id,
        voter=ballot.voter,
        verdict=str(ballot.verdict),
        reason=ballot.reason,
        ratio_ppm=figure.ratio_ppm if figure else None,
        low_ppm=figure.low_ppm if figure else None,
        high_ppm=figure.high_ppm if figure else None,
        pairs=figure.pairs if figure else 0,
        tests_passed=ballot.tests_passed,
    )
