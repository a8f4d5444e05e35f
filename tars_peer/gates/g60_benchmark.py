"""Gate 60: the candidate is measurably faster (or, judged by its tests' cost, not slower).

Stops changes that look better and are not. It stands late because it costs most, and after the
tests because only the right result may be timed.

Old and new run in interleaved pairs of fresh processes, old first in one pair and new first in
the next, while this ladder holds the machine; one pair before them warms caches and is not
counted. With a benchmark the lower bound must reach the wanted gain *and* the signed-rank test
must say that chance is out (see ``statistics`` for why both). Judged by the cost of the tests, the
lower bound may not fall below the allowed slack.

There are two looks: after the wanted number of pairs, and, where those do not prove the change
but more could, after twice as many; a machine that is busy with other things makes the second one
worth its time. Each look accepts by chance at most once in ``1 / LARGEST_CHANCE``, so a voter does
at most twice as often, and a majority of voters, each measuring for itself, far less.

Otherwise measuring stops early only when even boundlessly good pairs could not save the change:
that loses no good change. No other rule may look at the pairs before the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tars_peer.errors import RefusedError
from tars_peer.gates.case import Case
from tars_peer.gates.outcome import Dismissed, GateOutcome
from tars_peer.gates.statistics import ONE_PPM, Pair, chance, compare
from tars_peer.model.ballot import MEASURING_GATE, Measurement
from tars_peer.model.policy import Thresholds

NAME = MEASURING_GATE
NUMBER = 60

#: How likely chance alone may be for a gain to count as one.
LARGEST_CHANCE = 1 / 500
#: How often the pairs are judged: after the wanted number, and after twice as many.
LOOKS = 2
#: Fewer pairs than this cannot reach ``LARGEST_CHANCE`` even if all agree (1/2**9 = 1/512).
LEAST_PAIRS = 9
#: Fewer pairs than this give no bounds to speak of.
LEAST_PAIRS_BY_TESTS = 3
#: A pair better than any real one, to ask what could still be reached.
_BOUNDLESS: Pair = (10**15, 1)


def check(case: Case) -> GateOutcome:
    """Measure base and candidate in pairs and judge the ratio."""
    source = case.meter.source
    thresholds = case.policy.thresholds
    seed = f"{case.change.fingerprint}:{case.change.tree}"
    wanted = max(thresholds.pairs, LEAST_PAIRS_BY_TESTS if source == "tests" else LEAST_PAIRS)
    most = LOOKS * wanted
    pairs: list[Pair] = []
    with case.meter.exclusive():
        base, candidate = case.base(), case.candidate()
        try:
            _pair(case, base, candidate, 0)
            while len(pairs) < most:
                pairs.append(_pair(case, base, candidate, len(pairs)))
                best = [*pairs, *[_BOUNDLESS] * (most - len(pairs))]
                if complaint(best, compare(best, seed, source), thresholds):
                    break
                if len(pairs) == wanted and not complaint(
                    pairs, compare(pairs, seed, source), thresholds
                ):
                    break
        except RefusedError as error:
            return GateOutcome(passed=False, reason=str(error))
    measurement = compare(pairs, seed, source)
    wrong = complaint(pairs, measurement, thresholds)
    figures = in_words(measurement)
    if wrong and len(pairs) < most:
        figures = f"{figures} of {most}, no longer in reach"
    return GateOutcome(
        passed=not wrong,
        reason=f"{figures}; {wrong}" if wrong else figures,
        measurement=measurement,
    )


def complaint(pairs: Sequence[Pair], measured: Measurement, thresholds: Thresholds) -> str:
    """Say why ``pairs``, summed up as ``measured``, do not prove the change; else nothing."""
    if measured.source == "tests":
        least_ppm = ONE_PPM - min(thresholds.slack_ppm, ONE_PPM)
        if measured.low_ppm >= least_ppm:
            return ""
        return f"may be slower: its lower bound must be at least {_ratio(least_ppm)}"
    least_ppm = ONE_PPM + thresholds.gain_ppm
    if measured.low_ppm < least_ppm:
        return f"its lower bound must be at least {_ratio(least_ppm)}"
    likely = chance(pairs)
    if likely > LARGEST_CHANCE:
        return f"the pairs disagree: chance {likely:.4f} must be at most {LARGEST_CHANCE:.4f}"
    return ""


def in_words(measured: Measurement) -> str:
    """Write a measurement as ``1.082x (1.061..1.101), 12 pairs``."""
    bounds = f"({measured.low_ppm / ONE_PPM:.3f}..{measured.high_ppm / ONE_PPM:.3f})"
    return f"{_ratio(measured.ratio_ppm)} {bounds}, {measured.pairs} pairs"


def _ratio(ppm: int) -> str:
    return f"{ppm / ONE_PPM:.3f}x"


def _pair(case: Case, base: Path, candidate: Path, number: int) -> Pair:
    """Measure one pair; even ones old first. Returns (old, new) in nanoseconds."""
    if number % 2 == 0:
        old_ns = _cost(case, base, "the base")
        return old_ns, _cost(case, candidate, "the candidate")
    new_ns = _cost(case, candidate, "the candidate")
    return _cost(case, base, "the base"), new_ns


def _cost(case: Case, artifact: Path, whose: str) -> int:
    """Measure one run; says whose benchmark failed."""
    if case.cancelled():
        raise Dismissed("the verdict is not needed any more")
    try:
        cost_ns = case.meter.cost(artifact)
    except RefusedError as error:
        raise RefusedError(f"{whose} cannot be measured: {error}", hint=error.hint) from error
    if cost_ns <= 0:
        raise RefusedError(
            f"{whose} cannot be measured: it reports a cost of {cost_ns} ns",
            hint="the benchmark must do, and report, more than nothing",
        )
    return cost_ns
