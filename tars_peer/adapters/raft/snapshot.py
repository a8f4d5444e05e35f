"""A snapshot: the state after one entry and what Raft must remember of the entries up to it.

It is bytes with a checksum: the same bytes on every member at the same index, on disk and on the
way to another member. No file, no message and no meaning of the state may enter here.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from tars_peer.errors import CorruptError

SNAPSHOT_VERSION = 1
CHECKSUM_BYTES = 32
#: More than this is neither taken nor received: it is held in memory, twice while it arrives.
LARGEST_SNAPSHOT_BYTES = 128 * 1024 * 1024
_OPERATION = struct.Struct(">16sQ")
_HINT = "a newer version of tars may have written it; update this peer"


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``raw`` holds, as MessagePack. ``operations``: 16 bytes of digest, 8 of index, each."""

    version: int
    index: int
    term: int
    state: bytes
    operations: bytes


def _checksum(raw: bytes | bytearray) -> bytes:
    return hashlib.sha256(raw).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The log up to ``index``, whose entry is of ``term``; made by ``of`` or ``open`` only.

    ``operations`` are the operations remembered there, with the index of their first appearance.
    """

    index: int
    term: int
    state: bytes
    operations: Mapping[bytes, int]
    raw: bytes
    checksum: bytes

    @classmethod
    def of(
        cls, *, index: int, term: int, state: bytes, operations: Iterable[tuple[bytes, int]]
    ) -> Snapshot:
        """Make a snapshot."""
        remembered = sorted(operations, key=lambda each: each[1])
        content = _Content(
            version=SNAPSHOT_VERSION,
            index=index,
            term=term,
            state=state,
            operations=b"".join(_OPERATION.pack(*each) for each in remembered),
        )
        raw = msgspec.msgpack.encode(content)
        return cls(
            index=index,
            term=term,
            state=state,
            operations=dict(remembered),
            raw=raw,
            checksum=_checksum(raw),
        )

    @classmethod
    def open(cls, raw: object, checksum: object) -> Snapshot:
        """Read a snapshot from disk or from the network.

        Raises:
            CorruptError: it does not match its checksum, or is of an unknown form.
        """
        if not isinstance(raw, bytes) or _checksum(raw) != checksum:
            raise CorruptError("the snapshot does not match its checksum", hint="it is damaged")
        try:
            content = msgspec.msgpack.decode(raw, type=_Content)
        except msgspec.MsgspecError as error:
            raise CorruptError(f"a snapshot of unknown form: {error}", hint=_HINT) from error
        if content.version != SNAPSHOT_VERSION or len(content.operations) % _OPERATION.size:
            raise CorruptError(f"a snapshot of unknown version {content.version}", hint=_HINT)
        return cls(
            index=content.index,
            term=content.term,
            state=content.state,
            operations=dict(_OPERATION.iter_unpack(content.operations)),
            raw=raw,
            checksum=_checksum(raw),
        )
