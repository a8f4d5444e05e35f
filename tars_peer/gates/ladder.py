"""The ladder: the gates in their order, climbed until the first one that is not passed.

Only the order, the reporting and the containment of faults belong here; what is right and wrong
belongs to the gates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tars_peer.errors import TarsError
from tars_peer.gates import (
    g10_parses,
    g20_paths,
    g30_safety,
    g40_builds,
    g50_tests,
    g60_benchmark,
    g70_house,
)
from tars_peer.gates.case import Case
from tars_peer.gates.outcome import Dismissed, GateOutcome
from tars_peer.model.ballot import GateResult, Measurement

__all__ = ["GATES", "Dismissed", "Gate", "Report", "climb"]

#: Longest reason that a ballot may carry (``model.noun.Text``).
LONGEST_REASON = 4_000


class Gate(Protocol):
    """A module that is one gate."""

    NAME: str
    NUMBER: int

    def check(self, case: Case, /) -> GateOutcome:
        """Judge ``case``."""
        ...


#: Every gate there is, in climbing order. A new gate is added here, never found by itself.
GATES: tuple[Gate, ...] = (
    g10_parses,
    g20_paths,
    g30_safety,
    g40_builds,
    g50_tests,
    g60_benchmark,
    g70_house,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How far a change came: the gates in climbing order, the last one perhaps not passed."""

    gates: tuple[GateResult, ...]
    tests_passed: int
    measurement: Measurement | None

    @property
    def passed(self) -> bool:
        """True where every gate of the ladder was climbed and passed."""
        return len(self.gates) == len(GATES) and all(gate.passed for gate in self.gates)

    @property
    def reason(self) -> str:
        """The gate that was not passed, as ``gate: reason``; empty where all were."""
        failed = (f"{gate.gate}: {gate.reason}" for gate in self.gates if not gate.passed)
        return next(failed, "")


def climb(case: Case, *, observe: Callable[[GateResult], None]) -> Report:
    """Take ``case`` up the ladder and say after each rung how it went.

    Anything that goes wrong inside a gate is a gate that is not passed; only a shortage of
    memory and an interrupt go through.

    Raises:
        Dismissed: the verdict is not needed any more.
    """
    results: list[GateResult] = []
    tests_passed = 0
    measurement: Measurement | None = None
    for gate in GATES:
        _leave_if_cancelled(case)
        outcome = _judge(gate, case)
        if not outcome.passed:
            # A job that was stopped because of the dismissal is no evidence against the change.
            _leave_if_cancelled(case)
        result = GateResult(
            gate=gate.NAME, passed=outcome.passed, reason=outcome.reason[:LONGEST_REASON]
        )
        tests_passed = tests_passed if outcome.tests_passed is None else outcome.tests_passed
        measurement = outcome.measurement or measurement
        results.append(result)
        observe(result)
        if not outcome.passed:
            break
    return Report(gates=tuple(results), tests_passed=tests_passed, measurement=measurement)


def _leave_if_cancelled(case: Case) -> None:
    if case.cancelled():
        raise Dismissed("the verdict is not needed any more")


def _judge(gate: Gate, case: Case) -> GateOutcome:
    """Ask one gate; a fault inside it counts as not passed."""
    try:
        return gate.check(case)
    except (Dismissed, MemoryError):
        raise
    except TarsError as error:
        return GateOutcome(passed=False, reason=str(error))
    except Exception as error:  # noqa: BLE001  (whatever a candidate provokes stays in its gate)
        reason = f"the gate itself failed: {type(error).__name__}: {error}"
        return GateOutcome(passed=False, reason=reason)
