"""Waiting for a generation to be live everywhere. Nothing may be started or stopped here."""

from __future__ import annotations

import time
from enum import StrEnum

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.cli.find import Where, ask
from tars_peer.cli.tables import runs
from tars_peer.errors import NoQuorumError, RefusedError, TemporaryError, UnreachableError
from tars_peer.model.status import ClusterStatus, HistoryRow

_LOOK_S = 0.5


class Progress(StrEnum):
    """How far a generation is on its way to all peers."""

    UNDERWAY = "underway"
    LIVE = "live"
    TAKEN_BACK = "taken back"


def progress_of(generation: int, rows: tuple[HistoryRow, ...], cluster: ClusterStatus) -> Progress:
    """Return how far ``generation`` is.

    It is live once the ledger says so and every peer that answers runs the head; where a newer
    one has already taken its place, it was.
    """
    row = next((row for row in rows if row.generation == generation), None)
    if row is None:
        return Progress.UNDERWAY
    if row.state == "rolled_back":
        return Progress.TAKEN_BACK
    if row.state == "superseded":
        return Progress.LIVE
    there = [peer for peer in cluster.peers if peer.state != "unreachable"]
    everywhere = bool(there) and all(runs(peer, row.commit) for peer in there)
    return Progress.LIVE if row.state == "live" and everywhere else Progress.UNDERWAY


def look(where: Where, generation: int) -> Progress:
    """Ask a peer how far ``generation`` is.

    Raises:
        UnreachableError: nobody answers.
    """

    def both(client: PeerClient) -> Progress:
        return progress_of(generation, client.history(), client.cluster_status())

    return ask(where, both)


def wait_until_live(where: Where, generation: int, *, timeout_s: float) -> None:
    """Return once ``generation`` is live; peers may restart meanwhile.

    Raises:
        RefusedError: it was taken back.
        TemporaryError: it is still on its way after ``timeout_s`` seconds.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            progress = look(where, generation)
        except (UnreachableError, NoQuorumError):
            progress = Progress.UNDERWAY
        if progress is Progress.LIVE:
            return
        if progress is Progress.TAKEN_BACK:
            raise RefusedError(
                f"generation {generation} was taken back",
                hint="see why with `tars evolve history` and `tars cluster status`",
            )
        if time.monotonic() >= deadline_s:
            raise TemporaryError(
                f"generation {generation} is not live on all peers after {timeout_s:g} s",
                hint="it is decided and goes on; see how far with `tars cluster status`",
            )
        time.sleep(_LOOK_S)
