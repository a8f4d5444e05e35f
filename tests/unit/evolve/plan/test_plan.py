"""What is tried first, and what is not tried at all."""

from __future__ import annotations

import pytest

from tars_peer.evolve.plan.plan import UNPROFILED_SHARE, confidence, plan
from tars_peer.model.finding import Analysis, Finding, Hotspot, PlanItem
from tars_peer.model.generation import Track

HOT = Hotspot(path="a.py", function="f", line=1, calls=1, own_share=0.5, share=0.5)


def finding(name: str = "one", **fields: object) -> Finding:
    values: dict[str, object] = {
        "improvement": name,
        "path": "a.py",
        "function": "f",
        "line": 1,
        "message": "m",
        "evidence": "e",
        "edits": (),
        "fingerprint": f"{name}-{fields.get('line', 1)}",
        "expected_gain": 0.5,
        "risk": 1.0,
        "share": None,
        **fields,
    }
    return Finding(**values)  # type: ignore[arg-type]


def track(name: str, accepted: int, refused: int, rolled_back: int = 0) -> Track:
    return Track(
        improvement=name,
        accepted=accepted,
        refused=refused,
        rolled_back=rolled_back,
        gain_ppm_sum=0,
    )


def ranked(
    *findings: Finding,
    hotspots: tuple[Hotspot, ...] = (),
    tracks: dict[str, Track] | None = None,
    tries: dict[str, int] | None = None,
    closed: frozenset[str] = frozenset(),
) -> tuple[PlanItem, ...]:
    analysis = Analysis(tree="t", findings=findings, hotspots=hotspots, skipped=())
    return plan(analysis, tracks=tracks or {}, tries=tries or {}, closed=closed)


def test_score_is_gain_times_confidence_over_risk() -> None:
    (item,) = ranked(finding(share=0.4, risk=2.0), hotspots=(HOT,))
    assert item.rank == 1
    assert item.gain == pytest.approx(0.2)
    assert item.confidence == pytest.approx(0.5)
    assert item.score == pytest.approx(0.2 * 0.5 / 2.0)
    assert "20.00%" in item.why
    assert "40.0% of the profile" in item.why
    assert "\n" not in item.why


def test_without_a_profile_every_function_counts_a_little() -> None:
    (item,) = ranked(finding())
    assert item.gain == pytest.approx(0.5 * UNPROFILED_SHARE)
    assert "no profile" in item.why


def test_hot_comes_before_cold_and_cold_is_left_out() -> None:
    items = ranked(
        finding(line=1, share=0.01),
        finding(line=2, share=0.3),
        finding(line=3, share=0.0029),
        finding(line=4, share=0.0),
        hotspots=(HOT,),
    )
    assert [item.finding.line for item in items] == [2, 1]
    assert [item.rank for item in items] == [1, 2]


def test_the_record_is_learned_from() -> None:
    findings = (finding("good", line=3), finding("bad", line=1), finding("new", line=2))
    tracks = {"good": track("good", 8, 0), "bad": track("bad", 0, 6, 2)}
    items = ranked(*findings, tracks=tracks)
    assert [item.finding.improvement for item in items] == ["good", "new", "bad"]
    assert "0 accepted, 6 refused, 2 rolled back" in items[-1].why


def test_confidence_is_a_posterior_mean_that_moves_with_evidence() -> None:
    assert confidence(1.0, None) > confidence(2.0, None)
    assert confidence(1.0, track("x", 1, 0)) > confidence(1.0, None)
    assert confidence(1.0, track("x", 0, 1)) < confidence(1.0, None)
    assert confidence(1.0, track("x", 0, 0, 1)) == confidence(1.0, track("x", 0, 1))
    assert confidence(1.0, track("x", 900, 100)) == pytest.approx(0.9, abs=0.01)
    assert 0 < confidence(9.0, track("x", 0, 10_000)) < 0.01


def test_closed_ideas_are_not_planned_again() -> None:
    items = ranked(finding(line=1), finding(line=2), closed=frozenset({"one-1"}))
    assert [item.finding.line for item in items] == [2]


def test_the_order_does_not_depend_on_the_order_of_findings() -> None:
    findings = [finding(line=line) for line in (3, 1, 2)]
    forwards, backwards = ranked(*findings), ranked(*reversed(findings))
    assert forwards == backwards
    assert [item.finding.line for item in forwards] == [1, 2, 3]
