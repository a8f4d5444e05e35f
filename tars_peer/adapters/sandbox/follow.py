"""Following one running job to its end: output, deadline, limits, what it used.

The same for every level of sandbox. How a job is confined and how all its processes are killed
are the level's business and must not enter here.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tars_peer.adapters.sandbox.output import Tail
from tars_peer.adapters.sandbox.processes import (
    descendants,
    proportional_bytes,
    resident_bytes,
)
from tars_peer.ports.sandbox import Ending, Job, Outcome

Cancelled = Callable[[], bool]

_TICK_S: Final = 0.05
#: How long the output of a job that has ended is still read, in seconds: where a process that got
#: away holds the pipe, there is no end of file.
_DRAIN_S: Final = 0.5
_READ_BYTES: Final = 64 * 1024
_MIB: Final = 1024 * 1024
_SIGKILL_CODE: Final = 137


def never() -> bool:
    """Say that a job is not cancelled."""
    return False


class Follow:
    """One job that has been started as ``child``; its processes are all below process ``root``.

    ``kill`` ends all of them and makes ``child`` end; it may be called more than once.
    """

    def __init__(
        self,
        child: subprocess.Popen[bytes],
        *,
        job: Job,
        root: int,
        started_ns: int,
        kill: Callable[[], None],
        cancelled: Cancelled,
        scratch: Path | None,
    ) -> None:
        """Take over ``child``; nobody else may wait for it."""
        self._child = child
        self._job = job
        self._root = root
        self._started_ns = started_ns
        self._kill = kill
        self._cancelled = cancelled
        self._scratch = scratch
        self._free_bytes = _free_bytes(scratch)
        self._streams = (Tail(), Tail())

    def to_the_end(self) -> Outcome:
        """Return how it ended; ``child`` has been waited for."""
        stop: tuple[Ending, str] | None = None
        process = os.pidfd_open(self._child.pid)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process, selectors.EVENT_READ, None)
                self._register_streams(selector)
                stop = self._until_exit(selector)
                selector.unregister(process)
                self._drain(selector)
        finally:
            os.close(process)
            if self._child.returncode is None:
                self._kill()
            code, cpu_ns, peak_bytes = self._reap()
        wall_ns = time.monotonic_ns() - self._started_ns
        stdout, stderr = (stream.text() for stream in self._streams)
        if stop is not None:
            ending, text = stop
            stderr = f"{stderr.rstrip()}\nsandbox: stopped: {text}\n".lstrip("\n")
        else:
            ending = self._own_ending(code, stderr, peak_bytes)
        return Outcome(
            ending=ending, code=code, stdout=stdout, stderr=stderr, wall_ns=wall_ns, cpu_ns=cpu_ns
        )

    def _register_streams(self, selector: selectors.BaseSelector) -> None:
        """Read both streams of the child as they come."""
        for pipe, tail in zip((self._child.stdout, self._child.stderr), self._streams, strict=True):
            assert pipe is not None, "the child is started with both streams as pipes"
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, tail)

    def _until_exit(self, selector: selectors.BaseSelector) -> tuple[Ending, str] | None:
        """Read and check until the child has exited; return why it was stopped, if it was."""
        stop: tuple[Ending, str] | None = None
        next_check = 0.0
        while True:
            ready = selector.select(_TICK_S)
            exited = False
            for key, _ in ready:
                if key.data is None:
                    exited = True
                else:
                    _read(selector, key)
            if exited:
                return stop
            if stop is None and time.monotonic() >= next_check:
                stop = self._reason_to_stop()
                next_check = time.monotonic() + _TICK_S
                if stop is not None:
                    self._kill()

    def _reason_to_stop(self) -> tuple[Ending, str] | None:
        """Return why the job must end now, or None."""
        job = self._job
        if self._cancelled():
            return Ending.CANCELLED, "it is not needed any more"
        if time.monotonic_ns() - self._started_ns > job.timeout_ms * 1_000_000:
            return Ending.TIMED_OUT, f"it ran longer than {job.timeout_ms} ms"
        running = descendants(self._root, most=job.processes + 1)
        if len(running) > job.processes:
            return Ending.KILLED, f"it had more than {job.processes} processes"
        memory_bytes = job.memory_mib * _MIB
        if (
            sum(map(resident_bytes, running)) > memory_bytes
            and sum(map(proportional_bytes, running)) > memory_bytes
        ):
            return Ending.OUT_OF_MEMORY, f"its processes used more than {job.memory_mib} MiB"
        if self._fills_the_disk():
            return Ending.KILLED, f"its files took more than {4 * job.file_mib} MiB"
        return None

    def _fills_the_disk(self) -> bool:
        """Say whether the scratch folder holds over four files of full size.

        It is counted only while the disk lost that much since the start: counting costs time.
        """
        allowed_bytes = 4 * self._job.file_mib * _MIB
        if self._scratch is None or self._free_bytes - _free_bytes(self._scratch) < allowed_bytes:
            return False
        return _folder_bytes(self._scratch) > allowed_bytes

    def _drain(self, selector: selectors.BaseSelector) -> None:
        """Read what is left in the pipes."""
        deadline = time.monotonic() + _DRAIN_S
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(_TICK_S):
                _read(selector, key)

    def _reap(self) -> tuple[int, int, int]:
        """Wait for the child; return its exit code, CPU in nanoseconds and peak memory in bytes."""
        _, status, usage = os.wait4(self._child.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self._child.returncode = code
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()
        cpu_ns = round((usage.ru_utime + usage.ru_stime) * 1e9)
        return (128 - code if code < 0 else code), cpu_ns, usage.ru_maxrss * 1024

    def _own_ending(self, code: int, stderr: str, peak_bytes: int) -> Ending:
        """Tell an exit from a death by lack of memory, as well as it can be seen from outside."""
        last = (stderr.strip().splitlines() or [""])[-1]
        if code not in {0, _SIGKILL_CODE}:
            no_memory = last.startswith("MemoryError") or "Cannot allocate memory" in last
            return Ending.OUT_OF_MEMORY if no_memory else Ending.EXITED
        if code == _SIGKILL_CODE:
            large = peak_bytes > self._job.memory_mib * _MIB // 2
            return Ending.OUT_OF_MEMORY if large else Ending.KILLED
        return Ending.EXITED


def _read(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """Take in what a pipe has; forget the pipe at its end."""
    try:
        data = os.read(key.fd, _READ_BYTES)
    except BlockingIOError:
        return
    if data:
        key.data.feed(data)
    else:
        selector.unregister(key.fileobj)


def _free_bytes(folder: Path | None) -> int:
    """Return how much the disk of ``folder`` has left; 0 where there is no folder."""
    if folder is None:
        return 0
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def _folder_bytes(folder: Path) -> int:
    """Return what the files below ``folder`` take on disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_blocks * 512  # noqa: PTH118
    return total
