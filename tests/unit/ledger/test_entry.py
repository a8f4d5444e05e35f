"""The bytes of an entry: what goes in comes out, and what every replica would refuse stays out."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.errors import RefusedError
from tars_peer.ledger.entry import (
    LARGEST_ENTRY_BYTES,
    Pause,
    Refuse,
    Report,
    decode_entry,
    encode_entry,
)
from tests.unit.ledger.members import ballot, begun, change_on, entry_of

PAUSE = Pause(paused=True, reason="holidays")


def test_what_is_encoded_is_decoded() -> None:
    entry = entry_of("p1", PAUSE)
    assert decode_entry(encode_entry(entry)) == entry


def test_an_entry_that_is_too_large_is_not_encoded() -> None:
    one = ballot("p1", change_on(begun(1).head, "sum"))
    many = Refuse(change="", ballots=(one,) * 200)
    with pytest.raises(RefusedError, match=f"{LARGEST_ENTRY_BYTES} at most"):
        encode_entry(entry_of("p1", many))


@pytest.mark.parametrize(
    "decision",
    [
        msgspec.structs.replace(PAUSE, reason="x" * 4_001),
        Report(generation=-1, commit="", tree="", live=True, reason="", before_ns=(), after_ns=()),
    ],
)
def test_what_every_replica_would_refuse_is_not_encoded(decision: Pause | Report) -> None:
    """Nouns are checked when they are read, not when they are made: the author must hear of it."""
    with pytest.raises(RefusedError, match="not an entry"):
        encode_entry(entry_of("p1", decision))
