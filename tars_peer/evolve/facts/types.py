"""What type an expression surely has: from annotations, literals and how names are bound.

A name counts as typed only where every binding agrees; an unannotated container only where
everything that is put into it is seen. Anything else is ``ANY``. No guards may enter here.
"""

from __future__ import annotations

import ast

from tars_peer.evolve.facts.calls import builtin_result, method_result
from tars_peer.evolve.facts.kinds import (
    ANY,
    BOOL,
    BYTES,
    FLOAT,
    INT,
    MUTABLE,
    NONE,
    STR,
    Type,
    element_of,
    join,
    present,
)
from tars_peer.evolve.facts.lookup import Lookup, class_type
from tars_peer.evolve.facts.project import Project, imported_as
from tars_peer.evolve.facts.scope import BUILTINS, Scope
from tars_peer.evolve.facts.source import Source
from tars_peer.evolve.facts.uses import READING_METHODS, Kind, Use, binding_value, uses_of

_DEPTH = 40
#: An answer that takes more expressions than this is not worth having.
_STEPS = 2_000
_CONSTANTS = {bool: BOOL, int: INT, float: FLOAT, str: STR, bytes: BYTES, type(None): NONE}
_PUTS = {"append": 0, "add": 0, "appendleft": 0, "insert": 1, "remove": None, "pop": None}
_KEEPS = READING_METHODS | {"sort", "reverse", "clear", "discard", "popleft"}

#: Stand-ins for a variable that is being inferred right now, and for its elements.
_OPEN = ("pending", "element")
_WHOLE = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)


