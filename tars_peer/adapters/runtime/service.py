"""A genome that is a service: each peer runs it from the generation's artifact and swaps it.

The address stays: the old process is stopped, the new one started on the same port, and put back
when it is not healthy in time. The other peers serve meanwhile, for one switches at a time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tars_peer.adapters.runtime.pointer import Pointer
from tars_peer.model.noun import TreeId
from tars_peer.model.policy import Service
from tars_peer.ports.runtime import Running

_LOOK_S = 0.05
#: How long a question waits for another; a switch takes longer and is not waited for.
_GLANCE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What stays the same over all generations. The port is on loopback; deadlines in ms.

    A service has ``stop_ms`` to end when it is told to; one that keeps ending by itself is started
    again every ``restart_ms``, no oftener.
    """

    service: Service
    python: Path
    port: int
    healthy_ms: int
    stop_ms: int = 5_000
    restart_ms: int = 2_000


class ServiceRuntime:
    """Fills ``ports.runtime.Runtime``."""

    def __init__(
        self,
        folder: Path,
        settings: ServiceSettings,
        *,
        artifact: Callable[[TreeId], Path],
        healthy: Callable[[Service, int, Path], bool],
    ) -> None:
        """Start what was live when the peer ran last; ``healthy`` asks the service once."""
        self._settings = settings
        self._artifact = artifact
        self._healthy = healthy
        self._pointer = Pointer(folder / "active.json")
        self._output = folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = float("-inf")
        self._lock = threading.Lock()
        # The kernel ends a leashed process with the thread that made it, so one thread makes all.
        self._maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="service")

    def running(self) -> Running | None:
        """See ``ports.runtime``; a service that ended by itself is started again.

        Never waits for a switch: while one is under way the service is told to be unhealthy.
        """
        tree = self._pointer.tree
        if tree is None:
            return None
        url = f"127.0.0.1:{self._settings.port}"
        if not self._lock.acquire(timeout=_GLANCE_S):
            return Running(tree=TreeId(tree), healthy=False, url=url)
        try:
            folder = self._artifact(TreeId(tree))
            ended = self._process is None or self._process.poll() is not None
            pause_s = self._settings.restart_ms / 1000
            if ended and time.monotonic() - self._started_s >= pause_s:
                self._stop()
                self._start(folder)
        finally:
            self._lock.release()
        healthy = self._healthy(self._settings.service, self._settings.port, folder)
        return Running(tree=TreeId(tree), healthy=healthy, url=url)

    def switch(self, tree: TreeId, artifact: Path) -> str:
        """See ``ports.runtime``."""
        with self._lock:
            before = self._pointer.tree
            self._stop()
            reason = self._launch(artifact)
            if not reason:
                self._pointer.move(tree, tried=tree, verdict="")
                return ""
            self._stop()
            self._pointer.move(before, tried=tree, verdict=reason)
            if before is not None:
                self._launch(self._artifact(TreeId(before)))
            return reason

    def verdict(self, tree: TreeId) -> str | None:
        """See ``ports.runtime``."""
        return self._pointer.verdict(tree)

    def close(self) -> None:
        """See ``ports.runtime``."""
        with self._lock:
            self._stop()
        self._maker.shutdown()

    def _launch(self, artifact: Path) -> str:
        """Start the service and wait; return why it is not healthy in its deadline."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self._settings.port))
            except OSError as error:  # whoever has it would answer for the service
                return f"port {self._settings.port} is not free: {error.strerror}"
        self._start(artifact)
        return self._await(artifact)

    def _start(self, artifact: Path) -> None:
        command = [
            str(self._settings.python) if word == "python" and place == 0 else word
            for place, word in enumerate(self._settings.service.command)
        ]
        command = [word.replace("{port}", str(self._settings.port)) for word in command]
        leash = Path(__file__).with_name("leash.py")
        environment = os.environ | {"PYTHONPATH": str(artifact), "PYTHONDONTWRITEBYTECODE": "1"}

        def make() -> subprocess.Popen[bytes]:
            with self._output.open("ab") as output:
                return subprocess.Popen(
                    [sys.executable, "-I", str(leash), str(os.getpid()), *command],
                    cwd=artifact,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )

        self._started_s = time.monotonic()
        self._process = self._maker.submit(make).result()

    def _await(self, artifact: Path) -> str:
        """Wait until the service is healthy; return why it is not in its deadline."""
        assert self._process is not None
        deadline = time.monotonic() + self._settings.healthy_ms / 1000
        while time.monotonic() < deadline:
            code = self._process.poll()
            if code is not None:
                return f"the service ended with code {code} ({self._last_line()})"
            if self._healthy(self._settings.service, self._settings.port, artifact):
                return ""
            time.sleep(_LOOK_S)
        return f"the service was not healthy within {self._settings.healthy_ms} ms"

    def _last_line(self) -> str:
        with contextlib.suppress(OSError):
            lines = self._output.read_bytes()[-2_000:].decode(errors="replace").strip().splitlines()
            return lines[-1] if lines else "no output"
        return "no output"

    def _stop(self) -> None:
        """End the service and whatever it started; the port must be free afterwards."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(self._settings.stop_ms / 1000)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
