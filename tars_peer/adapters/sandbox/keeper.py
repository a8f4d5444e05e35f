"""Running a job below a keeper process (see ``confine``): what the two weaker levels share.

What a level takes away from the job is said by ``landlock``; nothing else of it may enter here.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from tars_peer.adapters.sandbox import seccomp, words
from tars_peer.adapters.sandbox.cgroup import task_limit
from tars_peer.adapters.sandbox.follow import Cancelled, Follow
from tars_peer.adapters.sandbox.processes import kill_below
from tars_peer.errors import PermanentError
from tars_peer.ports.sandbox import Ending, Job, Outcome

_PROGRAM: Final = Path(__file__).with_name("confine.py")
_ETC: Final = ("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf")


def run(job: Job, *, landlock: bool, cancelled: Cancelled) -> Outcome:
    """Run ``job`` below a keeper, confined by Landlock or only by limits.

    Raises:
        PermanentError: it could not be confined.
    """
    with _scratch(job) as scratch, contextlib.ExitStack() as pipes:
        read, write = os.pipe()
        status = pipes.enter_context(FileIO(read, "rb"))
        status_inside = pipes.enter_context(FileIO(write, "wb"))
        group = pipes.enter_context(task_limit(words.most_tasks(job)))
        request = _request(job, scratch=scratch, landlock=landlock)
        started_ns = time.monotonic_ns()
        child = subprocess.Popen(
            [
                *(sys.executable, "-S", "-E", "-s", str(_PROGRAM)),
                marshal.dumps({**request, "status": write, "group": group}).hex(),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd="/",
            start_new_session=True,
            pass_fds=(write,) if group is None else (write, group),
        )
        status_inside.close()
        outcome = Follow(
            child,
            job=job,
            root=child.pid,
            started_ns=started_ns,
            kill=lambda: kill_below(child.pid),
            cancelled=cancelled,
            scratch=scratch,
        ).to_the_end()
        if outcome.ending is Ending.EXITED and not status.read():
            raise PermanentError(
                f"the job could not be confined: {outcome.complaint()}",
                hint="see docs/sandbox.md for what each level of sandbox needs of the host",
            )
    return outcome


@contextlib.contextmanager
def _scratch(job: Job) -> Iterator[Path]:
    """Yield the job's scratch folder, or one of its own that is thrown away."""
    if job.scratch is not None:
        yield job.scratch.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="tars-scratch-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _request(job: Job, *, scratch: Path, landlock: bool) -> dict[str, object]:
    """Return what the keeper is told."""
    needed = [str(place) for place in words.readable(job)]
    return {
        "parent": os.getpid(),
        "landlock": landlock,
        "folder": str(job.folder.absolute()),
        "scratch": str(scratch),
        "needed": needed,
        "readable": [*words.SYSTEM_FOLDERS, *words.SYSTEM_FILES, *_ETC, *needed],
        "command": words.command(job),
        "environment": words.environment(job, scratch=str(scratch)),
        "limits": words.limits(job),
        "tasks": words.most_tasks(job),
        # A network of its own hides the host's sockets, but not those that are files.
        "filters": {own: seccomp.program(network=own, unix=False) for own in (False, True)},
    }
