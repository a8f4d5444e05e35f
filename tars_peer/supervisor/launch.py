"""Making a cluster's home, and starting, stopping and killing its supervisors on this machine."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tars_peer.adapters.git.source import Source, inspect, plant
from tars_peer.adapters.git.worktree import GitWorktree, clone
from tars_peer.adapters.identity.private_file import write_private
from tars_peer.adapters.meter.environment import build_environment
from tars_peer.config.genome import read_policy
from tars_peer.config.home import ENVIRONMENTS, FILE, ClusterHome, PeerEntry
from tars_peer.errors import PermanentError, UsageError
from tars_peer.ledger.signature import public_key
from tars_peer.model.noun import ClusterId, PeerId
from tars_peer.supervisor.certificates import ensure_certificates
from tars_peer.supervisor.supervise import LOCK_FILE, NOTE_FILE

KEY_FILE = "ballot.key"
MOST_PEERS = 64

_GENOME = "genome.git"
_EXAMPLE = "parcels"
#: The example's first commit is made at this time, so that it is the same on every machine.
_EXAMPLE_TIME_S = 1_750_000_000
_SUPERVISE = ("-m", "tars_peer", "peer", "supervise")
_STOP_S = 20.0
_LOOK_S = 0.05

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """What a person asks for; ``genome`` is a path, ``self``, or None for the example."""

    peers: int
    genome: str | None
    home: Path
    runtime: str


def launch(plan: LaunchPlan, report: Report) -> ClusterHome:
    """Start the cluster in ``plan.home``: a new one, or the one that is there, where it left off.

    Peers that run already are left alone.

    Raises:
        UsageError: the plan does not fit what is there, or the genome cannot evolve.
        PermanentError: the home cannot be written.
    """
    if not 1 <= plan.peers <= MOST_PEERS:
        raise UsageError(f"{plan.peers} peers: 1 to {MOST_PEERS} are allowed")
    if plan.runtime != "process":
        raise UsageError(f"runtime {plan.runtime!r} is not known", hint="use --runtime process")
    try:
        if not plan.home.exists():
            plan.home.mkdir(parents=True, exist_ok=True)  # another launch may begin at this moment
            # A home inside the genome's own repository must not make that dirty.
            (plan.home / ".gitignore").write_text("*\n")
        with (plan.home / "launch.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            home = _resume(plan, report) if (plan.home / FILE).exists() else _make(plan, report)
            for line in ensure_certificates(home):
                report(line)
            waiting = [peer for peer in home.peers if not is_supervised(home, peer.id)]
            for peer in waiting:
                _check_ports(peer)
            _start_supervisors(home, [peer.id for peer in waiting])
            for peer in waiting:
                report(f"{peer.id} starts at {peer.address}")
    except OSError as error:
        raise PermanentError(
            f"{plan.home} cannot be used as a home: {error}",
            hint="see that it is writable and that its disk has room, or use another --home",
        ) from error
    return home


def stop(home: ClusterHome, report: Report = lambda _line: None) -> list[str]:
    """Stop all peers of ``home`` and wait until they are gone; return those that ran."""
    ran: list[str] = [peer.id for peer in home.peers if is_supervised(home, peer.id)]
    for peer_id in ran:
        _signal(_note(home, peer_id).get("pid", 0), signal.SIGTERM)
    deadline_s = time.monotonic() + _STOP_S
    for peer_id in ran:
        while is_supervised(home, peer_id) and time.monotonic() < deadline_s:
            time.sleep(_LOOK_S)
        if is_supervised(home, peer_id):
            note = _note(home, peer_id)
            _signal(note.get("pid", 0), signal.SIGKILL)
            _signal(note.get("child", 0), signal.SIGKILL)
        report(f"{peer_id} is stopped")
    return ran


def kill_peer(home: ClusterHome, peer_id: str, *, restart: bool) -> int:
    """Kill a peer with SIGKILL, as a crash would; return the process id that was killed.

    With ``restart`` its supervisor starts it again at once; without, the supervisor is killed too.

    Raises:
        UsageError: there is no such peer, or it does not run.
    """
    home.peer(peer_id)
    note = _note(home, peer_id)
    if not is_supervised(home, peer_id) or not note.get("child"):
        raise UsageError(f"{peer_id} does not run", hint="start it with `tars cluster up`")
    if not restart:
        _signal(note["pid"], signal.SIGKILL)
    _signal(note["child"], signal.SIGKILL)
    return note["child"]


def is_supervised(home: ClusterHome, peer_id: str) -> bool:
    """Say whether a supervisor holds the peer's lock."""
    file = home.folder(peer_id) / LOCK_FILE
    if not file.exists():
        return False
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def last_words(home: ClusterHome, peer_id: str) -> str:
    """Return what the supervisor noted last of why its peer ended; ``""`` if nothing."""
    return str(_note(home, peer_id).get("reason", ""))


