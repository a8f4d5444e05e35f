"""``x in ("a", "b", …)`` compares one by one; the compiler makes a constant of a set display."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import hashable
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft

#: Fewer are found by comparing about as fast.
_LEAST = 4


class LiteralMembershipToSet(Improvement):
    """A set display of constants after ``in`` is a frozenset that is made once."""

    name: ClassVar[str] = "literal-membership-to-set"
    message: ClassVar[str] = "a display of constants is searched one by one; make it a set"
    expected_gain: ClassVar[float] = 0.1
    risk: ClassVar[float] = 1.1
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "At least four strings or numbers in a tuple or list display right after `in`; what is "
        "looked for is proved to be a hashable value of a builtin type."
    )
    needs: ClassVar[bytes] = b" in "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def f(word: str, n: int):
                    if word in ("a", "b", "c", "d"):
                        return 1
                    return n not in [
                        1,  # one
                        2,
                        3,
                        4,
                    ]
            """),
            after=code("""
                def f(word: str, n: int):
                    if word in {"a", "b", "c", "d"}:
                        return 1
                    return n not in {
                        1,  # one
                        2,
                        3,
                        4,
                    }
            """),
            check="f('a', 1), f('x', 1), f('x', 9)",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # May be unhashable, where a tuple just says no.
        code("""
            def f(word):
                return word in ("a", "b", "c", "d")
        """),
        code("""
            def f(word: str):
                return word in ("a", "b", "c")
        """),
        code("""
            def f(word: str, x: str):
                return word in ("a", "b", "c", x)
        """),
        code("""
            def f(words: list[str]):
                return words in ("a", "b", "c", "d")
        """),
        code("""
            def f(word: str):
                return [one for one in ("a", "b", "c", "d") if one == word]
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield searches in displays of constants."""
        for node in facts.source.nodes(ast.Compare):
            match node:
                case ast.Compare(
                    ops=[ast.In() | ast.NotIn()],
                    comparators=[ast.Tuple(elts=elements) | ast.List(elts=elements) as many],
                ) if len(elements) >= _LEAST and all(_is_plain(one) for one in elements):
                    pass
                case _:
                    continue
            function = facts.source.function_of(node)
            if function is None or not hashable(facts.kind(node.left)):
                continue
            draft = Draft(facts.source, function)
            text = draft.text(many)
            if text[0] not in "([":
                continue
            draft.last_of_comparison(node, f"{{{text[1:-1]}}}")
            yield Hit(
                function=function,
                line=node.lineno,
                subject=ast.unparse(node),
                evidence=f"{ast.unparse(node.left)} is searched among {len(elements)} constants",
                draft=draft,
            )


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (str, int))
