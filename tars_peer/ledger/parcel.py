"""A change as it travels inside an entry: canonical JSON, compressed, bounded both ways."""

from __future__ import annotations

import base64
import zlib

import msgspec

from tars_peer.errors import RefusedError
from tars_peer.ledger.canon import canonical, digest
from tars_peer.model.change import Change

LARGEST_PACKED_BYTES = 32 * 1024
LARGEST_UNPACKED_BYTES = 1024 * 1024


def change_id(change: Change) -> str:
    """Return the digest that ballots name a change by."""
    return digest("change", change)


def pack(change: Change) -> str:
    """Return ``change`` as text for an entry.

    Raises:
        RefusedError: it is larger than ``LARGEST_PACKED_BYTES`` when compressed.
    """
    packed = zlib.compress(canonical(change), level=9)
    if len(packed) > LARGEST_PACKED_BYTES:
        raise RefusedError(
            f"the change is {len(packed)} bytes when compressed, {LARGEST_PACKED_BYTES} at most",
            hint="split it into smaller changes",
        )
    return base64.b64encode(packed).decode()


def unpack(text: str) -> Change:
    """Return the change that ``pack`` wrote.

    One change has one text, whatever a newer decoder forgives: only the compression may differ.

    Raises:
        RefusedError: it is too large, damaged, or not a change.
    """
    if len(text) > LARGEST_PACKED_BYTES * 4 // 3 + 4:
        raise RefusedError("the packed change is too large")
    inflater = zlib.decompressobj()
    try:
        packed = base64.b64decode(text, validate=True)
        if base64.b64encode(packed).decode() != text:
            raise RefusedError("the packed change is not in the canonical form of base64")
        plain = inflater.decompress(packed, LARGEST_UNPACKED_BYTES)
        if not inflater.eof or inflater.unused_data:
            raise RefusedError("the packed change is cut short, too large, or has something behind")
        change = msgspec.json.decode(plain, type=Change)
        if canonical(change) != plain:
            raise RefusedError("the packed change is not in canonical form")
    except (ValueError, RecursionError, zlib.error, msgspec.MsgspecError) as error:
        raise RefusedError(f"the packed change is damaged: {error}") from error
    return change
