"""The baseline: how the base's own tests behave before anything is changed.

A test that fails or wavers on the base says nothing about a change, so it is named here and
counts for neither side. Only what was observed on the base may enter; never a candidate's run.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median_low

import msgspec

from tars_peer.errors import CorruptError, RefusedError, UsageError
from tars_peer.model.noun import Count, Noun
from tars_peer.ports.meter import Meter, TestRun

#: How many names a message lists before it says "and N more".
LONGEST_LIST = 5


class Baseline(Noun, frozen=True, kw_only=True):
    """Test names by how they ended over several runs of the base.

    ``passed`` passed every time, ``failed`` failed every time, ``wavering`` did not end the same
    way every time. Tests that were skipped every time are in none of them. ``cpu_ns`` is the
    median CPU time of a run.
    """

    passed: frozenset[str]
    failed: frozenset[str]
    wavering: frozenset[str]
    cpu_ns: Count

    def to_json(self) -> bytes:
        """Return JSON that ``from_json`` reads; equal baselines give equal bytes."""
        return msgspec.json.encode(self, order="deterministic")

    @staticmethod
    def from_json(content: bytes) -> Baseline:
        """Read what ``to_json`` wrote.

        Raises:
            CorruptError: it is anything else; a baseline can always be taken again.
        """
        hint = "drop this baseline and take it again: it is only a cache"
        try:
            baseline = msgspec.json.decode(content, type=Baseline)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CorruptError(f"this is not a baseline: {error}", hint=hint) from error
        kinds = (baseline.passed, baseline.failed, baseline.wavering)
        if len(frozenset().union(*kinds)) != sum(map(len, kinds)):
            raise CorruptError("this baseline counts a test twice", hint=hint)
        return baseline


def named(names: frozenset[str]) -> str:
    """List up to five of ``names`` for people, sorted."""
    first = ", ".join(sorted(names)[:LONGEST_LIST])
    more = len(names) - LONGEST_LIST
    return f"{first} and {more} more" if more > 0 else first


def take_baseline(meter: Meter, artifact: Path, runs: int) -> Baseline:
    """Run the tests of the base ``runs`` times and sort them by how steadily they end.

    Raises:
        UsageError: ``runs`` is less than one.
        RefusedError: a run did not finish, no test was found, or none passed every time.
    """
    if runs < 1:
        raise UsageError(
            f"the baseline needs at least one run, not {runs}",
            hint="set baseline_runs in [tool.tars.thresholds] to 1 or more; 3 is usual",
        )
    seen = [_finished_run(meter, artifact, number, runs) for number in range(1, runs + 1)]
    collected = frozenset().union(*(run.passed | run.failed | run.skipped for run in seen))
    if not collected:
        raise RefusedError(
            "the base has no tests: its test command found none",
            hint="without tests no change can be proved; write some, or correct `test` in "
            "[tool.tars] so that it finds them",
        )
    passed = frozenset.intersection(*(run.passed - run.failed for run in seen))
    failed = frozenset.intersection(*(run.failed for run in seen))
    skipped = frozenset.intersection(*(run.skipped - run.passed - run.failed for run in seen))
    baseline = Baseline(
        passed=passed,
        failed=failed,
        wavering=collected - passed - failed - skipped,
        cpu_ns=median_low(run.cpu_ns for run in seen),
    )
    if not passed:
        raise _none_left(baseline, skipped)
    return baseline


def _finished_run(meter: Meter, artifact: Path, number: int, runs: int) -> TestRun:
    """Run the tests once; an unfinished run of the base ends it all."""
    run = meter.test(artifact)
    if not run.finished:
        raise RefusedError(
            f"the tests of the base did not finish (run {number} of {runs}): "
            f"{run.complaint or 'no complaint was given'}",
            hint="run the genome's test command by hand in a fresh checkout; if it only needs "
            "longer, raise test_ms in [tool.tars.timeouts]",
        )
    return run


def _none_left(baseline: Baseline, skipped: frozenset[str]) -> RefusedError:
    """Say that no test passes every time on the base, and how the tests ended instead."""
    parts = [
        f"{len(names)} {how} ({named(names)})"
        for how, names in (
            ("fail", baseline.failed),
            ("waver", baseline.wavering),
            ("are skipped", skipped),
        )
        if names
    ]
    return RefusedError(
        f"no test passes every time on the base: {'; '.join(parts)}",
        hint="repair these tests first: a change is judged by tests that pass before it",
    )
