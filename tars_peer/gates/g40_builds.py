"""Gate 40: the candidate builds.

Stops changes that break the genome's own build or byte-compilation. It stands below the tests
because a build that fails makes their answer meaningless, and above everything judged on paper
because from here on candidate code runs (in the sandbox, by the meter).
"""

from __future__ import annotations

from tars_peer.gates.case import Case
from tars_peer.gates.outcome import GateOutcome

NAME = "builds"
NUMBER = 40


def check(case: Case) -> GateOutcome:
    """Build the candidate."""
    complaint = case.meter.build(case.candidate())
    return GateOutcome(passed=not complaint, reason=complaint or "the candidate builds")
