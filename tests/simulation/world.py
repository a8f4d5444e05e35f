"""A whole cluster in one thread: virtual time, seeded chance, a network and disks that fail.

Nothing here decides what goes wrong (``story``) or what is right (``witness``).
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from unittest import mock

import pysyncobj.syncobj

from tars_peer.adapters.raft import fault, leading, loader
from tars_peer.adapters.raft.fault import StoppedError
from tests.fakes.virtual_time import VirtualTime
from tests.simulation.disk import Disk, KilledError
from tests.simulation.seat import Seat, SeatError
from tests.simulation.witness import ViolationError, Witness

#: The least a round of a node's thread takes.
ROUND_S = 0.0005
LATEST_S = 3.0
#: Many times what a schedule takes; more means that it turns in circles.
MOST_EVENTS = 200_000


@dataclass(slots=True, kw_only=True)
class Link:
    """One direction between two members. A cut one swallows messages, and nobody is told."""

    is_up: bool = False
    is_cut: bool = False
    number: int = 0
    last_arrival_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Weather:
    """What the network does to messages, as parts of 1; a late one takes up to ``LATEST_S``."""

    is_fifo: bool = True
    delay_s: float = 0.002
    loss: float = 0.0
    doubling: float = 0.0
    lateness: float = 0.0


class _NoPoller:
    """There is nothing to wait for: messages come from the agenda."""

    def poll(self, _timeout_s: float) -> None:
        pass


#: When, in which order of what falls together, what is noted in the trace, and what happens.
_Event = tuple[float, int, str, Callable[[], None]]


class World:
    """Members, links and what is still to happen."""

    def __init__(
        self, seed: int, count: int, *, batch_entries: int = 256, snapshot_every: int = 0
    ) -> None:
        """Prepare ``count`` members; ``start`` them inside ``installed``."""
        self.time = VirtualTime(seed)
        self.dice = random.Random(f"story {seed}")
        self.weather = Weather()
        self.members = [chr(ord("a") + number) for number in range(count)]
        self.disks = {me: Disk() for me in self.members}
        self.witness = Witness(list(self.disks.values()))
        self.seats: dict[str, Seat] = {}
        self.links = {(a, b): Link() for a in self.members for b in self.members if a != b}
        self._batch_entries, self._snapshot_every = batch_entries, snapshot_every
        self._incarnations = 0
        self._agenda: list[_Event] = []
        self._event_count = 0
        self._wakes: dict[str, int] = {}
        self._trace = hashlib.sha256()
        #: Told who has died, whatever of.
        self.on_crash: Callable[[str], None] = lambda _: None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Put this world in the place of clock, chance, poller and stderr."""
        with ExitStack() as stack:
            stack.enter_context(self.time.installed())
            for owner, name, value in (
                (pysyncobj.syncobj, "createPoller", lambda _: _NoPoller()),
                (leading, "BATCH_ENTRIES", self._batch_entries),
                (fault, "_say", lambda _: None),
            ):
                stack.enter_context(mock.patch.object(owner, name, value))
            loader.install()
            yield

    @property
    def trace(self) -> str:
        """Return the digest of all that has happened."""
        return self._trace.hexdigest()

    # -- the agenda ----------------------------------------------------------------------------

    def later(self, delay_s: float, label: str, action: Callable[[], None]) -> None:
        """Have something happen; of what falls together, the first said is first."""
        self._event_count += 1
        event = (self.time.now_s + delay_s, self._event_count, label, action)
        heapq.heappush(self._agenda, event)

    def run_until(self, end_s: float, is_done: Callable[[], bool] = lambda: False) -> bool:
        """Let things happen until ``end_s`` or until ``is_done``; return whether it was.

        Raises:
            ViolationError: a promise was broken.
        """
        while self._agenda and self._agenda[0][0] <= end_s:
            self.time.now_s, _, label, action = heapq.heappop(self._agenda)
            self._trace.update(f"{self.time.now_s:.9f} {label}\n".encode())
            action()
            if self._event_count > MOST_EVENTS:
                raise ViolationError("stuck: events without end")
            if is_done():
                return True
        self.time.now_s = end_s
        return False

    # -- members -------------------------------------------------------------------------------

    def start(self, me: str) -> None:
        """Start a member from its disk and link it with those that are up."""
        self._incarnations += 1
        arguments = (self.members, self.disks[me], self._post, self.witness)
        self.seats[me] = Seat(
            me, self._incarnations, *arguments, snapshot_every=self._snapshot_every
        )
        for other in self.members:
            if other != me and other in self.seats:
                self.connect(me, other)
        self._wake(me, 0.0)

    def crash(self, me: str) -> None:
        """Kill a member: what it had not written is gone, but what it had sent still arrives."""
        del self.seats[me]
        for other in self.members:
            if other != me:
                sent, lost = self.links[me, other], self.links[other, me]
                lost.number += 1
                sent.is_up = lost.is_up = False
                hang_up = partial(self._hang_up, me, other, sent.number)
                self.later(8 * self.weather.delay_s, f"{me} hangs up on {other}", hang_up)
        self.on_crash(me)

    def _hang_up(self, me: str, other: str, number: int) -> None:
        link = self.links[me, other]
        if link.number == number:
            link.number += 1
            if other in self.seats:
                self.seats[other].link(me, is_up=False)

    def step(self, me: str, action: Callable[[], None]) -> None:
        """Let a member do something, then look at what has become of it."""
        seat = self.seats[me]
        try:
            action()
            self._look_at(seat)
        except (KilledError, StoppedError):
            self.crash(me)
            return
        except (SeatError, AssertionError) as error:
            raise ViolationError(str(error)) from error
        if self.seats.get(me) is seat:
            self._wake(me, seat.engine.rest_s())

    def _look_at(self, seat: Seat) -> None:
        witness, term = self.witness, seat.engine.raftCurrentTerm
        if seat.leads():
            witness.leads(seat.me, seat.incarnation, term, seat.journal)
        witness.committed(seat.me, term, seat.journal, seat.engine.raftCommitIndex)
        for name, index in seat.answers():
            witness.acknowledged(name, index)

    def _wake(self, me: str, delay_s: float) -> None:
        """Have a member's thread run its next round then, and no other round before."""
        self._wakes[me] = wake = self._wakes.get(me, 0) + 1
        self.later(max(ROUND_S, delay_s), f"tick {me}", partial(self._tick, me, wake))

    def _tick(self, me: str, wake: int) -> None:
        seat = self.seats.get(me)
        if seat is not None and not seat.is_paused and self._wakes[me] == wake:
            self.step(me, seat.tick)

    def pause(self, me: str) -> None:
        """Stop a member where it stands."""
        self.seats[me].is_paused = True

    def resume(self, me: str) -> None:
        """Let it go on: it looks at the clock first, then at what has arrived."""
        seat = self.seats[me]
        seat.is_paused = False
        self.step(me, seat.tick)
        inbox, seat.inbox = seat.inbox, []
        for sender, raw, number in inbox:
            self._arrive(sender, me, raw, number)

    def propose(self, me: str, name: str, patience_s: float) -> None:
        """Have a client of ``me`` append an operation, and wait so long for it."""
        seat = self.seats[me]
        self.witness.call(name)
        pending = seat.propose(name)
        self.later(patience_s, f"give up {name}", partial(seat.give_up, pending))
        if not seat.is_paused:
            self.step(me, seat.tick)

    # -- the network ---------------------------------------------------------------------------

    def connect(self, one: str, other: str) -> None:
        """Link two members anew; both learn of it."""
        self.disconnect(one, other)
        for me, peer in ((one, other), (other, one)):
            self.links[me, peer].is_up = True
            self.seats[me].link(peer, is_up=False)
            self.seats[me].link(peer, is_up=True)

    def disconnect(self, one: str, other: str) -> None:
        """Break a link: what was on it is lost, and both learn of it."""
        for me, peer in ((one, other), (other, one)):
            link = self.links[me, peer]
            link.number += 1
            if link.is_up:
                link.is_up = False
                if me in self.seats:
                    self.seats[me].link(peer, is_up=False)

    def _post(self, sender: str, receiver: str, raw: bytes) -> None:
        link, weather = self.links[sender, receiver], self.weather
        if not link.is_up or link.is_cut or self.dice.random() < weather.loss:
            return
        copies = 2 if self.dice.random() < weather.doubling else 1
        for _ in range(copies):
            delay_s = weather.delay_s * (0.2 + self.dice.expovariate(1.0))
            if weather.is_fifo:
                arrival_s = max(self.time.now_s + delay_s, link.last_arrival_s + 1e-6)
                delay_s = arrival_s - self.time.now_s
                link.last_arrival_s = arrival_s
            elif self.dice.random() < weather.lateness:
                delay_s = self.dice.uniform(0.0, LATEST_S)
            label = f"{sender}>{receiver} {hashlib.sha256(raw).hexdigest()[:8]}"
            arrive = partial(self._arrive, sender, receiver, raw, link.number)
            self.later(delay_s, label, arrive)

    def _arrive(self, sender: str, receiver: str, raw: bytes, number: int) -> None:
        seat = self.seats.get(receiver)
        link = self.links[sender, receiver]
        if seat is None or link.number != number:
            return
        if seat.is_paused:
            seat.inbox.append((sender, raw, number))
            return
        self.step(receiver, partial(seat.receive, sender, raw))
        if self.seats.get(receiver) is seat:
            self._wake(receiver, 0.0)
