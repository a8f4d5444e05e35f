"""Adds an import at the top of a file: into a statement that is there, or as a line of its own.

The order is isort's as far as one line can keep it. No other splices may enter here.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tars_peer.evolve.facts.project import imported_as_alias
from tars_peer.evolve.facts.scope import BUILTINS
from tars_peer.evolve.facts.source import Source
from tars_peer.model.change import Edit

_LINE_LENGTH = 88
_Import = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An import: ``from module import name as alias``, or ``import module as alias``."""

    module: str
    name: str | None
    alias: str | None = None

    @property
    def local(self) -> str:
        """The name it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def origin(self) -> str:
        """What the bound name stands for."""
        return f"{self.module}.{self.name}" if self.name else self.module

    @property
    def text(self) -> str:
        """The statement."""
        tail = f" as {self.alias}" if self.alias else ""
        if self.name is None:
            return f"import {self.module}{tail}"
        return f"from {self.module} import {self.name}{tail}"


def bound_already(source: Source, wanted: Wanted) -> str | None:
    """Return how the module already spells what is wanted; None where it does not."""
    for local, bindings in source.scopes.module.bindings.items():
        if len(bindings) != 1:
            continue
        origin = imported_as_alias(source, bindings[0])
        if origin == wanted.origin and (wanted.alias is None or local == wanted.alias):
            return local
        if wanted.name and origin == wanted.module and local == wanted.module:
            return f"{local}.{wanted.name}"
    return None


def can_bind(source: Source, name: str, *, besides: ast.AST | None = None) -> bool:
    """Say whether a module-level ``name`` would be new: no scope binds it, none reads it.

    ``besides`` is a node whose own use of the name does not count.
    """
    if name in BUILTINS or source.scopes.starred or source.scopes.module.dynamic:
        return False
    for scope in source.scopes.scopes:
        if any(node is not besides for node in scope.bindings.get(name, ())):
            return False
        if besides is None and any(node.id == name for node in scope.loads):
            return False
    return True


def import_edits(source: Source, wanted: Sequence[Wanted]) -> list[Edit]:
    """Return the edits that add the imports."""
    runs = _groups(source)
    if runs or not wanted:
        return [_import_edit(source, one, runs) for one in wanted]
    return [_alone(source, [one.text for one in wanted])]


def _import_edit(source: Source, wanted: Wanted, runs: list[list[_Import]]) -> Edit:
    merged = _merged(source, wanted, [one for group in runs for one in group])
    if merged is not None:
        return merged
    standard = next((group for group in runs if all(_is_standard(one) for one in group)), None)
    if standard is not None:
        later = next((one for one in standard if _order(one) > _order_of(wanted)), None)
        if later is not None:
            return _insert(source, _above(source, later), f"{wanted.text}\n")
        return _insert(source, _below(source, standard[-1]), f"{wanted.text}\n")
    return _insert(source, _above(source, runs[0][0]), f"{wanted.text}\n\n")


def _alone(source: Source, lines: list[str]) -> Edit:
    """The file imports nothing yet (but perhaps from ``__future__``)."""
    text = "\n".join(lines)
    head = [one for one in source.tree.body if _is_head(one, source.tree.body)]
    if head:
        return _insert(source, _below(source, head[-1]), f"\n{text}\n")
    first = source.tree.body[0]
    return _insert(source, _above(source, first), f"{text}\n\n")


def _is_head(statement: ast.stmt, body: list[ast.stmt]) -> bool:
    if isinstance(statement, ast.ImportFrom):
        return statement.module == "__future__"
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return statement is body[0] and is_text


def _groups(source: Source) -> list[list[_Import]]:
    """The first run of imports, in groups with no blank line between their statements."""
    groups: list[list[_Import]] = []
    for statement in source.tree.body:
        if _is_head(statement, source.tree.body) or (not groups and _is_constant(statement)):
            continue
        if not isinstance(statement, _Import) or not source.owns_line(statement):
            break
        last = groups[-1][-1].end_lineno if groups else None
        between = (
            []
            if last is None
            else [source.line(number) for number in range(last + 1, statement.lineno)]
        )
        if groups and all(line.strip() for line in between):
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _is_constant(statement: ast.stmt) -> bool:
    """Say whether this only gives names to constants, as ``__all__`` is given above imports."""
    return isinstance(statement, ast.Assign) and isinstance(
        statement.value, (ast.Constant, ast.List, ast.Tuple)
    )


def _merged(source: Source, wanted: Wanted, statements: list[_Import]) -> Edit | None:
    """Add the name to a one-line ``from module import …`` that is there."""
    for one in statements:
        if not isinstance(one, ast.ImportFrom) or one.level or one.module != wanted.module:
            continue
        text = source.text(one)
        if wanted.name is None or "(" in text or "\n" in text or any(a.asname for a in one.names):
            continue
        new = f"{wanted.name} as {wanted.alias}" if wanted.alias else wanted.name
        names = sorted([new, *(alias.name for alias in one.names)], key=_name_order)
        after = f"from {one.module} import {', '.join(names)}"
        if len(after) <= _LINE_LENGTH:
            start, end = source.span(one)
            return Edit(path=source.path, start=start, end=end, before=text, after=after)
    return None


def _name_order(name: str) -> tuple[int, str]:
    """Constants, classes, functions; then the alphabet."""
    is_constant = name.isupper() and len(name) > 1
    return (0 if is_constant else 1 if name[:1].isupper() else 2, name)


def _is_standard(statement: _Import) -> bool:
    if isinstance(statement, ast.ImportFrom):
        names = ["" if statement.level else statement.module or ""]
    else:
        names = [alias.name for alias in statement.names]
    return all(name.partition(".")[0] in sys.stdlib_module_names for name in names)


def _order(statement: _Import) -> tuple[bool, str]:
    if isinstance(statement, ast.ImportFrom):
        return True, (statement.module or "").lower()
    return False, statement.names[0].name.lower()


def _order_of(wanted: Wanted) -> tuple[bool, str]:
    return wanted.name is not None, wanted.module.lower()


def _above(source: Source, statement: ast.stmt) -> int:
    """The start of the line of ``statement``, above comments that belong to it."""
    line = statement.lineno
    while source.line(line - 1).lstrip().startswith("#") and not _is_preamble(source, line - 1):
        line -= 1
    return source.offset(line, 0)


def _is_preamble(source: Source, line: int) -> bool:
    """Say whether a comment line belongs to the file: nothing but comments above it."""
    return all(source.line(number).startswith("#") for number in range(1, line + 1))


def _below(source: Source, statement: ast.stmt) -> int:
    end = source.content.find(b"\n", source.span(statement)[1])
    return len(source.content) if end < 0 else end + 1


def _insert(source: Source, offset: int, text: str) -> Edit:
    if offset and source.content[offset - 1 : offset] != b"\n":
        text = f"\n{text}"
    return Edit(path=source.path, start=offset, end=offset, before="", after=text)
