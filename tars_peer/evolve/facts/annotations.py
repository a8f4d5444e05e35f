"""Types from annotations: builtins, ``typing`` and ``collections.abc`` names, aliases, classes.

Annotations are trusted: a genome that lies in them is caught by its own tests. Nothing is
inferred from values here.
"""

from __future__ import annotations

import ast

from tars_peer.evolve.facts.kinds import ANY, ATOMS, NONE, Type, join
from tars_peer.evolve.facts.project import Project, imported_as, imported_as_alias
from tars_peer.evolve.facts.source import Source

_DEPTH = 12
_ABSTRACT = frozenset(
    {"Collection", "Iterable", "Iterator", "Generator", "Sequence", "Set", "AbstractSet"}
    | {"MutableSequence", "MutableSet", "KeysView", "ValuesView"}
)
_NAMED = {"List": "list", "Dict": "dict", "Set": "set", "FrozenSet": "frozenset", "Deque": "deque"}
_OUTSIDE = {
    "datetime.date": Type("date"),
    "datetime.datetime": Type("datetime"),
    "datetime.time": Type("time"),
    "datetime.timedelta": Type("timedelta"),
    "collections.deque": Type("deque", (ANY,)),
}
_BARE = {"list": 1, "set": 1, "frozenset": 1, "dict": 2}


class Annotations:
    """Reads annotations of one project."""

    def __init__(self, project: Project) -> None:
        """Resolve names in ``project``."""
        self._project = project

    def type_of(self, source: Source, node: ast.expr | None, depth: int = _DEPTH) -> Type:
        """Return the type that ``node``, an annotation in ``source``, means."""
        if node is None or depth == 0:
            return ANY
        match node:
            case ast.Constant(value=None):
                return NONE
            case ast.Constant(value=str(text)):
                return self._quoted(source, text, depth)
            case ast.Name() | ast.Attribute():
                return self._plain(source, node, depth)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                sides = (left, right)
                return join(self.type_of(source, side, depth - 1) for side in sides)
            case ast.Subscript(value=value, slice=inner):
                return self._generic(source, value, inner, depth)
        return ANY

    def _quoted(self, source: Source, text: str, depth: int) -> Type:
        try:
            node = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return ANY
        return self.type_of(source, node, depth - 1)

    def _plain(self, source: Source, node: ast.expr, depth: int) -> Type:
        origin = _origin(source, node)
        if origin in _OUTSIDE:
            return _OUTSIDE[origin]
        if not isinstance(node, ast.Name):
            return ANY
        if node in source.scopes.scope_of:
            home = source.scopes.resolve(node.id, source.scope_of(node))
            if home is not None and home is not source.scopes.module:
                return ANY
        return self._name(source, node.id, depth)

    def _name(self, source: Source, name: str, depth: int) -> Type:
        if name not in source.scopes.module.bindings:
            if name in _BARE:
                return Type(name, (ANY,) * _BARE[name])
            return Type(name) if name in ATOMS and not source.scopes.starred else ANY
        found = self._project.definition(source, name)
        if found is None:
            return ANY
        if isinstance(found.node, ast.ClassDef):
            return Type("class", origin=f"{found.source.path}:{found.node.name}")
        statement = found.source.parent(found.node)
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and _is_type(statement.value):
            return self.type_of(found.source, statement.value, depth - 1)
        return ANY

    def _generic(self, source: Source, value: ast.expr, inner: ast.expr, depth: int) -> Type:
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        name = value.id if isinstance(value, ast.Name) else ""
        package = "builtins"
        if name not in _BARE and name != "tuple":
            package, _, name = (_origin(source, value) or "").rpartition(".")
            if package not in ("typing", "collections.abc", "collections"):
                return ANY
        elif name in source.scopes.module.bindings:
            return ANY
        args = tuple(self.type_of(source, part, depth - 1) for part in parts)
        match name:
            case "tuple" | "Tuple" if len(parts) == 2 and _is_ellipsis(parts[1]):  # noqa: PLR2004
                return Type("tuple*", args[:1])
            case "tuple" | "Tuple":
                return Type("tuple", args)
            case "Optional":
                return join([*args, NONE])
            case "Union":
                return join(args)
            case "Final" | "Annotated" | "ClassVar":
                return args[0]
            case _ if name in _ABSTRACT and (name, package) != ("Set", "typing"):
                return Type("iterable", args[:1])
        known = _NAMED.get(name, name)
        if known in ("list", "set", "frozenset", "deque") and len(args) == 1:
            return Type(known, args)
        return Type("dict", args) if known == "dict" and len(args) == len("kv") else ANY


def _origin(source: Source, node: ast.expr) -> str | None:
    """Return the dotted name from outside that an annotation's name means.

    A quoted name has no place in the tree; it is one of the module level.
    """
    if isinstance(node, ast.Name) and node not in source.scopes.scope_of:
        bindings = source.scopes.module.bindings.get(node.id, [])
        return imported_as_alias(source, bindings[0]) if len(bindings) == 1 else None
    root = node
    while isinstance(root, ast.Attribute):
        root = root.value
    return imported_as(source, node) if root in source.scopes.scope_of else None


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_type(node: ast.expr | None) -> bool:
    """Say whether a module-level value looks like a type alias."""
    return isinstance(node, (ast.Subscript, ast.BinOp, ast.Name, ast.Attribute))
