"""Where code that nobody has proved yet may run: no network, its own folder to write in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Ending(StrEnum):
    """How a job ended."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    KILLED = "killed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command to run.

    ``command`` is run with no shell; its first word ``python`` means ``python`` below.
    ``readable`` are folders it may read beyond the interpreter and the system; ``scratch`` is the
    one folder it may write (also its ``HOME`` and ``TMPDIR``), or None for a private one that is
    thrown away. Memory in MiB, time in milliseconds of wall time, files in MiB.
    """

    command: tuple[str, ...]
    folder: Path
    python: Path
    readable: tuple[Path, ...] = ()
    scratch: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_ms: int
    memory_mib: int
    processes: int
    file_mib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job went. Output is cut to its last 64 KiB each; CPU covers all its processes."""

    ending: Ending
    code: int
    stdout: str
    stderr: str
    wall_ns: int
    cpu_ns: int

    @property
    def ok(self) -> bool:
        """True where the command ended by itself with code 0."""
        return self.ending is Ending.EXITED and self.code == 0

    def complaint(self) -> str:
        """One line that says how it failed, for people."""
        last = (self.stderr.strip() or self.stdout.strip()).splitlines()[-1:] or ["(no output)"]
        how = f"exit code {self.code}" if self.ending is Ending.EXITED else self.ending.value
        return f"{how}: {last[0][:300]}"


class Sandbox(Protocol):
    """A way to run jobs. ``level`` names how strong it is, for ``status``."""

    @property
    def level(self) -> str:
        """``bubblewrap``, ``landlock`` or ``limits`` (see docs/sandbox.md), strongest first."""
        ...

    def run(self, job: Job) -> Outcome:
        """Run ``job`` to its end or its deadline; every process it started is gone afterwards."""
        ...
