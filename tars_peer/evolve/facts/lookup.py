"""Which class or function of the genome is meant, and what its class body declares.

No inference of expressions may enter here.
"""

from __future__ import annotations

import ast

from tars_peer.evolve.facts.annotations import Annotations
from tars_peer.evolve.facts.kinds import ANY, Type, present
from tars_peer.evolve.facts.project import Definition, Project, imported_as
from tars_peer.evolve.facts.source import Source

_HOOKS = frozenset({"__getattr__", "__getattribute__", "__init__", "__new__", "__post_init__"})


class Lookup:
    """Finds definitions in one project."""

    def __init__(self, project: Project) -> None:
        """Look in ``project``."""
        self.project = project
        self.annotations = Annotations(project)

    def of_class(self, one: Type) -> Definition | None:
        """Return the class that a ``class`` type stands for."""
        path, _, name = one.origin.rpartition(":")
        source = self.project.source(path) if one.name == "class" else None
        return None if source is None else self.project.definition(source, name)

    def field_of(self, one: Type, name: str) -> Type:
        """Return the type of a declared data field (not a property) of a class; else ``ANY``."""
        found = self.of_class(present(one))
        if found is None or not isinstance(found.node, ast.ClassDef):
            return ANY
        for statement in found.node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=word), annotation=note) if word == name:
                    return self.annotations.type_of(found.source, note)
        return ANY

    def is_plain_record(self, one: Type) -> bool:
        """Say whether a class is a dataclass or NamedTuple that computes nothing on access."""
        found = self.of_class(present(one))
        if found is None or not isinstance(found.node, ast.ClassDef):
            return False
        node, source = found.node, found.source
        decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        is_data = [imported_as(source, one) for one in decorators] == ["dataclasses.dataclass"]
        bases = [imported_as(source, base) for base in node.bases]
        if not ((is_data and not bases) or (not decorators and bases == ["typing.NamedTuple"])):
            return False
        return not any(isinstance(one, ast.FunctionDef) and one.name in _HOOKS for one in node.body)

    def called(self, source: Source, func: ast.expr) -> Definition | None:
        """Return the genome's module-level function or class that ``func`` surely names."""
        found: Definition | None = None
        match func:
            case ast.Name(id=name):
                home = source.scopes.resolve(name, source.scope_of(func))
                if home is source.scopes.module:
                    found = self.project.definition(source, name)
            case ast.Attribute(value=ast.Name(id=name) as base, attr=attr):
                home = source.scopes.resolve(name, source.scope_of(base))
                if home is source.scopes.module:
                    module = self.project.imported_module(source, name)
                    found = None if module is None else self.project.definition(module, attr)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return found if found is not None and isinstance(found.node, kinds) else None

    def method(self, owner: Type, name: str) -> tuple[Source, ast.FunctionDef] | None:
        """Return the method that a class of the genome itself defines."""
        found = self.of_class(owner)
        if found is None or not isinstance(found.node, ast.ClassDef):
            return None
        for one in found.node.body:
            if isinstance(one, ast.FunctionDef) and one.name == name:
                return found.source, one
        return None


def class_type(found: Definition) -> Type:
    """Return the type of instances of a class of the genome."""
    assert isinstance(found.node, ast.ClassDef)
    return Type("class", origin=f"{found.source.path}:{found.node.name}")
