"""Events of all peers in one stream, each said once. What they mean may not be known here."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.cli.find import Known
from tars_peer.errors import TarsError
from tars_peer.model.event import Event

#: How long, in seconds, a peer that is not there is left alone before it is asked again.
_PAUSE_S = 0.3

#: So many events are remembered, so that a peer that says its kept ones again is not heard twice.
_REMEMBERED = 20_000


class Watch:
    """Watches peers that come and go, until it is closed."""

    def __init__(self, known: Sequence[Known]) -> None:
        """Start to watch ``known``, each on a thread of its own."""
        self._events: queue.Queue[Event] = queue.Queue()
        self._heard: dict[tuple[object, ...], None] = {}
        self._closed = threading.Event()
        self._clients: dict[str, PeerClient] = {}
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._follow, args=(peer,), name="watch", daemon=True)
            for peer in known
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        """Return this watch; leaving closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def next(self, *, timeout_s: float) -> Event | None:
        """Return the next event that was not heard before; None after ``timeout_s`` without one."""
        while True:
            try:
                event = self._events.get(timeout=timeout_s)
            except queue.Empty:
                return None
            key = (
                event.peer,
                event.time_ms,
                event.kind,
                event.text,
                event.generation,
                event.index,
                event.change_id,
            )
            if key in self._heard:
                continue
            self._heard[key] = None
            if len(self._heard) > _REMEMBERED:
                del self._heard[next(iter(self._heard))]
            return event

    def close(self) -> None:
        """Hang up on all peers."""
        self._closed.set()
        with self._lock:
            clients = list(self._clients.values())
        for client in clients:
            client.close()
        for thread in self._threads:
            thread.join()

    def _follow(self, peer: Known) -> None:
        while not self._closed.is_set():
            # Not there, or hung up by ``close`` (grpc says ValueError for a call that is begun on
            # a closed channel): the loop's condition tells which.
            with suppress(TarsError, ValueError), peer.client() as client:
                with self._lock:
                    self._clients[peer.address] = client
                # Whoever closes looks at the clients after saying so: look the other way round.
                if self._closed.is_set():
                    return
                for event in client.events(replay=True):
                    self._events.put(event)
            self._closed.wait(_PAUSE_S)
