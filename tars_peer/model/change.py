"""A change: a replayable list of edits against one base generation, and how edits are applied.

Offsets are bytes into the file as it is in the base tree, so a change replays to the same bytes
on every replica or not at all. No file system may enter here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tars_peer.errors import RefusedError
from tars_peer.model.noun import Count, GitId, HexDigest, Noun, Path, Text, Word


class Edit(Noun, frozen=True, kw_only=True):
    """Replace the bytes ``start:end`` of ``path``, which must read ``before``, by ``after``.

    Offsets are in bytes of the base file (UTF-8); ``start == end`` inserts. Edits of one file
    must not overlap.
    """

    path: Path
    start: Count
    end: Count
    before: str
    after: str


class Change(Noun, frozen=True, kw_only=True):
    """A concrete patch: what is edited, on which base, and which tree must come out.

    ``fingerprint`` names the idea independent of the base (improvement, place and the text of the
    code it touches), so that what was refused once is not tried again on the same code.
    ``policy`` is the digest of the genome's settings that the change was judged under.
    """

    base_generation: Count
    base_commit: GitId
    base_tree: GitId
    tree: GitId
    improvement: Word
    summary: Text
    target: Word
    fingerprint: HexDigest
    policy: HexDigest
    edits: tuple[Edit, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The paths this change touches, sorted."""
        return tuple(sorted({edit.path for edit in self.edits}))


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """Return ``content`` with ``edits`` (all of one file, in any order) made.

    Raises:
        RefusedError: an edit lies outside the file, overlaps another, or does not find the text
            it says it replaces.
    """
    pieces: list[bytes] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not position <= edit.start <= edit.end <= len(content):
            raise RefusedError(f"{edit.path}: edit {edit.start}:{edit.end} overlaps or is outside")
        if content[edit.start : edit.end] != edit.before.encode():
            raise RefusedError(f"{edit.path}: bytes {edit.start}:{edit.end} are not as expected")
        pieces += [content[position : edit.start], edit.after.encode()]
        position = edit.end
    return b"".join([*pieces, content[position:]])


def changed_files(base: Mapping[str, bytes], edits: Iterable[Edit]) -> dict[str, bytes]:
    """Return the new content of each file that ``edits`` touch.

    Raises:
        RefusedError: a path is not in ``base``, or an edit does not fit (see ``apply_edits``).
    """
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.path, []).append(edit)
    missing = sorted(set(by_path) - set(base))
    if missing:
        raise RefusedError(f"the base has no file {missing[0]}")
    return {path: apply_edits(base[path], group) for path, group in by_path.items()}
