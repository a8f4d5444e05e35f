"""How a rollout moves: canary, half, all. Pure steps from one ``Rollout`` to the next.

The table below is the whole of it; ``docs/ledger.md`` is drawn from it.

========  ====================================  ==================
stage     when promoted with this many allowed  next stage, allowed
========  ====================================  ==================
canary    1 (of more than 1)                    partial, half
partial   half (less than all)                  partial, all
any       all                                   complete, all
========  ====================================  ==================
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from tars_peer.model.generation import Generation, Rollout, Stage
from tars_peer.model.member import Member, majority
from tars_peer.model.noun import PeerId


def switching_order(commit: str, members: Sequence[Member]) -> tuple[str, ...]:
    """Return the order in which peers switch to ``commit``: rendezvous hashing spreads the risk."""

    def weight(peer: str) -> bytes:
        return hashlib.sha256(f"{commit}/{peer}".encode()).digest()

    return tuple(sorted((member.id for member in members), key=weight))


def steps(members: int) -> tuple[int, ...]:
    """Return how many peers may run the new generation at each step, rising to all."""
    return tuple(sorted({1, (members + 1) // 2, members}))


def begin(generation: Generation, members: Sequence[Member]) -> Rollout:
    """Return the rollout of a newly accepted generation: one canary."""
    return Rollout(
        generation=generation.number,
        withdraws=0,
        stage=Stage.CANARY,
        order=switching_order(generation.commit, members),
        target=1,
        live=(),
        excused=(),
        failed=(),
        probes=(),
        reason="",
    )


def begin_rollback(
    generation: Generation, members: Sequence[Member], *, previous: Rollout | None, withdraws: int
) -> Rollout:
    """Return the rollout of a rollback: all peers, those that run the withdrawn tree first."""
    order = switching_order(generation.commit, members)
    exposed = [*previous.live, *previous.failed] if previous else []
    return Rollout(
        generation=generation.number,
        withdraws=withdraws,
        stage=Stage.PARTIAL,
        order=tuple(sorted(order, key=lambda peer: (peer not in exposed, order.index(peer)))),
        target=len(order),
        live=(),
        excused=(),
        failed=(),
        probes=(),
        reason=generation.summary,
    )


def turn(rollout: Rollout) -> PeerId | None:
    """Return whose turn it is to switch, or None where the step waits to be promoted.

    One peer at a time: the first of the allowed ones that is neither live nor excused.
    """
    waiting = (peer for peer in expected(rollout) if peer not in rollout.live)
    first = next(waiting, None)
    return PeerId(first) if first is not None else None


def expected(rollout: Rollout) -> tuple[str, ...]:
    """Return the peers that this step waits for: the first ``target`` that are not out of it.

    A rollback does not wait for peers that failed it, unless too few would be left: then they are
    waited for after the others, so that it never ends with a majority on the withdrawn tree.
    """
    order = [peer for peer in rollout.order if peer not in rollout.excused]
    if rollout.withdraws:
        sound = [peer for peer in order if peer not in rollout.failed]
        failed = [peer for peer in order if peer in rollout.failed]
        enough = len(sound) >= majority(len(rollout.order))
        order = sound if enough else sound + failed
    return tuple(order[: rollout.target])


def may_switch(rollout: Rollout, peer: str) -> bool:
    """Say whether ``peer`` may make the generation live now.

    Peers that missed their turn (excused) follow when the rollout is complete; they are fewer
    than a majority, so the service stays.
    """
    if peer in rollout.live:
        return True
    if rollout.stage in (Stage.COMPLETE, Stage.ROLLED_BACK):
        return True
    return turn(rollout) == peer


def can_excuse(rollout: Rollout, members: int) -> bool:
    """Say whether one more peer may be left out and a majority still be waited for."""
    return members - len(rollout.excused) - 1 >= majority(members)


def promoted(rollout: Rollout, members: int) -> Rollout:
    """Return the rollout a step on; call it only when nobody is waited for (``turn`` is None)."""
    rest = [step for step in steps(members) if step > rollout.target]
    if not rest or len(expected(rollout)) < rollout.target:
        done = Stage.ROLLED_BACK if rollout.withdraws else Stage.COMPLETE
        return msgspec.structs.replace(rollout, stage=done, target=members)
    return msgspec.structs.replace(rollout, stage=Stage.PARTIAL, target=rest[0])
