"""Bounded values: what may stand in a noun, and what may not hide behind it."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.model.member import Member, majority
from tars_peer.model.noun import (
    LARGEST_INTEGER,
    Count,
    GitId,
    HexDigest,
    HexSignature,
    Path,
    PeerName,
    Text,
    Word,
)

ARABIC_ZERO = "\u0660"


def decoded(value: object, kind: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(value), type=kind)


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (HexDigest, "0f" * 32),
        (HexSignature, "0f" * 64),
        (GitId, "0f" * 20),
        (PeerName, "p-1"),
        (PeerName, "a" * 41),
        (Word, "x" * 200),
        (Text, ""),
        (Text, "x" * 4_000),
        (Path, "a/b.py"),
        (Count, 0),
        (Count, LARGEST_INTEGER),
    ],
)
def test_good_values_are_taken(kind: object, good: object) -> None:
    assert decoded(good, kind) == good


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (HexDigest, "0F" * 32),
        (HexDigest, "0f" * 31),
        (HexDigest, "0f" * 33),
        (HexDigest, "0f" * 32 + "\n"),
        (HexDigest, " " + "0f" * 32),
        (HexSignature, "0f" * 64 + "\n"),
        (GitId, "0f" * 20 + "\n"),
        (GitId, "\n" + "0f" * 20),
        (GitId, ARABIC_ZERO * 40),
        (PeerName, ""),
        (PeerName, "-p"),
        (PeerName, "P1"),
        (PeerName, "p1\n"),
        (PeerName, "p\n1"),
        (PeerName, "a" * 42),
        (Word, ""),
        (Word, "x" * 201),
        (Text, "x" * 4_001),
        (Path, ""),
        (Path, "x" * 401),
        (Count, -1),
        (Count, LARGEST_INTEGER + 1),
        (Count, 1.0),
        (Count, "1"),
        (Count, True),
        (Count, None),
    ],
)
def test_bad_values_are_refused(kind: object, bad: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoded(bad, kind)


def test_unknown_and_missing_fields_are_refused() -> None:
    good = {"id": "p1", "address": "h:1", "ballot_key": "0f" * 32}
    assert decoded(good, Member) == Member(id="p1", address="h:1", ballot_key="0f" * 32)
    for bad in ({**good, "weight": 2}, {"id": "p1", "address": "h:1"}):
        with pytest.raises(msgspec.ValidationError):
            decoded(bad, Member)


def test_nouns_do_not_change() -> None:
    noun = Member(id="p1", address="h:1", ballot_key="0f" * 32)
    with pytest.raises(AttributeError):
        noun.id = "p2"  # type: ignore[misc]


@pytest.mark.parametrize(("members", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (64, 33)])
def test_a_majority_is_more_than_half(members: int, needed: int) -> None:
    assert majority(members) == needed
    assert 2 * needed > members >= 2 * (needed - 1)
