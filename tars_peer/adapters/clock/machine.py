"""The machine's own time, behind ``ports.clock``."""

from __future__ import annotations

import time


class MachineClock:
    """Fills ``ports.clock.Clock``."""

    def now_ms(self) -> int:
        """See ``ports.clock``."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """See ``ports.clock``."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See ``ports.clock``."""
        time.sleep(seconds)
