"""Canonical JSON: the examples of RFC 8785 as far as our nouns can hold them, and digests."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_peer.ledger.canon import canonical, digest
from tars_peer.model.event import Event
from tars_peer.model.member import Member
from tars_peer.model.noun import LARGEST_INTEGER
from tests.unit.ledger.invariants import plain_canonical
from tests.unit.ledger.members import (
    acceptance,
    begun,
    change_on,
    entry_of,
    founding,
    hex64,
    members,
    names,
)


def event(*, time_ms: int = 0, text: str = "", data: dict[str, object] | None = None) -> Event:
    return Event(
        time_ms=time_ms,
        peer="",
        kind="",
        generation=0,
        index=0,
        change_id="",
        text=text,
        data=data or {},
    )


def member_of(noun: Event, name: bytes) -> bytes:
    """Return the canonical bytes from the field ``name`` on."""
    whole = canonical(noun)
    return whole[whole.index(b'"' + name + b'":') + len(name) + 3 :]


def test_strings_are_written_as_in_rfc_8785_section_3_2_2_2() -> None:
    given_text = "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/"
    written = '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'.encode()
    assert member_of(event(text=given_text), b"text").startswith(written)


@pytest.mark.parametrize(
    ("character", "written"),
    [
        ("\x00", b"\\u0000"),
        ("\x08", b"\\b"),
        ("\t", b"\\t"),
        ("\n", b"\\n"),
        ("\x0b", b"\\u000b"),
        ("\x0c", b"\\f"),
        ("\r", b"\\r"),
        ("\x1f", b"\\u001f"),
        ("\x7f", b"\x7f"),
        ("\u2028", "\u2028".encode()),
        ("\U0001f602", "\U0001f602".encode()),
        ("</script>", b"</script>"),
    ],
)
def test_control_characters_and_others(character: str, written: bytes) -> None:
    assert member_of(event(text=character), b"text").startswith(b'"' + written + b'"')


def test_names_are_sorted_by_utf_16_as_in_rfc_8785_section_3_2_3() -> None:
    data: dict[str, object] = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\x80": "Control",
        "\xf6": "Latin Small Letter O With Diaeresis",
    }
    written = canonical(event(data=data)).decode()
    places = [written.index(f'"{data[name]}"') for name in ("\r", "1", "\x80", "\xf6", "\u20ac")]
    assert places == sorted(places)
    assert written.index("Emoji") < written.index("Hebrew"), "surrogates come before U+FB33"


@pytest.mark.parametrize("number", [0, 1, -1, LARGEST_INTEGER, -LARGEST_INTEGER])
def test_whole_numbers_are_written_plainly(number: int) -> None:
    assert member_of(event(time_ms=number), b"time_ms") == b"%d}" % number


@pytest.mark.parametrize("number", [LARGEST_INTEGER + 1, 10**400])
def test_numbers_that_json_rounds_have_no_canonical_form(number: int) -> None:
    with pytest.raises(ValueError, match="exceeds"):
        canonical(event(time_ms=number))


@pytest.mark.parametrize("lone", ["\ud800", "x\udc00", "\udc00\ud800"])
def test_a_lone_surrogate_has_no_canonical_form(lone: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (its text is the library's)
        canonical(event(text=lone))
    with pytest.raises(ValueError):  # noqa: PT011
        canonical(event(data={lone: 1}))


@given(st.text(), st.integers(min_value=-LARGEST_INTEGER, max_value=LARGEST_INTEGER))
def test_a_second_writer_writes_the_same(text: str, number: int) -> None:
    noun = event(text=text, time_ms=number, data={"a": [text, None, True, {"b": number}]})
    assert canonical(noun) == plain_canonical(noun)


def test_a_second_writer_writes_the_same_entries_and_states() -> None:
    state = begun(3)
    change = change_on(state.head, "sum")
    for noun in (
        state,
        change,
        entry_of("p1", founding(members(3))),
        entry_of("p1", acceptance(change, names(2))),
    ):
        assert canonical(noun) == plain_canonical(noun)


def test_a_digest_is_that_of_the_canonical_bytes_in_its_domain() -> None:
    noun = Member(id="p1", address="h:1", ballot_key=hex64("key"))
    plain = b'{"address":"h:1","ballot_key":"%s","id":"p1"}' % hex64("key").encode()
    assert canonical(noun) == plain
    assert digest("state", noun) == hashlib.sha256(b"tars.state.v1\n" + plain).hexdigest()
    assert digest("state", noun) != digest("change", noun)
