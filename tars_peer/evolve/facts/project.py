"""All files of a genome as facts: parsed when first asked for, found by module name.

No inference and no disk may enter here: contents come in as a mapping.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tars_peer.errors import RefusedError
from tars_peer.evolve.facts.source import Source, read_source


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A module-level name of some file: what binds it."""

    source: Source
    node: ast.AST


class Project:
    """The files of one tree."""

    def __init__(self, files: Mapping[str, bytes], sources: Iterable[Source] = ()) -> None:
        """Take the tree's files; ``sources`` are those already parsed."""
        self._files = files
        self._sources: dict[str, Source | None] = {one.path: one for one in sources}
        self._by_tail: dict[str, list[str]] = {}
        for path in files:
            if path.endswith(".py"):
                self._by_tail.setdefault(_tail(path), []).append(path)

    def source(self, path: str) -> Source | None:
        """Return the parsed file, or None where there is none or it cannot be parsed."""
        if path not in self._sources:
            content = self._files.get(path)
            try:
                self._sources[path] = None if content is None else read_source(path, content)
            except RefusedError:
                self._sources[path] = None
        return self._sources[path]

    def has_module(self, name: str) -> bool:
        """Say whether some file or folder of the genome could be imported as top-level ``name``."""
        return any(
            parts[-1] == f"{name}.py" or name in parts[:-1]
            for parts in (PurePosixPath(path).parts for path in self._files)
        )

    def may_rebind(self, name: str, *, besides: str) -> bool:
        """Say whether another file seems to give a module's ``name`` another value.

        Text is enough here: an attribute of that name that is assigned or deleted, or the name in
        quotes, as ``setattr`` and ``patch`` take it.
        """
        word = re.escape(name)
        sets = rf"\.{word}\s*(?:[-+*/%@&|^]|//|\*\*|<<|>>)?=(?!=)|\bdel\b[^\n]*\.{word}\b"
        pattern = re.compile(rf"{sets}|['\"][\w.:]*\b{word}['\"]".encode())
        return any(
            pattern.search(content)
            for path, content in self._files.items()
            if path != besides and path.endswith(".py") and name.encode() in content
        )

    def star_imported(self) -> bool:
        """Say whether some file imports all names of a module, whichever that is."""
        found = [
            self.source(path)
            for path, content in self._files.items()
            if path.endswith(".py") and b"import *" in content
        ]
        return any(one is None or one.scopes.starred for one in found)

    def module(self, importer: str, node: ast.ImportFrom) -> str | None:
        """Return the path of the module that ``from module import`` names; None if unclear."""
        if node.level:
            folder = PurePosixPath(importer).parent
            for _ in range(node.level - 1):
                folder = folder.parent
            return self._at(folder / (node.module or "").replace(".", "/"))
        return self.named(node.module or "")

    def named(self, dotted: str) -> str | None:
        """Return the path of module ``dotted``; None where there is none or more than one."""
        place = dotted.replace(".", "/")
        tail = place.rpartition("/")[2]
        ends = (f"{place}.py", f"{place}/__init__.py")
        found = [
            path
            for path in self._by_tail.get(tail, ())
            if path in ends or path.endswith(tuple(f"/{end}" for end in ends))
        ]
        return found[0] if len(found) == 1 else None

    def definition(self, source: Source, name: str, depth: int = 5) -> Definition | None:
        """Return what the module-level ``name`` of ``source`` is, following imports.

        None where it is bound more than once, comes from outside, or cannot be found.
        """
        bindings = source.scopes.module.bindings.get(name, [])
        if len(bindings) != 1 or depth == 0 or source.scopes.starred:
            return None
        binding = bindings[0]
        if not isinstance(binding, ast.alias):
            return Definition(source=source, node=binding)
        statement = source.parent(binding)
        if not isinstance(statement, ast.ImportFrom):
            return None
        path = self.module(source.path, statement)
        target = self.source(path) if path else None
        return None if target is None else self.definition(target, binding.name, depth - 1)

    def imported_module(self, source: Source, name: str) -> Source | None:
        """Return the genome's module that module-level ``name`` of ``source`` stands for."""
        bindings = source.scopes.module.bindings.get(name, [])
        if len(bindings) != 1 or not isinstance(bindings[0], ast.alias):
            return None
        alias, statement = bindings[0], source.parent(bindings[0])
        path: str | None = None
        if isinstance(statement, ast.ImportFrom):
            package = self.module(source.path, statement)
            if package is not None and package.endswith("__init__.py"):
                path = self._at(PurePosixPath(package).parent / alias.name)
        elif alias.asname is not None or "." not in alias.name:
            path = self.named(alias.name)
        return self.source(path) if path else None

    def _at(self, place: PurePosixPath) -> str | None:
        for path in (f"{place}.py", f"{place}/__init__.py"):
            if path in self._files:
                return path
        return None


def _tail(path: str) -> str:
    """The last word of the module name of ``path``."""
    pure = PurePosixPath(path)
    return pure.parent.name if pure.name == "__init__.py" else pure.stem


def imported_as(source: Source, node: ast.expr) -> str | None:
    """Return the dotted name from outside that ``node`` surely means, like ``re.compile``.

    Only module-level imports that are bound once count; None for anything else.
    """
    match node:
        case ast.Attribute(value=value, attr=attr):
            base = imported_as(source, value)
            return f"{base}.{attr}" if base else None
        case ast.Name(id=name):
            scope = source.scopes.resolve(name, source.scope_of(node))
            if scope is not source.scopes.module or len(scope.bindings[name]) != 1:
                return None
            if source.scopes.opaque:
                return None
            return imported_as_alias(source, scope.bindings[name][0])
    return None


def imported_as_alias(source: Source, alias: ast.AST) -> str | None:
    """Return the dotted name that a module-level import binds; None if ``alias`` is none."""
    statement = source.parent(alias)
    if not isinstance(alias, ast.alias) or source.parent(statement or alias) is not source.tree:
        return None
    if isinstance(statement, ast.ImportFrom):
        return None if statement.level else f"{statement.module}.{alias.name}"
    return alias.name if alias.asname else alias.name.partition(".")[0]
