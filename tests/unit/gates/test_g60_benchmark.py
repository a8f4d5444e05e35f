"""Gate 60: faster is proved, not seen."""

from __future__ import annotations

import pytest

from tars_peer.gates import g60_benchmark
from tars_peer.gates.outcome import Dismissed
from tests.unit.gates.cases import BASE, CANDIDATE, good_meter, make_case, with_thresholds

OLD = 1_000_000


def judge(new, *, old=OLD, source="benchmark", **thresholds):
    """Judge scripted costs; return the outcome and the meter."""
    meter = good_meter(costs={BASE: old, CANDIDATE: new}, source=source)
    case = make_case(meter=meter, policy=with_thresholds(**thresholds))
    return g60_benchmark.check(case), meter


def test_a_gain_passes_with_its_figures():
    outcome, _ = judge(800_000)
    assert outcome.passed
    assert outcome.reason == "1.250x (1.250..1.250), 12 pairs"
    assert outcome.measurement.ratio_ppm == 1_250_000
    assert outcome.measurement.source == "benchmark"
    assert (outcome.measurement.old_ns, outcome.measurement.new_ns) == (OLD, 800_000)


def test_the_runs_are_interleaved_after_one_pair_that_does_not_count():
    # The first run of each is wild; it warms up and must not show in the figures.
    outcome, meter = judge([10**9, *[800_000] * 12], pairs=12)
    assert outcome.reason == "1.250x (1.250..1.250), 12 pairs"
    order = "".join("A" if artifact == BASE else "B" for _, artifact in meter.calls)
    assert order == "AB" + "ABBA" * 6


def test_the_machine_is_held_while_measuring_and_let_go_afterwards():
    depths = []

    class Watching(type(good_meter())):
        def cost(self, artifact):
            depths.append(self.held)
            return super().cost(artifact)

    meter = Watching({BASE: OLD, CANDIDATE: 800_000})
    g60_benchmark.check(make_case(meter=meter))
    assert set(depths) == {1}
    assert meter.held == 0


def test_equal_code_is_refused_with_its_figures():
    outcome, _ = judge(OLD)
    assert not outcome.passed
    assert outcome.reason.startswith("1.000x (1.000..1.000)")
    assert outcome.reason.endswith("its lower bound must be at least 1.010x")
    assert outcome.measurement is not None


def test_a_gain_below_the_wanted_one_is_refused():
    assert not judge(993_000)[0].passed
    assert judge(993_000, gain_ppm=5_000)[0].passed


def test_the_lower_bound_counts_not_the_ratio():
    # Never slower, and mostly 2 % faster, but five of twelve pairs hardly show it.
    outcome, _ = judge([OLD, *[980_000] * 7, *[999_000] * 5])
    assert not outcome.passed
    assert outcome.measurement.ratio_ppm > 1_010_000
    assert "lower bound" in outcome.reason


def test_a_high_bound_is_not_enough_where_the_pairs_disagree():
    # Two pairs of nine are far worse: the median's bound does not see it, the ranks do.
    half = [*[900_000] * 7, 5_000_000, 5_000_000]
    outcome, _ = judge([OLD, *half, *half], pairs=9)
    assert not outcome.passed
    assert "the pairs disagree" in outcome.reason


def test_measuring_stops_once_nothing_can_save_the_change():
    outcome, meter = judge(1_200_000)
    assert not outcome.passed
    assert outcome.measurement.pairs < 24
    assert f"{outcome.measurement.pairs} pairs of 24, no longer in reach" in outcome.reason
    assert len(meter.calls) == 2 * (1 + outcome.measurement.pairs)


def test_nothing_is_accepted_before_the_first_look():
    outcome, meter = judge(100_000)
    assert outcome.measurement.pairs == 12
    assert len(meter.calls) == 26


def test_stopping_early_loses_no_change_that_could_still_pass():
    # Two bad pairs at the start are still within reach, and are made good.
    outcome, _ = judge([OLD, 1_001_000, 1_001_000, *[800_000] * 10])
    assert outcome.passed


def test_what_the_first_look_leaves_open_the_second_may_prove():
    # A stretch in which the machine was busy spoils the first look, not the second.
    outcome, _ = judge([OLD, *[900_000] * 10, *[1_300_000] * 2, *[900_000] * 12])
    assert outcome.passed
    assert outcome.measurement.pairs == 24


def test_there_is_no_third_look():
    outcome, meter = judge([OLD, *[960_000, 960_000, 1_000_000, 1_000_000] * 20])
    assert not outcome.passed
    assert outcome.measurement.pairs <= 24
    assert len(meter.calls) <= 50


def test_too_few_pairs_are_made_enough():
    outcome, _ = judge(800_000, pairs=1)
    assert outcome.passed
    assert outcome.measurement.pairs == g60_benchmark.LEAST_PAIRS


@pytest.mark.parametrize(("new", "passes"), [(OLD, True), (1_040_000, True), (1_070_000, False)])
def test_judged_by_the_cost_of_tests_not_slower_is_enough(new, passes):
    outcome, _ = judge(new, source="tests")
    assert outcome.passed is passes
    assert outcome.measurement.source == "tests"
    assert ("may be slower" in outcome.reason) is not passes


def test_judged_by_tests_few_pairs_are_allowed():
    outcome, _ = judge(OLD, source="tests", pairs=4)
    assert outcome.reason == "1.000x (1.000..1.000), 4 pairs"


def test_a_slack_of_everything_is_no_fault():
    assert judge(OLD * 5, source="tests", slack_ppm=2_000_000)[0].passed


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        ({BASE: "printed nothing", CANDIDATE: 1}, "the base cannot be measured: printed nothing"),
        ({BASE: 1, CANDIDATE: "timed out"}, "the candidate cannot be measured: timed out"),
        ({BASE: 1, CANDIDATE: 0}, "the candidate cannot be measured: it reports a cost of 0 ns"),
        ({BASE: 1, CANDIDATE: -5}, "the candidate cannot be measured: it reports a cost of -5 ns"),
    ],
)
def test_a_benchmark_that_fails_refuses_and_says_whose_it_was(costs, reason):
    outcome = g60_benchmark.check(make_case(meter=good_meter(costs=costs)))
    assert not outcome.passed
    assert outcome.reason == reason
    assert outcome.measurement is None


def test_a_verdict_nobody_needs_ends_between_two_runs():
    meter = good_meter()
    case = make_case(meter=meter, cancelled=lambda: len(meter.calls) >= 5)
    with pytest.raises(Dismissed):
        g60_benchmark.check(case)
    assert len(meter.calls) == 5
    assert meter.held == 0
