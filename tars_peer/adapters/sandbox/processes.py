"""Which processes descend from a process, and what they use, read from ``/proc``.

Nothing is killed here but a named tree. Imported by the keeper of each job (see ``confine``), so
nothing that is slow to import may enter here: no ``pathlib``, no ``typing``.
"""

# ruff: noqa: PTH110, PTH116, PTH123, PTH208  (pathlib is slow to import)

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

_MOST: Final = 100_000
_PROC: Final = "/proc"
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
#: The kernel lists children per thread only where it was built to (CONFIG_PROC_CHILDREN).
_LISTS_CHILDREN: Final = os.path.exists(f"{_PROC}/self/task/{os.getpid()}/children")


def descendants(root: int, *, most: int) -> list[int]:
    """Return the ids of all processes below ``root``; stop looking after ``most`` of them."""
    found: list[int] = []
    waiting = [root]
    while waiting and len(found) < most:
        for child in _children(waiting.pop()):
            found.append(child)
            waiting.append(child)
    return found


def _children(process: int) -> Iterator[int]:
    """Yield the children of one process; none where it is gone."""
    if not _LISTS_CHILDREN:
        yield from (pid for pid, parent in _parents() if parent == process)
        return
    try:
        threads = os.listdir(f"{_PROC}/{process}/task")
    except OSError:
        return
    for thread in threads:
        with contextlib.suppress(OSError):
            yield from map(int, _read(f"{process}/task/{thread}/children").split())


def _parents() -> Iterator[tuple[int, int]]:
    """Yield each process of the machine with its parent, the slow way."""
    for name in filter(str.isdigit, os.listdir(_PROC)):
        with contextlib.suppress(OSError):
            # The name of the program, in brackets, may hold anything.
            fields = _read(f"{name}/stat").rpartition(b")")[2].split()
            yield int(name), int(fields[1])


def resident_bytes(process: int) -> int:
    """Return the memory of ``process``, pages that it shares counted in full; 0 if it is gone."""
    try:
        fields = _read(f"{process}/statm").split()
    except OSError:
        return 0
    return int(fields[1]) * _PAGE_BYTES if len(fields) > 1 else 0


def proportional_bytes(process: int) -> int:
    """Return the memory of ``process``, shared pages divided by their users; 0 if it is gone."""
    try:
        lines = _read(f"{process}/smaps_rollup").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(b"Pss:"))


def _read(name: str) -> bytes:
    """Return the content of a file in ``/proc``."""
    with open(f"{_PROC}/{name}", "rb") as file:
        return file.read()


def kill_below(root: int) -> None:
    """Kill everything below ``root``, a process that leads a group of its own.

    Whole groups first: the kernel kills a group at once, however fast it grows. What is in no
    group below is stopped before it is killed, so that it cannot start another one meanwhile.
    """
    spared = {os.getpgrp(), _group(root)}
    for group in {_group(pid) for pid in descendants(root, most=_MOST)} - spared:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    stopped: set[int] = set()
    while fresh := [pid for pid in descendants(root, most=_MOST) if pid not in stopped]:
        for pid in fresh:
            _signal(pid, signal.SIGSTOP)
        stopped.update(fresh)
    for pid in stopped:
        _signal(pid, signal.SIGKILL)


def _group(process: int) -> int:
    """Return the group of a process; our own where it is gone."""
    try:
        return os.getpgid(process)
    except ProcessLookupError:
        return os.getpgrp()


def tasks_of_user(user: int) -> int:
    """Return how many threads the processes of a user have now."""
    tasks = 0
    for name in filter(str.isdigit, os.listdir(_PROC)):
        with contextlib.suppress(OSError):
            if os.stat(f"{_PROC}/{name}").st_uid == user:
                tasks += len(os.listdir(f"{_PROC}/{name}/task"))
    return tasks


def _signal(process: int, number: signal.Signals) -> None:
    """Send a signal; a process that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, number)
