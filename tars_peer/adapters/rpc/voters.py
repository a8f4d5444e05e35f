"""The other peers by gRPC: fills ``ports.voters``. No counting of ballots may enter here."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.errors import TarsError, UnreachableError, UntrustedError
from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId
from tars_peer.model.status import PeerStatus
from tars_peer.ports.clock import Clock

_LOG = logging.getLogger(__name__)

#: A peer that restarts is back within this; longer silence is its answer.
_CONNECT_S = 3.0
_PAUSE_S = 0.25
_DISMISS_S = 2.0

Answer = TypeVar("Answer")


class RpcVoters:
    """Calls to other peers over channels that are kept."""

    def __init__(self, clock: Clock, credentials: Credentials) -> None:
        """Call as whom ``credentials`` name; waits between attempts are ``clock``'s."""
        self._clock = clock
        self._credentials = credentials
        self._clients: dict[Member, PeerClient] = {}
        self._lock = threading.Lock()

    def ask(self, member: Member, change: Change, *, timeout_s: float) -> Ballot:
        """Ask ``member`` to judge ``change`` (see ``ports.voters``)."""
        deadline_s = self._clock.monotonic_s() + timeout_s

        def once() -> Ballot:
            left_s = max(0.001, deadline_s - self._clock.monotonic_s())
            return self._client(member).ballot(change, timeout_s=left_s)

        return self._patiently(member, once, until_s=min(deadline_s, self._soon_s()))

    def dismiss(self, member: Member, change_id: str) -> None:
        """Tell ``member`` that its ballot is not needed any more; best effort."""
        try:
            self._client(member).dismiss(change_id)
        except TarsError as error:
            _LOG.debug("%s was not told to dismiss %s: %s", member.id, change_id, error)

    def fetch(self, member: Member, want: CommitId, have: CommitId) -> Iterator[tuple[int, bytes]]:
        """Yield the git objects that ``want`` reaches and ``have`` does not."""
        try:
            yield from self._client(member).objects(want, have or None)
        except TarsError as error:
            raise _unreachable(member, error) from error

    def status(self, member: Member) -> PeerStatus:
        """Return ``member`` as it sees itself.

        Raises:
            UnreachableError: no answer in time.
        """
        try:
            return self._client(member).peer_status()
        except TarsError as error:
            raise _unreachable(member, error) from error

    def close(self) -> None:
        """Hang up on all."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _client(self, member: Member) -> PeerClient:
        with self._lock:
            if member not in self._clients:
                self._clients[member] = PeerClient(
                    member.address, self._credentials, peer=member.id, quick_s=_DISMISS_S
                )
            return self._clients[member]

    def _soon_s(self) -> float:
        return self._clock.monotonic_s() + _CONNECT_S

    def _patiently(self, member: Member, once: Callable[[], Answer], *, until_s: float) -> Answer:
        """Try again, until ``until_s``, while the peer is not there; what it says is final."""
        while True:
            try:
                return once()
            except TarsError as error:
                lost = type(error) is UnreachableError
                if not lost or self._clock.monotonic_s() + _PAUSE_S >= until_s:
                    raise _unreachable(member, error) from error
            self._clock.sleep(_PAUSE_S)


def _unreachable(member: Member, error: TarsError) -> UnreachableError:
    if isinstance(error, UntrustedError):
        _LOG.warning("%s: %s", member.id, error)
    return UnreachableError(f"{member.id}: {error}", hint=error.hint)
