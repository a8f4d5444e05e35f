"""A member of the cluster: who counts in a majority. No secrets may enter here."""

from __future__ import annotations

from tars_peer.model.noun import HexDigest, Noun, PeerName, Word


class Member(Noun, frozen=True, kw_only=True):
    """A peer's name, the ``host:port`` of its gRPC server, and its Ed25519 ballot key in hex."""

    id: PeerName
    address: Word
    ballot_key: HexDigest


def majority(members: int) -> int:
    """The smallest number that is more than half of ``members``."""
    return members // 2 + 1
