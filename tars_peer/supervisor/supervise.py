"""Keep one peer running, and swap it for another generation of itself when it asks for it."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

from tars_peer.adapters.identity.private_file import write_private
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.adapters.runtime.pointer import Pointer
from tars_peer.adapters.runtime.swap import SWAP_EXIT_CODE, take_swap
from tars_peer.config.home import ClusterHome
from tars_peer.errors import TarsError, UsageError
from tars_peer.supervisor.certificates import ensure_certificates

LOCK_FILE = "supervisor.lock"
NOTE_FILE = "supervisor.json"
SUPERVISOR_VARIABLE = "TARS_SUPERVISOR"
TREE_VARIABLE = "TARS_TREE"

_RUN = ("-m", "tars_peer", "peer", "run")
_STOP_S = 10.0
_LOCK_S = 1.0
_LOOK_S = 0.05
_QUICK_END_S = 5.0
_BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)
#: A generation that took over and then ended so often, each time soon after its start, is put back.
_MOST_QUICK_ENDS = 3
#: A peer that cannot start by its own settings will not by trying again.
_USAGE_EXIT_CODE = 2
_HEALTHY_S = 60.0
_ANSWER_S = 1.0
#: How often it is looked whether a certificate is soon to expire.
_CERTIFICATES_S = 3_600.0
_PR_SET_CHILD_SUBREAPER = 36
#: What grpc says of handshakes is no peer's last word.
_GRPC_LINE = re.compile(r"[IWE]\d{4} [\d:.]+ +\d+ \w+\.cc:\d+\]")
#: What is killed may have started something meanwhile.
_SWEEPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run a peer from: an interpreter, the folder of the source, and the tree it holds.

    An empty ``source`` is TARS as it is installed, an empty ``tree`` the genome's first.
    """

    python: str
    source: str
    tree: str


