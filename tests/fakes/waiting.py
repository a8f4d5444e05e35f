"""Waiting for a condition, for tests of what runs on other threads. No fixed sleeps in here."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
    """Return once ``condition()`` is true; fail after ``timeout_s`` seconds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not so within {timeout_s} s"
        time.sleep(0.02)
