"""Events to a JSON log (structlog) and to whoever watches; saying one never blocks or fails."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

from tars_peer.adapters.say.rotating import RotatingLines
from tars_peer.model.event import Event

_KEPT = 2_000
_WAITING_AT_MOST = 10_000


class Voice:
    """Fills ``ports.events.Events`` for one peer."""

    def __init__(self, *, peer: str, path: Path) -> None:
        """Write to ``path``, a line of JSON an event."""
        self._peer = peer
        self._lock = threading.Lock()
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._watchers: list[queue.SimpleQueue[Event | None]] = []
        self._lines = RotatingLines(path)
        self._closed = False
        self._log = structlog.wrap_logger(
            self._lines,
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )

    def say(
        self,
        kind: str,
        text: str,
        *,
        generation: int = 0,
        index: int = 0,
        change_id: str = "",
        **data: object,
    ) -> None:
        """See ``ports.events``."""
        event = Event(
            time_ms=time.time_ns() // 1_000_000,
            peer=self._peer,
            kind=kind,
            generation=generation,
            index=index,
            change_id=change_id,
            text=text,
            data=dict(data),
        )
        with self._lock:
            if self._closed:
                return
            self._kept.append(event)
            for watcher in self._watchers:
                if watcher.qsize() < _WAITING_AT_MOST:
                    watcher.put(event)
            # Bound, not passed, so that data may have any name; ours come last and stand.
            self._log.bind(**data).info(
                kind,
                peer=self._peer,
                text=text,
                generation=generation,
                index=index,
                change_id=change_id,
            )

    def watch(self, *, replay: bool) -> Iterator[Event]:
        """Yield events as they happen, after the kept ones if ``replay``; ends at ``close``."""
        mine: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        with self._lock:
            for kept in self._kept if replay else ():
                mine.put(kept)
            if self._closed:
                mine.put(None)
            self._watchers.append(mine)
        try:
            while (event := mine.get()) is not None:
                yield event
        finally:
            with self._lock:
                self._watchers.remove(mine)

    def close(self) -> None:
        """Let every watcher end."""
        with self._lock:
            self._closed = True
            for watcher in self._watchers:
                watcher.put(None)
            with suppress(OSError):  # what a full disk does not take is lost, the end is not
                self._lines.close()