def _make(plan: LaunchPlan, report: Report) -> ClusterHome:
    """Make a cluster in the plan's home; its file is written last, when nothing can be wrong."""
    source = _source(plan, report)
    shutil.rmtree(plan.home / _GENOME, ignore_errors=True)  # of a launch that was refused
    _prepare_genome(plan.home.resolve(), source, report)
    peers = []
    ports = _free_ports(2 * plan.peers)
    for number in range(1, plan.peers + 1):
        peer_id = f"p{number}"
        folder = plan.home / "peers" / peer_id
        folder.mkdir(parents=True, exist_ok=True)
        key = secrets.token_bytes(32)
        write_private(folder / KEY_FILE, key)
        peers.append(
            PeerEntry(
                id=PeerId(peer_id),
                address=f"127.0.0.1:{ports.pop()}",
                service_port=ports.pop(),
                ballot_key=public_key(key),
            )
        )
    home = ClusterHome(
        path=plan.home.resolve(),
        cluster_id=ClusterId(f"c-{secrets.token_hex(8)}"),
        genome=plan.genome or "example",
        genome_folder=source.folder.resolve(),
        commit=source.commit,
        tree=source.tree,
        runtime=plan.runtime,
        peers=tuple(peers),
    )
    home.save()
    report(f"cluster {home.cluster_id} of {plan.peers} peers in {home.path}")
    return home


def _resume(plan: LaunchPlan, report: Report) -> ClusterHome:
    home = ClusterHome.load(plan.home)
    hint = "use another --home for another cluster"
    if len(home.peers) != plan.peers:
        raise UsageError(
            f"{plan.home} holds a cluster of {len(home.peers)} peers, not {plan.peers}", hint=hint
        )
    if plan.genome is not None and plan.genome != home.genome:
        known = home.genome in ("self", "example")
        same = not known and Path(plan.genome).resolve() == home.genome_folder
        if not same:
            raise UsageError(
                f"{plan.home} holds cluster {home.cluster_id}, which evolves {home.genome}, "
                f"not {plan.genome}",
                hint=hint,
            )
    report(f"cluster {home.cluster_id} goes on in {home.path}")
    source = Source(folder=home.genome_folder, commit=home.commit, tree=home.tree)
    _prepare_genome(home.path, source, report)
    return home


def _source(plan: LaunchPlan, report: Report) -> Source:
    if plan.genome not in (None, "self"):
        return inspect(Path(str(plan.genome)).expanduser().resolve())
    ours = Path(__file__).resolve().parents[2]
    if plan.genome == "self":
        return inspect(ours)
    folder = plan.home / "genome"
    if not folder.exists():
        report(f"the example genome {_EXAMPLE} is planted in {folder}")
        plant(ours / "examples" / _EXAMPLE, folder, time_s=_EXAMPLE_TIME_S)
    return inspect(folder)


def _prepare_genome(home: Path, source: Source, report: Report) -> None:
    """Check the genome's settings and build its environment, before any peer needs them."""
    repository = home / _GENOME
    if not repository.exists():
        clone(source.folder, repository, source.commit)
    files = GitWorktree(repository, home / "artifacts").files(source.tree)
    policy = read_policy(files)
    build_environment(policy=policy, files=files, folder=home / ENVIRONMENTS, report=report)


def _free_ports(count: int) -> list[int]:
    """Return ports of loopback that are free now; they are kept for the life of the cluster."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _check_ports(peer: PeerEntry) -> None:
    for address in (peer.address, f"127.0.0.1:{peer.service_port}"):
        host, port = address.rsplit(":", 1)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, int(port)))
            except OSError as error:
                raise UsageError(
                    f"port {port} of {peer.id} is busy: {error.strerror}",
                    hint=f"see who has it: ss -ltnp 'sport = :{port}'; "
                    "stop that program, or start anew in another --home",
                ) from error


def _start_supervisors(home: ClusterHome, peer_ids: Sequence[str]) -> None:
    """Start all at once, and wait until each holds its lock (or has ended, and says why)."""
    processes = {peer_id: _start_supervisor(home, peer_id) for peer_id in peer_ids}
    deadline_s = time.monotonic() + _STOP_S
    for peer_id, process in processes.items():
        while not is_supervised(home, peer_id) and process.poll() is None:
            if time.monotonic() > deadline_s:
                raise PermanentError(
                    f"the supervisor of {peer_id} did not start in {_STOP_S:.0f} s",
                    hint=f"see {home.folder(peer_id) / 'supervisor.log'}",
                )
            time.sleep(_LOOK_S)


def _start_supervisor(home: ClusterHome, peer_id: str) -> subprocess.Popen[bytes]:
    with (home.folder(peer_id) / "supervisor.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *_SUPERVISE, "--home", str(home.path), "--peer", peer_id],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _note(home: ClusterHome, peer_id: str) -> dict[str, int]:
    with suppress(OSError, ValueError):
        note = json.loads((home.folder(peer_id) / NOTE_FILE).read_bytes())
        if isinstance(note, dict):
            return note
    return {}


def _signal(pid: int, number: signal.Signals) -> None:
    """Send ``number`` to ``pid`` if it is one of ours: a number may have been given anew."""
    with suppress(psutil.Error, ProcessLookupError):
        if pid and "tars_peer" in psutil.Process(pid).cmdline():
            os.kill(pid, number)
