"""The replicated log: bytes in, the same bytes at the same index on every replica out.

Delivery is a callback given at construction (``Deliver``); it only enqueues, is called once per
entry in index order, and starts from the first entry at every start of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tars_peer.model.noun import OperationId, PeerId

Deliver = Callable[[int, bytes], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatus:
    """What this node knows now. ``connected`` are the other members it has a link to.

    ``ready`` is true once everything that was committed when this node started is delivered.
    ``has_quorum`` says whether a leader is known and, on the leader, a majority is connected.
    """

    leader: PeerId | None
    term: int
    commit_index: int
    applied_index: int
    connected: frozenset[PeerId]
    ready: bool
    has_quorum: bool


class Log(Protocol):
    """One node of the log."""

    def append(self, payload: bytes, *, operation: OperationId, timeout_s: float) -> int:
        """Append ``payload``; return its index once it is durable on a majority and delivered here.

        The same ``operation`` may be tried again; the index of its first appearance is returned.

        Raises:
            NoQuorumError: it was not seen to be decided within ``timeout_s`` seconds (it may
                still be decided later; try again with the same operation).
            PermanentError: the payload is larger than the log takes.
        """
        ...

    def status(self) -> LogStatus:
        """Return what this node knows now; never blocks."""
        ...

    def close(self) -> None:
        """Stop the node; nothing is delivered after this returns."""
        ...
