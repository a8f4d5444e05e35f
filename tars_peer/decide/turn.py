"""Whose turn it is to propose: pure, and the same on every peer that sees the same members live.

Two peers proposing at once is normal and harmless (the ledger takes one); this only saves work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from tars_peer.ledger.state import State


def proposing_rank(state: State, me: str, live: Iterable[str]) -> int:
    """Return how many live members come before ``me`` for the next proposal; 0 is first.

    Rendezvous hashing over the head and the number of refusals so far, so that the turn moves
    on after each decision and a peer that is gone is simply left out.
    """
    turn = f"{state.head.commit}/{state.refusals}"

    def weight(peer: str) -> bytes:
        return hashlib.sha256(f"{turn}/{peer}".encode()).digest()

    mine = weight(me)
    return sum(1 for peer in set(live) - {me} if weight(peer) < mine)
