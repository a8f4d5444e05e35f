"""The words of a job as every level says them: command, environment, folders, resource limits.

How a level enforces them must not enter here.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tars_peer.errors import UsageError
from tars_peer.ports.sandbox import Job

_MIB: Final = 1024 * 1024
_OPEN_FILES: Final = 4_096

#: Where programs, libraries and what they need to know of the system are.
SYSTEM_FOLDERS: Final = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store",
)  # fmt: skip
#: What libraries read of ``/etc``; no accounts, no keys, nothing of this host's own.
SYSTEM_FILES: Final = (
    "/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
    "/etc/localtime", "/etc/mime.types", "/etc/timezone",
)  # fmt: skip


def command(job: Job) -> tuple[str, ...]:
    """Return the words to run, ``python`` replaced by the job's interpreter.

    Raises:
        UsageError: there is no command.
    """
    if not job.command:
        raise UsageError("the command is empty", hint="give at least one word, as ['python', …]")
    first, *others = job.command
    return (str(job.python) if first == "python" else first, *others)


def environment(job: Job, *, scratch: str) -> dict[str, str]:
    """Return all the variables the job sees; what the job says itself goes first."""
    binaries = [str(job.python.parent), "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(binaries),
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        **job.environment,
    }


def readable(job: Job) -> tuple[Path, ...]:
    """Return every place beyond the system's that the job may read, parents first, none twice.

    A place reached through a link is named both ways, so that the link works inside too; one that
    lies in another is not named.
    """
    asked = (*interpreter_places(job.python), *job.readable, job.folder)
    both = {place for path in asked for place in (path.absolute(), path.resolve())}
    outermost: list[Path] = []
    for place in sorted(both):
        if place.exists() and not any(place.is_relative_to(outer) for outer in outermost):
            outermost.append(place)
    return tuple(outermost)


def interpreter_places(python: Path) -> Iterator[Path]:
    """Yield what an interpreter needs: its environment, its base's folder, and links on the way.

    A folder counts only where Python's library is in it: a link in somebody's home does not open
    that home.
    """
    program = python.absolute()
    while True:
        yield program
        yield from _prefix(program.parent.parent)
        if not program.is_symlink():
            break
        program = Path(os.path.normpath(program.parent / program.readlink()))
    yield from _prefix(program.resolve().parent.parent)


def _prefix(folder: Path) -> Iterator[Path]:
    """Yield ``folder`` where an interpreter lives in it, and what its environment was made from."""
    if folder == Path("/"):
        return  # /bin/python: all that it needs are system folders
    if any(folder.glob("lib*/python3*")):
        yield folder
    settings = folder / "pyvenv.cfg"
    if not settings.is_file():
        return
    for line in settings.read_text(encoding="utf-8", errors="replace").splitlines():
        key, _, value = line.partition("=")
        home = Path(value.strip()).parent
        if key.strip() == "home" and home != folder and any(home.glob("lib*/python3*")):
            yield home


def most_tasks(job: Job) -> int:
    """Return how many processes and threads there may be: a backstop of the processes' count."""
    return 4 * job.processes


def limits(job: Job) -> dict[int, int]:
    """Return the resource limits of each process, by number of the resource.

    How many tasks there may be is not one of them: RLIMIT_NPROC counts per user.
    """
    wanted = {
        resource.RLIMIT_AS: job.memory_mib * _MIB,
        resource.RLIMIT_FSIZE: job.file_mib * _MIB,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    return {kind: _within_ours(kind, value) for kind, value in wanted.items()}


def _within_ours(kind: int, value: int) -> int:
    """Return ``value``, or our own hard limit where that is lower: it cannot be raised."""
    _, hard = resource.getrlimit(kind)
    return value if hard == resource.RLIM_INFINITY else min(value, hard)
