"""Operations: the envelope around a payload, and who waits for which operation to be delivered.

An operation is named by 16 bytes, a digest of its id. The log may hold an operation twice (a retry
whose first try was not lost after all); only its first appearance counts, on every replica alike,
because the map from operation to index follows from the log itself. It is remembered for so many
entries, counted by index, so that all replicas forget it at the same one. No thread of its own,
no Raft and no network may enter here.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from tars_peer.errors import CorruptError, PermanentError
from tars_peer.model.noun import OperationId

LARGEST_PAYLOAD_BYTES = 96 * 1024
DIGEST_BYTES = 16
ENVELOPE_VERSION = 1
#: PySyncObj's kind byte of an ordinary command. There is only this one kind (findings, S11).
_KIND = b"\x00"
#: What PySyncObj itself puts first into a new leader's term, and at the head of a new log.
EMPTY_ENTRY = b"\x01"
_HEAD = _KIND + bytes([ENVELOPE_VERSION])
_HEAD_BYTES = len(_HEAD) + DIGEST_BYTES
#: How long to wait before an operation is handed to the leader again: a lost message costs this.
RESUBMIT_PERIOD_S = 0.7
#: An operation is remembered for so many entries after its first; tried again later, it is new.
#: A caller gives up after seconds, and a log of decisions takes months for so many.
REMEMBERED_ENTRIES = 65_536


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
    if command == EMPTY_ENTRY:
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
        """Begin empty: every start delivers, or restores, all that is remembered."""
        self._lock = threading.Lock()
        self._index_of: dict[bytes, int] = {}
        self._last_index = 0
        self._pending: dict[bytes, Pending] = {}
        self._is_closed = False

    def wait_for(self, digest: bytes, command: bytes) -> Pending:
        """Register one caller; the result may be settled already. ``forget`` it afterwards."""
        with self._lock:
            pending = self._pending.get(digest)
            if pending is None:
                pending = Pending(digest=digest, command=command)
                pending.index = self._first_index(digest, self._last_index + 1)
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

    def is_known(self, digest: bytes, at_index: int) -> bool:
        """Say whether the operation, if it came at ``at_index``, would be a second appearance."""
        return self._first_index(digest, at_index) is not None

    def _first_index(self, digest: bytes, at_index: int) -> int | None:
        first = self._index_of.get(digest)
        return None if first is None or at_index - first > REMEMBERED_ENTRIES else first

    def remembered_at(self, index: int) -> list[tuple[bytes, int]]:
        """Return what was remembered when the entry at ``index`` was the last, and forget more.

        What is older is dropped, so a lower index cannot be asked for afterwards.
        """
        with self._lock:
            oldest = index - REMEMBERED_ENTRIES
            self._index_of = {
                digest: first for digest, first in self._index_of.items() if first > oldest
            }
            return [each for each in self._index_of.items() if each[1] <= index]

    def restore(self, remembered: Mapping[bytes, int], index: int) -> None:
        """Go on from a snapshot of the entry at ``index``; wake those whose operation is in it."""
        with self._lock:
            self._index_of = dict(remembered)
            self._last_index = index
            done = [self._pending.pop(digest) for digest in remembered if digest in self._pending]
        for pending in done:
            pending.index = remembered[pending.digest]
            pending.settled.set()

    def settle(self, digest: bytes, index: int) -> None:
        """Note the first appearance, which has just been delivered, and wake who waits for it."""
        with self._lock:
            self._index_of[digest] = self._last_index = index
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
