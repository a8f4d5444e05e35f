"""What a run of pytest says of itself: test names by outcome, from its JUnit report.

The report was written next to code that nobody has proved: it is parsed with bounds, and what does
not fit counts as no report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

#: Larger reports are not read.
MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_NAME: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Names of tests, each in exactly one of the three."""

    passed: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]


def read_report(content: bytes) -> Report | None:
    """Return what the report says, or None where it is no JUnit report.

    A test that is told of twice (it passed, its teardown failed) counts as its worst.
    """
    try:
        # As text: the declaration cannot choose an encoding that would hide what is looked for.
        text = content.decode()
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            # pytest writes none, and escapes these where a test printed them.
            return None
        root = ET.fromstring(text)  # noqa: S314  (no document type: no entities)
    except (ET.ParseError, ValueError, RecursionError):
        return None
    outcomes: dict[str, set[str]] = {"passed": set(), "failed": set(), "skipped": set()}
    for case in root.iter("testcase"):
        name = "::".join(filter(None, (case.get("classname"), case.get("name"))))[:_MOST_NAME]
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            outcomes["failed"].add(name)
        elif "skipped" in kinds:
            outcomes["skipped"].add(name)
        else:
            outcomes["passed"].add(name)
    failed = outcomes["failed"]
    skipped = outcomes["skipped"] - failed
    return Report(
        passed=frozenset(outcomes["passed"] - failed - skipped),
        failed=frozenset(failed),
        skipped=frozenset(skipped),
    )
