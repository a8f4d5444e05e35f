"""Whether a container is surely the same, with the same elements, all through a region of code.

No rewriting may enter here.
"""

from __future__ import annotations

import ast

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.uses import READING_METHODS, Kind, Use

_READING = frozenset({
    Kind.CONTAINS, Kind.TRUTH, Kind.ITERATED, Kind.SUBSCRIPT, Kind.READ_BY, Kind.RETURNED,
})  # fmt: skip


def reads_only(use: Use) -> bool:
    """Say whether a use changes nothing and hands the container to nobody but the caller."""
    return use.kind in _READING or (use.kind is Kind.METHOD and use.word in READING_METHODS)


def is_stable(facts: Facts, node: ast.Name, region: ast.stmt) -> bool:
    """Say whether the container that ``node`` names stays as it is while ``region`` runs.

    The name must be the function's own: bound outside of the region, seen by no closure. Within
    the region it is only read; and where anyone else may hold the same container, nothing in the
    region runs unknown code.
    """
    source = facts.source
    home = source.scopes.resolve(node.id, source.scope_of(node))
    if home is None or home.kind != "function" or home is not source.function_of(region):
        return False
    if any(source.inside(binding, region) for binding in home.bindings[node.id]):
        return False
    uses = facts.uses(home, node.id)
    if uses is None or node.id in home.elsewhere:
        return False
    if any(not reads_only(use) for use in uses if source.inside(use.node, region)):
        return False
    alone = facts.quiet.is_fresh(source, node) and all(use.kind is not Kind.OTHER for use in uses)
    return alone or facts.quiet.region(source, region)
