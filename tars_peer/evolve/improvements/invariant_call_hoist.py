"""``sorted(xs)`` or ``set(xs)`` of what does not change, made anew each time round a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import element_of, hashable, ordered
from tars_peer.evolve.facts.stability import is_stable, reads_only
from tars_peer.evolve.facts.uses import READING_METHODS, only_binding
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import before

_MAKERS = ("sorted", "set", "frozenset")
#: What can be iterated any number of times and gives the same.
_AGAIN = frozenset({"deque", "dict", "frozenset", "list", "set", "tuple*"})
_ROOMY = (ast.For, ast.While, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


class InvariantCallHoist(Improvement):
    """Sorting or hashing everything once is enough where nothing changes."""

    name: ClassVar[str] = "invariant-call-hoist"
    message: ClassVar[str] = "the same is sorted or collected each time round a loop; do it once"
    expected_gain: ClassVar[float] = 0.6
    risk: ClassVar[float] = 1.4
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "`sorted`, `set` or `frozenset` of a local container, or of fields of its records, that "
        "nothing changes while the loop runs; elements are proved to be of builtin types that "
        "sort or hash without an error; the result is only searched, iterated, indexed or "
        "measured, so that sharing one does not show."
    )
    needs: ClassVar[bytes] = b"for "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def bays(parcels: list[str], depots: list[str]) -> dict[str, int]:
                    found: dict[str, int] = {}
                    for parcel in parcels:
                        if parcel in depots:
                            found[parcel] = sorted(depots).index(parcel) + 1
                    return found
            """),
            after=code("""
                def bays(parcels: list[str], depots: list[str]) -> dict[str, int]:
                    found: dict[str, int] = {}
                    sorted_depots = sorted(depots)
                    for parcel in parcels:
                        if parcel in depots:
                            found[parcel] = sorted_depots.index(parcel) + 1
                    return found
            """),
            check="bays(['b', 'c', 'a'], ['b', 'a'])",
        ),
        Example(
            before=code("""
                def both(a: list[int], b: list[int]) -> list[int]:
                    return [x for x in a if x in set(b)]
            """),
            after=code("""
                def both(a: list[int], b: list[int]) -> list[int]:
                    b_set = set(b)
                    return [x for x in a if x in b_set]
            """),
            check="both([1, 2, 3], [3, 1])",
        ),
        Example(
            before=code("""
                def matrix(names: list[str]) -> list[list[str]]:
                    found = [name for name in names if name]
                    rows = []
                    for name in names:
                        services = sorted({one for one in found})
                        rows.append([name, *(service + name for service in services)])
                    return rows
            """),
            after=code("""
                def matrix(names: list[str]) -> list[list[str]]:
                    found = [name for name in names if name]
                    rows = []
                    sorted_found = sorted({one for one in found})
                    for name in names:
                        services = sorted_found
                        rows.append([name, *(service + name for service in services)])
                    return rows
            """),
            check="matrix(['b', '', 'a'])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # It changes.
        code("""
            def f(xs: list[int]):
                found = [1]
                for x in xs:
                    found.append(sorted(found)[0])
                return found
        """),
        # The result may be kept and changed.
        code("""
            def f(xs: list[int], ys: list[int]):
                rows = []
                for x in xs:
                    rows.append(sorted(ys))
                return rows
        """),
        code("""
            def f(xs: list[int], ys: list[int]):
                total = 0
                for x in xs:
                    rest = sorted(ys)
                    total += rest.pop()
                return total
        """),
        # Elements may not be comparable: an error where there was none.
        code("""
            def f(xs: list[int], ys: list[object]):
                return [x for x in xs if sorted(ys).index(x)]
        """),
        # Used up the first time.
        code("""
            from collections.abc import Iterable

            def f(xs: list[int], ys: Iterable[int]):
                return [x for x in xs if x in set(ys)]
        """),
        # Unknown code may change it.
        code("""
            def f(xs: list[int], ys: list[int], g):
                total = 0
                for x in xs:
                    g(x)
                    if x in set(ys):
                        total += x
                return total
        """),
        # Depends on the loop.
        code("""
            def f(rows: list[list[int]]):
                return [sorted(row)[0] for row in rows if row]
        """),
        # Once.
        code("""
            def f(xs: list[int]):
                for x in sorted(xs):
                    yield x
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield calls in a loop whose result is the same each time."""
        for call in facts.source.nodes(ast.Call):
            if not facts.is_builtin(call.func, *_MAKERS) or len(call.args) != 1 or call.keywords:
                continue
            function = facts.source.function_of(call)
            if function is None or function.dynamic:
                continue
            if facts.source.scopes.captured(call, function) or not _is_shareable(facts, call):
                continue
            statement = self._outermost(facts, call)
            if statement is None:
                continue
            draft = Draft(facts.source, function)
            assert isinstance(call.func, ast.Name)
            name = draft.fresh(_name(call))
            draft.replace(call, name)
            draft.statement(statement, partial(before, f"{name} = {draft.text(call)}"))
            yield Hit(
                function=function,
                line=call.lineno,
                subject=ast.unparse(call),
                evidence=f"{ast.unparse(call)} in a loop that does not change it",
                draft=draft,
            )

    def _outermost(self, facts: Facts, call: ast.Call) -> ast.stmt | None:
        """Return the outermost loop, or statement with a comprehension, that changes nothing."""
        found: ast.stmt | None = None
        for loop in facts.source.loops_around(call):
            statement = facts.source.statement_of(loop)
            if not isinstance(statement, _ROOMY) or not facts.source.inside(call, statement):
                break
            if not _is_invariant(facts, call, statement):
                break
            found = statement
        return found


def _name(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Name)
    inside = [one.id for one in ast.walk(call.args[0]) if isinstance(one, ast.Name)]
    bound = {
        one.id
        for one in ast.walk(call.args[0])
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    stem = next((one for one in inside if one not in bound), "values")
    return f"sorted_{stem}" if call.func.id == "sorted" else f"{stem}_set"


def _is_invariant(facts: Facts, call: ast.Call, region: ast.stmt) -> bool:
    """Say whether the call gives the same each time ``region`` runs it, and never an error."""
    many = call.args[0]
    element = element_of(facts.kind(many))
    assert isinstance(call.func, ast.Name)
    fits = ordered if call.func.id == "sorted" else hashable
    return fits(element) and _is_same(facts, many, region)


def _is_same(facts: Facts, many: ast.expr, region: ast.stmt) -> bool:
    match many:
        case ast.Name():
            return facts.kind(many).name in _AGAIN and is_stable(facts, many, region)
        case ast.Call(func=func, args=[inner], keywords=[]):
            makes = facts.is_builtin(func, "set", "list", "tuple", "frozenset")
            return makes and _is_hashed(facts, inner) and _is_same(facts, inner, region)
        case ast.SetComp() | ast.ListComp() | ast.GeneratorExp():
            return _is_plain_comprehension(facts, many, region)
    return False


def _is_hashed(facts: Facts, many: ast.expr) -> bool:
    return hashable(element_of(facts.kind(many)))


def _is_plain_comprehension(
    facts: Facts, node: ast.SetComp | ast.ListComp | ast.GeneratorExp, region: ast.stmt
) -> bool:
    """Say whether a comprehension gives its elements, or a field of theirs, unchanged."""
    if len(node.generators) != 1:
        return False
    generator = node.generators[0]
    if not isinstance(generator.target, ast.Name) or generator.is_async or generator.ifs:
        return False
    if not isinstance(generator.iter, ast.Name) or not _is_same(facts, generator.iter, region):
        return False
    match node.elt:
        case ast.Name(id=name):
            return name == generator.target.id and hashable(facts.kind(node.elt))
        case ast.Attribute(value=ast.Name(id=name), attr=attr) as field:
            if name != generator.target.id or not hashable(facts.kind(field)):
                return False
            quiet = facts.quiet.region(facts.source, region)
            return quiet and facts.is_plain_field(field) and not _sets(region, attr)
    return False


def _sets(region: ast.stmt, attr: str) -> bool:
    """Say whether something in ``region`` is assigned to an attribute of that name."""
    return any(
        isinstance(one, ast.Attribute) and one.attr == attr and not isinstance(one.ctx, ast.Load)
        for one in ast.walk(region)
    )


def _is_shareable(facts: Facts, call: ast.Call) -> bool:
    """Say whether nobody can tell one shared result from a new one each time."""
    parent = facts.source.parent(call)
    match parent:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[many]) if many is call:
            return True
        case ast.For() | ast.comprehension() if parent.iter is call:
            return True
        case ast.Attribute(attr=word):
            use = facts.source.parent(parent)
            is_call = isinstance(use, ast.Call) and use.func is parent
            return is_call and word in READING_METHODS - {"copy"}
        case ast.Subscript(value=value, ctx=ast.Load()) if value is call:
            return True
        case ast.Call(func=func) if facts.is_builtin(func, "len", "min", "max", "sum", "any"):
            return True
        case ast.Assign(targets=[ast.Name(id=name) as target]):
            scope = facts.source.scope_of(target)
            if scope.kind != "function" or only_binding(facts.source, scope, name) is None:
                return False
            uses = facts.uses(scope, name)
            return uses is not None and all(reads_only(use) for use in uses)
    return False
