"""A constant dict, list or set is built at every call; at module level it is built once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts, Local
from tars_peer.evolve.facts.scope import BUILTINS
from tars_peer.evolve.facts.uses import READING_METHODS, Kind, Use
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.text import dedented

_READING = (Kind.CONTAINS, Kind.TRUTH, Kind.ITERATED, Kind.SUBSCRIPT, Kind.READ_BY)
_LEAST = 2
#: Types that a table may name: whoever asks gets the same one.
_TYPES = frozenset(
    one.__name__
    for one in (
        *(bool, bytearray, bytes, complex, dict, float, frozenset),
        *(int, list, object, set, str, tuple, type),
    )
)


class ConstantHoist(Improvement):
    """What never changes needs to be made only once."""

    name: ClassVar[str] = "constant-hoist"
    message: ClassVar[str] = "a constant table is built at every call; build it once"
    expected_gain: ClassVar[float] = 0.4
    risk: ClassVar[float] = 1.1
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "A dict, list or set display of constants and builtin types only, bound once to a local "
        "name that is only read (looked up, searched, iterated, measured), never returned, passed "
        "on, changed or seen by a closure; its elements cannot change either. Its comments go "
        "along."
    )
    needs: ClassVar[bytes] = b"def "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code('''
                """Names."""


                def event(word):
                    """Translate."""
                    names = {
                        "ACC": "accepted",  # at the counter
                        "ARR": ("arrived", -1),
                    }  # fmt: skip
                    if word not in names:
                        raise KeyError(word)
                    return names[word]
            '''),
            after=code('''
                """Names."""


                _NAMES = {
                    "ACC": "accepted",  # at the counter
                    "ARR": ("arrived", -1),
                }  # fmt: skip


                def event(word):
                    """Translate."""
                    if word not in _NAMES:
                        raise KeyError(word)
                    return _NAMES[word]
            '''),
            check="event('ACC'), event('ARR')",
        ),
        Example(
            before=code("""
                class Code:
                    def check(self, digits):
                        # By position.
                        weights: list[int] = [8, 6, 4]
                        limits = {1, len(digits)}
                        total = 0
                        for i in range(len(weights)):
                            total += weights[i] * digits[i]
                        return total, total in limits
            """),
            after=code("""
                # By position.
                _WEIGHTS: list[int] = [8, 6, 4]


                class Code:
                    def check(self, digits):
                        limits = {1, len(digits)}
                        total = 0
                        for i in range(len(_WEIGHTS)):
                            total += _WEIGHTS[i] * digits[i]
                        return total, total in limits
            """),
            check="Code().check([1, 2, 3])",
        ),
        Example(
            before=code("""
                def rank(value):
                    ranks = {type(None): 0, bool: 1, int: 2, float: 3}
                    return ranks.get(type(value), 9)
            """),
            after=code("""
                _RANKS = {type(None): 0, bool: 1, int: 2, float: 3}


                def rank(value):
                    return _RANKS.get(type(value), 9)
            """),
            check="rank(None), rank(True), rank(1.5), rank('')",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Handed out: the caller may change it.
        code("""
            def f(k):
                table = {"a": 1, "b": 2}
                return table
        """),
        code("""
            def f(k, g):
                table = {"a": 1, "b": 2}
                return g(table)
        """),
        # Changed.
        code("""
            def f(k):
                table = {"a": 1, "b": 2}
                table[k] = 3
                return table["a"]
        """),
        code("""
            def f(k):
                table = {"a": 1, "b": 2}
                return table.pop(k)
        """),
        # Not constant, or its elements are not.
        code("""
            def f(k):
                table = {"a": k, "b": 2}
                return table["a"]
        """),
        code("""
            def f(k):
                table = {"a": [], "b": []}
                return table["a"]
        """),
        # A name that means something else here.
        code("""
            from lib import str


            def f(k):
                table = {int: 1, str: 2}
                return table[k]
        """),
        code("""
            def f(k, type):
                table = {type(None): 1, int: 2}
                return table[k]
        """),
        # Bound twice.
        code("""
            def f(k):
                table = {"a": 1, "b": 2}
                if k:
                    table = {}
                return table["a"]
        """),
        # Seen by a closure.
        code("""
            def f(k):
                table = {"a": 1, "b": 2}
                return lambda: table["a"]
        """),
        # Names may be used that no one can see.
        code("""
            def f(k):
                table = {"a": 1, "b": 2}
                return table["a"], locals()
        """),
        # A tuple of constants is made when the function is compiled.
        code("""
            def f(k):
                table = (1, 2, 3)
                return k in table
        """),
        # The annotation would be evaluated.
        code("""
            def f(k):
                table: Dict[str, int] = {"a": 1, "b": 2}
                return table["a"]
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield local names of constant tables that are only read."""
        for local in facts.locals(ast.Dict, ast.List, ast.Set):
            if not _is_constant_table(facts, local.value) or not local.uses:
                continue
            if not all(_only_reads(facts, use, local) for use in local.uses):
                continue
            if not self._may_move(facts, local):
                continue
            yield Hit(
                function=local.scope,
                line=local.statement.lineno,
                subject=local.name,
                evidence=f"{local.name} is a constant table that is only read",
                draft=self._draft(facts, local),
            )

    def _may_move(self, facts: Facts, local: Local) -> bool:
        if not facts.source.owns_line(local.statement):
            return False
        if len(facts.source.block_of(local.statement)) == 1:
            return False
        return local.annotation is None or _is_known(facts, local.annotation)

    def _draft(self, facts: Facts, local: Local) -> Draft:
        draft = Draft(facts.source, local.scope)
        stem = local.name.strip("_").upper()
        function = local.scope.function.name.strip("_").upper()
        name = draft.fresh(f"_{stem}", f"_{function}_{stem}")
        statement = local.statement
        text = dedented(facts.source, statement, statement)
        text = name + text.removeprefix(local.name)
        comments: list[str] = []
        line = statement.lineno - 1
        while facts.source.line(line).strip().startswith("#"):
            comments.insert(0, facts.source.line(line).strip())
            line -= 1
        end = facts.source.line(statement.end_lineno or statement.lineno)
        trailing = end.encode()[statement.end_col_offset :].decode().rstrip()
        draft.constant("\n".join([*comments, text + trailing]))
        draft.remove(statement)
        for use in local.uses:
            draft.replace(use.node, name)
        return draft


def _is_constant_table(facts: Facts, node: ast.expr) -> bool:
    match node:
        case ast.Dict(keys=keys, values=values):
            parts = [*keys, *values]
        case ast.List(elts=elements) | ast.Set(elts=elements):
            parts = list(elements)
        case _:
            return False
    return len(parts) >= _LEAST and all(
        part is not None and _is_constant(facts, part) for part in parts
    )


def _is_constant(facts: Facts, node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
            return True
        case ast.Tuple(elts=elements):
            return all(_is_constant(facts, one) for one in elements)
        case ast.Name(id=name):
            return name in _TYPES and facts.is_builtin(node, name)
        case ast.Call(func=ast.Name(id="type") as asked, args=[ast.Constant(value=None)]):
            return not node.keywords and facts.is_builtin(asked, "type")
    return False


def _only_reads(facts: Facts, use: Use, local: Local) -> bool:
    if use.kind is Kind.METHOD:
        return use.word in READING_METHODS - {"copy"} and not _is_kept_view(facts, use)
    return use.kind in _READING and not facts.source.inside(use.node, local.statement)


def _is_kept_view(facts: Facts, use: Use) -> bool:
    """Say whether a view of the table is handed on and might show that it is shared."""
    if use.word not in ("items", "keys", "values"):
        return False
    parent = facts.source.parent(use.call) if use.call else None
    return not (isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is use.call)


def _is_known(facts: Facts, annotation: ast.expr) -> bool:
    """Say whether an annotation can be evaluated at module level, before everything else."""
    if any(
        isinstance(one, ast.ImportFrom)
        and one.module == "__future__"
        and any(alias.name == "annotations" for alias in one.names)
        for one in facts.source.tree.body
    ):
        return True
    names = [one for one in ast.walk(annotation) if isinstance(one, ast.Name)]
    return all(one.id in BUILTINS and facts.is_builtin(one, one.id) for one in names)
