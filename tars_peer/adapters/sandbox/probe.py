"""Finding the strongest sandbox that works on this machine, by trying each with a small job.

What a level promises is decided by the level; this only asks whether the promise holds.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tars_peer.adapters.sandbox.bubblewrap import BubblewrapSandbox, find_program
from tars_peer.adapters.sandbox.follow import Cancelled, never
from tars_peer.adapters.sandbox.landlock import LandlockSandbox
from tars_peer.adapters.sandbox.limits import LimitsSandbox
from tars_peer.errors import PermanentError
from tars_peer.ports.sandbox import Job, Sandbox

#: Tries what no job may do; prints what it could do all the same, then ``ready``.
_TRIAL: Final = """
import os, socket, sys
port, secret, outside = int(sys.argv[1]), sys.argv[2], sys.argv[3]
def attempt(name, action):
    try:
        action()
    except OSError:
        return
    print(name)
attempt("read a file of the host", lambda: open(secret).close())
attempt("write outside its folder", lambda: open(outside, "w").close())
attempt("reach the network", lambda: socket.create_connection(("127.0.0.1", port), 1).close())
open(os.path.join(os.environ["HOME"], "trial"), "w").close()
print("ready")
"""


def choose_sandbox(
    *,
    allow_none: bool = False,
    cancelled: Cancelled = never,
    candidates: Iterable[Sandbox] | None = None,
) -> Sandbox:
    """Return the strongest sandbox that keeps its promise here.

    ``allow_none`` accepts ``limits``, which has no walls; ``cancelled`` is asked every 50 ms
    while a job runs; ``candidates`` are those with walls, strongest first (all that there are).

    Raises:
        PermanentError: no sandbox with walls works here and ``allow_none`` is false.
    """
    complaints = []
    for sandbox in _walled(cancelled) if candidates is None else candidates:
        try:
            complaint = trial(sandbox)
        except PermanentError as error:
            complaint = str(error)
        if not complaint:
            return sandbox
        complaints.append(f"{sandbox.level}: {complaint}")
    if allow_none:
        return LimitsSandbox(cancelled=cancelled)
    raise PermanentError(
        f"no sandbox works on this machine ({'; '.join(complaints)})",
        hint="allow user namespaces for bubblewrap or use Linux 5.13 or newer for Landlock "
        "(docs/sandbox.md); to run code that nobody has proved without walls, say so by "
        "allowing the level 'limits'",
    )


def _walled(cancelled: Cancelled) -> Iterator[Sandbox]:
    """Yield the levels that have walls, strongest first."""
    program = find_program()
    if program is not None:
        yield BubblewrapSandbox(program, cancelled=cancelled)
    yield LandlockSandbox(cancelled=cancelled)


def trial(sandbox: Sandbox) -> str:
    """Return what a job could do in ``sandbox`` that it may not, or why none ran; else ``""``."""
    with tempfile.TemporaryDirectory(prefix="tars-trial-") as name, socket.socket() as host:
        for folder in ("artifact", "scratch", "host"):
            Path(name, folder).mkdir()
        secret = Path(name, "host", "secret")
        secret.write_text("secret", encoding="ascii")
        host.bind(("127.0.0.1", 0))
        host.listen()
        outcome = sandbox.run(
            Job(
                command=(
                    *("python", "-I", "-c", _TRIAL, str(host.getsockname()[1])),
                    *(str(secret), str(Path(name, "artifact", "outside"))),
                ),
                folder=Path(name, "artifact"),
                python=Path(sys.executable),
                scratch=Path(name, "scratch"),
                timeout_ms=10_000,
                memory_mib=512,
                processes=8,
                file_mib=16,
            )
        )
    if not outcome.ok:
        return outcome.complaint()
    *could, last = outcome.stdout.split("\n")[:-1] or [""]
    if last != "ready":
        return "the trial did not run to its end"
    return f"a job could {', '.join(could)}" if could else ""
