"""``sorted(xs)[0]`` orders everything to look at one; ``min`` looks once at each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import element_of, ordered
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import rename

if TYPE_CHECKING:
    import libcst as cst


class SortedFirstToMin(Improvement):
    """The first of equals is the same one: ``sorted`` is stable and ``min`` takes the first."""

    name: ClassVar[str] = "sorted-first-to-min"
    message: ClassVar[str] = "everything is sorted to take the first; min is enough"
    expected_gain: ClassVar[float] = 0.3
    risk: ClassVar[float] = 1.2
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "The builtin `sorted` of a list that is surely not empty: a condition around or a way out "
        "above tests it and nothing touches it in between (`min` raises ValueError where the index "
        "raised IndexError). Elements, or the keys of a builtin key function, are proved to be "
        "ordered, which floats with NaN are not. Only place 0, never -1, whose ties differ."
    )
    needs: ClassVar[bytes] = b"sorted("
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def best(xs: list[int]):
                    if xs:
                        return sorted(xs)[0]
                    return None
            """),
            after=code("""
                def best(xs: list[int]):
                    if xs:
                        return min(xs)
                    return None
            """),
            check="best([3, 1, 2]), best([])",
        ),
        Example(
            before=code("""
                def best(xs: list[str]) -> str:
                    if not xs:
                        raise KeyError("none")
                    return sorted(xs, key=len)[0]
            """),
            after=code("""
                def best(xs: list[str]) -> str:
                    if not xs:
                        raise KeyError("none")
                    return min(xs, key=len)
            """),
            check="best(['ccc', 'b', 'a'])",
        ),
        Example(
            before=code("""
                def drain():
                    loads = [3, 1, 2]
                    order = []
                    while loads:
                        first = sorted(loads)[0]
                        loads.remove(first)
                        order.append(first)
                    return order
            """),
            after=code("""
                def drain():
                    loads = [3, 1, 2]
                    order = []
                    while loads:
                        first = min(loads)
                        loads.remove(first)
                        order.append(first)
                    return order
            """),
            check="drain()",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # May be empty: another error.
        code("""
            def f(xs: list[int]):
                return sorted(xs)[0]
        """),
        # Not every two floats can be ordered.
        code("""
            def f(xs: list[float]):
                if xs:
                    return sorted(xs)[0]
        """),
        # Ties differ at the other end.
        code("""
            def f(xs: list[int]):
                if xs:
                    return sorted(xs)[-1]
        """),
        # Emptied after the test.
        code("""
            def f(xs: list[int]):
                if xs:
                    xs.clear()
                    return sorted(xs)[0]
        """),
        # An iterator is true and may be empty.
        code("""
            def f(xs):
                if xs:
                    return sorted(xs)[0]
        """),
        code("""
            def sorted(xs):
                return xs

            def f(xs: list[int]):
                if xs:
                    return sorted(xs)[0]
        """),
        # The other branch.
        code("""
            def f(xs: list[int]):
                if xs:
                    return 0
                else:
                    return sorted(xs)[0]
        """),
        code("""
            def f(xs: list[int], r: bool):
                if xs:
                    return sorted(xs, reverse=r)[0]
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield ``sorted(name)[0]`` where the name surely has elements."""
        for node in facts.source.nodes(ast.Subscript):
            match node:
                case ast.Subscript(
                    slice=ast.Constant(value=place),
                    value=ast.Call(func=func, args=[ast.Name() as many], keywords=keywords),
                ) if place == 0 and place is not False and facts.is_builtin(func, "sorted"):
                    pass
                case _:
                    continue
            function = facts.source.function_of(node)
            if function is None or not _is_ordered(facts, many, keywords):
                continue
            if facts.kind(many).name == "list" and _is_filled(facts, many):
                draft = Draft(facts.source, function)
                draft.expression(node, _minimum)
                yield Hit(
                    function=function,
                    line=node.lineno,
                    subject=f"{many.id} {ast.unparse(node)}",
                    evidence=f"sorted({many.id})[0]; {many.id} is a list with elements",
                    draft=draft,
                )


def _is_ordered(facts: Facts, many: ast.Name, keywords: list[ast.keyword]) -> bool:
    """Say whether all elements (or their keys) compare with each other, as NaN and sets do not."""
    match keywords:
        case []:
            return ordered(element_of(facts.kind(many)))
        case [ast.keyword(arg="key", value=key)]:
            return facts.is_builtin(key, "len", "str", "repr", "int", "ord")
    return False


def _minimum(node: cst.Subscript) -> cst.BaseExpression:
    import libcst as cst  # noqa: PLC0415  (0.3 s, and most looks rewrite nothing)

    assert isinstance(node.value, cst.Call)
    return rename(node.value, "min").with_changes(lpar=node.lpar, rpar=node.rpar)


def _is_filled(facts: Facts, many: ast.Name) -> bool:
    """Say whether the list ``many`` was seen to have elements, with only reading since."""
    source = facts.source
    statement = source.statement_of(many)
    if source.scope_of(many).kind != "function":
        return False
    block = source.block_of(statement)
    earlier = block[: block.index(statement)]
    for one in reversed(earlier):
        if _leaves_if_empty(one, many.id):
            return True
        if not _is_calm(one, many.id):
            return False
    holder = source.parent(statement)
    if not isinstance(holder, (ast.If, ast.While)) or block is not holder.body:
        return False
    return isinstance(holder.test, ast.Name) and holder.test.id == many.id


def _leaves_if_empty(statement: ast.stmt, name: str) -> bool:
    match statement:
        case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=word)), body=body):
            out = (ast.Return, ast.Raise, ast.Continue, ast.Break)
            return word == name and isinstance(body[-1], out) and not statement.orelse
    return False


def _is_calm(statement: ast.stmt, name: str) -> bool:
    """Say whether a statement neither names the list nor calls anything."""
    return not any(
        isinstance(one, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom))
        or (isinstance(one, ast.Name) and one.id == name)
        for one in ast.walk(statement)
    )
