"""``"".join(generator)`` makes a list of the generator first; a comprehension is that list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft

if TYPE_CHECKING:
    import libcst as cst


class JoinList(Improvement):
    """``str.join`` reads its argument twice, so it copies a generator into a list anyway."""

    name: ClassVar[str] = "join-list"
    message: ClassVar[str] = "join copies a generator into a list; give it the list"
    expected_gain: ClassVar[float] = 0.05
    risk: ClassVar[float] = 1.0
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "A string literal's join (or one proved to be of a string) with one generator expression "
        "that awaits nothing and calls no unknown code: a StopIteration that leaves a generator "
        "is another error than one that leaves a list. All else, order and errors, is the same."
    )
    needs: ClassVar[bytes] = b".join("
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def f(xs, sep: str):
                    return ", ".join(str(x) for x in xs if x) + sep.join(str(x) for x in xs)
            """),
            after=code("""
                def f(xs, sep: str):
                    return ", ".join([str(x) for x in xs if x]) + sep.join([str(x) for x in xs])
            """),
            check="f([1, 0, 2], '-')",
        ),
        Example(
            before=code("""
                def f(rows):
                    return "".join(
                        # one line a row
                        "-".join(cell for cell in row)
                        for row in rows
                    )
            """),
            after=code("""
                def f(rows):
                    return "".join([
                        # one line a row
                        "-".join([cell for cell in row])
                        for row in rows
                    ])
            """),
            check="f(['ab', 'c'])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        code("""
            def f(xs, sep):
                return sep.join(x for x in xs)
        """),
        code("""
            def f(xs):
                return ",".join(next(x) for x in xs)
        """),
        code("""
            def f(xs, g):
                return ",".join(g(x) for x in xs)
        """),
        code("""
            async def f(xs):
                return ",".join([await x for x in xs])
        """),
        code("""
            def f(xs):
                return ",".join([x for x in xs])
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield functions with joins of generators, with all their joins at once."""
        by_function: dict[Scope, list[ast.Call]] = {}
        for call in facts.source.nodes(ast.Call):
            function = facts.source.function_of(call)
            if function is not None and _joins_generator(facts, call):
                by_function.setdefault(function, []).append(call)
        for function, calls in by_function.items():
            draft = Draft(facts.source, function)
            for call in calls:
                draft.expression(call, _with_list)
            yield Hit(
                function=function,
                line=min(call.lineno for call in calls),
                subject="",
                evidence=f"{len(calls)} join(s) of a generator",
                draft=draft,
            )


def _joins_generator(facts: Facts, call: ast.Call) -> bool:
    match call:
        case ast.Call(
            func=ast.Attribute(value=value, attr="join"),
            args=[ast.GeneratorExp() as generator],
            keywords=[],
        ):
            loud = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
            inside = list(ast.walk(generator))
            if any(isinstance(one, loud) for one in inside):
                return False
            if any(one.is_async for one in generator.generators):
                return False
            return facts.kind(value).name == "str" and facts.quiet.region(facts.source, generator)
    return False


def _with_list(call: cst.Call) -> cst.Call:
    import libcst as cst  # noqa: PLC0415  (0.3 s, and most looks rewrite nothing)

    generator = call.args[0].value
    assert isinstance(generator, cst.GeneratorExp)
    # The generator's own parentheses are the call's; what stands inside of them goes along.
    opening, closing = call.whitespace_before_args, call.args[0].whitespace_after_arg
    bracket = cst.LeftSquareBracket()
    if generator.lpar:
        inner = generator.lpar[0].whitespace_after
        bracket = cst.LeftSquareBracket(whitespace_after=inner)
        end = cst.RightSquareBracket(whitespace_before=generator.rpar[0].whitespace_before)
    else:
        bracket = cst.LeftSquareBracket(whitespace_after=opening)
        end = cst.RightSquareBracket(whitespace_before=closing)
        opening = closing = cst.SimpleWhitespace("")
    made = cst.ListComp(elt=generator.elt, for_in=generator.for_in, lbracket=bracket, rbracket=end)
    argument = call.args[0].with_changes(value=made, whitespace_after_arg=closing)
    return call.with_changes(args=[argument], whitespace_before_args=opening)
