"""From a home or an endpoint to peers that answer. What they are asked may not be known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tars_peer.adapters.identity.credentials import Credentials, choose_credentials
from tars_peer.adapters.rpc.client import QUICK_S, PeerClient
from tars_peer.cli.machine import Machine
from tars_peer.errors import TarsError, UnreachableError, UntrustedError
from tars_peer.model.status import ClusterStatus, HeadStatus, PeerStatus

#: A peer that does not answer within this, in seconds, is passed over while others do.
_PROBE_S = 2.0

#: Whom to ask first: one that decides with the others, before one that is cut off.
_ORDER = ("leader", "follower", "starting", "no-quorum", "stopped-by-fault")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A peer as we know of it before it is asked; ``id`` is empty where only an address is.

    ``credentials`` are what we show it.
    """

    id: str
    address: str
    credentials: Credentials

    def client(self, *, quick_s: float = QUICK_S) -> PeerClient:
        """Return a client of it; ``quick_s`` is the deadline of quick calls, in seconds.

        Raises:
            UsageError: that is not an address, or our certificate is missing or has expired.
            CorruptError: our certificate is damaged.
        """
        return PeerClient(self.address, self.credentials, peer=self.id, quick_s=quick_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which cluster a command is about, and whose certificate it shows (None: the home's)."""

    machine: Machine
    home: Path
    endpoint: str | None = None
    certs: Path | None = None

    def known(self) -> tuple[Known, ...]:
        """Return the peers that may be asked.

        Raises:
            UsageError: there is no cluster in the home, or no certificate to show.
        """
        if self.endpoint is not None:
            return (self.one("", self.endpoint),)
        peers = self.machine.load(self.home).peers
        return tuple(self.one(peer.id, peer.address) for peer in peers)

    def one(self, peer: str, address: str) -> Known:
        """Return ``peer`` (any, where it is empty) at ``address`` with what we show it.

        Raises:
            UsageError: there is no certificate to show.
        """
        place = self.certs or self.machine.certificates(self.home)
        return Known(id=peer, address=address, credentials=choose_credentials(place))

    def unanswered(self) -> UnreachableError:
        """Return the error for when nobody answers."""
        if self.endpoint is not None:
            return UnreachableError(
                f"{self.endpoint} does not answer",
                hint="check the address, or ask another peer; `tars cluster up` starts them here",
            )
        return UnreachableError(
            f"no peer of {self.home} answers",
            hint=f"start them with `tars cluster up --home {self.home}`",
        )


def each(known: Sequence[Known], work: Callable[[PeerClient], Answer]) -> list[Answer | TarsError]:
    """Ask all of ``known`` at once; return each one's answer or error, in the same order."""

    def one(peer: Known) -> Answer | TarsError:
        try:
            with peer.client(quick_s=_PROBE_S) as client:
                return work(client)
        except TarsError as error:
            return error

    with ThreadPoolExecutor(max_workers=max(1, len(known))) as pool:
        return list(pool.map(one, known))


def candidates(where: Where) -> list[Known]:
    """Return the peers that answer, those that can decide first.

    Raises:
        UnreachableError: none does.
        UsageError: there is no cluster in the home, or the endpoint is no address.
    """
    known = where.known()
    answers = each(known, PeerClient.peer_status)
    for answer in answers:
        # An answer that is an error of another sort (another version, say) is the thing to tell.
        if isinstance(answer, TarsError) and not isinstance(answer, UnreachableError):
            raise answer
    there = [
        (_ORDER.index(answer.state) if answer.state in _ORDER else len(_ORDER), place)
        for place, answer in enumerate(answers)
        if isinstance(answer, PeerStatus)
    ]
    if not there:
        raise next(
            (answer for answer in answers if isinstance(answer, UntrustedError)), where.unanswered()
        )
    return [known[place] for _, place in sorted(there)]


def ask(where: Where, work: Callable[[PeerClient], Answer], *, again: bool = True) -> Answer:
    """Return what the first peer that can answers to ``work``.

    Where one falls silent in the middle, the next is asked, unless ``again`` is false: what
    ``work`` asks for must then not be done twice.

    Raises:
        UnreachableError: none answers.
        TarsError: what the peer itself raises.
    """
    silent: UnreachableError | None = None
    for peer in candidates(where):
        try:
            with peer.client() as client:
                return work(client)
        except UnreachableError as error:
            silent = error
            if not again:
                raise
    raise silent or where.unanswered()


def cluster_status(where: Where) -> ClusterStatus:
    """Return the cluster; where no peer answers, what is known of it without one.

    Raises:
        UsageError: there is no cluster in the home, or the endpoint is no address.
    """
    try:
        return ask(where, PeerClient.cluster_status)
    except UnreachableError as error:
        known = where.known()
        cluster_id = "" if where.endpoint else where.machine.load(where.home).cluster_id
        return ClusterStatus(
            cluster_id=cluster_id,
            leader=None,
            term=0,
            healthy=False,
            head=HeadStatus(generation=0, commit="", tree=""),
            rollout=None,
            paused=False,
            reason=str(error),
            peers=tuple(_unseen(where, peer) for peer in known),
        )


def _unseen(where: Where, peer: Known) -> PeerStatus:
    words = where.machine.last_words(where.home, peer.id) if peer.id else ""
    return PeerStatus(
        id=peer.id or peer.address,
        address=peer.address,
        state="unreachable",
        generation=0,
        commit="",
        tree="",
        applied_index=0,
        ledger_digest="",
        health="unknown",
        sandbox="",
        service_url="",
        reason=words or "no answer",
    )
