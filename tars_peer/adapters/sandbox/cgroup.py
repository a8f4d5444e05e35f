"""A limit on tasks that holds for root too, where the machine lets us make a control group.

RLIMIT_NPROC does nothing for a job that runs as root outside. Nothing but the limit on tasks may
enter here, and nothing may depend on it being there: the count of processes in ``follow`` is.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PREFIX: Final = "tars-sandbox-"
_REMOVE_S: Final = 1.0
_numbers = itertools.count()


@contextlib.contextmanager
def task_limit(most: int) -> Iterator[int | None]:
    """Yield a descriptor to write the id of the job's first process to; None where not allowed.

    ``most`` bounds processes and threads together.
    """
    group = _make(most)
    if group is None:
        yield None
        return
    try:
        descriptor = os.open(group / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    finally:
        _remove(group)


def _make(most: int) -> Path | None:
    """Make a group that holds at most ``most`` tasks; None where this machine does not let us."""
    parent = _parent()
    if parent is None:
        return None
    _remove_left_over(parent)
    group = parent / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
    try:
        group.mkdir()
    except OSError:
        return None
    try:
        (group / "pids.max").write_text(str(most), encoding="ascii")
    except OSError:
        _remove(group)
        return None
    return group


def _parent() -> Path | None:
    """Return where groups that limit tasks are made: cgroup v1's own tree, or v2's."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup" and "pids" in options.split(","):
            return Path(place)
        if kind == "cgroup2" and _offers_tasks(Path(place)):
            return Path(place)
    return None


def _offers_tasks(root: Path) -> bool:
    """Say whether groups made in this cgroup v2 tree can limit tasks."""
    try:
        return "pids" in (root / "cgroup.subtree_control").read_text(encoding="ascii").split()
    except OSError:
        return False


def _remove(group: Path) -> None:
    """Remove a group; its last tasks may take a moment to be gone."""
    deadline = time.monotonic() + _REMOVE_S
    while True:
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.002)
        else:
            return


def _remove_left_over(parent: Path) -> None:
    """Remove the groups of peers that were killed before they could."""
    for group in parent.glob(f"{_PREFIX}*"):
        owner = group.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            with contextlib.suppress(OSError):
                group.rmdir()
