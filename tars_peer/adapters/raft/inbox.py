"""What the other members' streams bring, until the raft thread takes it. No grpc may enter here.

Per member one stream counts, the newest: nothing that an older one brought is handed over once a
newer is here (findings, S14), and nothing twice or out of order. Filled by grpc's threads, emptied
by the raft thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tars_peer.adapters.raft.settings import LARGEST_REQUEST_BYTES, QUEUE_BYTES, QUEUE_MESSAGES
from tars_peer.errors import RefusedError
from tars_peer.model.noun import PeerId

_logger = logging.getLogger(__name__)


class Ending(Protocol):
    """A stream, in either direction, as the raft thread knows it."""

    peer: PeerId

    def end(self) -> None:
        """Cut it; from any thread, and it may be cut already."""
        ...


@dataclass(frozen=True, slots=True)
class Up:
    """A stream is there and greeted."""

    stream: Ending


@dataclass(frozen=True, slots=True)
class Down:
    """A stream is gone."""

    stream: Ending


class Incoming:
    """One stream that another member dialled."""

    def __init__(
        self, inbox: Inbox, peer: PeerId, place: tuple[int, int], cut: Callable[[], None]
    ) -> None:
        """Be ``place`` (boot epoch, number of the stream) among those of ``peer``."""
        self.peer = peer
        self.epoch, self.number = place
        self._inbox = inbox
        self._cut = cut
        self._sequence = 0
        # Counted apart by the two threads, so that neither needs a lock.
        self._brought = self._brought_bytes = 0
        self._taken = self._taken_bytes = 0
        self.is_over = False
        self._is_told = False

    def bring(self, sequence: int, payloads: Sequence[bytes]) -> None:
        """Queue what came together for the raft thread, unless it is a repetition.

        Raises:
            RefusedError: the stream is to end: it was replaced, or brings too much.
        """
        if self.is_over:
            raise RefusedError(f"{self} was replaced by a newer one, or given up")
        size_bytes = sum(map(len, payloads))
        if size_bytes > LARGEST_REQUEST_BYTES:
            raise RefusedError(
                f"{self} brings {size_bytes} bytes at once, at most {LARGEST_REQUEST_BYTES} are "
                "taken",
                hint="are versions mixed?",
            )
        if sequence <= self._sequence:
            if not self._is_told:
                self._is_told = True
                _logger.warning(
                    "dropped request %d of %s, which comes after %d", sequence, self, self._sequence
                )
            return
        self._sequence = sequence
        self._brought += 1 + len(payloads)
        self._brought_bytes += size_bytes
        if (
            self._brought - self._taken > QUEUE_MESSAGES
            or self._brought_bytes - self._taken_bytes > QUEUE_BYTES
        ):
            raise RefusedError(
                f"{self} brings more than this member takes", hint="is this machine overloaded?"
            )
        self._inbox.post((self, payloads))

    def took(self, payloads: Sequence[bytes]) -> None:
        """Count what came together as taken by the raft thread."""
        self._taken += 1 + len(payloads)
        self._taken_bytes += sum(map(len, payloads))

    def end(self) -> None:
        """See ``Ending``."""
        self.is_over = True
        self._cut()

    def __str__(self) -> str:
        """Name it."""
        return f"stream {self.number} of {self.peer} in its life {self.epoch}"


Event = Up | Down | tuple[Incoming, Sequence[bytes]]


class Inbox:
    """The queue to the raft thread, and which stream of each member counts."""

    def __init__(self) -> None:
        """Begin empty; what comes before ``ring_with`` waits."""
        self._events: deque[Event] = deque()
        self._lock = threading.Lock()
        self._newest: dict[PeerId, Incoming] = {}
        self._ring: Callable[[], None] = lambda: None
        self._is_closed = False

    def ring_with(self, ring: Callable[[], None]) -> None:
        """Call ``ring`` after each event from now on; from whatever thread brings it."""
        self._ring = ring

    def post(self, event: Event) -> None:
        """Queue an event and wake the raft thread."""
        self._events.append(event)
        self._ring()

    def admit(self, peer: PeerId, place: tuple[int, int], cut: Callable[[], None]) -> Incoming:
        """Return the stream of ``peer`` that counts from now on; the one before it is cut.

        Raises:
            RefusedError: a newer one was there before, or this member stops.
        """
        incoming = Incoming(self, peer, place, cut)
        with self._lock:
            if self._is_closed:
                raise RefusedError("this member stops", hint="dial again")
            old = self._newest.get(peer)
            if old is not None and place <= (old.epoch, old.number):
                raise RefusedError(
                    f"{incoming} is not newer than {old}",
                    hint="does a second process run under this name, or a copy of its folder?",
                )
            self._newest[peer] = incoming
            # While the lock is held: the older one's end must not be queued behind this.
            if old is not None:
                if not old.is_over:
                    _logger.warning("%s takes the place of %s", incoming, old)
                old.end()
            self.post(Up(incoming))
        return incoming

    def events(self) -> list[Event]:
        """Return what has come, in order; the raft thread calls it."""
        found: list[Event] = []
        while self._events:
            found.append(self._events.popleft())
        return found

    def close(self) -> None:
        """Cut all streams and admit no other."""
        with self._lock:
            self._is_closed = True
            for incoming in self._newest.values():
                incoming.end()
