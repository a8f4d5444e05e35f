"""What a gate answers, and how a ladder that is not needed any more ends. No checks belong here."""

from __future__ import annotations

from dataclasses import dataclass

from tars_peer.errors import TemporaryError
from tars_peer.model.ballot import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class GateOutcome:
    """Whether the gate was passed and why, for people; figures where the gate measured any."""

    passed: bool
    reason: str
    tests_passed: int | None = None
    measurement: Measurement | None = None


class Dismissed(TemporaryError):  # noqa: N818  (an ending, no fault)
    """Nobody needs the verdict any more, so the ladder was left half-way; not a refusal."""
