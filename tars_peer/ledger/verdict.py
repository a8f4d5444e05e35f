"""Old against new while both run: every replica computes the same verdict from logged integers.

A peer that switched gives its own cost before and after; control peers, still on the old tree,
give theirs over the same time, so that a slower machine hour is not taken for a worse generation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tars_peer.model.generation import Probe
from tars_peer.model.noun import LARGEST_INTEGER

ONE_PPM = 1_000_000
#: Fewer runs on either side are no evidence.
FEWEST_RUNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``cost_ppm`` is new over old, drift taken out (1_000_000 is equal); 0 where unmeasured."""

    measured: bool
    worse: bool
    cost_ppm: int


def median(values: Sequence[int]) -> int:
    """Return the lower middle value; integers in, an integer out."""
    return sorted(values)[(len(values) - 1) // 2]


def compare(probes: Sequence[Probe], *, worse_ppm: int) -> Comparison:
    """Judge the peers that switched against themselves before, corrected by the control peers.

    Worse means: the corrected cost is more than ``worse_ppm`` above the old one, and even the
    better quarter of the runs after is above the worse quarter of the runs before.
    """
    usable = [
        probe
        for probe in probes
        if min(len(probe.before_ns), len(probe.after_ns)) >= FEWEST_RUNS
        and min(*probe.before_ns, *probe.after_ns) > 0
    ]
    switched = [probe for probe in usable if not probe.control]
    if not switched:
        return Comparison(measured=False, worse=False, cost_ppm=0)
    drifts = [_cost_ppm(probe) for probe in usable if probe.control]
    # A drift below one would make an unchanged canary look worse than it is on its own machine.
    drift = max(ONE_PPM, median(drifts)) if drifts else ONE_PPM
    cost = median([_cost_ppm(probe) for probe in switched]) * ONE_PPM // drift
    apart = all(_is_apart(probe) for probe in switched)
    worse = apart and cost > ONE_PPM + worse_ppm
    return Comparison(measured=True, worse=worse, cost_ppm=min(LARGEST_INTEGER, cost))


def _cost_ppm(probe: Probe) -> int:
    return median(probe.after_ns) * ONE_PPM // median(probe.before_ns)


def _is_apart(probe: Probe) -> bool:
    before, after = sorted(probe.before_ns), sorted(probe.after_ns)
    return after[len(after) // 4] > before[len(before) - 1 - len(before) // 4]
