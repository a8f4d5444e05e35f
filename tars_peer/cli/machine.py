"""What commands need of this machine: homes and processes. No process is handled here itself.

The supervisor and the peer are imported when they are needed, so that reading commands start
quickly; tests hand
in another ``Machine`` as typer's context object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from tars_peer.config.home import CERTIFICATES, FILE, ClusterHome

#: How many peers a new cluster has, where nobody says.
_PEERS = 3


class Entry(Protocol):
    """A peer as its home names it."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def address(self) -> str:
        """The ``host:port`` of its gRPC server."""
        ...


class Home(Protocol):
    """A cluster's folder on this machine."""

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    @property
    def cluster_id(self) -> str:
        """The cluster's identity."""
        ...

    @property
    def peers(self) -> Sequence[Entry]:
        """All members."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What ``cluster up`` was asked for; None is what the home has, else three and the example."""

    peers: int | None
    genome: str | None
    home: Path
    runtime: str


class Machine(Protocol):
    """Homes and processes of this machine; each method may raise any error of the house."""

    def load(self, home: Path) -> Home:
        """Return the cluster that lives in ``home``."""
        ...

    def certificates(self, home: Path) -> Path:
        """Return the folder with the certificates of ``home``; it need not be there."""
        ...

    def launch(self, wish: Wish, report: Callable[[str], None]) -> Home:
        """Start or resume a cluster; ``report`` hears how it goes."""
        ...

    def stop(self, home: Path) -> list[str]:
        """Stop all peers cleanly; return the names of those that ran."""
        ...

    def running(self, home: Path) -> list[str]:
        """Return the names of the peers that have a supervisor, and so run or soon will again."""
        ...

    def last_words(self, home: Path, peer: str) -> str:
        """Return why a peer ended last, as its supervisor saw it; empty if nothing is known."""
        ...

    def kill(self, home: Path, peer: str, *, restart: bool) -> None:
        """Kill one peer with no warning; without ``restart`` it stays down."""
        ...

    def run_peer(self, home: Path, peer: str) -> int:
        """Be a peer until told to stop; return the exit code."""
        ...

    def supervise(self, home: Path, peer: str) -> int:
        """Be a peer's supervisor until told to stop; return the exit code."""
        ...


class ThisMachine:
    """The real one, by way of the supervisor."""

    def load(self, home: Path) -> Home:
        """Read the home's own file."""
        return ClusterHome.load(home)

    def certificates(self, home: Path) -> Path:
        """Name the folder by the home's rule."""
        return home / CERTIFICATES

    def launch(self, wish: Wish, report: Callable[[str], None]) -> Home:
        """Start supervisors, or go on with those that a home has."""
        from tars_peer.supervisor.launch import LaunchPlan, launch

        peers = wish.peers
        if peers is None:
            known = (wish.home / FILE).exists()
            peers = len(ClusterHome.load(wish.home).peers) if known else _PEERS
        plan = LaunchPlan(peers=peers, genome=wish.genome, home=wish.home, runtime=wish.runtime)
        return launch(plan, report=report)

    def stop(self, home: Path) -> list[str]:
        """Ask the supervisors to end, and see that they do."""
        from tars_peer.supervisor.launch import stop

        return stop(ClusterHome.load(home))

    def running(self, home: Path) -> list[str]:
        """See whose supervisor holds its lock."""
        from tars_peer.supervisor.launch import is_supervised

        cluster = ClusterHome.load(home)
        return [peer.id for peer in cluster.peers if is_supervised(cluster, peer.id)]

    def last_words(self, home: Path, peer: str) -> str:
        """Read the supervisor's note."""
        from tars_peer.supervisor.launch import last_words

        return last_words(ClusterHome.load(home), peer)

    def kill(self, home: Path, peer: str, *, restart: bool) -> None:
        """Send SIGKILL to the peer."""
        from tars_peer.supervisor.launch import kill_peer

        kill_peer(ClusterHome.load(home), peer, restart=restart)

    def run_peer(self, home: Path, peer: str) -> int:
        """Run the peer in this process."""
        from tars_peer.peer import run_peer

        return run_peer(home, peer)

    def supervise(self, home: Path, peer: str) -> int:
        """Run the supervisor in this process."""
        from tars_peer.supervisor.supervise import supervise

        return supervise(home, peer)


def machine_of(context: typer.Context) -> Machine:
    """Return the machine that the command was given, else the real one."""
    given: Machine | None = context.obj
    return ThisMachine() if given is None else given
