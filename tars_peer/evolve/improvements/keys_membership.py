"""``x in d.keys()`` asks a view, ``x in list(d)`` a copy; ``x in d`` asks the dict."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import hashable
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft


class KeysMembership(Improvement):
    """A copy of all keys for one question is the worst way to ask a dict."""

    name: ClassVar[str] = "keys-membership"
    message: ClassVar[str] = "keys are viewed or copied to be searched; ask the dict itself"
    expected_gain: ClassVar[float] = 0.3
    risk: ClassVar[float] = 1.0
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "The object is proved to be a dict. For a copy (`list`, `tuple`, `set`, `sorted`) what is "
        "looked for is proved to be a hashable value of a builtin type, and so are the keys."
    )
    needs: ClassVar[bytes] = b" in "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def totals(words: list[str]):
                    found: dict[str, int] = {}
                    for word in words:
                        if word not in list(found.keys()):
                            found[word] = 0
                        found[word] += 1
                    return found
            """),
            after=code("""
                def totals(words: list[str]):
                    found: dict[str, int] = {}
                    for word in words:
                        if word not in found:
                            found[word] = 0
                        found[word] += 1
                    return found
            """),
            check="totals(['a', 'b', 'a'])",
        ),
        Example(
            before=code("""
                def has(d: dict[str, int], key: object):
                    return key in d.keys() or 3 in sorted(d)
            """),
            after=code("""
                def has(d: dict[str, int], key: object):
                    return key in d or 3 in sorted(d)
            """),
            check="has({'a': 1}, 'a')",
        ),
        Example(
            before=code("""
                def has(d: dict[str, int], key: str):
                    return key in tuple(d)
            """),
            after=code("""
                def has(d: dict[str, int], key: str):
                    return key in d
            """),
            check="has({'a': 1}, 'a'), has({}, 'a')",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Not known to be a dict.
        code("""
            def f(d, key: str):
                return key in d.keys()
        """),
        # Asking a dict for a list is an error; asking a list is not.
        code("""
            def f(d: dict[str, int], key):
                return key in list(d)
        """),
        # Values.
        code("""
            def f(d: dict[str, int], key: int):
                return key in d.values()
        """),
        code("""
            def f(d: dict[str, int], key: str, list):
                return key in list(d)
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield searches in the keys of a dict."""
        for node in facts.source.nodes(ast.Compare):
            function = facts.source.function_of(node)
            if function is None:
                continue
            for operator, many in zip(node.ops, node.comparators, strict=True):
                found = _asked(facts, many) if isinstance(operator, (ast.In, ast.NotIn)) else None
                if found is None:
                    continue
                text = facts.source.text(found)
                draft = Draft(facts.source, function)
                draft.replace(many, text)
                yield Hit(
                    function=function,
                    line=node.lineno,
                    subject=ast.unparse(node),
                    evidence=f"in {facts.source.text(many)}; {text} is a dict",
                    draft=draft,
                )


def _asked(facts: Facts, many: ast.expr) -> ast.expr | None:
    """Return the dict whose keys ``many`` is made of, where asking the dict is the same."""
    match many:
        case ast.Call(func=func, args=[inner], keywords=[]) if facts.is_builtin(
            func, "list", "tuple"
        ):
            found = _keys(inner) or inner
            kind = facts.kind(found)
            keys_are_plain = kind.name == "dict" and hashable(kind.args[0])
            if not keys_are_plain or not hashable(facts.kind(facts.probe(many))):
                return None
        case _:
            asked = _keys(many)
            if asked is None or facts.kind(asked).name != "dict":
                return None
            found = asked
    return found if isinstance(found, (ast.Name, ast.Attribute)) else None


def _keys(node: ast.expr) -> ast.expr | None:
    """Return ``d`` of ``d.keys()``."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="keys"), args=[], keywords=[]):
            return value
    return None
