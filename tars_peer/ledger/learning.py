"""The record of what worked: one track an improvement, and ideas that are closed.

Limits on everything: the oldest closed ideas make room for new ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tars_peer.ledger.state import Closed, State
from tars_peer.model.ballot import MEASURING_GATE, Ballot
from tars_peer.model.generation import Track
from tars_peer.model.noun import LARGEST_INTEGER

MOST_CLOSED = 4_096
#: How often an idea that seems to gain may fail to prove it on the same code.
MOST_TRIES = 3
#: A measured ratio from here on seems to gain: what was in doubt is only how surely.
PROMISING_PPM = 1_005_000


def with_track(
    state: State,
    improvement: str,
    *,
    accepted: int = 0,
    refused: int = 0,
    rolled_back: int = 0,
    gain_ppm: int = 0,
) -> State:
    """Return ``state`` with the given counts added to the improvement's track."""
    tracks = {track.improvement: track for track in state.tracks}
    old = tracks.get(improvement) or Track(
        improvement=improvement, accepted=0, refused=0, rolled_back=0, gain_ppm_sum=0
    )
    tracks[improvement] = Track(
        improvement=improvement,
        accepted=old.accepted + accepted,
        refused=old.refused + refused,
        rolled_back=old.rolled_back + rolled_back,
        gain_ppm_sum=min(LARGEST_INTEGER, old.gain_ppm_sum + gain_ppm),
    )
    ordered = tuple(tracks[name] for name in sorted(tracks))
    return msgspec.structs.replace(state, tracks=ordered)


def with_closed(state: State, fingerprint: str, against: Sequence[Ballot]) -> State:
    """Return ``state`` with one more refusal of the idea by the ballots ``against`` it.

    The newest reason stands. It is final where anything but a lack of proof spoke against the idea,
    and after ``MOST_TRIES``.
    """
    before = state.refusals_of(fingerprint)
    tries = 1 if before is None else before.tries + 1
    refused = Closed(
        fingerprint=fingerprint,
        reason=reason_against(against)[:4_000],
        tries=tries,
        final=tries >= MOST_TRIES or not all(_is_promising(ballot) for ballot in against),
        last=_signature(against),
    )
    others = [closed for closed in state.closed if closed.fingerprint != fingerprint]
    return msgspec.structs.replace(state, closed=(*others, refused)[-MOST_CLOSED:])


def reason_against(against: Sequence[Ballot]) -> str:
    """Return why the first of the ballots refuses, and whose it is."""
    return f"{against[0].voter}: {against[0].reason}"


def is_known(state: State, fingerprint: str, against: Sequence[Ballot]) -> bool:
    """Say whether the idea is closed for good, or these very ballots were counted already."""
    before = state.refusals_of(fingerprint)
    return before is not None and (before.final or before.last == _signature(against))


def _signature(against: Sequence[Ballot]) -> str:
    return min(ballot.signature for ballot in against)


def _is_promising(ballot: Ballot) -> bool:
    """Say whether a refusing ballot measured a gain, and lacked only the proof of it."""
    failed, measured = ballot.failed_gate, ballot.measurement
    doubted = failed is not None and failed.gate == MEASURING_GATE
    return doubted and measured is not None and measured.ratio_ppm >= PROMISING_PPM
