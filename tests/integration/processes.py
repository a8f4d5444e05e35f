"""The processes that belong to a folder, and how they are ended. What they do may not enter here.

A process belongs to a folder that its command line, its environment or its working folder names;
jobs in the sandbox do by the paths that are bound into it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from tests.fakes.waiting import until


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the processes that belong to ``folder``; what only waits to be reaped is left out."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and any(str(folder) in text for text in _texts(process))
    ]


def family_of(pid: int) -> list[psutil.Process]:
    """Return the process ``pid`` and all that came of it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    """Say whether ``process`` has ended, reaped or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def described(processes: list[psutil.Process]) -> str:
    """Return one line a process, for the message of a test that fails."""
    lines = []
    for process in processes:
        with suppress(psutil.Error):
            lines.append(f"{process.pid} {process.status()} {' '.join(process.cmdline())}"[:300])
    return "\n".join(lines)


def until_gone(folder: Path, *, timeout_s: float = 20.0) -> None:
    """Return once no process belongs to ``folder``; fail with their names after ``timeout_s``."""
    try:
        until(lambda: not processes_of(folder), timeout_s=timeout_s)
    except AssertionError:
        raise AssertionError(f"left over:\n{described(processes_of(folder))}") from None


def kill_all(folder: Path) -> None:
    """Kill what belongs to ``folder``, parents before what they would start again."""
    while left := processes_of(folder):
        for process in sorted(left, key=lambda process: process.pid):
            with suppress(psutil.Error):
                process.kill()


def _texts(process: psutil.Process) -> Iterator[str]:
    with suppress(psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return
        yield " ".join(process.cmdline())
        yield process.cwd()
        yield " ".join(process.environ().values())
