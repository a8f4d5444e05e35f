"""The figure that a benchmark prints: seconds, as its last line.

No running of anything may enter here.
"""

from __future__ import annotations

import json
import math
from typing import Final

from tars_peer.errors import RefusedError

_ALLOWED: Final = (
    'the last line that the benchmark prints must be {"seconds": 1.25} or a bare number of '
    "seconds, above 0"
)
_SHOWN: Final = 120


def cost_ns(printed: str) -> int:
    """Return the cost in nanoseconds that the last line of ``printed`` states.

    Raises:
        RefusedError: there is no such figure; the message quotes what is there instead.
    """
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    if not lines:
        raise RefusedError("the benchmark printed nothing", hint=_ALLOWED)
    seconds = _seconds(lines[-1])
    if seconds is None:
        raise RefusedError(
            f"the benchmark printed {lines[-1][:_SHOWN]!r} as its last line, which is no figure",
            hint=_ALLOWED,
        )
    return max(1, round(seconds * 1e9))


def _seconds(line: str) -> float | None:
    """Return the positive, finite number that ``line`` states, or None."""
    try:
        stated = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(stated, dict):
        stated = stated.get("seconds")
    if isinstance(stated, bool) or not isinstance(stated, int | float):
        return None
    try:
        seconds = float(stated)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None
