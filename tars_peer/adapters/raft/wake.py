"""A pipe that wakes the node's thread out of its poller. Nothing but waking may enter here."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any

from pysyncobj.poller import POLL_EVENT_TYPE


class Wake:
    """Unlike PySyncObj's own, it never blocks or fails when rung often, and it can be closed."""

    def __init__(
        self,
        poller: Any,  # noqa: ANN401  (PySyncObj is untyped)
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Subscribe to ``poller``; its thread calls ``then`` after each waking."""
        self._then = then
        self._poller = poller
        self._read_descriptor, self._write_descriptor = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._is_rung = False
        self._is_closed = False
        poller.subscribe(self._read_descriptor, self._clear, POLL_EVENT_TYPE.READ)

    def ring(self) -> None:
        """Wake the thread; from any thread, as often as one likes."""
        with self._lock:
            if not self._is_rung and not self._is_closed:
                self._is_rung = True
                os.write(self._write_descriptor, b"!")

    def _clear(self, _descriptor: int, _event: int) -> None:
        with self._lock:
            if not self._is_closed:
                os.read(self._read_descriptor, 1)
                self._is_rung = False
        self._then()

    def close(self) -> None:
        """Close the pipe; only the poller's thread may call it."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._poller.unsubscribe(self._read_descriptor)
                os.close(self._read_descriptor)
                os.close(self._write_descriptor)
