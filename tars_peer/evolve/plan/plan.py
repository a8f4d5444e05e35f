"""Which finding first: gain × confidence ÷ risk, and none that was closed or cannot pay.

Deterministic: the same analysis and record give the same plan on every peer. No I/O may enter.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from tars_peer.model.finding import Analysis, Finding, PlanItem
from tars_peer.model.generation import Track

#: What a function is taken to be of the whole where no profile says it.
UNPROFILED_SHARE = 0.02
#: Below this share of the profile nothing that is done to a function can be measured.
LEAST_SHARE = 0.003
#: How many imagined trials the prior of an improvement counts as.
PRIOR_TRIALS = 3.0


def plan(
    analysis: Analysis,
    *,
    tracks: Mapping[str, Track],
    tries: Mapping[str, int],
    closed: AbstractSet[str],
) -> tuple[PlanItem, ...]:
    """Return the findings worth trying, best first.

    ``tracks`` is the record by improvement name; ``tries`` says how often an idea (by fingerprint)
    failed to prove its gain: it comes after those that were not tried as often; ``closed`` are the
    ideas that were decided on for good. With a profile, findings in functions below ``LEAST_SHARE``
    of it are dropped.
    """
    profiled = bool(analysis.hotspots)
    items = [
        _item(finding, tracks.get(finding.improvement))
        for finding in analysis.findings
        if finding.fingerprint not in closed and not (profiled and _is_cold(finding))
    ]
    items.sort(key=lambda item: (tries.get(item.finding.fingerprint, 0), *_order(item)))
    return tuple(
        PlanItem(
            rank=rank,
            finding=item.finding,
            gain=item.gain,
            confidence=item.confidence,
            risk=item.risk,
            score=item.score,
            why=item.why,
        )
        for rank, item in enumerate(items, start=1)
    )


def confidence(risk: float, track: Track | None) -> float:
    """Return the chance that a change passes: the mean of a Beta posterior, 0..1.

    The prior is worth ``PRIOR_TRIALS`` trials, of which a riskier improvement passes fewer.
    """
    passed = PRIOR_TRIALS / (1.0 + risk / 2.0)
    trials = PRIOR_TRIALS
    if track is not None:
        passed += track.accepted
        trials += track.accepted + track.refused + track.rolled_back
    return passed / trials


def _is_cold(finding: Finding) -> bool:
    return finding.share is not None and finding.share < LEAST_SHARE


def _item(finding: Finding, track: Track | None) -> PlanItem:
    share = UNPROFILED_SHARE if finding.share is None else finding.share
    gain = share * finding.expected_gain
    chance = confidence(finding.risk, track)
    return PlanItem(
        rank=0,
        finding=finding,
        gain=gain,
        confidence=chance,
        risk=finding.risk,
        score=gain * chance / finding.risk,
        why=_why(finding, track, gain, chance),
    )


def _why(finding: Finding, track: Track | None, gain: float, chance: float) -> str:
    seen = "no profile" if finding.share is None else f"{finding.share:.1%} of the profile"
    record = "no record yet"
    if track is not None:
        record = (
            f"{track.accepted} accepted, {track.refused} refused, {track.rolled_back} rolled back"
        )
    return (
        f"gain {gain:.2%} ({seen}, saves {finding.expected_gain:.0%} of it) "
        f"× confidence {chance:.2f} ({record}) ÷ risk {finding.risk:.1f}"
    )


def _order(item: PlanItem) -> tuple[float, str, int, str, str]:
    finding = item.finding
    place = (finding.path, finding.line, finding.improvement, finding.fingerprint)
    return (-item.score, *place)