class Types:
    """Infers types in one project; keeps what it found."""

    def __init__(self, project: Project) -> None:
        """Look definitions up in ``project``."""
        self.lookup = Lookup(project)
        self._variables: dict[tuple[Scope, str], Type] = {}
        self._open: set[tuple[Scope, str]] = set()
        self._cycles = 0
        self._steps = 0

    def of(self, source: Source, node: ast.expr | None, depth: int = _DEPTH) -> Type:
        """Return the type of ``node``, an expression of ``source``; ``ANY`` if not known."""
        self._steps = 0
        found = self._expression(source, node, depth)
        return ANY if found.name in _OPEN else found

    def _expression(self, source: Source, node: ast.expr | None, depth: int) -> Type:
        self._steps += 1
        if depth <= 0 or self._steps > _STEPS or node is None:
            return ANY
        match node:
            case ast.Constant(value=value):
                return _CONSTANTS.get(type(value), ANY)
            case ast.JoinedStr():
                return STR
            case ast.Name(id=name):
                home = source.scopes.resolve(name, source.scope_of(node))
                return ANY if home is None else self._variable(source, home, name, depth - 1)
            case ast.BinOp():
                return self._operation(source, node, depth)
            case ast.Attribute():
                return self._attribute(source, node, depth)
            case ast.Subscript():
                return self._subscript(source, node, depth)
            case ast.Call():
                return self._call(source, node, depth)
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self._expression(source, value, depth - 1)
            case ast.Compare() | ast.UnaryOp() | ast.BoolOp() | ast.IfExp():
                return self._logic(source, node, depth)
        return self._display(source, node, depth)

    def _logic(self, source: Source, node: ast.expr, depth: int) -> Type:
        match node:
            case ast.Compare(ops=ops):
                plain = (ast.In, ast.NotIn, ast.Is, ast.IsNot)
                return BOOL if all(isinstance(one, plain) for one in ops) else ANY
            case ast.UnaryOp(op=ast.Not()):
                return BOOL
            case ast.UnaryOp(operand=operand):
                inner = self._expression(source, operand, depth - 1)
                return inner if inner in (INT, FLOAT) else ANY
            case ast.BoolOp(values=values):
                return join(self._seen(source, values, depth))
            case ast.IfExp(body=body, orelse=other):
                return join(self._seen(source, [body, other], depth))
        return ANY

    def _seen(self, source: Source, nodes: list[ast.expr], depth: int) -> list[Type]:
        types = [self._expression(source, node, depth - 1) for node in nodes]
        return [one for one in types if one.name not in _OPEN] or types[:1]

    def _display(self, source: Source, node: ast.expr, depth: int) -> Type:
        """Literals and comprehensions."""
        match node:
            case ast.Tuple(elts=elements):
                return Type("tuple", self._parts(source, elements, depth))
            case ast.List(elts=elements) | ast.Set(elts=elements):
                name = "list" if isinstance(node, ast.List) else "set"
                if any(isinstance(one, ast.Starred) for one in elements):
                    return Type(name, (ANY,))
                return Type(name, (join(self._parts(source, elements, depth)),))
            case ast.ListComp(elt=element) | ast.SetComp(elt=element):
                name = "list" if isinstance(node, ast.ListComp) else "set"
                return Type(name, self._parts(source, [element], depth))
            case ast.GeneratorExp(elt=element):
                return Type("iterable", self._parts(source, [element], depth))
            case ast.Dict(keys=keys, values=values):
                known = [key for key in keys if key is not None]
                if len(known) < len(keys):
                    return Type("dict", (ANY, ANY))
                sides = (self._parts(source, side, depth) for side in (known, values))
                return Type("dict", tuple(join(side) for side in sides))
            case ast.DictComp(key=key, value=value):
                return Type("dict", self._parts(source, [key, value], depth))
        return ANY

    def _parts(self, source: Source, nodes: list[ast.expr], depth: int) -> tuple[Type, ...]:
        """Types of what goes into something else: there a stand-in would mean another level."""
        types = [self._expression(source, node, depth - 1) for node in nodes]
        return tuple(ANY if one.name in _OPEN else one for one in types)

    def _operation(self, source: Source, node: ast.BinOp, depth: int) -> Type:
        left = self._expression(source, node.left, depth - 1)
        right = self._expression(source, node.right, depth - 1)
        if left.name in _OPEN or right.name in _OPEN:
            known = right if left.name in _OPEN else left
            return known if isinstance(node.op, _WHOLE) else ANY
        if left == STR and isinstance(node.op, ast.Mod):
            return STR
        if left == right and isinstance(node.op, ast.Add) and left.name in ("str", "list", "bytes"):
            return left
        if left == right == INT and isinstance(node.op, _WHOLE):
            return INT
        if {left, right} <= {INT, FLOAT} and isinstance(node.op, (*_WHOLE, ast.Div)):
            return FLOAT
        times = {left.name, right.name}
        if times == {"str", "int"} and isinstance(node.op, ast.Mult):
            return STR
        if "datetime" in times and "timedelta" in times:
            return Type("datetime")
        return ANY

    def _attribute(self, source: Source, node: ast.Attribute, depth: int) -> Type:
        owner = present(self._expression(source, node.value, depth - 1))
        if owner.name != "class":
            return ANY
        field = self.lookup.field_of(owner, node.attr)
        method = self.lookup.method(owner, node.attr)
        if field != ANY or method is None:
            return field
        is_property = [ast.unparse(one) for one in method[1].decorator_list] == ["property"]
        return self._returned(*method) if is_property else ANY

    def _subscript(self, source: Source, node: ast.Subscript, depth: int) -> Type:
        owner = present(self._expression(source, node.value, depth - 1))
        if isinstance(node.slice, ast.Slice):
            return owner if owner.name in ("str", "bytes", "list", "tuple*", "pending") else ANY
        if owner.name == "dict":
            return owner.args[1]
        if owner.name == "tuple":
            match node.slice:
                case ast.Constant(value=int(place)) if place < len(owner.args):
                    return owner.args[place]
            return ANY
        indexed = ("str", "list", "tuple*", "deque", "pending")
        return _element(owner) if owner.name in indexed else ANY

    def _call(self, source: Source, node: ast.Call, depth: int) -> Type:
        arguments = [self._expression(source, one, depth - 1) for one in node.args]
        if any(isinstance(one, ast.Starred) for one in node.args):
            return ANY
        if isinstance(node.func, ast.Name) and source.scopes.is_builtin(node.func, *BUILTINS):
            return builtin_result(node.func.id, arguments)
        outside = imported_as(source, node.func)
        if outside == "collections.deque" and arguments:
            return Type("deque", (element_of(arguments[0]),))
        if outside in ("datetime.datetime.fromisoformat", "datetime.datetime.now"):
            return Type("datetime")
        found = self.lookup.called(source, node.func)
        if found is not None:
            if isinstance(found.node, ast.ClassDef):
                return class_type(found)
            return self._returned(found.source, found.node)
        if isinstance(node.func, ast.Attribute):
            owner = present(self._expression(source, node.func.value, depth - 1))
            if owner.name == "class":
                method = self.lookup.method(owner, node.func.attr)
                return self._returned(*method) if method else ANY
            if owner.name == "pending" and node.func.attr in ("pop", "popleft"):
                return _element(owner)
            return method_result(owner, node.func.attr, arguments)
        return ANY

    def _returned(self, source: Source, node: ast.AST) -> Type:
        if not isinstance(node, ast.FunctionDef):
            return ANY
        return self.lookup.annotations.type_of(source, node.returns)

    def _variable(self, source: Source, home: Scope, name: str, depth: int) -> Type:
        key = (home, name)
        if key in self._variables:
            return self._variables[key]
        if key in self._open:
            self._cycles += 1
            return Type("pending", origin=_mark(home, name))
        cycles = self._cycles
        self._open.add(key)
        try:
            found = self._joined(source, home, name, depth)
        finally:
            self._open.discard(key)
        # What was found in the middle of a cycle may lack a part; it is not kept.
        if not self._open or cycles == self._cycles:
            self._variables[key] = found
        return found

    def _joined(self, source: Source, home: Scope, name: str, depth: int) -> Type:
        if name in home.elsewhere or source.scopes.module.dynamic:
            return ANY
        bindings = home.bindings[name]
        notes = [self._annotation(source, binding) for binding in bindings]
        note = next((one for one in notes if one is not None), None)
        if note is not None:
            return self.lookup.annotations.type_of(source, note)
        types = [self._binding(source, binding, depth) for binding in bindings]
        if any(one == Type("element", origin=_mark(home, name)) for one in types):
            return ANY
        known = [one for one in types if one.name not in _OPEN]
        if not known:
            return types[0]
        found = join(known)
        if found.name in MUTABLE and any(_is_made(source, binding) for binding in bindings):
            return _shallow(self._filled(source, home, name, found, depth))
        return found

    def _annotation(self, source: Source, binding: ast.AST) -> ast.expr | None:
        parent = source.parent(binding)
        is_noted = isinstance(parent, ast.AnnAssign) and parent.target is binding
        return parent.annotation if is_noted and isinstance(parent, ast.AnnAssign) else None

    def _filled(self, source: Source, home: Scope, name: str, found: Type, depth: int) -> Type:
        """Add what is put into an unannotated container after it was made."""
        unknown = Type(found.name, (ANY,) * len(found.args))
        put: list[tuple[Type, ...]] = []
        for use in uses_of(source, home, name):
            added = self._added(source, use, found, depth)
            if added is None:
                return unknown
            if any(one.name in _OPEN for one in added):
                # What came out of this container may go back; anything else is not known yet.
                own = Type("element", origin=_mark(home, name))
                if len(added) > 1 or (added[0].name == "element" and added[0] != own):
                    return unknown
                continue
            put += [added] if added else []
        if not put:
            return found
        empty = _made_empty(source, home.bindings[name])
        rows = put if empty else [found.args, *put]
        if any(len(row) != len(rows[0]) for row in rows):
            return unknown
        return Type(found.name, tuple(join(column) for column in zip(*rows, strict=True)))

    def _added(self, source: Source, use: Use, found: Type, depth: int) -> tuple[Type, ...] | None:
        """Return the types that a use puts in: () for none, None where that is not known."""
        if use.kind is Kind.STORED:
            return self._stored(source, use, found, depth)
        if use.kind is not Kind.METHOD or use.call is None:
            return None if use.kind is Kind.OTHER else ()
        if use.word in _KEEPS:
            return ()
        place = _PUTS.get(use.word, -1)
        if place is None:
            return ()
        if place < 0 or not use.alone or len(use.call.args) != place + 1:
            return None
        return (self._expression(source, use.call.args[place], depth - 1),)

    def _stored(self, source: Source, use: Use, found: Type, depth: int) -> tuple[Type, ...] | None:
        subscript = source.parent(use.node)
        statement = source.parent(subscript) if subscript else None
        match subscript, statement:
            case ast.Subscript(slice=key), ast.Assign(targets=[target], value=value):
                if target is not subscript or isinstance(key, ast.Slice):
                    return None
                types = [self._expression(source, one, depth - 1) for one in (key, value)]
                return tuple(types) if found.name == "dict" else (types[1],)
            case _, ast.Delete():
                return ()
        return None

    def _binding(self, source: Source, binding: ast.AST, depth: int) -> Type:
        if isinstance(binding, ast.arg):
            return self._parameter(source, binding)
        if not isinstance(binding, ast.Name):
            return ANY
        parent = source.parent(binding)
        match parent:
            case ast.AugAssign(value=value, op=op):
                same = isinstance(op, (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod))
                return self._expression(source, value, depth - 1) if same else ANY
            case ast.AnnAssign(annotation=note):
                return self.lookup.annotations.type_of(source, note)
        return self._target(source, binding, depth)

    def _target(self, source: Source, target: ast.AST, depth: int) -> Type:
        """Return the type of what is assigned to ``target``."""
        parent = source.parent(target)
        match parent:
            case ast.Assign(value=value) | ast.NamedExpr(value=value):
                return self._expression(source, value, depth - 1)
            case ast.For(iter=many) | ast.comprehension(iter=many, is_async=0):
                found = self._expression(source, many, depth - 1)
                return _element(found)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                if any(isinstance(one, ast.Starred) for one in targets):
                    return ANY
                whole = self._target(source, parent, depth - 1)
                if whole.name == "tuple":
                    same = len(whole.args) == len(targets)
                    return whole.args[targets.index(target)] if same else ANY  # type: ignore[arg-type]
                return _element(whole)
        return ANY

    def _parameter(self, source: Source, node: ast.arg) -> Type:
        function = source.parent(node)
        found = self.lookup.annotations.type_of(source, node.annotation)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if function.args.vararg is node:
                return Type("tuple*", (found,))
            if function.args.kwarg is node:
                return Type("dict", (STR, found))
            if node.annotation is None:
                return self._own_class(source, function, node)
        return found

    def _own_class(
        self, source: Source, function: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.arg
    ) -> Type:
        """Return the class of ``self`` in a method of a module-level class."""
        holder = source.parent(function)
        is_first = function.args.args[:1] == [node] and not function.decorator_list
        if is_first and isinstance(holder, ast.ClassDef) and source.parent(holder) is source.tree:
            return Type("class", origin=f"{source.path}:{holder.name}")
        return ANY


def _mark(home: Scope, name: str) -> str:
    """What a stand-in is called."""
    return f"{id(home)}:{name}"


def _element(one: Type) -> Type:
    """What iterating over a value gives, stand-ins included."""
    return Type("element", origin=one.origin) if one.name == "pending" else element_of(one)


def _shallow(one: Type) -> Type:
    """Forget what is in containers within a container: who changes those is not seen."""
    args = tuple(
        Type(part.name, (ANY,) * len(part.args)) if part.name in MUTABLE else part
        for part in one.args
    )
    return Type(one.name, args)


def _is_made(source: Source, binding: ast.AST) -> bool:
    """Say whether a binding makes its container, so that no annotation speaks for it."""
    value = binding_value(source, binding)
    return value is not None and not isinstance(value, (ast.Name, ast.Attribute, ast.Subscript))


def _made_empty(source: Source, bindings: list[ast.AST]) -> bool:
    """Say whether all bindings make an empty container, which says nothing of its elements."""
    for binding in bindings:
        parent = source.parent(binding)
        value = parent.value if isinstance(parent, ast.Assign) else None
        match value:
            case ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Call(args=[], keywords=[]):
                continue
        return False
    return True