class Supervisor:
    """Owns one peer."""

    def __init__(self, home: ClusterHome, peer_id: str, *, healthy_s: float = _HEALTHY_S) -> None:
        """Supervise ``peer_id`` of ``home``; a new generation has ``healthy_s`` to be healthy."""
        self._home = home
        self._healthy_s = healthy_s
        self._entry = home.peer(peer_id)
        self._folder = home.folder(peer_id)
        # A plain flag: an Event that is set by a signal while it is waited for can lock up.
        self._stopping = False
        self._certificates_due_s = time.monotonic() + _CERTIFICATES_S
        self._child: subprocess.Popen[bytes] | None = None
        self._program_file = self._folder / "program.json"
        self._previous_file = self._folder / "previous.json"

    def run(self) -> int:
        """Run until told to stop; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        adopt_orphans()
        take_swap(self._folder)  # a note from before a crash; the peer will ask again
        child, began_s, quick_ends = self._start(self._program()), time.monotonic(), 0
        while (code := self._watch(child)) is not None:
            if code == SWAP_EXIT_CODE:
                child, began_s = self._swap(), time.monotonic()
                continue
            self._note(f"the peer ended with code {code}: {self._last_line()}")
            if code in (0, _USAGE_EXIT_CODE):
                return code
            quick_ends = quick_ends + 1 if time.monotonic() - began_s < _QUICK_END_S else 0
            put_back = self._put_back(quick_ends) if quick_ends >= _MOST_QUICK_ENDS else ""
            quick_ends = 0 if put_back else quick_ends
            if not self._pause(_BACKOFF_S[min(quick_ends, len(_BACKOFF_S) - 1)]):
                break
            child, began_s = self._start(self._program()), time.monotonic()
            if put_back:
                self._note(f"put the old generation back: {put_back}")
        self._end_child()
        self._note("stopped")
        return 0

    def _watch(self, child: subprocess.Popen[bytes]) -> int | None:
        """Return the exit code of ``child``, or None once we are to stop."""
        while not self._stopping:
            code = child.poll()
            if code is not None:
                _end_orphans()
                return code
            self._keep_certificates()
            time.sleep(_LOOK_S)
        return None

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _pause(self, seconds: float) -> bool:
        """Wait; say at the end, or as soon as we are to stop, whether we go on."""
        until_s = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until_s:
            time.sleep(_LOOK_S)
        return not self._stopping

    def _program(self) -> Program:
        """Return what ran last, or TARS as it is installed where that is not there any more."""
        return _read(self._program_file) or Program(python=sys.executable, source="", tree="")

    def _swap(self) -> subprocess.Popen[bytes]:
        """Run the generation the peer asked for; put the old one back where it is not healthy."""
        swap = take_swap(self._folder)
        if swap is None:
            return self._start(self._program())
        pointer = Pointer(self._folder / "active.json")
        program = Program(python=swap.python, source=swap.artifact, tree=swap.tree)
        try:
            child = self._start(program)
            reason = self._unhealthy(child)
            if self._stopping:
                return child
            if not reason:
                _write(self._previous_file, self._program())
                _write(self._program_file, program)
                pointer.move(swap.tree, tried=swap.tree, verdict="")
                return child
        except OSError as error:
            reason = f"it cannot be started or kept: {error}"
        self._end_child()
        with suppress(OSError):  # the next process asks again where this is lost
            pointer.move(pointer.tree, tried=swap.tree, verdict=reason)
        child = self._start(self._program())
        self._note(f"put the old generation back: {reason}")
        return child

    def _put_back(self, quick_ends: int) -> str:
        """Let the next start be of the generation before, if this one took over from any.

        Return why it was put back; ``""`` where it was not.
        """
        program, previous = self._program(), _read(self._previous_file)
        if previous is None or previous.tree == program.tree:
            return ""
        reason = f"it ended {quick_ends} times soon after its start: {self._last_line()}"
        try:
            _write(self._program_file, previous)
            self._previous_file.unlink(missing_ok=True)
            pointer = Pointer(self._folder / "active.json")
            pointer.move(previous.tree or None, tried=program.tree, verdict=reason)
        except OSError:
            return ""  # the disk is full: the next end tries again
        return reason

    def _unhealthy(self, child: subprocess.Popen[bytes]) -> str:
        """Wait for the health of ``child``; return why it is not healthy, ``""`` where it is."""
        deadline_s = time.monotonic() + self._healthy_s
        while time.monotonic() < deadline_s and not self._stopping:
            if child.poll() is not None:
                return f"it ended with code {child.returncode}: {self._last_line()}"
            if self._healthy():
                return ""
            time.sleep(_LOOK_S)
        return f"it was not healthy within {self._healthy_s:.0f} s"

    def _healthy(self) -> bool:
        """Ask the peer, showing its own certificate: nobody else's need lie here."""
        credentials = self._home.credentials(self._entry.id)
        try:
            with PeerClient(
                self._entry.address, credentials, peer=self._entry.id, quick_s=_ANSWER_S
            ) as client:
                return client.healthy()
        except TarsError:
            return False

    def _keep_certificates(self) -> None:
        """Renew, once an hour, what is soon to expire; a failure is told, and tried again."""
        if time.monotonic() < self._certificates_due_s:
            return
        self._certificates_due_s = time.monotonic() + _CERTIFICATES_S
        try:
            ensure_certificates(self._home)
        except TarsError as error:
            sys.stderr.write(f"certificates are not renewed: {error}\n")

    def _start(self, program: Program) -> subprocess.Popen[bytes]:
        environment = dict(os.environ) | {
            SUPERVISOR_VARIABLE: str(os.getpid()),
            TREE_VARIABLE: program.tree or self._home.tree,
            "PYTHONDONTWRITEBYTECODE": "1",
            # Only so does grpc say why a handshake failed; it is in the peer's log then.
            "GRPC_VERBOSITY": os.environ.get("GRPC_VERBOSITY", "info"),
        }
        if program.source:
            environment["PYTHONPATH"] = program.source
        with (self._folder / "peer.log").open("ab") as output:
            self._child = subprocess.Popen(
                [program.python, *_RUN, "--home", str(self._home.path), "--peer", self._entry.id],
                cwd=program.source or None,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._note("")
        return self._child

    def _end_child(self) -> None:
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        _end_orphans()

    def _note(self, reason: str) -> None:
        """Write down who runs and what happened last, for people and for ``tars cluster``."""
        child = self._child.pid if self._child and self._child.poll() is None else 0
        note = {"pid": os.getpid(), "child": child, "reason": reason}
        with suppress(OSError):
            write_private(self._folder / NOTE_FILE, json.dumps(note).encode())

    def _last_line(self) -> str:
        with suppress(OSError):
            text = (self._folder / "peer.log").read_bytes()[-4_000:].decode(errors="replace")
            lines = [
                line for line in text.splitlines() if line.strip() and not _GRPC_LINE.match(line)
            ]
            return lines[-1][:300] if lines else "no output"
        return "no output"


def _read(file: Path) -> Program | None:
    """Return the program that ``file`` names, if it is there to be run."""
    try:
        program = Program(**json.loads(file.read_bytes()))
        there = Path(program.python).exists() and Path(program.source).is_dir()
    except (OSError, ValueError, TypeError):
        return None
    return program if there else None


def _write(file: Path, program: Program) -> None:
    write_private(file, json.dumps(asdict(program)).encode())


def adopt_orphans() -> None:
    """Become the parent of what a dying peer leaves behind (PR_SET_CHILD_SUBREAPER, prctl(2)).

    A sandbox dies with its peer, but for a moment at its start in which bwrap waits for word that
    will never come; nobody else would find that one.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_orphans() -> None:
    """Kill what the peer has left behind; only called when there is no peer."""
    for _ in range(_SWEEPS):
        left = psutil.Process().children(recursive=True)
        if not left:
            return
        for orphan in left:
            with suppress(psutil.Error):
                orphan.kill()
        psutil.wait_procs(left, timeout=_STOP_S)


def supervise(home: Path, peer_id: str) -> int:
    """Supervise ``peer_id`` of the cluster in ``home`` until told to stop; return an exit code.

    Raises:
        UsageError: there is no such cluster or peer, or it is supervised already.
    """
    cluster = ClusterHome.load(home)
    folder = cluster.folder(cluster.peer(peer_id).id)
    with (folder / LOCK_FILE).open("a") as lock:
        if not _locked(lock):
            raise UsageError(
                f"{peer_id} of {home} is supervised already", hint="see `tars cluster status`"
            )
        return Supervisor(cluster, peer_id).run()


def _locked(lock: IO[str]) -> bool:
    """Take the lock, or say that another supervisor has it; a passing look at it is outwaited."""
    deadline_s = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(_LOOK_S)
        else:
            return True
