"""Our own ballot: examine a change here, sign what was seen, and answer the same question once.

Nothing a proposer says is believed: the change is replayed on our own copy of the base.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from tars_peer.errors import TemporaryError
from tars_peer.ledger.parcel import change_id
from tars_peer.ledger.signature import UNSIGNED, is_ballot_of, public_key, sign_ballot
from tars_peer.ledger.state import State
from tars_peer.model.ballot import Ballot, GateResult, Measurement, Verdict
from tars_peer.model.change import Change
from tars_peer.model.noun import PeerId
from tars_peer.ports.store import Store

_KEPT = 256


class Examined(Protocol):
    """What examining a change says."""

    @property
    def gates(self) -> tuple[GateResult, ...]:
        """How each gate that was reached ended."""
        ...

    @property
    def passed(self) -> bool:
        """True where all gates were passed."""
        ...

    @property
    def tests_passed(self) -> int:
        """How many tests passed on the candidate."""
        ...

    @property
    def measurement(self) -> Measurement | None:
        """What was measured, where it came so far."""
        ...


Examine = Callable[[Change, Callable[[], bool]], Examined]


@dataclass(slots=True)
class _Case:
    """One examination under way; whoever asks for the same change waits for it."""

    #: How often the idea had been refused when this began.
    tries: int
    done: threading.Event = field(default_factory=threading.Event)
    dismissed: bool = False
    ballot: Ballot | None = None
    error: Exception | None = None


class Judge:
    """Makes this peer's ballots."""

    def __init__(
        self,
        *,
        me: PeerId,
        private_key: bytes,
        examine: Examine,
        state: Callable[[], State],
        wait_past: Callable[[int, float], bool],
        store: Store,
        sandbox: str,
    ) -> None:
        """Judge with ``examine``; ballots are remembered in ``store``."""
        self._me = me
        self._private_key = private_key
        self._examine = examine
        self._state = state
        self._wait_past = wait_past
        self._store = store
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._cases: OrderedDict[str, _Case] = OrderedDict()

    @property
    def busy(self) -> bool:
        """True while a change is examined."""
        with self._lock:
            return any(not case.done.is_set() for case in self._cases.values())

    def ballot(self, change: Change, *, timeout_s: float) -> Ballot:
        """Return our signed ballot on ``change``; asked again, the same one.

        Only where the ledger lets a refused idea be tried again, it is examined anew.

        Raises:
            TemporaryError: we are behind the change's base, or were dismissed, or ran out of time.
        """
        identity = change_id(change)
        self._await_base(change, min(timeout_s, 10.0))
        refused = self._state().refusals_of(change.fingerprint)
        tries = refused.tries if refused else 0
        with self._lock:
            case = self._cases.get(identity)
            mine = case is None or (case.tries < tries and case.done.is_set())
            if case is None or mine:
                case = self._cases[identity] = _Case(tries=tries)
                while len(self._cases) > _KEPT:
                    self._cases.popitem(last=False)
        if mine:
            self._fill(case, identity, change)
        elif not case.done.wait(timeout_s):
            raise TemporaryError(f"{self._me} is still examining {identity[:12]}")
        if case.error is not None:
            raise case.error
        assert case.ballot is not None
        return case.ballot

    def dismiss(self, identity: str) -> None:
        """Stop examining; the change is forgotten, so it can be asked for again."""
        with self._lock:
            case = self._cases.get(identity)
            if case is not None and not case.done.is_set():
                case.dismissed = True
                del self._cases[identity]

    def _fill(self, case: _Case, identity: str, change: Change) -> None:
        try:
            case.ballot = self._remembered(case, identity) or self._judge(case, identity, change)
        except Exception as error:
            case.error = error
            with self._lock:
                if self._cases.get(identity) is case:
                    del self._cases[identity]
            raise
        finally:
            case.done.set()

    def _judge(self, case: _Case, identity: str, change: Change) -> Ballot:
        examined = self._examine(change, lambda: case.dismissed)
        ballot = sign_ballot(
            Ballot(
                cluster_id=self._state().cluster_id,
                change_id=identity,
                voter=self._me,
                verdict=Verdict.APPROVE if examined.passed else Verdict.REFUSE,
                gates=examined.gates,
                tests_passed=examined.tests_passed,
                measurement=examined.measurement,
                sandbox=self._sandbox,
                signature=UNSIGNED,
            ),
            self._private_key,
        )
        # Remembering it saves time after a restart; a disk that is full must not cost the ballot.
        with suppress(TemporaryError):
            self._store.put("ballot", _key(case, identity), msgspec.json.encode(ballot))
        return ballot

    def _remembered(self, case: _Case, identity: str) -> Ballot | None:
        kept = self._store.get("ballot", _key(case, identity))
        if kept is None:
            return None
        try:
            ballot = msgspec.json.decode(kept, type=Ballot)
        except msgspec.MsgspecError:
            return None
        ours = (
            is_ballot_of(ballot, public_key(self._private_key))
            and ballot.change_id == identity
            and ballot.cluster_id == self._state().cluster_id
        )
        return ballot if ours else None

    def _await_base(self, change: Change, timeout_s: float) -> None:
        """Wait a little for the entry that made the change's base, which may be on its way."""
        state = self._state()
        while not state.founded or state.head.number < change.base_generation:
            if not self._wait_past(state.index, timeout_s):
                raise TemporaryError(
                    f"{self._me} has not got generation {change.base_generation} yet"
                )
            state = self._state()
        head = (state.head.commit, state.head.tree)
        if head != (change.base_commit, change.base_tree):
            raise TemporaryError(
                f"stale: made on generation {change.base_generation}, "
                f"the head is {state.head.number}"
            )


def _key(case: _Case, identity: str) -> str:
    """Return what a ballot is remembered by."""
    return f"{identity}.{case.tries}"
