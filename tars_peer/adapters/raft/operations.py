"""Operations: the envelope around a payload, and who waits for which operation to be delivered.

An operation is named by 16 bytes, a digest of its id. The log may hold an operation twice (a retry
whose first try was not lost after all); only its first appearance counts, on every replica alike,
because the map from operation to index is rebuilt from the log itself. No thread of its own, no
Raft and no network may enter here.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field

from tars_peer.errors import CorruptError, PermanentError
from tars_peer.model.noun import OperationId

LARGEST_PAYLOAD_BYTES = 96 * 1024
DIGEST_BYTES = 16
ENVELOPE_VERSION = 1
#: PySyncObj's kind byte of an ordinary command. There is only this one kind (findings, S11).
_KIND = b"\x00"
#: What PySyncObj itself puts first into a new leader's term, and at the head of a new log.
_EMPTY_ENTRY = b"\x01"
_HEAD = _KIND + bytes([ENVELOPE_VERSION])
_HEAD_BYTES = len(_HEAD) + DIGEST_BYTES
#: How long to wait before an operation is handed to the leader again: a lost message costs this.
RESUBMIT_PERIOD_S = 0.7


def digest_of(operation: OperationId) -> bytes:
    """Return the 16 bytes that name ``operation`` in the log."""
    return hashlib.blake2b(operation.encode(), digest_size=DIGEST_BYTES).digest()


def seal(payload: bytes, digest: bytes) -> bytes:
    """Make the log command: kind byte, version byte, digest, payload.

    Raises:
        PermanentError: the payload has more than 96 KiB.
    """
    if len(payload) > LARGEST_PAYLOAD_BYTES:
        raise PermanentError(
            f"the payload has {len(payload)} bytes; the log takes {LARGEST_PAYLOAD_BYTES}",
            hint="put large content elsewhere and append its digest",
        )
    return _HEAD + digest + payload


def open_seal(command: bytes) -> tuple[bytes, bytes] | None:
    """Return digest and payload, or None for an empty entry of a new leader.

    Raises:
        CorruptError: it is of a kind or version this peer does not know.
    """
    if command == _EMPTY_ENTRY:
        return None
    if command[: len(_HEAD)] != _HEAD or not _HEAD_BYTES <= len(command) <= (
        _HEAD_BYTES + LARGEST_PAYLOAD_BYTES
    ):
        raise CorruptError(
            f"an envelope of unknown form {command[:2]!r}, {len(command)} bytes",
            hint="a newer version of tars wrote this entry; update this peer",
        )
    return command[len(_HEAD) : _HEAD_BYTES], command[_HEAD_BYTES:]


@dataclass(slots=True, kw_only=True, eq=False)
class Pending:
    """One operation that callers of this node wait for."""

    digest: bytes
    command: bytes
    waiter_count: int = 0
    submit_at_s: float = 0.0
    settled: threading.Event = field(default_factory=threading.Event)
    index: int | None = None


class Operations:
    """The map of delivered operations and the operations waited for; safe from any thread."""

    def __init__(self) -> None:
        """Begin empty: delivery starts at the first entry at every start."""
        self._lock = threading.Lock()
        self._index_of: dict[bytes, int] = {}
        self._pending: dict[bytes, Pending] = {}
        self._is_closed = False

    def wait_for(self, digest: bytes, command: bytes) -> Pending:
        """Register one caller; the result may be settled already. ``forget`` it afterwards."""
        with self._lock:
            pending = self._pending.get(digest)
            if pending is None:
                pending = Pending(digest=digest, command=command)
                pending.index = self._index_of.get(digest)
                if pending.index is not None or self._is_closed:
                    pending.settled.set()
                    return pending
                self._pending[digest] = pending
            pending.waiter_count += 1
            return pending

    def forget(self, pending: Pending) -> None:
        """Take one caller away again."""
        with self._lock:
            pending.waiter_count -= 1
            if pending.waiter_count <= 0 and self._pending.get(pending.digest) is pending:
                del self._pending[pending.digest]

    def due(self, now_s: float) -> list[bytes]:
        """Return the commands to hand to the leader now, and note that they were."""
        if not self._pending:
            return []
        with self._lock:
            due = [each for each in self._pending.values() if each.submit_at_s <= now_s]
            for each in due:
                each.submit_at_s = now_s + RESUBMIT_PERIOD_S
            return [each.command for each in due]

    def make_all_due(self) -> None:
        """A new leader knows nothing of what the old one was handed."""
        with self._lock:
            for each in self._pending.values():
                each.submit_at_s = 0.0

    def is_known(self, digest: bytes) -> bool:
        """Say whether the operation was delivered here."""
        return digest in self._index_of

    def settle(self, digest: bytes, index: int) -> None:
        """Note the first appearance, which has just been delivered, and wake who waits for it."""
        with self._lock:
            self._index_of[digest] = index
            pending = self._pending.pop(digest, None)
        if pending is not None:
            pending.index = index
            pending.settled.set()

    def close(self) -> None:
        """Wake everybody, with nothing; nobody waits from now on."""
        with self._lock:
            self._is_closed = True
            pending = list(self._pending.values())
            self._pending.clear()
        for each in pending:
            each.settled.set()
