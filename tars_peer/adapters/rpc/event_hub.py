"""One reader of the desk's events, many watchers. What events mean may never enter here.

The desk's iterator blocks until something happens, so a watcher that hung up could not be let
go before the next event; one thread reads it, and watchers wait on a condition that their
hanging up wakes.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from tars_peer.model.event import Event

_LOG = logging.getLogger(__name__)

#: Watchers that come late or are slow see this many of the newest events.
KEPT_EVENTS = 2_000


class EventHub:
    """Keeps the newest events and hands them to watchers."""

    def __init__(self, source: Callable[[], Iterator[Event]], *, keep: int = KEPT_EVENTS) -> None:
        """Start to read ``source`` on a thread of its own; keep the newest ``keep`` events."""
        self._source = source
        self._kept: deque[Event] = deque(maxlen=keep)
        self._seen = 0
        self._ended = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="rpc-events", daemon=True)
        self._reader.start()

    def watch(self, *, replay: bool, alive: Callable[[], bool]) -> Iterator[Event]:
        """Yield events until the source ends, the hub is closed or ``alive()`` is false.

        A watcher that is too slow misses the oldest.
        """
        with self._changed:
            position = self._seen - (len(self._kept) if replay else 0)
        while True:
            with self._changed:
                while self._seen == position and not self._ended and alive():
                    self._changed.wait()
                oldest = self._seen - len(self._kept)
                batch = list(islice(self._kept, max(0, position - oldest), None))
                position = self._seen
                over = self._ended or not alive()
            yield from batch
            if over:
                return

    def wake(self) -> None:
        """Make every watcher look again whether it is alive."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Let all watchers go."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read(self) -> None:
        try:
            for event in self._source():
                with self._changed:
                    if self._ended:
                        return
                    self._kept.append(event)
                    self._seen += 1
                    self._changed.notify_all()
        except Exception:  # noqa: BLE001  (the thread's boundary)
            _LOG.exception("the stream of events failed")
        finally:
            self.close()
