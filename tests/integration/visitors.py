"""Visitors of a service on several ports, who note when it was not there. No waiting in here."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_PATIENCE_S = 30.0
_REST_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The port of ``peer`` was closed at both times, and at all visits between."""

    peer: str
    first_s: float
    last_s: float


class Visitors:
    """Visit each port all the time. A slow answer is one; only a closed port is an absence."""

    def __init__(self, ports: Mapping[str, int], path: str) -> None:
        """Visit ``path`` at ``ports`` by peer."""
        self._path = path
        self._ended = threading.Event()
        self.absences: list[Absence] = []
        self._threads = [
            threading.Thread(target=self._visit, args=each, name="visitor")
            for each in ports.items()
        ]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def together(self) -> list[tuple[Absence, Absence]]:
        """Return the absences of two peers at one time."""
        return [
            (one, other)
            for one in self.absences
            for other in self.absences
            if one.peer < other.peer and one.first_s <= other.last_s and other.first_s <= one.last_s
        ]

    def _visit(self, peer: str, port: int) -> None:
        closed: list[float] = []
        while not self._ended.wait(_REST_S):
            now_s = time.monotonic()
            if get(port, self._path) is None:
                closed.append(now_s)
            elif closed:
                self.absences.append(Absence(peer=peer, first_s=closed[0], last_s=closed[-1]))
                closed = []


def get(port: int, path: str) -> str | None:
    """Return what the service answers; None where nobody listens or the line is cut."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()
