"""The other peers, as those who are asked for a ballot or for what this peer lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId


class Voters(Protocol):
    """Calls to other peers; each may fail on its own."""

    def ask(self, member: Member, change: Change, *, timeout_s: float) -> Ballot:
        """Ask ``member`` to judge ``change``; its signature is not yet verified.

        Raises:
            UnreachableError: no answer in time, or the peer is not there.
        """
        ...

    def dismiss(self, member: Member, change_id: str) -> None:
        """Tell ``member`` that its ballot on ``change_id`` is not needed any more; best effort."""
        ...

    def fetch(self, member: Member, want: CommitId, have: CommitId) -> Iterator[tuple[int, bytes]]:
        """Yield ``(git object type, data)`` of all that ``want`` reaches and ``have`` does not.

        ``have`` may be empty.

        Raises:
            UnreachableError: no answer, or the peer does not have ``want``.
        """
        ...
