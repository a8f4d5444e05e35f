"""Old against new live: the same figures, the same verdict, and no blame for a slow hour."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from tars_peer.ledger.verdict import FEWEST_RUNS, ONE_PPM, compare, median
from tars_peer.model.generation import Probe
from tars_peer.model.noun import LARGEST_INTEGER

WORSE_PPM = 150_000

costs = st.integers(min_value=1, max_value=10**12)
runs = st.lists(st.integers(min_value=900, max_value=1_100), min_size=FEWEST_RUNS, max_size=16)


def probe(
    before: Sequence[int], after: Sequence[int], *, control: bool = False, peer: str = "p1"
) -> Probe:
    return Probe(peer=peer, control=control, before_ns=tuple(before), after_ns=tuple(after))


def scaled(values: Sequence[int], percent: int) -> list[int]:
    return [value * percent // 100 for value in values]


@given(st.lists(st.integers(), min_size=1))
def test_the_median_is_the_lower_middle_value(values: list[int]) -> None:
    middle = median(values)
    assert middle in values
    assert 2 * sum(value < middle for value in values) < len(values)
    assert 2 * sum(value <= middle for value in values) >= len(values)


@given(runs)
def test_what_costs_the_same_is_not_worse(values: list[int]) -> None:
    comparison = compare([probe(values, values)], worse_ppm=0)
    assert (comparison.measured, comparison.worse) == (True, False)
    assert comparison.cost_ppm == ONE_PPM


@given(runs, st.integers(min_value=0, max_value=10**7))
def test_what_costs_twice_as_much_is_worse(values: list[int], factor: int) -> None:
    slower = [value * 2 + factor for value in values]
    assert compare([probe(values, slower)], worse_ppm=WORSE_PPM).worse


@given(runs, st.integers(min_value=1, max_value=100))
def test_what_costs_less_is_not_worse(values: list[int], percent: int) -> None:
    assert not compare([probe(values, scaled(values, percent))], worse_ppm=0).worse


@given(runs, st.integers(min_value=101, max_value=1_000))
def test_drift_of_the_machines_cancels(values: list[int], percent: int) -> None:
    """All peers slow down alike, the canary too: the generation is not to blame."""
    slower = scaled(values, percent)
    probes = [probe(values, slower)] + [
        probe(values, slower, control=True, peer=f"p{number}") for number in (2, 3)
    ]
    comparison = compare(probes, worse_ppm=0)
    assert comparison == compare([probe(values, values)], worse_ppm=0)


@given(runs, st.integers(min_value=150, max_value=1_000))
def test_drift_does_not_hide_what_is_worse(values: list[int], percent: int) -> None:
    twice = [value * 2 for value in scaled(values, percent)]
    control = probe(values, scaled(values, percent), control=True, peer="p2")
    assert compare([probe(values, twice), control], worse_ppm=WORSE_PPM).worse


@given(runs, st.integers(min_value=1, max_value=99))
def test_a_control_that_got_faster_blames_nobody(values: list[int], percent: int) -> None:
    control = probe(values, scaled(values, percent), control=True, peer="p2")
    assert not compare([probe(values, values), control], worse_ppm=0).worse


@given(
    st.lists(costs, min_size=FEWEST_RUNS, max_size=9),
    st.lists(costs, min_size=FEWEST_RUNS, max_size=9),
)
def test_the_cost_is_the_quotient_of_the_medians(before: list[int], after: list[int]) -> None:
    exact = Fraction(median(after) * ONE_PPM, median(before))
    cost = compare([probe(before, after)], worse_ppm=WORSE_PPM).cost_ppm
    assert cost == min(LARGEST_INTEGER, exact.numerator // exact.denominator)


@given(
    st.lists(
        st.builds(
            probe,
            st.lists(st.integers(min_value=0, max_value=LARGEST_INTEGER), max_size=6),
            st.lists(st.integers(min_value=0, max_value=LARGEST_INTEGER), max_size=6),
            control=st.booleans(),
        ),
        max_size=6,
    )
)
@example([probe([1] * 3, [LARGEST_INTEGER] * 3)])
def test_any_figures_give_a_verdict_in_whole_bounded_numbers(probes: list[Probe]) -> None:
    comparison = compare(probes, worse_ppm=WORSE_PPM)
    assert type(comparison.cost_ppm) is int
    assert 0 <= comparison.cost_ppm <= LARGEST_INTEGER
    assert comparison.measured or not comparison.worse


def test_too_few_runs_and_zeros_are_no_evidence() -> None:
    few = probe([100] * (FEWEST_RUNS - 1), [900] * 9)
    zero = probe([0, 100, 100], [900, 900, 900])
    control = probe([100] * 3, [100] * 3, control=True)
    assert not compare([], worse_ppm=0).measured
    assert not compare([few, zero, control], worse_ppm=0).measured
    assert compare([few, zero, probe([100] * 3, [100] * 3)], worse_ppm=0).measured


def test_overlapping_runs_are_not_worse() -> None:
    """The median is 30 % up, but the spread covers it: noise does not take a generation back."""
    before, after = [100, 100, 100, 140, 140], [100, 100, 130, 130, 140]
    comparison = compare([probe(before, after)], worse_ppm=WORSE_PPM)
    assert (comparison.cost_ppm, comparison.worse) == (1_300_000, False)


def test_the_threshold_itself_is_allowed() -> None:
    before, at, above = [1_000] * 5, [1_150] * 5, [1_151] * 5
    assert not compare([probe(before, at)], worse_ppm=WORSE_PPM).worse
    assert compare([probe(before, above)], worse_ppm=WORSE_PPM).worse
