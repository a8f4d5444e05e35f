"""What clients of a log asked for and were told, and whether that can be true of one log.

The check is exact, because every answer names the index: real-time order must be index order.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One operation: when it was asked for and answered (monotonic s); no index: never answered."""

    operation: str
    asked_s: float
    answered_s: float
    index: int | None


class History:
    """Calls of many threads."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def add(self, call: Call) -> None:
        """Keep a call."""
        with self._lock:
            self._calls.append(call)

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls so far."""
        with self._lock:
            return tuple(self._calls)


def faults(calls: Sequence[Call], logs: Mapping[str, Iterable[tuple[int, str]]]) -> list[str]:
    """Return what cannot be: ``logs`` is what each member delivered in the end, in order."""
    wrong: list[str] = []
    contents = {name: list(log) for name, log in logs.items()}
    (first, log), *others = contents.items()
    wrong += [f"{name} and {first} delivered different logs" for name, o in others if o != log]
    indexes = [index for index, _ in log]
    if sorted(set(indexes)) != indexes:
        wrong.append("indexes do not rise")
    places = {operation: index for index, operation in log}
    if len(places) != len(log):
        wrong.append("an operation was delivered twice")
    asked = {call.operation for call in calls}
    wrong += [f"{operation} was never asked for" for operation in places if operation not in asked]
    for call in calls:
        if call.index is not None and places.get(call.operation) != call.index:
            wrong.append(
                f"{call.operation} was acknowledged at {call.index}, "
                f"and is at {places.get(call.operation)}"
            )
    return wrong + _order_faults([call for call in calls if call.index is not None])


def _order_faults(calls: Sequence[Call]) -> list[str]:
    """Return calls that lie before one that had been answered when they were asked for."""
    wrong, newest = [], 0
    answered: list[tuple[float, int]] = []
    for call in sorted(calls, key=lambda call: call.asked_s):
        assert call.index is not None
        while answered and answered[0][0] < call.asked_s:
            newest = max(newest, heapq.heappop(answered)[1])
        if call.index <= newest:
            wrong.append(f"{call.operation} is at {call.index}, asked for after {newest} was told")
        heapq.heappush(answered, (call.answered_s, call.index))
    return wrong
