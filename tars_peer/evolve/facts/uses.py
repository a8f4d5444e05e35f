"""What is done with a value where its name is read: tested, iterated, mutated, let go.

A use that is not in the table is ``OTHER``: it may do anything with the value, so guards that ask
for certain uses only are safe by default. No types may enter here.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import StrEnum

from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.source import Source


class Kind(StrEnum):
    """Kinds of use of a container."""

    CONTAINS = "contains"
    ITERATED = "iterated"
    SUBSCRIPT = "subscript"
    STORED = "stored"
    METHOD = "method"
    READ_BY = "read by"
    TRUTH = "truth"
    RETURNED = "returned"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use. ``word`` is the method's or the reading builtin's name; ``call`` that call."""

    kind: Kind
    node: ast.Name
    word: str = ""
    call: ast.Call | None = None

    @property
    def alone(self) -> bool:
        """True for a method called with positional arguments only."""
        return self.call is not None and not self.call.keywords


#: Builtins that look at their argument while they run and keep nothing of the container itself.
READERS = frozenset(
    {"all", "any", "dict", "frozenset", "len", "list", "max", "min", "set", "sorted"}
    | {"str", "sum", "tuple", "bool"}
)
#: The same, but lazily: they hold on to the container while their result is used.
LAZY_READERS = frozenset({"enumerate", "reversed", "zip"})

#: Methods of lists, dicts, sets and deques that change nothing.
READING_METHODS = frozenset(
    {"copy", "count", "get", "index", "items", "keys", "values", "issubset", "issuperset"}
    | {"isdisjoint", "union", "difference", "intersection", "symmetric_difference"}
)


def use_of(source: Source, node: ast.Name) -> Use:
    """Say what is done with the value that ``node`` reads."""
    parent = source.parent(node)
    match parent:
        case ast.Compare(ops=ops, comparators=others) if node in others:
            operator = ops[others.index(node)]
            if isinstance(operator, (ast.In, ast.NotIn)):
                return Use(kind=Kind.CONTAINS, node=node)
        case ast.For() | ast.comprehension() if parent.iter is node:
            return Use(kind=Kind.ITERATED, node=node)
        case ast.Subscript(value=value, ctx=context) if value is node:
            kind = Kind.SUBSCRIPT if isinstance(context, ast.Load) else Kind.STORED
            return Use(kind=kind, node=node)
        case ast.Attribute(attr=word):
            call = source.parent(parent)
            if isinstance(call, ast.Call) and call.func is parent:
                return Use(kind=Kind.METHOD, node=node, word=word, call=call)
        case ast.Call(func=ast.Name(id=word)) if node in parent.args:
            known = source.scopes.is_builtin(parent.func, *READERS)
            lazy = source.scopes.is_builtin(parent.func, *LAZY_READERS)
            if known or (lazy and _iterated(source, parent)):
                return Use(kind=Kind.READ_BY, node=node, word=word, call=parent)
        case _ if _tested(source, node, parent):
            return Use(kind=Kind.TRUTH, node=node)
        case _ if _returned(source, parent):
            return Use(kind=Kind.RETURNED, node=node)
    return Use(kind=Kind.OTHER, node=node)


def uses_of(source: Source, scope: Scope, name: str) -> list[Use]:
    """Return all uses of ``scope``'s own ``name`` in the order of the file."""
    nodes = sorted(scope.references.get(name, ()), key=lambda one: (one.lineno, one.col_offset))
    return [use_of(source, node) for node in nodes]


def _iterated(source: Source, call: ast.Call) -> bool:
    parent = source.parent(call)
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.iter is call


def _tested(source: Source, node: ast.AST, parent: ast.AST | None) -> bool:
    """Say whether only the truth of ``node`` matters."""
    if isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
        return True
    if isinstance(parent, ast.BoolOp):
        return _tested(source, parent, source.parent(parent))
    tests = (ast.If, ast.While, ast.IfExp, ast.Assert)
    return isinstance(parent, tests) and parent.test is node


def _returned(source: Source, parent: ast.AST | None) -> bool:
    if isinstance(parent, ast.Tuple):
        parent = source.parent(parent)
    return isinstance(parent, ast.Return)


def binding_value(source: Source, binding: ast.AST) -> ast.expr | None:
    """Return the value of ``name = value`` or ``name: type = value`` for the name it binds.

    None where the binding is anything else (a parameter, a loop, unpacking, several targets).
    """
    parent = source.parent(binding)
    match parent:
        case ast.Assign(targets=[target], value=value) if target is binding:
            return value
        case ast.AnnAssign(target=target, value=value) if target is binding:
            return value
    return None


def only_binding(source: Source, scope: Scope, name: str) -> ast.Assign | ast.AnnAssign | None:
    """Return the one assignment that binds ``name``, where there is exactly one binding."""
    bindings = scope.bindings.get(name, [])
    if len(bindings) != 1 or name in scope.elsewhere:
        return None
    statement = source.parent(bindings[0])
    if binding_value(source, bindings[0]) is None:
        return None
    return statement if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
