"""What the faces (gRPC services, and through them the command line) ask of a peer.

The one inbound port: ``peer`` fills it, ``adapters.rpc`` calls it. Calls may come from many
threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.event import Event
from tars_peer.model.noun import CommitId
from tars_peer.model.status import (
    AnalysisView,
    ChangeView,
    ClusterStatus,
    HistoryRow,
    PeerStatus,
)


class Desk(Protocol):
    """Everything a peer answers."""

    def healthy(self) -> bool:
        """Say whether this peer serves: its log is ready and its ledger founded."""
        ...

    def peer_status(self) -> PeerStatus:
        """Return this peer as it sees itself."""
        ...

    def cluster_status(self) -> ClusterStatus:
        """Return the cluster; asks the other peers and waits two seconds at most."""
        ...

    def history(self) -> tuple[HistoryRow, ...]:
        """Return all generations, oldest first."""
        ...

    def analysis(self) -> AnalysisView:
        """Look at the head now (profile and findings) and rank what was found.

        Raises:
            RefusedError: the genome cannot be profiled or tested.
        """
        ...

    def generate(self, rank: int) -> ChangeView:
        """Write the change for the plan's item ``rank`` (1-based) and show it; nothing is kept.

        Raises:
            UsageError: there is no such rank.
        """
        ...

    def validate(self, rank: int) -> Ballot:
        """Write that change and take it up the ladder of gates here; nothing is proposed."""
        ...

    def deploy(self, rank: int) -> int:
        """Propose that change to the cluster; return the generation that came of it.

        Raises:
            RefusedError: a gate, the voters or the ledger refused it; the message says why.
            NoQuorumError: a majority is not there.
        """
        ...

    def diff(self, older: int, newer: int) -> str:
        """Return the unified diff between two generations.

        Raises:
            UsageError: there is no such generation.
        """
        ...

    def rollback(self, to: int | None, reason: str, operation: str) -> int:
        """Take the head back to generation ``to`` (None: the one before); return the new number.

        Raises:
            UsageError: there is no such generation, or it is the head's own tree.
            NoQuorumError: a majority is not there.
        """
        ...

    def pause(self, *, paused: bool, reason: str, operation: str) -> None:
        """Stop or go on proposing changes, on all peers.

        Raises:
            NoQuorumError: a majority is not there.
        """
        ...

    def clear(self, generation: int, operation: str) -> None:
        """Take what was rolled back with ``generation`` off the deny-list.

        Raises:
            UsageError: there is no such generation, or it is not on the list.
            NoQuorumError: a majority is not there.
        """
        ...

    def sync(self) -> str:
        """Make this peer fetch what it lacks and look at its gap now; say what was done."""
        ...

    def run_once(self) -> str:
        """Wake the engine for one cycle now; say what it starts with."""
        ...

    def ballot(self, change: Change, *, timeout_s: float) -> Ballot:
        """Judge ``change`` here and sign the verdict; asks for the same change share one run.

        Raises:
            TemporaryError: this peer cannot judge now (starting, or behind the change's base).
        """
        ...

    def dismiss(self, change_id: str) -> None:
        """Stop judging ``change_id``; its ballot is not needed any more."""
        ...

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        """Yield the git objects that ``want`` reaches and ``have`` does not.

        Raises:
            UsageError: ``want`` is not here.
        """
        ...

    def events(self, *, replay: bool) -> Iterator[Event]:
        """Yield events as they happen, after the kept ones if ``replay``; ends with the peer."""
        ...
