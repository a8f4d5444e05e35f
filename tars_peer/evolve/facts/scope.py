"""Who binds and who reads each name, for one parsed file.

Written with a stack of its own, so deep expressions cannot overflow. No types and no rewriting
may enter here.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field

#: Builtins through which code reads or writes names that no one can see in the text: of any scope
#: around, and of their own function only (these only without an argument).
_DYNAMIC_AROUND = frozenset({"eval", "exec", "globals"})
_DYNAMIC_HERE = frozenset({"dir", "locals", "vars"})
BUILTINS = frozenset(dir(builtins))

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
#: Contexts and operators are one object for the whole process: they have no place of their own.
_SHARED_NODES = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)
#: Builtins that consume a generator at once, so that it never runs later.
_CONSUMERS = frozenset(
    {"all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"}
)


@dataclass(slots=True, kw_only=True, eq=False)
class Scope:
    """A namespace. ``kind`` is module, class, function, lambda or comprehension.

    ``bindings`` maps a name to the nodes that bind or delete it; ``references`` to the loads that
    mean this scope's name, from wherever they are. ``dynamic`` is true where names may be used
    that no one can see. ``generator`` is true where the body yields.
    """

    kind: str
    node: ast.AST
    parent: Scope | None
    qualname: str
    bindings: dict[str, list[ast.AST]] = field(default_factory=dict)
    references: dict[str, list[ast.Name]] = field(default_factory=dict)
    loads: list[ast.Name] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    dynamic: bool = False
    generator: bool = False

    @property
    def function(self) -> FunctionNode:
        """The ``def`` of this scope; only for scopes of kind function."""
        assert isinstance(self.node, (ast.FunctionDef, ast.AsyncFunctionDef))
        return self.node

    def bind(self, name: str, node: ast.AST) -> None:
        """Note that ``node`` binds ``name`` here."""
        self.bindings.setdefault(name, []).append(node)


@dataclass(slots=True, kw_only=True)
class ScopeMap:
    """All scopes of a file. ``starred`` is true with a star import: any name may be anything."""

    module: Scope
    scopes: list[Scope]
    scope_of: dict[ast.AST, Scope]
    parents: dict[ast.AST, ast.AST]
    by_type: dict[type, list[ast.AST]]
    starred: bool = False

    @property
    def opaque(self) -> bool:
        """True where any module-level name may be anything: a star import, or code as text."""
        return self.starred or self.module.dynamic

    def functions(self) -> Iterator[Scope]:
        """Yield the scopes of all ``def``s in the order of the file."""
        return (scope for scope in self.scopes if scope.kind == "function")

    def resolve(self, name: str, scope: Scope) -> Scope | None:
        """Return the scope that ``name``, read in ``scope``, belongs to; None for a builtin."""
        at: Scope | None = scope
        while at is not None:
            if name in at.bindings and name not in at.elsewhere:
                if at.kind != "class" or at is scope:
                    return at
            elif name in at.shared:
                return self.module if name in self.module.bindings else None
            at = at.parent
        return None

    def is_builtin(self, node: ast.AST, *names: str) -> bool:
        """Say whether ``node`` is a load of one of the builtins ``names``, surely not shadowed."""
        return (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id in names
            and node.id in BUILTINS
            and not self.opaque
            and self.resolve(node.id, self.scope_of[node]) is None
        )

    def captured(self, node: ast.AST, home: Scope) -> bool:
        """Say whether ``node`` may be evaluated later than where it stands in ``home``.

        True inside nested functions, lambdas and classes, and in generators that are not
        consumed at once.
        """
        at: Scope | None = self.scope_of[node]
        while at is not None and at is not home:
            if at.kind != "comprehension":
                return True
            if isinstance(at.node, ast.GeneratorExp) and not self._consumed(at.node):
                return True
            at = at.parent
        return False

    def _consumed(self, generator: ast.GeneratorExp) -> bool:
        call = self.parents[generator]
        if not isinstance(call, ast.Call) or len(call.args) != 1 or call.args[0] is not generator:
            return False
        if isinstance(call.func, ast.Attribute):
            return call.func.attr == "join" and isinstance(call.func.value, ast.Constant)
        return self.is_builtin(call.func, *_CONSUMERS)


class _Mapper:
    """Walks the tree once and fills a ``ScopeMap``."""

    def __init__(self, tree: ast.Module) -> None:
        module = Scope(kind="module", node=tree, parent=None, qualname="<module>")
        self.map = ScopeMap(module=module, scopes=[module], scope_of={}, parents={}, by_type={})
        self.around: list[Scope] = []
        self.stack: list[tuple[ast.AST, Scope]] = [(tree, module)]

    def run(self) -> ScopeMap:
        while self.stack:
            node, scope = self.stack.pop()
            self.map.scope_of[node] = scope
            self.map.by_type.setdefault(type(node), []).append(node)
            self._visit(node, scope)
        self._resolve()
        return self.map

    def _push(self, parent: ast.AST, children: list[tuple[ast.AST, Scope]]) -> None:
        parents = self.map.parents
        for child, scope in reversed(children):
            parents[child] = parent
            self.stack.append((child, scope))

    def _open(self, kind: str, node: ast.AST, parent: Scope, name: str) -> Scope:
        prefix = parent
        while prefix.kind == "comprehension" and prefix.parent is not None:
            prefix = prefix.parent
        if prefix.kind == "module":
            qualname = name
        elif prefix.kind == "class":
            qualname = f"{prefix.qualname}.{name}"
        else:
            qualname = f"{prefix.qualname}.<locals>.{name}"
        scope = Scope(kind=kind, node=node, parent=parent, qualname=qualname)
        self.map.scopes.append(scope)
        return scope

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            self._function(node, scope)
        elif isinstance(node, ast.ClassDef):
            scope.bind(node.name, node)
            inner = self._open("class", node, scope, node.name)
            body: list[tuple[ast.AST, Scope]] = [(child, inner) for child in node.body]
            outer = [*node.decorator_list, *node.bases, *node.keywords]
            self._push(node, [*((child, scope) for child in outer), *body])
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, scope)
        else:
            self._leaf(node, scope)
            children = [
                (child, scope)
                for child in ast.iter_child_nodes(node)
                if not isinstance(child, _SHARED_NODES)
            ]
            self._push(node, children)

    def _function(self, node: FunctionNode | ast.Lambda, scope: Scope) -> None:
        outer: list[ast.AST] = [*node.args.defaults]
        outer += [default for default in node.args.kw_defaults if default is not None]
        if isinstance(node, ast.Lambda):
            inner = self._open("lambda", node, scope, "<lambda>")
            body: list[ast.AST] = [node.body]
        else:
            scope.bind(node.name, node)
            inner = self._open("function", node, scope, node.name)
            body = [*node.body]
            outer += [*node.decorator_list, *([node.returns] if node.returns else [])]
        args = node.args
        parameters = [*args.posonlyargs, *args.args, *args.kwonlyargs]
        parameters += [one for one in (args.vararg, args.kwarg) if one is not None]
        for parameter in parameters:
            inner.bind(parameter.arg, parameter)
            self.map.scope_of[parameter] = inner
            self.map.parents[parameter] = node
            if parameter.annotation is not None:
                self._push(parameter, [(parameter.annotation, scope)])
        self._push(node, [*((one, scope) for one in outer), *((one, inner) for one in body)])

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        scope: Scope,
    ) -> None:
        inner = self._open("comprehension", node, scope, "<comprehension>")
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._push(node, [(part, inner) for part in parts])
        for place, generator in enumerate(node.generators):
            self.map.scope_of[generator] = inner
            self.map.parents[generator] = node
            self.map.by_type.setdefault(ast.comprehension, []).append(generator)
            # The first iterable is evaluated in the scope around.
            where = inner if place else scope
            inside = [(part, inner) for part in [generator.target, *generator.ifs]]
            self._push(generator, [(generator.iter, where), *inside])

    def _leaf(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                scope.loads.append(node)
            case ast.Name(id=name):
                self._home(node, scope).bind(name, node)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                scope.elsewhere.update(names)
                if isinstance(node, ast.Global):
                    scope.shared.update(names)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                for alias in aliases:
                    self.map.starred |= alias.name == "*"
                    scope.bind(alias.asname or alias.name.partition(".")[0], alias)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                scope.bind(name, node)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                scope.bind(name, node)
            case ast.Yield() | ast.YieldFrom():
                scope.generator = True
            case ast.Call(func=ast.Name(id=name), args=args):
                self._call(name, scope, alone=not args)

    def _call(self, name: str, scope: Scope, *, alone: bool) -> None:
        if name in _DYNAMIC_AROUND:
            self.around.append(scope)
        elif name in _DYNAMIC_HERE and alone:
            scope.dynamic = True

    def _home(self, node: ast.Name, scope: Scope) -> Scope:
        """A walrus binds outside of comprehensions; everything else where it stands."""
        parent = self.map.parents.get(node)
        if isinstance(parent, ast.NamedExpr) and parent.target is node:
            while scope.kind == "comprehension" and scope.parent is not None:
                scope = scope.parent
        return scope

    def _resolve(self) -> None:
        for scope in self.map.scopes:
            for name in scope.elsewhere & set(scope.bindings):
                self._lend(name, scope)
        for scope in self.map.scopes:
            for node in scope.loads:
                home = self.map.resolve(node.id, scope)
                if home is not None:
                    home.references.setdefault(node.id, []).append(node)
        for scope in [one for one in self.map.scopes if one.dynamic]:
            at: Scope | None = scope
            while at is not None and at.kind == "comprehension":
                at = at.parent
                assert at is not None
                at.dynamic = True
        for scope in self.around:
            at = scope
            while at is not None:
                at.dynamic, at = True, at.parent

    def _lend(self, name: str, scope: Scope) -> None:
        """Note bindings under ``global`` and ``nonlocal`` where they take effect."""
        nodes = scope.bindings[name]
        if name in scope.shared:
            self.map.module.bindings.setdefault(name, []).extend(nodes)
            return
        at = scope.parent
        while at is not None:
            if at.kind == "function" and name in at.bindings and name not in at.elsewhere:
                at.bindings[name].extend(nodes)
                return
            at = at.parent


def map_scopes(tree: ast.Module) -> ScopeMap:
    """Return who binds and who reads each name in ``tree``."""
    return _Mapper(tree).run()
