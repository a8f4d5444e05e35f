"""Gate 30: the change is small and brings in nothing that could do harm.

Stops changes too large to travel or to read, and new uses of what starts processes, talks to the
network, writes or deletes files, makes code out of data, loads objects unsafely, reaches into the
interpreter or into what judges changes; new secrets; new outside dependencies. New means more
often in the file than before: what the genome already does it may go on doing, and moving an
import is not bringing it in. It stands before the build because from the build on the candidate's
code runs. It is a fence against accidents and plain attacks; the wall is the sandbox.
"""

from __future__ import annotations

import sys
import zlib
from collections import defaultdict

import msgspec

from tars_peer.gates.case import Case
from tars_peer.gates.dangers import Danger, dangers, imported
from tars_peer.gates.outcome import GateOutcome
from tars_peer.model.change import Change

NAME = "safety"
NUMBER = 30

#: Largest change as it travels in a log entry: JSON, compressed (design.md, invariant 2).
LARGEST_CHANGE_BYTES = 32 * 1024
#: Largest sum of what the edits remove and write: what a person can still read.
LARGEST_EDITS_BYTES = 256 * 1024
MOST_EDITS = 500
MOST_FILES = 20
#: How many dangers a reason names.
MOST_NAMED = 3


def check(case: Case) -> GateOutcome:
    """Look at the size of the change, then at each file before and after."""
    reasons = _too_large(case.change)
    if not reasons:
        for path, content in sorted(case.contents.items()):
            before = case.base_files[path]
            reasons += [f"{path}: {text}" for text in _new_dangers(before, content)]
            reasons += [f"{path}: {text}" for text in _new_dependencies(case, before, content)]
    if not reasons:
        size_bytes = encoded_size_bytes(case.change)
        return GateOutcome(passed=True, reason=f"nothing harmful is new; {size_bytes} bytes")
    more = len(reasons) - MOST_NAMED
    tail = f"; and {more} more" if more > 0 else ""
    return GateOutcome(passed=False, reason="; ".join(reasons[:MOST_NAMED]) + tail)


def encoded_size_bytes(change: Change) -> int:
    """Return the size of ``change`` as it travels."""
    return len(zlib.compress(msgspec.json.encode(change), level=9))


def _too_large(change: Change) -> list[str]:
    """Say which limits the change breaks; the cheap ones first, so that they guard the others."""
    edits_bytes = sum(len(edit.before.encode()) + len(edit.after.encode()) for edit in change.edits)
    for size, limit, unit in (
        (len(change.edits), MOST_EDITS, "edits"),
        (len(change.files), MOST_FILES, "files"),
        (edits_bytes, LARGEST_EDITS_BYTES, "bytes of edits"),
    ):
        if size > limit:
            return [f"the change has {size} {unit}; at most {limit} are allowed"]
    size_bytes = encoded_size_bytes(change)
    if size_bytes > LARGEST_CHANGE_BYTES:
        most = f"at most {LARGEST_CHANGE_BYTES} travel in a log entry"
        return [f"the change is {size_bytes} bytes compressed; {most}"]
    return []


def _new_dangers(before: bytes, after: bytes) -> list[str]:
    """Name what could do harm and is in ``after`` more often than in ``before``."""
    old, new = _by_name(dangers(before)), _by_name(dangers(after))
    texts = []
    for name, found in new.items():
        had = len(old.get(name, []))
        if len(found) > had:
            lines = ", ".join(str(danger.line) for danger in found[:5])
            again = f" (now {len(found)} times, was {had})" if had else ""
            texts.append(f"new: {name} {found[0].why}{again}, line {lines}")
    return texts


def _by_name(found: tuple[Danger, ...]) -> dict[str, list[Danger]]:
    """Group dangers by name, in the order of their lines."""
    groups: defaultdict[str, list[Danger]] = defaultdict(list)
    for danger in sorted(found, key=lambda danger: danger.line):
        groups[danger.name].append(danger)
    return groups


def _new_dependencies(case: Case, before: bytes, after: bytes) -> list[str]:
    """Name newly imported packages that are neither Python's own nor used by the genome so far."""
    new = imported(after) - imported(before) - sys.stdlib_module_names
    if not new:
        return []
    known = {part.removesuffix(".py") for path in case.base_files for part in path.split("/")[:2]}
    for path, content in case.base_files.items():
        if path.endswith(".py") and any(name.encode() in content for name in new):
            known |= _imported_or_none(content)
    return [
        f"new: imports {name}, which the genome does not use so far" for name in sorted(new - known)
    ]


def _imported_or_none(content: bytes) -> frozenset[str]:
    """Return what a file of the base imports; nothing where it does not parse."""
    try:
        return imported(content)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
