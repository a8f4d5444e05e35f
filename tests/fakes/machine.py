"""A machine on which no process is ever started: its peers are servers that a test runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tars_peer.cli.find import Known
from tars_peer.cli.machine import Home, Wish
from tars_peer.errors import TarsError, UsageError


@dataclass(frozen=True)
class FakeHome:
    """A home with the given peers."""

    path: Path
    cluster_id: str
    peers: Sequence[Known]


@dataclass
class FakeMachine:
    """Knows one home, ``.tars``; ``asked`` holds what was done to it.

    ``on_launch`` and ``on_stop`` are called in their turn; ``supervised`` are the peers that run
    and ``looks`` how often somebody looked. ``folder`` holds the certificates.
    """

    peers: tuple[Known, ...] = ()
    folder: Path = Path("nowhere")
    supervised: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    fault: TarsError | None = None
    on_launch: Callable[[], None] = lambda: None
    on_stop: Callable[[], None] = lambda: None
    exit_code: int = 0
    looks: int = 0
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def load(self, home: Path) -> Home:
        if not self.peers or home.name != ".tars":
            raise UsageError(f"no cluster in {home}", hint="start one with `tars cluster up`")
        return FakeHome(path=home, cluster_id="tars-test", peers=self.peers)

    def certificates(self, home: Path) -> Path:
        return self.folder

    def launch(self, wish: Wish, report: Callable[[str], None]) -> Home:
        self.asked.append(("launch", wish))
        if self.fault is not None:
            raise self.fault
        report("p1 starts")
        self.on_launch()
        self.supervised = [peer.id for peer in self.peers]
        return self.load(wish.home)

    def stop(self, home: Path) -> list[str]:
        self.load(home)
        self.asked.append(("stop", home))
        self.on_stop()
        stopped, self.supervised = self.supervised, []
        return stopped

    def running(self, home: Path) -> list[str]:
        self.looks += 1
        return self.supervised

    def last_words(self, home: Path, peer: str) -> str:
        return self.words.get(peer, "")

    def kill(self, home: Path, peer: str, *, restart: bool) -> None:
        self.asked.append(("kill", peer, restart))

    def run_peer(self, home: Path, peer: str) -> int:
        self.asked.append(("run_peer", home, peer))
        return self.exit_code

    def supervise(self, home: Path, peer: str) -> int:
        self.asked.append(("supervise", home, peer))
        return self.exit_code
