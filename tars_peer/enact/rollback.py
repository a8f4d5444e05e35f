"""Stage 7, the way back: which generation an automatic or manual rollback leads to.

Pure; the ledger has the last word on whether it may.
"""

from __future__ import annotations

from tars_peer.ledger.entry import Rollback
from tars_peer.ledger.state import State
from tars_peer.model.generation import Generation, GenerationState


def way_back(state: State) -> Generation | None:
    """Return the generation to go back to: the newest of another tree that was not taken back."""
    for generation in reversed(state.generations[:-1]):
        sound = generation.state is not GenerationState.ROLLED_BACK
        if sound and generation.tree != state.head.tree:
            return generation
    return None


def rollback_to(state: State, generation: Generation, *, reason: str, automatic: bool) -> Rollback:
    """Return the decision that takes the head back to ``generation``."""
    return Rollback(
        generation=state.head.number, to=generation.number, automatic=automatic, reason=reason
    )
