"""The replicated log: bytes in, the same bytes at the same index on every replica out.

Delivery is a callback given at construction (``Deliver``); it only enqueues, is called once per
entry in index order, and starts at every start of the process from the first entry there still is.
What lay before that one is given back as a state (``StateKeeper``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tars_peer.model.noun import OperationId, PeerId

Deliver = Callable[[int, bytes], None]


class StateKeeper(Protocol):
    """Who the entries are delivered to, as the log sees it when it wants to drop old entries.

    Called on the log's thread: nothing here may block or raise.
    """

    def capture(self, index: int) -> None:
        """Keep the state as it is after the entry at ``index``, just delivered; only enqueues.

        All members are asked at the same indexes, so that their states can be compared.
        """
        ...

    def captured(self) -> tuple[int, bytes] | None:
        """Return index and bytes of a state asked for, once, when the log may drop its entries.

        None while there is none, or while something that follows from those entries is still to
        be done here and could not be done without them.
        """
        ...

    def restore(self, index: int, state: bytes) -> str:
        """Go on from ``state`` at ``index``, unless that is behind; only enqueues, after checking.

        Returns what is wrong with it, ``""`` if nothing; where something is, it is not taken.
        """
        ...


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

        The same ``operation`` may be tried again; the index of its first appearance is returned
        (as long as that is not too long ago: an adapter may forget, and says when).

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
