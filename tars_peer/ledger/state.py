"""The state that all replicas share after the same entries, and its digest."""

from __future__ import annotations

from tars_peer.ledger.canon import digest
from tars_peer.model.generation import Generation, Rollout, Stage, Track
from tars_peer.model.member import Member
from tars_peer.model.noun import Count, GitId, HexDigest, HexSignature, Noun, Text


class Denied(Noun, frozen=True, kw_only=True):
    """A tree (and the idea behind it) that was rolled back under a policy: never again."""

    generation: Count
    tree: GitId
    fingerprint: str
    policy: HexDigest


class Closed(Noun, frozen=True, kw_only=True):
    """An idea that was refused on the code as it is.

    Where ``final`` it is not tried again on the same code; else it showed a gain that was not
    proved, and gets another of its ``tries``. ``last`` is the signature of a ballot that refused it
    in the last one, so that the same refusal counts once.
    """

    fingerprint: HexDigest
    reason: Text
    tries: Count
    final: bool
    last: HexSignature


class State(Noun, frozen=True, kw_only=True):
    """Everything decided so far. ``index`` is the log index of the last entry stepped over."""

    index: Count
    cluster_id: str
    members: tuple[Member, ...]
    policy: str
    worse_ppm: Count
    generations: tuple[Generation, ...]
    rollout: Rollout | None
    paused: bool
    pause_reason: Text
    denied: tuple[Denied, ...]
    closed: tuple[Closed, ...]
    tracks: tuple[Track, ...]

    @property
    def founded(self) -> bool:
        """True once the ledger has begun."""
        return bool(self.generations)

    @property
    def head(self) -> Generation:
        """The newest generation; only where ``founded``."""
        return self.generations[-1]

    @property
    def last_number(self) -> int:
        """The number of the newest generation; -1 where the ledger has not begun."""
        return len(self.generations) - 1

    def refusals_of(self, fingerprint: str) -> Closed | None:
        """Return what is recorded of the refusals of an idea, or None."""
        return next((closed for closed in self.closed if closed.fingerprint == fingerprint), None)

    @property
    def refusals(self) -> int:
        """How often ideas were refused so far."""
        return sum(closed.tries for closed in self.closed)

    @property
    def settled(self) -> bool:
        """True where no rollout is under way."""
        return self.rollout is None or self.rollout.stage in (Stage.COMPLETE, Stage.ROLLED_BACK)

    def generation(self, number: int) -> Generation | None:
        """Return generation ``number``, or None."""
        return self.generations[number] if 0 <= number < len(self.generations) else None


EMPTY = State(
    index=0,
    cluster_id="",
    members=(),
    policy="",
    worse_ppm=0,
    generations=(),
    rollout=None,
    paused=False,
    pause_reason="",
    denied=(),
    closed=(),
    tracks=(),
)


def state_digest(state: State) -> str:
    """Return the digest that replicas compare; equal on all at equal index."""
    return digest("state", state)
