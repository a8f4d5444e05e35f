"""Gate 50: no test that passed on the base is lost."""

from __future__ import annotations

import pytest

from tars_peer.gates import g50_tests
from tests.fakes.meter import scripted_run
from tests.unit.gates.cases import CANDIDATE, good_meter, make_baseline, make_case

NAMES = tuple(f"t::{letter}" for letter in "abcdefg")


def judge(baseline=None, **run):
    """Judge one run of the candidate."""
    meter = good_meter(tests={CANDIDATE: scripted_run(**run)})
    outcome = g50_tests.check(make_case(meter=meter, baseline=baseline or make_baseline(*NAMES)))
    assert meter.calls == [("test", CANDIDATE)]
    return outcome


def test_all_kept_passes():
    outcome = judge(passed=[*NAMES, "t::new"], skipped=["t::other"])
    assert outcome.passed
    assert outcome.reason == "7 of 7 tests pass"
    assert outcome.tests_passed == 7


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ({"passed": NAMES[1:], "failed": NAMES[:1]}, "1 fail (t::a)"),
        ({"passed": NAMES[1:]}, "1 are missing (t::a)"),
        ({"passed": NAMES[1:], "skipped": NAMES[:1]}, "1 are skipped now (t::a)"),
        ({"passed": NAMES, "failed": ["t::new"]}, "1 fail that the base does not have (t::new)"),
        ({"passed": NAMES, "failed": NAMES[:1]}, "1 fail (t::a)"),
        (
            {"passed": NAMES[3:], "failed": NAMES[:1], "skipped": NAMES[1:2]},
            "1 fail (t::a); 1 are skipped now (t::b); 1 are missing (t::c)",
        ),
        ({"passed": []}, "7 are missing (t::a, t::b, t::c, t::d, t::e and 2 more)"),
    ],
)
def test_what_is_lost_is_named(run, reason):
    outcome = judge(**run)
    assert not outcome.passed
    assert outcome.reason == reason


def test_tests_that_failed_or_wavered_on_the_base_count_for_neither_side():
    baseline = make_baseline(*NAMES, failed="t::bad", wavering="t::dice")
    assert judge(baseline, passed=NAMES, failed=["t::bad", "t::dice"]).passed
    assert judge(baseline, passed=[*NAMES, "t::bad"]).tests_passed == 7


def test_a_run_that_does_not_finish_is_refused_whatever_it_says():
    outcome = judge(passed=NAMES, finished=False, complaint="timed out")
    assert not outcome.passed
    assert outcome.reason == "the tests did not finish: timed out"
