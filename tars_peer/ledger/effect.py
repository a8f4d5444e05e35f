"""What follows from an entry, as values: the enacting floor turns them into deeds."""

from __future__ import annotations

from dataclasses import dataclass

from tars_peer.model.change import Change
from tars_peer.model.generation import Generation, Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The entry was not followed. ``code`` is one word, such as stale (docs/ledger.md)."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """The ledger has begun."""

    generation: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Enacted:
    """There is a new head. ``commit`` is the git commit object to store, byte for byte.

    ``change`` is None for a rollback.
    """

    generation: Generation
    commit: bytes
    change: Change | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A refusal was recorded for an improvement."""

    improvement: str
    fingerprint: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A peer's report, observation or excuse was added to the rollout."""

    peer: str
    rollout: Rollout
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """The rollout went a step on; ``cost_ppm`` is new over old live cost, 0 where unmeasured."""

    rollout: Rollout
    cost_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseChanged:
    """Proposing was stopped or goes on."""

    paused: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A person took a generation off the deny-list."""

    generation: int


Effect = Refused | Founded | Enacted | Learned | Reported | Promoted | PauseChanged | Cleared
