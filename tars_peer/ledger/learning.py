"""The record of what worked: one track an improvement, and ideas that are closed.

Limits on everything: the oldest closed ideas make room for new ones.
"""

from __future__ import annotations

import msgspec

from tars_peer.ledger.state import Closed, State
from tars_peer.model.generation import Track
from tars_peer.model.noun import LARGEST_INTEGER

MOST_CLOSED = 4_096


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


def with_closed(state: State, fingerprint: str, reason: str) -> State:
    """Return ``state`` with the idea closed; the newest reason stands."""
    others = [closed for closed in state.closed if closed.fingerprint != fingerprint]
    kept = [*others, Closed(fingerprint=fingerprint, reason=reason[:4_000])][-MOST_CLOSED:]
    return msgspec.structs.replace(state, closed=tuple(kept))
