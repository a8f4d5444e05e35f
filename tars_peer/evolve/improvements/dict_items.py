"""``for k in d: … d[k]`` looks every value up again; ``items`` gives both at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.stability import is_stable
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft


class DictItems(Improvement):
    """Each look-up hashes the key anew."""

    name: ClassVar[str] = "dict-items"
    message: ClassVar[str] = "a dict is iterated and each value looked up; iterate its items"
    expected_gain: ClassVar[float] = 0.15
    risk: ClassVar[float] = 1.1
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "The object is proved to be a dict that nothing changes while the loop runs (no unknown "
        "code runs in it where anyone else may hold the dict); the key is bound by the loop alone."
    )
    needs: ClassVar[bytes] = b"for "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def total(amounts: dict[str, int]) -> int:
                    total = 0
                    for name in amounts:
                        total += amounts[name] + len(name) * amounts[name]
                    return total
            """),
            after=code("""
                def total(amounts: dict[str, int]) -> int:
                    total = 0
                    for name, amounts_value in amounts.items():
                        total += amounts_value + len(name) * amounts_value
                    return total
            """),
            check="total({'a': 2, 'bb': 3})",
        ),
        Example(
            before=code("""
                def report(words):
                    counts: dict[str, int] = {}
                    for word in words:
                        counts[word] = counts.get(word, 0) + 1
                    lines = []
                    for word in counts.keys():  # in order
                        lines.append(f"{word} {counts[word]}")
                    return lines
            """),
            after=code("""
                def report(words):
                    counts: dict[str, int] = {}
                    for word in words:
                        counts[word] = counts.get(word, 0) + 1
                    lines = []
                    for word, counts_value in counts.items():  # in order
                        lines.append(f"{word} {counts_value}")
                    return lines
            """),
            check="report(['a', 'b', 'a'])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Not known to be a dict.
        code("""
            def f(d):
                for k in d:
                    print(d[k])
        """),
        # Values change meanwhile.
        code("""
            def f(d: dict[str, int]):
                for k in d:
                    d[k] = d[k] + 1
        """),
        # Unknown code may change it.
        code("""
            def f(d: dict[str, int], g):
                for k in d:
                    g(d[k])
        """),
        # The key is another one.
        code("""
            def f(d: dict[str, int]):
                total = 0
                for k in d:
                    k = k.lower()
                    total += d[k]
                return total
        """),
        # No value is looked up.
        code("""
            def f(d: dict[str, int]):
                return [k for k in d]
        """),
        code("""
            def f(d: dict[str, int], e: dict[str, int]):
                total = 0
                for k in d:
                    total += e[k]
                return total
        """),
        # Looked up later.
        code("""
            def f(d: dict[str, int]):
                found = []
                for k in d:
                    found.append(lambda: d[k])
                return found
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield loops over a dict that look up the values of its keys."""
        for loop in facts.source.nodes(ast.For):
            many = loop.iter
            match many:
                case ast.Call(func=ast.Attribute(value=inner, attr="keys"), args=[], keywords=[]):
                    many = inner
            function = facts.source.function_of(loop)
            if function is None or function.dynamic or not isinstance(many, ast.Name):
                continue
            if not isinstance(loop.target, ast.Name) or facts.kind(many).name != "dict":
                continue
            looked_up = _looked_up(facts, function, loop, many.id, loop.target.id)
            if not looked_up or not is_stable(facts, many, loop):
                continue
            draft = Draft(facts.source, function)
            value = draft.fresh(f"{many.id}_value")
            draft.replace(loop.target, f"{loop.target.id}, {value}")
            draft.replace(loop.iter, f"{many.id}.items()")
            for one in looked_up:
                draft.replace(one, value)
            yield Hit(
                function=function,
                line=loop.lineno,
                subject=f"{many.id} {loop.target.id}",
                evidence=f"{many.id}[{loop.target.id}] {len(looked_up)} time(s) in a loop over it",
                draft=draft,
            )


def _looked_up(
    facts: Facts, function: Scope, loop: ast.For, name: str, key: str
) -> list[ast.Subscript]:
    """Return the loads of ``name[key]`` in the loop, where the loop alone binds the key there."""
    bindings = function.bindings.get(key, [])
    inside = [one for one in bindings if facts.source.inside(one, loop)]
    if inside != [loop.target] or key in function.elsewhere:
        return []
    found: list[ast.Subscript] = []
    for statement in loop.body:
        for one in ast.walk(statement):
            match one:
                case ast.Subscript(
                    value=ast.Name(id=word), slice=ast.Name(id=index), ctx=ast.Load()
                ) if word == name and index == key:
                    scopes = facts.source.scopes
                    home = scopes.resolve(key, scopes.scope_of[one.slice])
                    if home is not function or scopes.captured(one, function):
                        return []
                    found.append(one)
    return found
