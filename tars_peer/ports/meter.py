"""Building, testing, measuring and profiling one artifact, as the genome's policy says."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tars_peer.model.finding import Hotspot


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """One run of the genome's tests.

    ``passed``, ``failed`` and ``skipped`` are test names (``suite`` where the command tells no
    names); ``finished`` is false where the run timed out, crashed or reported nothing; ``cpu_ns``
    is the CPU time of all its processes.
    """

    __test__ = False

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]
    finished: bool
    complaint: str
    cpu_ns: int
    wall_ns: int


class Meter(Protocol):
    """The genome's own commands, run in the sandbox on an artifact. One job at a time a machine."""

    @property
    def sandbox_level(self) -> str:
        """How strong the sandbox is (see ``ports.sandbox``)."""
        ...

    @property
    def source(self) -> str:
        """What a cost is: ``benchmark`` (the genome's own) or ``tests`` (their CPU time)."""
        ...

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the machine for a series of runs, so that nobody else's disturb it; re-entrant."""
        ...

    def build(self, artifact: Path) -> str:
        """Byte-compile and run the genome's build command; return a complaint or ``""``.

        An artifact is built once, so that going back to it waits for nobody.
        """
        ...

    def house(self, artifact: Path) -> str:
        """Run the genome's own house rules (its check commands); return a complaint or ``""``."""
        ...

    def test(self, artifact: Path) -> TestRun:
        """Run the genome's tests once."""
        ...

    def cost(self, artifact: Path) -> int:
        """Run the benchmark once in a fresh process and return its cost in nanoseconds.

        Raises:
            RefusedError: it failed, hung, or did not print a number; the message says which.
        """
        ...

    def profile(self, artifact: Path) -> tuple[Hotspot, ...]:
        """Run the benchmark under a profiler; functions of the genome by falling ``share``.

        Raises:
            RefusedError: it failed under the profiler.
        """
        ...
