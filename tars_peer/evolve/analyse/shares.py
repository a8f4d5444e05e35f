"""How much of the profile a function is, as far as an improvement of it can reach.

No profiling may enter here; hotspots are values.
"""

from __future__ import annotations

from collections.abc import Iterable

from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.improvements.improvement import Reach
from tars_peer.model.finding import Hotspot


class Shares:
    """Looks functions up in one profile."""

    def __init__(self, hotspots: Iterable[Hotspot]) -> None:
        """Take the hotspots of the genome's functions."""
        self._by_path: dict[str, list[Hotspot]] = {}
        total = 0.0
        for hotspot in hotspots:
            self._by_path.setdefault(hotspot.path, []).append(hotspot)
            total += hotspot.own_share
        #: What is spent outside of the genome's functions: builtins and libraries.
        self._outside = max(0.0, 1.0 - total)

    def of(self, path: str, function: Scope, reach: Reach) -> float | None:
        """Return the share, 0..1, that ``reach`` covers; None where there is no profile.

        A function that a profile does not have is cold: 0.
        """
        if not self._by_path:
            return None
        found = [one for one in self._by_path.get(path, ()) if _is_of(one, function)]
        if not found:
            return 0.0
        own = min(1.0, sum(one.own_share for one in found))
        share = max(own, *(one.share for one in found))
        match reach:
            case Reach.OWN:
                return own
            case Reach.CALLS:
                return min(share, own + self._outside)
            case Reach.ALL:
                return share


def _is_of(hotspot: Hotspot, function: Scope) -> bool:
    """Say whether a hotspot is the function or a comprehension in it."""
    node = function.function
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    assert node.end_lineno is not None
    if not first <= hotspot.line <= node.end_lineno:
        return False
    name = hotspot.function.rpartition(".")[2]
    if name.startswith("<"):
        return True
    return hotspot.function == function.qualname or name == node.name
