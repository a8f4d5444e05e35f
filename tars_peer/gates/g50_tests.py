"""Gate 50: every test that passed on the base passes on the candidate.

Stops changes of behaviour that the genome's tests can see. A test that fails, is missing, or is
newly skipped refuses the change, with no second try: the baseline already left out the tests
that waver. It stands before the benchmark because being fast at the wrong thing is no gain.
"""

from __future__ import annotations

from tars_peer.gates.baseline import named
from tars_peer.gates.case import Case
from tars_peer.gates.outcome import GateOutcome

NAME = "tests"
NUMBER = 50


def check(case: Case) -> GateOutcome:
    """Run the candidate's tests once and compare them with the baseline."""
    run = case.meter.test(case.candidate())
    baseline = case.baseline
    kept = (baseline.passed & run.passed) - run.failed
    if not run.finished:
        complaint = run.complaint or "no complaint was given"
        return GateOutcome(
            passed=False, reason=f"the tests did not finish: {complaint}", tests_passed=len(kept)
        )
    lost = baseline.passed - kept
    failing = lost & run.failed
    skipped = (lost & run.skipped) - failing
    new_failing = run.failed - baseline.passed - baseline.failed - baseline.wavering
    parts = [
        f"{len(names)} {how} ({named(names)})"
        for how, names in (
            ("fail", failing),
            ("are skipped now", skipped),
            ("are missing", lost - failing - skipped),
            ("fail that the base does not have", new_failing),
        )
        if names
    ]
    reason = "; ".join(parts) or f"{len(kept)} of {len(baseline.passed)} tests pass"
    return GateOutcome(passed=not parts, reason=reason, tests_passed=len(kept))
