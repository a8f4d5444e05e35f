"""``for i in range(len(xs)): … xs[i]`` indexes what iterating gives anyway."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.stability import is_stable
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft


class RangeLen(Improvement):
    """A number is made, and used to find what was next in line."""

    name: ClassVar[str] = "range-len"
    message: ClassVar[str] = "elements are fetched by a counted index; iterate over them"
    expected_gain: ClassVar[float] = 0.15
    risk: ClassVar[float] = 1.1
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "The object is proved to be a list, tuple or string that nothing changes while the loop "
        "runs; the index is bound by the loop alone and used for nothing but this look-up, in the "
        "loop and after it."
    )
    needs: ClassVar[bytes] = b"range(len("
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def longest(words: list[str]) -> int:
                    best = 0
                    for i in range(len(words)):
                        if len(words[i]) > best:
                            best = len(words[i])
                    return best
            """),
            after=code("""
                def longest(words: list[str]) -> int:
                    best = 0
                    for words_item in words:
                        if len(words_item) > best:
                            best = len(words_item)
                    return best
            """),
            check="longest(['a', 'bbb', 'cc']), longest([])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # The index is used.
        code("""
            def f(xs: list[int]):
                total = 0
                for i in range(len(xs)):
                    total += i * xs[i]
                return total
        """),
        # Another one is indexed too: zip would stop early where this fails.
        code("""
            def f(xs: list[int], ys: list[int]):
                total = 0
                for i in range(len(xs)):
                    total += xs[i] * ys[i]
                return total
        """),
        # It is changed.
        code("""
            def f(xs: list[int]):
                for i in range(len(xs)):
                    xs[i] = xs[i] + 1
        """),
        # It grows: range was counted before.
        code("""
            def f(n: int):
                xs = [n]
                for i in range(len(xs)):
                    xs.append(xs[i])
                return xs
        """),
        # The index lives on.
        code("""
            def f(xs: list[int]):
                i = 0
                total = 0
                for i in range(len(xs)):
                    total += xs[i]
                return total, i
        """),
        code("""
            def f(xs):
                total = 0
                for i in range(len(xs)):
                    total += xs[i]
                return total
        """),
        code("""
            def f(xs: list[int], g):
                for i in range(len(xs)):
                    g(xs[i])
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield loops that count an index only to fetch elements."""
        for loop in facts.source.nodes(ast.For):
            match loop:
                case ast.For(
                    target=ast.Name(id=index) as target,
                    iter=ast.Call(
                        func=first,
                        args=[ast.Call(func=second, args=[ast.Name() as many], keywords=[])],
                        keywords=[],
                    ),
                ) if facts.is_builtin(first, "range") and facts.is_builtin(second, "len"):
                    pass
                case _:
                    continue
            function = facts.source.function_of(loop)
            if function is None or function.dynamic:
                continue
            if facts.kind(many).name not in ("list", "tuple*", "str"):
                continue
            fetched = _fetched(facts, function, loop, many.id, index)
            if not fetched or not is_stable(facts, many, loop):
                continue
            draft = Draft(facts.source, function)
            element = draft.fresh(f"{many.id}_item")
            draft.replace(target, element)
            draft.replace(loop.iter, many.id)
            for one in fetched:
                draft.replace(one, element)
            yield Hit(
                function=function,
                line=loop.lineno,
                subject=f"{many.id} {index}",
                evidence=f"{index} is used for nothing but {many.id}[{index}]",
                draft=draft,
            )


def _fetched(
    facts: Facts, function: Scope, loop: ast.For, name: str, index: str
) -> list[ast.Subscript]:
    """Return the loads of ``name[index]``, where the index is used for nothing else."""
    if function.bindings.get(index, []) != [loop.target] or index in function.elsewhere:
        return []
    found: list[ast.Subscript] = []
    for node in function.references.get(index, []):
        match facts.source.parent(node):
            case ast.Subscript(value=ast.Name(id=word), ctx=ast.Load()) as parent if (
                word == name and parent.slice is node
            ):
                in_body = any(facts.source.inside(node, one) for one in loop.body)
                if not in_body or facts.source.scopes.captured(node, function):
                    return []
                found.append(parent)
            case _:
                return []
    return found
