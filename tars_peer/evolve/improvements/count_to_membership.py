"""``xs.count(x) > 0`` counts to the end; ``x in xs`` stops at the first."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import element_of, hashable
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft

#: Comparisons with a count that ask whether there is one: (operator, number) -> there is.
_ASKS: dict[tuple[type[ast.cmpop], int], bool] = {
    (ast.Gt, 0): True,
    (ast.GtE, 1): True,
    (ast.NotEq, 0): True,
    (ast.Eq, 0): False,
    (ast.Lt, 1): False,
    (ast.LtE, 0): False,
}


class CountToMembership(Improvement):
    """Counting looks at every element, asking only until it has found one."""

    name: ClassVar[str] = "count-to-membership"
    message: ClassVar[str] = "elements are counted to see whether there is one; ask for it"
    expected_gain: ClassVar[float] = 0.3
    risk: ClassVar[float] = 1.0
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "A list or tuple whose elements are proved to be values of builtin types, or a string "
        "searched for a string; the count is compared with 0 or 1 and used for nothing else."
    )
    needs: ClassVar[bytes] = b".count("
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def f(xs: list[int], text: str):
                    return xs.count(3) > 0, xs.count(4) == 0, text.count("ab") >= 1
            """),
            after=code("""
                def f(xs: list[int], text: str):
                    return 3 in xs, 4 not in xs, "ab" in text
            """),
            check="f([1, 3], 'cab')",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        code("""
            def f(xs: list[int]):
                return xs.count(3) > 1
        """),
        code("""
            def f(xs):
                return xs.count(3) > 0
        """),
        code("""
            def f(xs: list[int]):
                return 0 < xs.count(3) < 2
        """),
        code("""
            def f(s: str):
                return s.count("a", 2) > 0
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield comparisons of a count that ask whether there is one."""
        for node in facts.source.nodes(ast.Compare):
            match node:
                case ast.Compare(
                    left=ast.Call(
                        func=ast.Attribute(value=many, attr="count"), args=[one], keywords=[]
                    ),
                    ops=[operator],
                    comparators=[ast.Constant(value=int(limit))],
                ):
                    there = _ASKS.get((type(operator), limit))
                case _:
                    continue
            function = facts.source.function_of(node)
            if function is None or there is None or not _same_answer(facts, many, one):
                continue
            word = "in" if there else "not in"
            text = f"{facts.source.text(one)} {word} {facts.source.text(many)}"
            draft = Draft(facts.source, function)
            draft.replace(node, text)
            yield Hit(
                function=function,
                line=node.lineno,
                subject=ast.unparse(node),
                evidence=f"{facts.source.text(many)} is counted to see whether there is one",
                draft=draft,
            )


def _same_answer(facts: Facts, many: ast.expr, one: ast.expr) -> bool:
    plain = (ast.Name, ast.Attribute, ast.Constant)
    if not isinstance(many, plain) or not isinstance(one, plain):
        return False
    kind, wanted = facts.kind(many), facts.kind(one)
    if kind.name == "str":
        return wanted.name == "str"
    return kind.name in ("list", "tuple*") and hashable(element_of(kind)) and hashable(wanted)
