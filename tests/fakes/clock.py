"""A clock that stands still until a test moves it. No real time may enter here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FakeClock:
    """Implements ``ports.clock.Clock``; ``sleep`` moves the time and returns at once."""

    wall_ms: int = 1_700_000_000_000
    time_s: float = 0.0

    def now_ms(self) -> int:
        """Return the wall time."""
        return self.wall_ms

    def monotonic_s(self) -> float:
        """Return the time for deadlines."""
        return self.time_s

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.time_s += seconds
        self.wall_ms += int(seconds * 1000)
