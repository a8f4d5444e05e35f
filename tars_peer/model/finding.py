"""Findings and plans: what is worth improving, with evidence, and in which order.

These stay inside one peer and are never signed, so they may hold floats (shares, gains).
"""

from __future__ import annotations

from dataclasses import dataclass

from tars_peer.model.change import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Hotspot:
    """A function's part in the profile. ``share`` is own plus callee time over the total, 0..1."""

    path: str
    function: str
    line: int
    calls: int
    own_share: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something worth improving.

    ``line`` is 1-based; ``function`` is the qualified name (``Class.method``; ``<module>`` for
    module level); ``share`` is the function's part of the profile, 0..1, or None without one;
    ``edits`` is what the improvement would write (offsets in bytes, non-overlapping).
    ``expected_gain`` is the share of the function's time that the rewrite is expected to save,
    0..1; ``risk`` grows from 1.
    """

    improvement: str
    path: str
    function: str
    line: int
    message: str
    evidence: str
    edits: tuple[Edit, ...]
    fingerprint: str
    expected_gain: float
    risk: float
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that could not be analysed and is left alone, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one look at a tree found."""

    tree: str
    findings: tuple[Finding, ...]
    hotspots: tuple[Hotspot, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """A ranked finding: ``score`` = gain × confidence ÷ risk; ``why`` says it in one line."""

    rank: int
    finding: Finding
    gain: float
    confidence: float
    risk: float
    score: float
    why: str
