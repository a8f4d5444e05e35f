"""Edits replay to the same bytes or not at all: random texts against slicing a string by hand."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tars_peer.errors import RefusedError
from tars_peer.model.change import Change, Edit, apply_edits, changed_files

#: Letters of one to four bytes in UTF-8, and line ends of both kinds.
texts = st.text(alphabet="ab\n\r\u00e4\u20ac\U0001d538\x00", max_size=40)


def edit(start: int, end: int, before: str, after: str, *, path: str = "a.py") -> Edit:
    return Edit(path=path, start=start, end=end, before=before, after=after)


def bytes_before(text: str, letters: int) -> int:
    return len(text[:letters].encode())


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit], str]:
    """Draw a text, edits that do not overlap, and the text that must come out."""
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(min_value=0, max_value=len(text)), max_size=10)))
    edits, outcome, position = [], "", 0
    for first, last in zip(cuts[::2], cuts[1::2], strict=False):
        if draw(st.booleans()):
            last = first  # noqa: PLW2901  (an insertion)
        after = draw(texts)
        edits.append(
            edit(bytes_before(text, first), bytes_before(text, last), text[first:last], after)
        )
        outcome += text[position:first] + after
        position = last
    return text, edits, outcome + text[position:]


@given(edited(), st.randoms(use_true_random=False))
def test_edits_do_what_slicing_a_string_does(
    case: tuple[str, list[Edit], str], chance: Random
) -> None:
    text, edits, outcome = case
    assert apply_edits(text.encode(), edits) == outcome.encode()
    chance.shuffle(edits)
    assert apply_edits(text.encode(), edits) == outcome.encode()


@given(edited(), texts)
def test_an_edit_that_finds_another_text_is_refused(
    case: tuple[str, list[Edit], str], other: str
) -> None:
    text, edits, _ = case
    assume(edits)
    first = edits[0]
    assume(other != first.before)
    wrong = edit(first.start, first.end, other, first.after)
    with pytest.raises(RefusedError, match=r"a\.py: bytes \d+:\d+ are not as expected"):
        apply_edits(text.encode(), [wrong, *edits[1:]])


@given(
    texts,
    st.integers(min_value=-3, max_value=60),
    st.integers(min_value=-3, max_value=60),
)
def test_what_is_outside_or_backwards_is_refused(text: str, start: int, end: int) -> None:
    content = text.encode()
    assume(not 0 <= start <= end <= len(content))
    with pytest.raises(RefusedError, match="overlaps or is outside"):
        apply_edits(content, [edit(start, end, "", "x")])


@given(texts, st.data())
def test_overlapping_edits_are_refused(text: str, data: st.DataObject) -> None:
    content = "xx" + text
    size = len(content)
    first = data.draw(st.integers(min_value=0, max_value=size - 2), label="first")
    last = data.draw(st.integers(min_value=first + 2, max_value=size), label="last")
    inside = data.draw(st.integers(min_value=first + 1, max_value=last - 1), label="inside")
    behind = data.draw(st.integers(min_value=inside, max_value=size), label="behind")

    def of(start: int, end: int) -> Edit:
        where = bytes_before(content, start), bytes_before(content, end)
        return edit(*where, content[start:end], "y")

    for edits in ([of(first, last), of(inside, behind)], [of(inside, behind), of(first, last)]):
        with pytest.raises(RefusedError, match="overlaps or is outside"):
            apply_edits(content.encode(), edits)


def test_the_same_edit_twice_is_refused() -> None:
    one = edit(0, 1, "a", "b")
    with pytest.raises(RefusedError, match="overlaps"):
        apply_edits(b"ab", [one, one])


def test_offsets_are_bytes_and_may_not_cut_a_letter() -> None:
    content = "\u00e4b".encode()
    assert apply_edits(content, [edit(2, 3, "b", "c")]) == "\u00e4c".encode()
    with pytest.raises(RefusedError, match="not as expected"):
        apply_edits(content, [edit(1, 3, "b", "c")])


def test_insertions_at_one_place_keep_the_order_they_are_listed_in() -> None:
    edits = [edit(1, 1, "", "x"), edit(1, 1, "", "y"), edit(1, 2, "b", "z")]
    assert apply_edits(b"abc", edits) == b"axyzc"
    assert apply_edits(b"abc", [edits[2], edits[0], edits[1]]) == b"axyzc"


def test_no_edits_change_nothing() -> None:
    assert apply_edits(b"\xff\x00", []) == b"\xff\x00"


def test_bytes_around_an_edit_need_not_be_text() -> None:
    assert apply_edits(b"\xffa\xfe", [edit(1, 2, "a", "b")]) == b"\xffb\xfe"


def test_files_are_edited_each_from_its_base() -> None:
    base = {"a.py": b"one", "b.py": b"two", "c.py": b"three"}
    edits = [
        edit(0, 3, "two", "2", path="b.py"),
        edit(3, 3, "", "!", path="a.py"),
        edit(0, 0, "", "!", path="a.py"),
    ]
    assert changed_files(base, edits) == {"a.py": b"!one!", "b.py": b"2"}
    assert changed_files(base, []) == {}


def test_a_file_that_the_base_lacks_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"the base has no file d\.py"):
        changed_files({"a.py": b""}, [edit(0, 0, "", "x", path="d.py")])


def test_a_change_names_its_files_once_and_sorted() -> None:
    change = Change(
        base_generation=0,
        base_commit="0" * 40,
        base_tree="1" * 40,
        tree="2" * 40,
        improvement="hoist",
        summary="",
        target="a",
        fingerprint="3" * 64,
        policy="4" * 64,
        edits=tuple(edit(0, 0, "", "x", path=path) for path in ("b.py", "a.py", "b.py")),
    )
    assert change.files == ("a.py", "b.py")
