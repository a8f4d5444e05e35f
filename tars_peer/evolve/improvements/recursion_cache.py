"""A pure function that calls itself more than once solves the same parts again and again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import Type, hashable
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.uses import binding_value
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import decorated

#: Builtins whose result follows from their arguments alone.
_PURE = (
    "abs", "all", "any", "bool", "divmod", "enumerate", "int", "isinstance", "len", "max", "min",
    "ord", "chr", "pow", "range", "reversed", "round", "sorted", "str", "sum", "tuple", "zip",
)  # fmt: skip
#: All that the body of such a function may be made of.
_ALLOWED = (
    ast.Return, ast.If, ast.For, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Pass,
    ast.Break, ast.Continue, ast.Expr, ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp,
    ast.Compare, ast.IfExp, ast.Call, ast.Tuple, ast.Subscript, ast.Slice, ast.GeneratorExp,
    ast.ListComp, ast.comprehension, ast.JoinedStr, ast.FormattedValue, ast.keyword,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context, ast.Attribute,
)  # fmt: skip
#: Answers kept; the least used go first. Bounded, because a service runs for months.
_SIZE = 4_096


class RecursionCache(Improvement):
    """Answers that were given once are kept."""

    name: ClassVar[str] = "recursion-cache"
    message: ClassVar[str] = "a pure recursive function solves the same again; keep its answers"
    expected_gain: ClassVar[float] = 0.7
    risk: ClassVar[float] = 1.8
    reach: ClassVar[Reach] = Reach.ALL
    guards: ClassVar[str] = (
        "An undecorated module-level function, bound once, all of whose parameters are annotated "
        "as whole numbers, strings, bytes or tuples of them, whose result is annotated immutable, "
        "and whose body uses its own names, module-level constants, pure builtins, string methods "
        "and itself; it calls itself in two places or in a loop. The cache is bounded."
    )
    needs: ClassVar[bytes] = b"def "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code('''
                """Crates."""

                from __future__ import annotations

                SIZES = ((2, 5), (3, 7))


                def hire(litres: int) -> int:
                    """Return the least cost."""
                    if litres <= 0:
                        return 0
                    return min(cost + hire(litres - size) for size, cost in SIZES)
            '''),
            after=code('''
                """Crates."""

                from __future__ import annotations

                from functools import lru_cache

                SIZES = ((2, 5), (3, 7))


                @lru_cache(maxsize=4096)
                def hire(litres: int) -> int:
                    """Return the least cost."""
                    if litres <= 0:
                        return 0
                    return min(cost + hire(litres - size) for size, cost in SIZES)
            '''),
            check="hire(17)",
        ),
        Example(
            before=code("""
                def fib(n: int) -> int:
                    if n < 2:
                        return n
                    return fib(n - 1) + fib(n - 2)
            """),
            after=code("""
                from functools import lru_cache

                @lru_cache(maxsize=4096)
                def fib(n: int) -> int:
                    if n < 2:
                        return n
                    return fib(n - 1) + fib(n - 2)
            """),
            check="fib(15)",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Only one way down: nothing is solved twice.
        code("""
            def f(n: int) -> int:
                return 1 if n < 2 else n * f(n - 1)
        """),
        # The result could be changed by whoever gets it.
        code("""
            def f(n: int) -> list[int]:
                return [n] if n < 2 else f(n - 1) + f(n - 2)
        """),
        # Nothing says what comes in.
        code("""
            def f(n) -> int:
                return n if n < 2 else f(n - 1) + f(n - 2)
        """),
        # 1 and 1.0 would share an answer.
        code("""
            def f(n: float) -> float:
                return n if n < 2 else f(n - 1) + f(n - 2)
        """),
        # Reads what may change.
        code("""
            STEP = [1]

            def f(n: int) -> int:
                return n if n < 2 else f(n - STEP[0]) + f(n - 2)
        """),
        code("""
            STEP = 1

            def tune():
                global STEP
                STEP = 2

            def f(n: int) -> int:
                return n if n < 2 else f(n - STEP) + f(n - 2)
        """),
        # Does something.
        code("""
            def f(n: int) -> int:
                print(n)
                return n if n < 2 else f(n - 1) + f(n - 2)
        """),
        # Calls what is not known.
        code("""
            import random

            def f(n: int) -> int:
                return n if n < 2 else f(n - 1) + f(random.randrange(n))
        """),
        # A generator, and a method.
        code("""
            def f(n: int) -> int:
                yield n
                yield from f(n - 1)
                yield from f(n - 2)
        """),
        code("""
            class A:
                def f(self, n: int) -> int:
                    return n if n < 2 else self.f(n - 1) + self.f(n - 2)
        """),
        # Kept already.
        code("""
            from functools import cache

            @cache
            def f(n: int) -> int:
                return n if n < 2 else f(n - 1) + f(n - 2)
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield pure functions that branch into themselves."""
        if not facts.may_import():
            return
        for scope in facts.functions():
            node = scope.function
            if not isinstance(node, ast.FunctionDef) or node.decorator_list or scope.generator:
                continue
            module = facts.source.scopes.module
            if scope.parent is not module or module.bindings.get(node.name) != [node]:
                continue
            calls = _calls_of_itself(facts, scope)
            if not calls or not _signature_is_plain(facts, scope) or not _is_pure(facts, scope):
                continue
            draft = Draft(facts.source, scope)
            decorator = f"{draft.need('functools', 'lru_cache')}(maxsize={_SIZE})"
            draft.function(partial(decorated, decorator))
            yield Hit(
                function=scope,
                line=node.lineno,
                subject="",
                evidence=f"{node.name} is pure and calls itself in {len(calls)} place(s)",
                draft=draft,
            )


def _calls_of_itself(facts: Facts, scope: Scope) -> list[ast.Call]:
    """Return the calls of itself, where there are two or one in a loop; all uses are calls."""
    name = scope.function.name
    calls: list[ast.Call] = []
    for node in facts.source.scopes.module.references.get(name, []):
        if not facts.source.inside(node, scope.node):
            continue
        call = facts.source.parent(node)
        if not isinstance(call, ast.Call) or call.func is not node:
            return []
        calls.append(call)
    branches = len(calls) > 1 or any(facts.source.loops_around(call) for call in calls)
    return calls if branches else []


def _signature_is_plain(facts: Facts, scope: Scope) -> bool:
    """Say whether keys can be hashed, equal keys mean the same, and answers cannot change."""
    node = scope.function
    arguments = node.args
    if arguments.vararg or arguments.kwarg or not (arguments.args or arguments.posonlyargs):
        return False
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    notes = facts.types.lookup.annotations
    kinds = [notes.type_of(facts.source, one.annotation) for one in every]
    result = notes.type_of(facts.source, node.returns)
    return all(_is_key(kind) for kind in kinds) and hashable(result)


def _is_key(kind: Type) -> bool:
    if kind.name in ("tuple", "tuple*"):
        return all(_is_key(one) for one in kind.args)
    return kind.name in ("int", "str", "bytes")


def _is_pure(facts: Facts, scope: Scope) -> bool:
    for statement in scope.function.body:
        for one in ast.walk(statement):
            if not isinstance(one, _ALLOWED) or not _is_pure_node(facts, scope, one):
                return False
    return True


def _is_pure_node(facts: Facts, scope: Scope, node: ast.AST) -> bool:
    source = facts.source
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            home = source.scopes.resolve(name, source.scope_of(node))
            if home is source.scopes.module:
                return name == scope.function.name or _is_constant(facts, name)
            if home is None:
                call = source.parent(node)
                is_error = name.endswith("Error")
                called = isinstance(call, ast.Call) and call.func is node
                return called and (is_error or facts.is_builtin(node, *_PURE))
            return True
        case ast.Call(func=ast.Attribute(value=value)):
            return facts.kind(value).name == "str"
        case ast.Call(func=func):
            return isinstance(func, ast.Name)
        case ast.Attribute(ctx=context):
            call = source.parent(node)
            is_method = isinstance(call, ast.Call) and call.func is node
            return is_method and isinstance(context, ast.Load)
        case ast.Subscript(ctx=context):
            return isinstance(context, ast.Load)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return isinstance(target, ast.Name)
        case ast.Expr(value=value):
            return isinstance(value, ast.Constant)
    return True


def _is_constant(facts: Facts, name: str) -> bool:
    """Say whether a module-level name is bound once, to a value that cannot change."""
    bindings = facts.source.scopes.module.bindings.get(name, [])
    if len(bindings) != 1:
        return False
    value = binding_value(facts.source, bindings[0])
    # Functions and classes of the file may do anything; only plain values are constants.
    return (
        value is not None
        and _is_literal(value)
        and not facts.project.may_rebind(name, besides=facts.source.path)
    )


def _is_literal(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Tuple(elts=elements):
            return all(_is_literal(one) for one in elements)
    return False
