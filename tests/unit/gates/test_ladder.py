"""The ladder: order, first refusal, faults, dismissal."""

from __future__ import annotations

import pytest

from tars_peer.errors import CorruptError, TemporaryError, UnreachableError
from tars_peer.gates.ladder import GATES, LONGEST_REASON, Dismissed, climb
from tests.fakes.meter import scripted_run
from tests.unit.gates.cases import AFTER, BASE, CANDIDATE, good_meter, make_case

NAMES = ["parses", "paths", "safety", "builds", "tests", "benchmark", "house"]


def climbed(case):
    """Climb and return the report and what was observed."""
    seen = []
    return climb(case, observe=seen.append), seen


def test_a_good_change_climbs_every_rung_in_order():
    report, seen = climbed(make_case())
    assert [gate.gate for gate in report.gates] == NAMES
    assert list(report.gates) == seen
    assert report.passed
    assert report.reason == ""
    assert report.tests_passed == 1
    assert report.measurement.ratio_ppm == 1_250_000


def test_the_gates_stand_in_the_order_of_their_numbers():
    numbers = [gate.NUMBER for gate in GATES]
    assert numbers == sorted(set(numbers))
    assert [gate.NAME for gate in GATES] == NAMES


def broken_cases():
    """Yield, for each gate, a case that only this gate refuses."""
    yield "parses", make_case(after="def (:\n")
    yield "paths", make_case(path="other/totals.py")
    yield "safety", make_case(after=AFTER + "import socket\n")
    yield "builds", make_case(meter=good_meter(complaints={CANDIDATE: "no"}))
    yield "tests", make_case(meter=good_meter(tests={CANDIDATE: scripted_run(passed=[])}))
    yield "benchmark", make_case(meter=good_meter(costs={BASE: 5, CANDIDATE: 5}))
    untidy = good_meter()
    untidy.house_complaint = "no"
    yield "house", make_case(meter=untidy)


@pytest.mark.parametrize(("name", "case"), list(broken_cases()), ids=NAMES)
def test_each_gate_stops_the_climb(name, case):
    report, seen = climbed(case)
    assert [gate.gate for gate in report.gates] == NAMES[: NAMES.index(name) + 1]
    assert [gate.passed for gate in seen] == [*[True] * NAMES.index(name), False]
    assert not report.passed
    assert report.reason.startswith(f"{name}: ")


def test_figures_of_a_refused_change_are_kept():
    untidy = good_meter()
    untidy.house_complaint = "no"
    report, _ = climbed(make_case(meter=untidy))
    assert report.tests_passed == 1
    assert report.measurement is not None


def failing(error):
    """Return a candidate that cannot be made."""

    def candidate():
        raise error

    return make_case(candidate=candidate)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (CorruptError("tree is missing"), "builds: tree is missing"),
        (UnreachableError("nobody there"), "builds: nobody there"),
        (KeyError("x"), "builds: the gate itself failed: KeyError: 'x'"),
        (RecursionError("deep"), "builds: the gate itself failed: RecursionError: deep"),
        (ValueError("x" * 9_000), "builds: the gate itself failed: ValueError: xxx"),
    ],
)
def test_a_fault_inside_a_gate_is_a_gate_that_is_not_passed(error, reason):
    report, _ = climbed(failing(error))
    assert not report.passed
    assert report.reason.startswith(reason)
    assert len(report.gates[-1].reason) <= LONGEST_REASON


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt(), SystemExit()])
def test_a_shortage_of_memory_and_an_interrupt_go_through(error):
    with pytest.raises(type(error)):
        climbed(failing(error))


def test_a_dismissal_inside_a_gate_goes_through():
    with pytest.raises(Dismissed):
        climbed(failing(Dismissed("not needed any more")))


def test_edits_that_do_not_fit_refuse_without_a_fault():
    report, _ = climbed(make_case(before="x = 1\n", edits=make_case().change.edits))
    assert report.reason.startswith("parses: parcels/totals.py: edit 0:")


def test_a_dismissed_case_is_left_before_the_first_rung():
    meter = good_meter()
    with pytest.raises(Dismissed):
        climbed(make_case(meter=meter, cancelled=lambda: True))
    assert meter.calls == []
    assert issubclass(Dismissed, TemporaryError)


def test_a_dismissed_case_is_left_between_rungs():
    meter = good_meter()
    seen = []
    with pytest.raises(Dismissed):
        climb(make_case(meter=meter, cancelled=lambda: len(seen) == 4), observe=seen.append)
    assert [method for method, _ in meter.calls] == ["build"]


def test_a_job_stopped_by_the_dismissal_is_no_refusal():
    meter = good_meter(complaints={CANDIDATE: "cancelled"})
    seen = []
    with pytest.raises(Dismissed):
        climb(make_case(meter=meter, cancelled=lambda: bool(meter.calls)), observe=seen.append)
    assert [gate.gate for gate in seen] == ["parses", "paths", "safety"]
