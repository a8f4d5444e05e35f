"""A snapshot on its way to a follower: cut into chunks here, put together again there.

The follower says from where on it wants to have it, so a chunk may be lost, doubled or damaged, and
a link or a leader may go, without beginning anew: every member's snapshot of an index is the same
bytes. Nothing is believed before all of it matches its checksum. No sending, no clock, no file and
no log may enter here.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tars_peer.adapters.raft.snapshot import Snapshot
from tars_peer.errors import CorruptError

CHUNK_BYTES = 64 * 1024


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """What a leader sends one follower; a newer snapshot does not end it, or it might never end.

    ``offset`` is what the follower wants next, None until it has said so.
    """

    snapshot: Snapshot
    offset: int | None = None

    def chunk(self, chunk_bytes: int) -> dict[str, Any]:
        """Return what to send next, but for term and type; without data, it asks where to begin."""
        raw, offset = self.snapshot.raw, self.offset or 0
        data = b"" if self.offset is None else raw[offset : offset + chunk_bytes]
        return {
            "index": self.snapshot.index,
            "size_bytes": len(raw),
            "checksum": self.snapshot.checksum,
            "offset": offset,
            "data": data,
            "data_checksum": zlib.crc32(data),
        }

    def take_wish(self, wish: Mapping[str, Any]) -> None:
        """Go on where the follower wants; a wish for another snapshot is an old one."""
        if wish["checksum"] == self.snapshot.checksum:
            self.offset = wish["offset"] if wish["offset"] < len(self.snapshot.raw) else 0


@dataclass(slots=True)
class Incoming:
    """What a follower has of one snapshot; kept over lost links and changes of the leader."""

    _checksum: bytes = b""
    _held: bytearray = field(default_factory=bytearray)

    def wanted(self, checksum: bytes) -> int:
        """Return the offset that is wanted next of the snapshot with this checksum."""
        return len(self._held) if checksum == self._checksum else 0

    def take(self, chunk: Mapping[str, Any]) -> Snapshot | None:
        """Add a chunk, if it is the one wanted; return the snapshot once it is whole and good.

        Raises:
            CorruptError: the chunk, or the whole, does not match its checksum; the whole is
                dropped then and wanted from its beginning.
        """
        if zlib.crc32(chunk["data"]) != chunk["data_checksum"]:
            raise CorruptError(
                f"a chunk at {chunk['offset']} of a snapshot is damaged", hint="it is asked again"
            )
        if chunk["offset"] != self.wanted(chunk["checksum"]):
            return None
        if chunk["checksum"] != self._checksum:
            self._checksum, self._held = chunk["checksum"], bytearray()
        self._held += chunk["data"]
        if len(self._held) < chunk["size_bytes"]:
            return None
        raw, self._held = bytes(self._held), bytearray()
        snapshot = Snapshot.open(raw, chunk["checksum"])
        if snapshot.index != chunk["index"]:
            raise CorruptError(
                f"a snapshot of entry {snapshot.index} was sent as one of {chunk['index']}",
                hint="the sender has a fault; look at its log",
            )
        return snapshot
