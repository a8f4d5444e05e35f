"""A real cluster for tests: peers and supervisors as processes, made, watched, broken, ended.

Whoever uses it leaves nothing behind: leaving the ``with`` block stops everything and fails where
a process is left over. No expectation of a single test may enter here.
Run as ``python -m tests.integration.cluster HOME GENOME PEERS`` it launches, in a process of its
own, so that the supervisors are nobody's children, as they are after ``tars cluster up --detach``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import psutil

from tars_peer.adapters.rpc.client import QUICK_S, PeerClient
from tars_peer.config.home import FILE, ClusterHome
from tars_peer.errors import TarsError, TemporaryError, UsageError
from tars_peer.model.status import ClusterStatus, HistoryRow, PeerStatus
from tars_peer.supervisor.launch import LaunchPlan, is_supervised, kill_peer, launch, stop
from tests.integration.genomes import ROOT, git
from tests.integration.processes import described, kill_all, processes_of, until_gone
from tests.integration.stand_in import Made, Wish

#: Generous, for the machine may be busy with other things; nothing waits longer than it must.
PATIENCE_S = 120.0
#: Between two questions to peers, which cost them something, and two looks at what they wrote.
_LOOK_S = 0.2
_GLANCE_S = 0.03

Event = dict[str, Any]
Mark = Mapping[str, int]
Answer = TypeVar("Answer")


def environment(source: Path = ROOT) -> dict[str, str]:
    """Return the environment in which ``python -m tars_peer`` is ``source``, or else this one."""
    return {**os.environ, "PYTHONPATH": f"{source}:{ROOT}", "NO_COLOR": "1"}


def tars(*words: object, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
    """Run ``tars`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "tars_peer", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env=environment(),
    )


class Cluster:
    """A home with its peers. Use it in a ``with`` statement."""

    def __init__(
        self, home: Path, genome: Path | str, *, peers: int = 3, source: Path = ROOT
    ) -> None:
        """Plan for a cluster that is run from ``source``; nothing is started yet."""
        self.path = home
        self._genome = genome
        self._source = source
        self._size = peers
        self._decided: dict[int, tuple[str, str, int]] = {}

    def __enter__(self) -> Self:
        """Launch it."""
        try:
            self.launch()
        except BaseException:
            kill_all(self.path)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it; nothing may be left over, whatever happened."""
        try:
            for process in processes_of(self.path):
                with suppress(psutil.Error):
                    process.send_signal(signal.SIGCONT)
            stop(self.home)
            until_gone(self.path)
        finally:
            kill_all(self.path)

    @property
    def home(self) -> ClusterHome:
        """The cluster as its file describes it."""
        return ClusterHome.load(self.path)

    @property
    def peers(self) -> list[str]:
        """The names of all peers."""
        return [f"p{number}" for number in range(1, self._size + 1)]

    def launch(self) -> None:
        """Start the peers that are not running."""
        if (self.path / FILE).exists() and all(map(self.is_up, self.peers)):
            return
        plan = (self.path, self._genome, self._size)
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.cluster", *map(str, plan)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            cwd=self._source,
            env=environment(self._source),
        )
        assert done.returncode == 0, done.stderr

    def is_up(self, peer: str) -> bool:
        """Say whether ``peer`` has a supervisor."""
        return is_supervised(self.home, peer)

    # --- looking -------------------------------------------------------------------------------

    def folder(self, peer: str) -> Path:
        """Return the folder of ``peer``."""
        return self.path / "peers" / peer

    def peer(self, name: str) -> PeerStatus | None:
        """Return how ``name`` sees itself; None where it does not answer."""
        with suppress(TarsError), self._client(name, quick_s=2.0) as client:
            return client.peer_status()
        return None

    def status(self) -> ClusterStatus | None:
        """Return the cluster as a peer that decides sees it, else any; None where none answers."""
        seen = None
        for name in self.peers:
            with suppress(TarsError), self._client(name) as client:
                seen = client.cluster_status()
                if seen.leader:
                    return seen
        return seen

    def history(self) -> tuple[HistoryRow, ...]:
        """Return the generations as the peer knows them that knows most."""
        answers: list[tuple[HistoryRow, ...]] = [()]
        for name in self.peers:
            with suppress(TarsError), self._client(name) as client:
                answers.append(client.history())
        return max(answers, key=len)

    def client(self, peer: str | None = None) -> PeerClient:
        """Return a client of ``peer``, or of the one that leads; close it."""
        if peer is None:
            self.wait(self.leader, "a leader")
            peer = self.leader() or self.peers[0]
        return self._client(peer)

    def _client(self, peer: str, *, quick_s: float = QUICK_S) -> PeerClient:
        home = self.home
        address = home.peer(peer).address
        return PeerClient(address, home.credentials(), peer=peer, quick_s=quick_s)

    def leader(self) -> str | None:
        """Return who leads, where a peer says so."""
        status = self.status()
        return status.leader if status else None

    def mark(self) -> Mark:
        """Return a place in the events, to ask later what came after it."""
        sizes = {}
        for name in self.peers:
            file = self.folder(name) / "events.jsonl"
            sizes[name] = file.stat().st_size if file.exists() else 0
        return sizes

    def events(self, since: Mark | None = None, *kinds: str) -> list[Event]:
        """Return what the peers have said since ``since``, of ``kinds`` or all, by time."""
        found = []
        for name in self.peers:
            file = self.folder(name) / "events.jsonl"
            if not file.exists():
                continue
            with file.open("rb") as lines:
                lines.seek((since or {}).get(name, 0))
                for line in lines.read().split(b"\n")[:-1]:
                    with suppress(ValueError):  # a line that a kill cut in two
                        found.append(json.loads(line))
        found = [event for event in found if not kinds or event["event"] in kinds]
        return sorted(found, key=lambda event: str(event["timestamp"]))

    def wait(
        self,
        condition: Callable[[], object],
        what: str,
        *,
        timeout_s: float = PATIENCE_S,
        look_s: float = _LOOK_S,
    ) -> None:
        """Return once ``condition`` holds; fail with ``what`` and the last events otherwise."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"{what}: not within {timeout_s} s\n{self.story()}")
            time.sleep(look_s)

    def wait_event(self, kind: str, since: Mark, *, beyond: int = -1, **fields: object) -> Event:
        """Return the first event of ``kind`` after ``since`` that has ``fields``.

        A peer that starts tells its whole ledger again; ``beyond`` leaves out what it tells of
        this generation and older ones.
        """

        def matching() -> list[Event]:
            return [
                event
                for event in self.events(since, kind)
                if event["generation"] > beyond
                and all(event.get(name) == value for name, value in fields.items())
            ]

        self.wait(matching, f"event {kind} {fields}", look_s=_GLANCE_S)
        return matching()[0]

    def story(self) -> str:
        """Return the last events and the status, for the message of a test that fails."""
        lines = [
            f"{event['timestamp'][11:23]} {event['peer']} {event['event']} "
            f"g{event['generation']} {event['text']}"[:200]
            for event in self.events()[-60:]
        ]
        status = self.status()
        return "\n".join([*lines, f"{status}", described(processes_of(self.path))])

    # --- what must be true ---------------------------------------------------------------------

    def wait_healthy(self, *, timeout_s: float = PATIENCE_S) -> None:
        """Return once a leader says that all is well."""
        self.wait(lambda: (seen := self.status()) and seen.healthy, "healthy", timeout_s=timeout_s)

    def wait_equal(self, *, timeout_s: float = PATIENCE_S) -> None:
        """Return once no rollout is under way and all peers run the head, byte for byte the same.

        Fails at once where ledgers differ at one index or a decision seen before is gone.
        """
        self.wait(self._is_settled, "settled", timeout_s=timeout_s)
        self.wait(self._is_equal, "equal", timeout_s=timeout_s)
        self.remember()

    def remember(self) -> None:
        """Fail where a decision that was seen before is gone or is another; remember the new."""
        rows = {row.generation: (row.commit, row.tree, row.raft_index) for row in self.history()}
        for generation, decided in self._decided.items():
            assert rows.get(generation) == decided, f"generation {generation} is not what it was"
        self._decided |= rows

    def git_head(self, peer: str) -> str:
        """Return what the repository of ``peer`` calls its head."""
        return git(self.folder(peer) / "genome.git", "rev-parse", "tars")

    def _is_settled(self) -> bool:
        status = self.status()
        underway = status and status.rollout and status.rollout.stage in ("canary", "partial")
        return bool(status and status.head.commit and not underway)

    def _is_equal(self) -> bool:
        seen = self.status()
        peers = [self.peer(name) for name in self.peers]
        there = [peer for peer in peers if peer is not None]
        if seen is None or len(there) < len(peers):
            return False
        digests = {(peer.applied_index, peer.ledger_digest) for peer in there}
        assert len({index for index, _ in digests}) == len(digests), f"ledgers differ: {digests}"
        runs = {(peer.commit, peer.tree) for peer in there}
        heads = {self.git_head(name) for name in self.peers}
        return (
            len(digests) == 1
            and runs == {(seen.head.commit, seen.head.tree)}
            and heads == {seen.head.commit}
        )

    # --- breaking ------------------------------------------------------------------------------

    def pids(self, peer: str) -> tuple[int, int]:
        """Return the process ids of the supervisor of ``peer`` and of the peer itself."""
        note = json.loads((self.folder(peer) / "supervisor.json").read_bytes())
        return note["pid"], note["child"]

    def kill(self, peer: str) -> int:
        """Kill ``peer`` with -9; its supervisor starts it again. Returns the id it had."""
        return kill_peer(self.home, peer, restart=True)

    def take_down(self, peer: str) -> None:
        """Kill ``peer`` and its supervisor with -9: it stays down until the next launch."""
        kill_peer(self.home, peer, restart=False)
        self.wait(lambda: not self.is_up(peer), f"{peer} down")
        self.wait(lambda: self.peer(peer) is None, f"{peer} silent")

    def stop_peer(self, peer: str) -> None:
        """Let the supervisor of ``peer`` end it cleanly."""
        os.kill(self.pids(peer)[0], signal.SIGTERM)
        self.wait(lambda: not self.is_up(peer), f"{peer} stopped")

    def start_one(self, peer: str) -> None:
        """Start the supervisor of ``peer`` alone, as nobody's child."""
        program = [sys.executable, "-m", "tars_peer", "peer", "supervise"]
        with (self.folder(peer) / "supervisor.log").open("ab") as output:
            subprocess.run(
                ["setsid", "--fork", *program, "--home", str(self.path), "--peer", peer],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=True,
                cwd=self._source,
                env=environment(self._source),
            )

    def decide(self, ask: Callable[[PeerClient, str], Answer]) -> Answer:
        """Return what ``ask`` (of a client and an operation's name) gets, asked until it is."""
        operation = str(uuid.uuid4())
        answers: list[Answer] = []

        def asked() -> bool:
            with suppress(TemporaryError), self.client() as client:
                answers.append(ask(client, operation))
            return bool(answers)

        self.wait(asked, "a decision")
        return answers[0]

    def begin_anew(self) -> None:
        """Make the genome's first tree the head again, and let all changes be tried again."""
        with self.client() as client:
            first, head = client.history()[0], client.history()[-1]
        if head.tree != first.tree:
            self.decide(lambda client, name: client.rollback(0, "to begin anew", name))
        self.wait_equal()
        for row in self.history():
            if row.kind == "change":
                with suppress(UsageError):
                    self.decide(
                        lambda client, name, number=row.generation: client.clear(number, name)
                    )

    def decide_unproved(self, wish: Wish) -> Made:
        """Let a majority that lies decide ``wish``; returns the generation it became."""
        peer = next(name for name in self.peers if name != self.leader())
        self.stop_peer(peer)
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.stand_in", str(self.path), peer],
            input=msgspec.json.encode(wish),
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
            env=environment(),
        )
        self.launch()
        assert done.returncode == 0, done.stderr.decode()
        return msgspec.json.decode(done.stdout, type=Made)

    def kill_everything(self) -> None:
        """Kill all supervisors and peers at once, as a power cut would."""
        kill_all(self.path)

    def tars(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a command of ``tars`` about this home."""
        return tars(*words, "--home", self.path)

    def json(self, *words: object, code: int = 0) -> Any:
        """Return what a command prints with --json; it must end with ``code``."""
        done = self.tars(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


def _main(words: Sequence[str]) -> int:
    home, genome, peers = words
    plan = LaunchPlan(peers=int(peers), genome=genome, home=Path(home), runtime="process")
    try:
        launch(plan, lambda _line: None)
    except TarsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
