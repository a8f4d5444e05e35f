"""The base of every noun that travels, and the bounded values they are made of.

Nouns that are signed, logged or sent are ``msgspec`` structs: frozen, keyword only, unknown
fields refused, integers within what RFC 8785 can write. No default that hides a missing field
may enter here.
"""

from __future__ import annotations

from typing import Annotated, NewType

import msgspec

#: Largest integer that canonical JSON (RFC 8785, section 3.2.2.3) writes exactly.
LARGEST_INTEGER = 2**53 - 1


class Noun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen value; equal fields make equal nouns."""


Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_INTEGER)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=4_000)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]
# ``\Z``, for ``$`` lets a newline through, and with it a second spelling of one key or commit.
HexDigest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
HexSignature = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{128}\Z")]
GitId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}\Z")]
PeerName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,40}\Z")]

PeerId = NewType("PeerId", str)
ClusterId = NewType("ClusterId", str)
ChangeId = NewType("ChangeId", str)
CommitId = NewType("CommitId", str)
TreeId = NewType("TreeId", str)
OperationId = NewType("OperationId", str)
