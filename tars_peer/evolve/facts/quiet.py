"""Which code surely cannot change a container that it was not handed: no unknown code runs in it.

"Quiet" code calls only builtins, methods of builtin types, records, and functions of the genome
that are quiet themselves; it changes nothing but its own fresh containers. Comparing, hashing,
iterating and reading an attribute are taken to change nothing. No rewriting may enter here.
"""

from __future__ import annotations

import ast

from tars_peer.evolve.facts.kinds import MUTABLE, present
from tars_peer.evolve.facts.lookup import class_type
from tars_peer.evolve.facts.project import Definition, imported_as
from tars_peer.evolve.facts.source import Source
from tars_peer.evolve.facts.types import Types
from tars_peer.evolve.facts.uses import READING_METHODS, binding_value

#: Builtins that run nothing but the dunder methods of what they are given.
_BUILTINS = frozenset({
    "abs", "all", "any", "ascii", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod",
    "enumerate", "float", "format", "frozenset", "hash", "hex", "id", "int", "isinstance",
    "issubclass", "len", "list", "max", "min", "oct", "ord", "pow", "range", "repr", "reversed",
    "round", "set", "slice", "sorted", "str", "sum", "tuple", "type", "zip",
})  # fmt: skip
_MODULES = ("re.", "math.", "string.", "operator.", "collections.", "datetime.", "decimal.")
_BUILTIN_TYPES = MUTABLE | {"str", "bytes", "int", "float", "frozenset", "tuple", "tuple*", "range"}
_BUILTIN_TYPES |= {"date", "datetime", "timedelta"}
_LOUD = (
    ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith, ast.With, ast.Import,
    ast.ImportFrom, ast.Global, ast.Nonlocal, ast.ClassDef, ast.AsyncFunctionDef, ast.FunctionDef,
)  # fmt: skip


class Quiet:
    """Answers for one project; keeps what it found of each function."""

    def __init__(self, types: Types) -> None:
        """Ask ``types`` what receivers are."""
        self._types = types
        self._functions: dict[ast.AST, bool] = {}

    def region(self, source: Source, *nodes: ast.AST) -> bool:
        """Say whether all of ``nodes`` are quiet, attributes of objects aside."""
        return all(
            self._node(source, one, strict=False) for node in nodes for one in ast.walk(node)
        )

    def function(self, found: Definition) -> bool:
        """Say whether calling a function of the genome is quiet and changes no object either."""
        node = found.node
        if node not in self._functions:
            # A function that calls itself is as quiet as the rest of it.
            self._functions[node] = True
            self._functions[node] = self._body(found)
        return self._functions[node]

    def call(self, source: Source, node: ast.Call) -> bool:
        """Say whether this call runs no unknown code and changes only fresh containers."""
        func = node.func
        if any(self._hands_on_code(source, one) for one in node.keywords):
            return False
        if source.scopes.is_builtin(func, *_BUILTINS) or self._raised(source, node):
            return True
        outside = imported_as(source, func)
        if outside is not None and outside.startswith(_MODULES):
            return not self._types.lookup.project.has_module(outside.partition(".")[0])
        found = self._types.lookup.called(source, func)
        if found is not None:
            return self._known(found)
        if isinstance(func, ast.Attribute):
            owner = present(self._types.of(source, func.value))
            if owner.name in _BUILTIN_TYPES:
                changes = owner.name in MUTABLE and func.attr not in READING_METHODS
                return not changes or self.is_fresh(source, func.value)
        return False

    def is_fresh(self, source: Source, node: ast.expr) -> bool:
        """Say whether ``node`` names a local container that was made right here."""
        if not isinstance(node, ast.Name):
            return False
        home = source.scopes.resolve(node.id, source.scope_of(node))
        if home is None or home.kind != "function":
            return False
        return all(self._makes(source, one) for one in home.bindings[node.id])

    def _makes(self, source: Source, binding: ast.AST) -> bool:
        value = binding_value(source, binding)
        match value:
            case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.SetComp():
                return True
            case ast.DictComp():
                return True
            case ast.Call(func=func):
                makers = ("dict", "list", "set", "sorted")
                outside = imported_as(source, func) or ""
                known = ("collections.deque", "collections.Counter", "collections.defaultdict")
                return source.scopes.is_builtin(func, *makers) or outside in known
        return False

    def _node(self, source: Source, node: ast.AST, *, strict: bool) -> bool:
        if isinstance(node, _LOUD):
            return False
        if isinstance(node, ast.Call):
            return self.call(source, node)
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            return self.is_fresh(source, node.value)
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            return not strict
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            kind = self._types.of(source, node.target).name
            return kind in _BUILTIN_TYPES - MUTABLE or self.is_fresh(source, node.target)
        return True

    def _body(self, found: Definition) -> bool:
        node, source = found.node, found.source
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            return False
        return all(
            self._node(source, one, strict=True)
            for statement in node.body
            for one in ast.walk(statement)
        )

    def _known(self, found: Definition) -> bool:
        if not isinstance(found.node, ast.ClassDef):
            return self.function(found)
        bases = [ast.unparse(base) for base in found.node.bases]
        if not found.node.keywords and bases and not found.node.decorator_list:
            inside = {one.name for one in found.node.body if isinstance(one, ast.FunctionDef)}
            if not inside and all(base.endswith(("Error", "Exception")) for base in bases):
                return True
        return self._types.lookup.is_plain_record(class_type(found))

    def _raised(self, source: Source, node: ast.Call) -> bool:
        """Say whether this makes a builtin exception."""
        return (
            isinstance(node.func, ast.Name)
            and node.func.id.endswith("Error")
            and source.scopes.is_builtin(node.func, node.func.id)
        )

    def _hands_on_code(self, source: Source, keyword: ast.keyword) -> bool:
        """Say whether ``key=`` and its like give a function that is not seen through."""
        if keyword.arg not in ("key", "default_factory"):
            return False
        if isinstance(keyword.value, ast.Lambda):
            return not self.region(source, keyword.value.body)
        return not source.scopes.is_builtin(keyword.value, *_BUILTINS)
