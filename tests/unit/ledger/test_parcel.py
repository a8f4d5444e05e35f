"""A change as it travels: bounded both ways, and with one text only for one change."""

from __future__ import annotations

import base64
import hashlib
import zlib

import msgspec
import pytest

from tars_peer.errors import RefusedError
from tars_peer.ledger.canon import canonical
from tars_peer.ledger.parcel import (
    LARGEST_PACKED_BYTES,
    LARGEST_UNPACKED_BYTES,
    change_id,
    pack,
    unpack,
)
from tars_peer.model.change import Edit
from tests.unit.ledger.members import begun, change_on

CHANGE = change_on(begun(1).head, "sum")


def text_of(plain: bytes) -> str:
    return base64.b64encode(zlib.compress(plain)).decode()


def noise(size: int) -> str:
    """Text that does not compress below its entropy: hex of a counter mode hash."""
    blocks = (hashlib.sha256(str(number).encode()).digest() for number in range(size // 32 + 1))
    return base64.b85encode(b"".join(blocks)).decode()[:size]


def test_what_is_packed_comes_back() -> None:
    assert unpack(pack(CHANGE)) == CHANGE


def test_multi_byte_text_comes_back() -> None:
    edit = Edit(path="ä/€.py", start=0, end=0, before="", after="\U0001d538\x00\u2028é")
    odd = msgspec.structs.replace(CHANGE, edits=(edit,))
    assert unpack(pack(odd)) == odd
    assert change_id(unpack(pack(odd))) == change_id(odd)


def test_a_change_that_is_too_large_is_not_packed() -> None:
    edit = Edit(path="a.py", start=0, end=0, before="", after=noise(LARGEST_PACKED_BYTES * 2))
    with pytest.raises(RefusedError, match="at most") as caught:
        pack(msgspec.structs.replace(CHANGE, edits=(edit,)))
    assert caught.value.hint


def test_the_largest_packed_change_is_unpacked() -> None:
    low, high = 1_000, 60_000
    while high - low > 1:
        middle = (low + high) // 2
        edit = Edit(path="a.py", start=0, end=0, before="", after=noise(middle))
        fits = len(zlib.compress(canonical(msgspec.structs.replace(CHANGE, edits=(edit,))), 9))
        low, high = (middle, high) if fits <= LARGEST_PACKED_BYTES else (low, middle)
    edit = Edit(path="a.py", start=0, end=0, before="", after=noise(low))
    largest = msgspec.structs.replace(CHANGE, edits=(edit,))
    assert unpack(pack(largest)) == largest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cut short"),
        ("not base64!", "damaged"),
        ("QUJD", "damaged"),
        ("é", "damaged"),
        (text_of(b"{}"), "damaged"),
        (text_of(b"[" * 100_000), "damaged"),
        (text_of(b" " * LARGEST_UNPACKED_BYTES * 20), "cut short, too large"),
        ("A" * (LARGEST_PACKED_BYTES * 2), "too large"),
        (base64.b64encode(zlib.compress(canonical(CHANGE))[:-4]).decode(), "cut short"),
        (base64.b64encode(zlib.compress(canonical(CHANGE)) + b"x").decode(), "something behind"),
    ],
)
def test_what_is_not_a_packed_change_is_refused(text: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        unpack(text)


@pytest.mark.parametrize(
    "plain",
    [
        canonical(CHANGE) + b"\n",
        b" " + canonical(CHANGE),
        canonical(CHANGE).replace(b'{"base_commit"', b'{"tree":"%s","base_commit"' % (b"0" * 40)),
        canonical(CHANGE).replace(b'"summary":"make', b'"summary":"\\u006dake'),
    ],
)
def test_a_change_has_one_json_text_only(plain: bytes) -> None:
    with pytest.raises(RefusedError, match="canonical"):
        unpack(text_of(plain))


@pytest.mark.parametrize("behind", ["=", "==", "===="])
def test_a_change_has_one_base64_text_only(behind: str) -> None:
    """Decoders differ in what they forgive behind the last letter; replicas may not."""
    with pytest.raises(RefusedError):
        unpack(pack(CHANGE) + behind)


def test_spare_bits_of_the_last_letter_must_be_zero() -> None:
    texts = [pack(change_on(begun(1).head, "sum" + "m" * more)) for more in range(12)]
    text = next(text for text in texts if text.endswith("="))
    letters = text.rstrip("=")
    loose = letters[:-1] + chr(ord(letters[-1]) + 1) + "=" * (len(text) - len(letters))
    assert base64.b64decode(loose) == base64.b64decode(text)
    with pytest.raises(RefusedError, match="base64"):
        unpack(loose)
