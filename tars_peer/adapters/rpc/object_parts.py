"""Git objects as messages of bounded size, and back. No git and no calls may enter here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from tars_peer.adapters.rpc.limits import OBJECT_BYTES, PART_BYTES
from tars_peer.errors import CorruptError
from tars_peer.wire.tars.v1 import genome_pb2

GitObject = tuple[int, bytes]

_KINDS = frozenset(
    {
        genome_pb2.OBJECT_KIND_COMMIT,
        genome_pb2.OBJECT_KIND_TREE,
        genome_pb2.OBJECT_KIND_BLOB,
        genome_pb2.OBJECT_KIND_TAG,
    }
)


def split(
    objects: Iterable[GitObject], *, part_bytes: int = PART_BYTES
) -> Iterator[genome_pb2.FetchObjectsResponse]:
    """Yield messages of about ``part_bytes`` that hold ``objects``, in order."""
    parts: list[genome_pb2.ObjectPart] = []
    size = 0
    for number, data in objects:
        kind = cast("genome_pb2.ObjectKind", number)
        for start in range(0, max(1, len(data)), part_bytes):
            piece = data[start : start + part_bytes]
            last = start + part_bytes >= len(data)
            if size and size + len(piece) > part_bytes:
                yield genome_pb2.FetchObjectsResponse(parts=parts)
                parts, size = [], 0
            parts.append(genome_pb2.ObjectPart(kind=kind, data=piece, last_part=last))
            # 16 for the part's own frame, so that many tiny objects make a bounded message too.
            size += len(piece) + 16
    if parts:
        yield genome_pb2.FetchObjectsResponse(parts=parts)


def join(
    messages: Iterable[genome_pb2.FetchObjectsResponse], *, object_bytes: int = OBJECT_BYTES
) -> Iterator[GitObject]:
    """Yield the objects that ``messages`` hold.

    Raises:
        CorruptError: a kind git does not have, an object larger than ``object_bytes``, parts of
            two objects mixed, or an end in the middle of an object.
    """
    kind: int | None = None
    pieces: list[bytes] = []
    size = 0
    for message in messages:
        for part in message.parts:
            if part.kind not in _KINDS or kind not in (None, part.kind):
                raise CorruptError(f"a git object of kind {part.kind} where {kind} was expected")
            size += len(part.data)
            if size > object_bytes:
                raise CorruptError(f"a git object of more than {object_bytes} bytes")
            pieces.append(part.data)
            kind = part.kind
            if part.last_part:
                yield int(part.kind), b"".join(pieces)
                kind, pieces, size = None, [], 0
    if kind is not None:
        raise CorruptError("the objects end in the middle of one")
