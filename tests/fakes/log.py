"""A replicated log in memory: N fake nodes share one ``FakeLogHub``; no time, thread or disk here.

Entries are delivered synchronously, in index order, before ``append`` returns. Like the real log,
indexes begin at 2 and have gaps (a new leader's empty entry takes one), a second appearance of an
operation is not delivered, and ``append`` from inside ``deliver`` is a bug.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tars_peer.errors import NoQuorumError, PermanentError
from tars_peer.model.noun import OperationId, PeerId
from tars_peer.ports.log import Deliver, LogStatus, StateKeeper

LARGEST_PAYLOAD_BYTES = 96 * 1024


@dataclass(slots=True, kw_only=True)
class _Seat:
    """One peer at the hub: where it delivers to and how far it got."""

    deliver: Deliver
    keeper: StateKeeper | None
    delivered_count: int = 0
    applied_index: int = 1


@dataclass(slots=True)
class FakeLogHub:
    """What the nodes share, and the switches a test turns.

    ``has_quorum`` off: ``append`` raises ``NoQuorumError`` and decides nothing, or, with
    ``decides_late`` on, decides but does not say so. ``hold``/``release`` delay one peer.
    """

    has_quorum: bool = True
    decides_late: bool = False
    leader: PeerId | None = None
    term: int = 1
    entries: list[tuple[int, bytes]] = field(default_factory=list)
    last_index: int = 1
    _first: dict[OperationId, int] = field(default_factory=dict)
    _seats: dict[PeerId, _Seat] = field(default_factory=dict)
    _held: set[PeerId] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _delivering_thread: int | None = None
    _snapshot: tuple[int, bytes] | None = None
    _compacted_count: int = 0

    def join(self, me: PeerId, deliver: Deliver, keeper: StateKeeper | None = None) -> FakeLog:
        """Start (or restart) ``me``: everything decided is delivered again from the first entry.

        After ``compact``, what was decided before it is restored instead.
        """
        with self._lock:
            self._seats[me] = _Seat(deliver=deliver, keeper=keeper)
            self.leader = self.leader or me
            self._catch_up()
        return FakeLog(self, me)

    def compact(self, me: PeerId) -> bool:
        """Ask ``me`` for its state, with which all go on that lack entries up to it.

        Say whether it gave one.
        """
        with self._lock:
            seat = self._seats[me]
            assert seat.keeper is not None
            seat.keeper.capture(seat.applied_index)
            captured = seat.keeper.captured()
            if captured is None:
                return False
            assert captured[0] == seat.applied_index
            self._snapshot, self._compacted_count = captured, seat.delivered_count
            return True

    def elect(self, leader: PeerId | None) -> None:
        """Change the leader; its empty entry takes an index, as Raft's does."""
        with self._lock:
            self.leader = leader
            if leader is not None:
                self.term += 1
                self.last_index += 1

    def hold(self, peer: PeerId) -> None:
        """Deliver nothing to ``peer`` until it is released; others go on."""
        with self._lock:
            self._held.add(peer)

    def release(self, peer: PeerId) -> None:
        """Deliver to ``peer`` what it missed, and go on."""
        with self._lock:
            self._held.discard(peer)
            self._catch_up()

    def append(self, me: PeerId, payload: bytes, operation: OperationId) -> int:
        """Decide, deliver to all that listen, and return the first index of ``operation``."""
        if self._delivering_thread == threading.get_ident():
            raise AssertionError("append was called from inside deliver; deliver may only enqueue")
        if len(payload) > LARGEST_PAYLOAD_BYTES:
            raise PermanentError(f"the payload has {len(payload)} bytes", hint="make it smaller")
        with self._lock:
            if me not in self._seats:
                raise NoQuorumError("this node of the log is closed", hint="start it again")
            if not self.has_quorum and not self.decides_late:
                raise NoQuorumError("the fake log has no quorum", hint="the test says so")
            if operation not in self._first:
                self.last_index += 1
                self._first[operation] = self.last_index
                self.entries.append((self.last_index, payload))
            self._catch_up()
            if me in self._held or not self.has_quorum:
                raise NoQuorumError("decided, but not seen here in time", hint="try it again")
            return self._first[operation]

    def status(self, me: PeerId) -> LogStatus:
        """Tell what ``me`` would know."""
        seat = self._seats.get(me)
        applied = 0 if seat is None else seat.applied_index
        return LogStatus(
            leader=self.leader if self.has_quorum else None,
            term=self.term,
            commit_index=self.last_index,
            applied_index=applied if me in self._held else max(applied, self.last_index),
            connected=frozenset(self._seats) - {me} if self.has_quorum else frozenset(),
            ready=me in self._seats and me not in self._held,
            has_quorum=self.has_quorum and self.leader is not None,
        )

    def leave(self, me: PeerId) -> None:
        """Deliver nothing more to ``me``."""
        with self._lock:
            self._seats.pop(me, None)

    def _catch_up(self) -> None:
        """Deliver to every seat that is not held what it has not had yet."""
        self._delivering_thread = threading.get_ident()
        try:
            for peer, seat in self._seats.items():
                if peer not in self._held and seat.delivered_count < self._compacted_count:
                    self._restore(seat)
                while peer not in self._held and seat.delivered_count < len(self.entries):
                    index, payload = self.entries[seat.delivered_count]
                    seat.delivered_count += 1
                    seat.applied_index = index
                    seat.deliver(index, payload)
        finally:
            self._delivering_thread = None

    def _restore(self, seat: _Seat) -> None:
        assert seat.keeper is not None
        assert self._snapshot is not None
        fault = seat.keeper.restore(*self._snapshot)
        assert not fault, fault
        seat.delivered_count, seat.applied_index = self._compacted_count, self._snapshot[0]


class FakeLog:
    """One node of the fake log; implements ``ports.log.Log``."""

    def __init__(self, hub: FakeLogHub, me: PeerId) -> None:
        """Keep the hub; use ``FakeLogHub.join`` to make one."""
        self._hub = hub
        self._me = me

    def append(self, payload: bytes, *, operation: OperationId, timeout_s: float) -> int:
        """Append through the hub; the deadline is not needed, nothing here takes time.

        Raises:
            NoQuorumError: a switch of the hub says so.
            PermanentError: the payload is larger than the real log takes.
        """
        if timeout_s < 0:
            raise AssertionError(f"a deadline of {timeout_s} seconds makes no sense")
        return self._hub.append(self._me, payload, operation)

    def status(self) -> LogStatus:
        """Return what the hub says of this node."""
        return self._hub.status(self._me)

    def close(self) -> None:
        """Leave the hub; may be called again."""
        self._hub.leave(self._me)
