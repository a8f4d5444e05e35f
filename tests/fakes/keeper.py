"""An owner of the log whose state is all that was delivered; fills ``ports.log.StateKeeper``."""

from __future__ import annotations

import hashlib

import msgspec

from tars_peer.decide.decisions import Decisions

Delivered = list[tuple[int, bytes]]


class History:
    """Keeps what was delivered as its state, a restored part included; fills ``StateKeeper``."""

    def __init__(self) -> None:
        """Begin with nothing; captured states come at once unless ``is_slow``."""
        self.delivered: Delivered = []
        self.restored: list[int] = []
        self.is_slow = False
        self._captured: tuple[int, bytes] | None = None

    def deliver(self, index: int, payload: bytes) -> None:
        """Take an entry."""
        self.delivered.append((index, payload))

    def capture(self, index: int) -> None:
        """Keep the state there is now."""
        assert self.delivered[-1][0] == index
        content = msgspec.msgpack.encode(self.delivered)
        self._captured = index, hashlib.sha256(content).digest() + content

    def captured(self) -> tuple[int, bytes] | None:
        """Return it once."""
        if self.is_slow:
            return None
        captured, self._captured = self._captured, None
        return captured

    def restore(self, index: int, state: bytes) -> str:
        """Go on from a state."""
        digest, content = state[:32], state[32:]
        if hashlib.sha256(content).digest() != digest:
            return "the history does not match its digest"
        delivered = msgspec.msgpack.decode(content, type=Delivered)
        if delivered[-1][0] != index:
            return f"the history ends at {delivered[-1][0]}"
        assert delivered[: len(self.delivered)] == self.delivered, "it goes back or differs"
        self.delivered[:] = delivered
        self.restored.append(index)
        return ""


class Prompt:
    """Has a ledger without a thread do at once what it only enqueues."""

    def __init__(self, decisions: Decisions) -> None:
        """Stand before ``decisions``."""
        self._decisions = decisions

    def capture(self, index: int) -> None:
        """See ``StateKeeper``."""
        self._decisions.capture(index)
        self._work()

    def captured(self) -> tuple[int, bytes] | None:
        """See ``StateKeeper``."""
        return self._decisions.captured()

    def restore(self, index: int, state: bytes) -> str:
        """See ``StateKeeper``."""
        fault = self._decisions.restore(index, state)
        self._work()
        return fault

    def _work(self) -> None:
        queue = self._decisions._queue  # noqa: SLF001  (its thread would do this)
        while not queue.empty():
            work = queue.get()
            assert work is not None
            work()
