"""Old against new in figures: a ratio, its bounds, and how surely it is more than chance.

Pure functions of the measured pairs; no measuring and no thresholds may enter here.

The design is ABBA: even pairs were run old first, odd pairs new first, so that a slow drift of
the machine counts once for each side. Everything is done on ``log(old/new)``: there, exchanging
old and new only changes the sign.

* **Ratio**: the median over pairs. **Bounds**: a percentile bootstrap of that median, each one
  one-sided at 95 %; pairs run old first and pairs run new first are resampled apart, so that a
  resample stays as balanced as the design.
* **Chance**: the exact one-sided signed-rank test (Wilcoxon 1945) that old is not slower.

Why both: for 12 pairs the bootstrap of a median is too bold. On identical code (simulated AR(1)
noise of 3 % and 5 % a run, correlation 0, 0.5 and 0.8 between runs) a lower bound over 1.01 alone
accepts up to 1 in 37, and a bound at 97.5 % still 1 in 67. The rank test is exact whatever the
size of the noise. Asking for 1 in 500 of it as well, at each of two looks (12 pairs, and 24 where
12 leave it open; see ``g60_benchmark``), gives one voter, over 6 000 simulated decisions on
identical code and 300 on each true gain:

    ====================  ===========  ====  =====  =====
    noise, correlation    A/A, 1 in    5 %   10 %   15 %   true gain
    ====================  ===========  ====  =====  =====
    3 %, 0                667           97 %  100 %  100 %
    3 %, 0.5              462          100 %  100 %  100 %
    5 %, 0                333           57 %  100 %  100 %
    5 %, 0.5              162           90 %  100 %  100 %
    10 %, 0.5             171           29 %   86 %  100 %
    ====================  ===========  ====  =====  =====

A decision needs a majority of voters that each measure for themselves, so identical code gets
through far less often than it passes one voter.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from tars_peer.model.ballot import Measurement
from tars_peer.model.noun import LARGEST_INTEGER

ONE_PPM = 1_000_000
RESAMPLES = 2_000
#: One-sided error of each bound of the ratio.
TAIL = 0.05

Pair = tuple[int, int]


def compare(pairs: Sequence[Pair], seed: str, source: str = "benchmark") -> Measurement:
    """Sum up ``pairs`` of (old, new) costs in nanoseconds; even positions were run old first.

    Equal pairs and equal seeds give equal measurements on every machine.

    Raises:
        ValueError: there is no pair, or a cost is not positive.
    """
    logs = _logs(pairs)
    low, high = _bootstrap_bounds(logs, random.Random(seed))  # noqa: S311  (resampling)
    return Measurement(
        pairs=len(pairs),
        ratio_ppm=_ppm(_median(sorted(logs))),
        low_ppm=_ppm(low),
        high_ppm=_ppm(high),
        old_ns=_median_ns([old for old, _ in pairs]),
        new_ns=_median_ns([new for _, new in pairs]),
        source=source,
    )


def chance(pairs: Sequence[Pair]) -> float:
    """Return how likely such pairs are, or better ones, if new were as slow as old; 0..1.

    The exact signed-rank tail, with mid-ranks for ties; a pair without a difference counts
    against new.

    Raises:
        ValueError: there is no pair, or a cost is not positive.
    """
    logs = _logs(pairs)
    ranks = _doubled_ranks([abs(value) for value in logs])
    reached = sum(rank for rank, value in zip(ranks, logs, strict=True) if value > 0)
    ways = [1] + [0] * sum(ranks)  # ways[s]: sign patterns whose positive ranks add up to s
    for rank in ranks:
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return float(sum(ways[reached:]) / 2 ** len(ranks))


def _logs(pairs: Sequence[Pair]) -> list[float]:
    """Return ``log(old/new)`` of each pair."""
    if not pairs:
        raise ValueError("there are no pairs to compare")
    if any(old <= 0 or new <= 0 for old, new in pairs):
        raise ValueError("a cost must be more than 0 ns")
    return [math.log(old / new) for old, new in pairs]


def _bootstrap_bounds(logs: Sequence[float], chooser: random.Random) -> tuple[float, float]:
    """Return the lower and upper bound of the median of ``logs``."""
    old_first, new_first = logs[0::2], logs[1::2]
    medians = []
    for _ in range(RESAMPLES):
        resample = chooser.choices(old_first, k=len(old_first))
        if new_first:
            resample += chooser.choices(new_first, k=len(new_first))
        resample.sort()
        medians.append(_median(resample))
    medians.sort()
    cut = int(RESAMPLES * TAIL)
    return medians[cut], medians[-1 - cut]


def _doubled_ranks(sizes: Sequence[float]) -> list[int]:
    """Return twice the rank of each size (1-based); equal sizes share the middle of their ranks."""
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    ranks = [0] * len(sizes)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and sizes[order[end]] == sizes[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = start + 1 + end
        start = end
    return ranks


def _median(ordered: Sequence[float]) -> float:
    """Return the median of values already in order."""
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def _median_ns(costs: list[int]) -> int:
    """Return the median of ``costs`` in whole nanoseconds, within what a noun can hold."""
    costs.sort()
    middle = len(costs) // 2
    median = costs[middle] if len(costs) % 2 else (costs[middle - 1] + costs[middle]) // 2
    return min(median, LARGEST_INTEGER)


def _ppm(log_ratio: float) -> int:
    """Return a log ratio as parts per million of the ratio, within what a noun can hold."""
    return round(min(math.exp(min(log_ratio, 100.0)) * ONE_PPM, LARGEST_INTEGER))
