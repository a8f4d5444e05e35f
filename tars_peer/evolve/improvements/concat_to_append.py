"""``xs = xs + [x]`` copies the whole list for one element; ``append`` adds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.stability import reads_only
from tars_peer.evolve.facts.uses import Kind, Use, binding_value
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import instead

_ADDING = ("append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort")


class ConcatToAppend(Improvement):
    """A list that grows by copies costs the square of its length."""

    name: ClassVar[str] = "concat-to-append"
    message: ClassVar[str] = "a list is copied to grow by one; append grows it in place"
    expected_gain: ClassVar[float] = 0.5
    risk: ClassVar[float] = 1.1
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "The list is made in the function, every binding is that or a growth by one element, and "
        "nobody else ever holds it: it is only read, changed by its own methods, or returned "
        "outside of the loops that grow it. It is not iterated where it grows."
    )
    needs: ClassVar[bytes] = b"["
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def squares(n):
                    found = []
                    for i in range(n):
                        found = found + [i * i]
                        if i % 2:
                            found += [-i]  # odd ones twice
                    return found
            """),
            after=code("""
                def squares(n):
                    found = []
                    for i in range(n):
                        found.append(i * i)
                        if i % 2:
                            found.append(-i)  # odd ones twice
                    return found
            """),
            check="squares(5)",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Given from outside: the caller's list would change.
        code("""
            def f(xs):
                for i in range(3):
                    xs = xs + [i]
                return xs
        """),
        # Earlier states are kept.
        code("""
            def f():
                xs = []
                states = []
                for i in range(3):
                    xs = xs + [i]
                    states.append(xs)
                return states
        """),
        # Iterated while it would grow.
        code("""
            def f():
                xs = [1]
                for x in xs:
                    xs = xs + [x]
                return xs
        """),
        # Two names for one list.
        code("""
            def f():
                xs = ys = []
                for i in range(3):
                    xs = xs + [i]
                return xs, ys
        """),
        code("""
            def f():
                xs = []
                for i in range(3):
                    xs = xs + [*range(i)]
                    xs = xs + [i, i]
                    xs = [i] + xs
                return xs
        """),
        # Not made where it grows: an error, and the same one.
        code("""
            def f(n: int):
                if n:
                    xs = []
                for i in range(3):
                    xs += [i]
                return xs
        """),
        # Handed out at each step.
        code("""
            def f():
                xs = []
                for i in range(3):
                    xs = xs + [i]
                    yield xs
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield local lists that grow by one element at a time."""
        for scope in facts.functions():
            for name in list(scope.bindings):
                growths = _growths(facts, scope, name)
                if not growths or not _is_alone(facts, scope, name, growths):
                    continue
                if not any(facts.source.loops_around(one) for one, _ in growths):
                    continue
                draft = Draft(facts.source, scope)
                for one, value in growths:
                    line = f"{name}.append({draft.text(value)})"
                    draft.statement(one, partial(instead, line))
                yield Hit(
                    function=scope,
                    line=growths[0][0].lineno,
                    subject=name,
                    evidence=f"{name} is copied {len(growths)} time(s) to grow by one element",
                    draft=draft,
                )


def _growths(facts: Facts, scope: Scope, name: str) -> list[tuple[ast.stmt, ast.expr]]:
    """Return the statements that grow ``name`` by one, where all bindings make or grow a list."""
    found: list[tuple[ast.stmt, ast.expr]] = []
    made: list[ast.AST] = []
    if name in scope.elsewhere:
        return []
    for binding in scope.bindings[name]:
        parent = facts.source.parent(binding)
        match parent:
            case ast.AugAssign(op=ast.Add(), value=ast.List(elts=[element])):
                pass
            case ast.Assign(
                targets=[_],
                value=ast.BinOp(
                    left=ast.Name(id=word), op=ast.Add(), right=ast.List(elts=[element])
                ),
            ) if word == name:
                pass
            case _:
                value = binding_value(facts.source, binding)
                if parent is None or not isinstance(value, (ast.List, ast.ListComp)):
                    return []
                made.append(parent)
                continue
        assert isinstance(parent, ast.stmt)
        if isinstance(element, ast.Starred) or "\n" in facts.source.text(parent):
            return []
        found.append((parent, element))
    grown = [one for one, _ in found]
    if not any(isinstance(one, ast.stmt) and facts.follows(one, grown) for one in made):
        return []
    return sorted(found, key=lambda one: one[0].lineno)


def _is_alone(
    facts: Facts, scope: Scope, name: str, growths: list[tuple[ast.stmt, ast.expr]]
) -> bool:
    """Say whether nobody but this name ever holds the list, nor iterates it while it grows."""
    uses = facts.uses(scope, name)
    return uses is not None and all(_is_safe(facts, use, growths) for use in uses)


def _is_safe(facts: Facts, use: Use, growths: list[tuple[ast.stmt, ast.expr]]) -> bool:
    source = facts.source
    if any(use.node in _summands(growth) for growth, _ in growths):
        return True
    if use.kind is Kind.ITERATED:
        loop = source.parent(use.node)
        return not any(source.inside(growth, loop) for growth, _ in growths if loop is not None)
    if use.kind is Kind.READ_BY:
        return use.word not in ("enumerate", "reversed", "zip")
    return reads_only(use) or (use.kind is Kind.METHOD and use.word in _ADDING)


def _summands(growth: ast.stmt) -> tuple[ast.expr, ...]:
    """The list itself where it stands in ``xs = xs + [x]``."""
    value = growth.value if isinstance(growth, ast.Assign) else None
    return (value.left,) if isinstance(value, ast.BinOp) else ()
