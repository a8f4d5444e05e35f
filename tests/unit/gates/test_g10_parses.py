"""Gate 10: only Python that compiles goes on."""

from __future__ import annotations

import pytest

from tars_peer.errors import RefusedError
from tars_peer.gates import g10_parses
from tests.unit.gates.cases import AFTER, make_case, rewrite


def test_good_source_passes():
    outcome = g10_parses.check(make_case())
    assert outcome.passed
    assert "1 file" in outcome.reason


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("def total(:\n", "line 1"),
        ("x = 1\n  y = 2\n", "line 2: unexpected indent"),
        ("return 1\n", "'return' outside function"),
        ("x = '\0'\n", "null bytes"),
        ("# coding: nosuch\nx = 1\n", "unknown encoding"),
        ("lambda: " * 3_000 + "1\n", "nested too deep"),
        ("x = " + "+".join(["1"] * 20_000) + " + y\n", "nested too deep"),
        ("#" * (g10_parses.LARGEST_FILE_BYTES + 1), "more than the"),
    ],
)
def test_what_does_not_compile_is_refused_with_its_place(after, reason):
    outcome = g10_parses.check(make_case(after=after))
    assert not outcome.passed
    assert outcome.reason.startswith("parcels/totals.py: ")
    assert reason in outcome.reason


def test_doubtful_source_is_not_broken_source():
    # Both lines warn when compiled, and warnings are errors in this suite.
    assert g10_parses.check(make_case(after="x = '\\d'\ny = 1 is 1\n")).passed


def test_a_change_without_edits_is_refused():
    outcome = g10_parses.check(make_case(edits=()))
    assert not outcome.passed
    assert "no edits" in outcome.reason


def test_edits_that_change_nothing_are_refused():
    outcome = g10_parses.check(make_case(before=AFTER, after=AFTER))
    assert not outcome.passed
    assert "as it was" in outcome.reason


def test_edits_that_do_not_fit_the_base_are_refused():
    case = make_case(edits=(rewrite("parcels/totals.py", "something else", "x = 1\n"),))
    with pytest.raises(RefusedError, match="not as expected"):
        g10_parses.check(case)


def test_the_compiler_does_not_inherit_this_projects_future_imports():
    # Where annotations are text this is a syntax error, and here they are text.
    assert g10_parses.check(make_case(after="def total(values: (kind := list)): ...\n")).passed
