"""Gate 70: the candidate keeps the genome's own house rules (linter, types, import contracts).

Stops changes that work and are fast but erode the house. It stands last because its answer
never makes a wrong change right, and most changes fail earlier for better-known reasons.
"""

from __future__ import annotations

from tars_peer.gates.case import Case
from tars_peer.gates.outcome import GateOutcome

NAME = "house"
NUMBER = 70


def check(case: Case) -> GateOutcome:
    """Run the genome's own checks on the candidate."""
    complaint = case.meter.house(case.candidate())
    return GateOutcome(passed=not complaint, reason=complaint or "the house rules are kept")
