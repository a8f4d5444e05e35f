"""A rewrite in the making: actions on one function, new module-level constants, new imports.

Improvements fill it while they look; ``edits`` turns it into edits, or into nothing where the
result would not be exactly what was asked for. No guards may enter here.
"""

from __future__ import annotations

import ast
import warnings
from functools import partial

from tars_peer.errors import RefusedError
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.source import Source
from tars_peer.evolve.rewrite.imports import Wanted, bound_already, can_bind, import_edits
from tars_peer.evolve.rewrite.nodes import compared_with, unspaced, written
from tars_peer.evolve.rewrite.slices import Action, Place, place_of, rewrite_slice
from tars_peer.evolve.rewrite.text import dedented
from tars_peer.model.change import Edit, apply_edits


class Draft:
    """What one improvement would write for one function."""

    def __init__(self, source: Source, function: Scope) -> None:
        """Rewrite ``function`` (a scope of kind function) of ``source``."""
        node = function.function
        self._source = source
        self._node = node
        self._first_line = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        # Indented functions are parsed under a header line of their own.
        self._first = self._first_line - (node.col_offset > 0)
        self._actions: dict[Place, Action] = {}
        self._constants: list[str] = []
        self._imports: list[Wanted] = []
        self._removed: list[ast.stmt] = []
        self._taken: set[str] = set()
        self._failed = False

    def expression(self, node: ast.expr, action: Action) -> None:
        """Replace the expression ``node`` by what ``action`` makes of its LibCST node.

        Parenthesised tuples and generators have no place of their own: name what holds them.
        """
        self._put(node, action)

    def text(self, node: ast.expr) -> str:
        """Return the text of ``node`` for use in what replaces something in its statement."""
        return dedented(self._source, node, self._source.statement_of(node))

    def replace(self, node: ast.expr, text: str) -> None:
        """Replace the expression ``node`` by the expression ``text``."""
        self._put(node, partial(written, text))

    def last_of_comparison(self, node: ast.Compare, text: str) -> None:
        """Replace the right side of a comparison, whatever parentheses it has, by ``text``."""
        self._put(node, partial(compared_with, text))

    def statement(self, node: ast.stmt, action: Action) -> None:
        """Replace the statement ``node``: its whole line, or the whole compound statement."""
        self._failed |= not self._source.owns_line(node)
        self._put(node, action)

    def remove(self, node: ast.stmt) -> None:
        """Take the line of ``node`` away with the comments that stand right above it."""
        line = node.lineno - 1
        while self._source.line(line).strip().startswith("#"):
            line -= 1
        while line > 0 and not self._source.line(line).strip():
            line -= 1
        # A comment further up belongs to more than this statement and would go with it.
        self._failed |= self._source.line(line).strip().startswith("#")
        self.statement(node, lambda _: [])
        self._removed.append(node)

    def function(self, action: Action) -> None:
        """Replace the whole function."""
        self._put(self._node, action)

    def fresh(self, *names: str) -> str:
        """Return the first of ``names`` that is nowhere in the file, or the last one numbered."""
        for name in (*names, *(f"{names[-1]}_{number}" for number in range(2, 100))):
            if name not in self._source.words and name not in self._taken and name.isidentifier():
                self._taken.add(name)
                return name
        self._failed = True
        return names[-1]

    def constant(self, text: str) -> None:
        """Add the lines ``text`` at module level, before the function."""
        self._constants.append(text)

    def need(self, module: str, name: str | None, alias: str | None = None) -> str:
        """Return how to spell the import here; it is added where the module lacks it."""
        wanted = Wanted(module=module, name=name, alias=alias)
        spelt = bound_already(self._source, wanted)
        if spelt is not None and not self._hidden(spelt.partition(".")[0]):
            return spelt
        self._failed |= spelt is not None or not can_bind(self._source, wanted.local)
        self._imports.append(wanted)
        return wanted.local

    def move_import(self, module: str, name: str | None, alias: str | None, old: ast.AST) -> None:
        """Add an import that the function had as its own binding ``old``."""
        wanted = Wanted(module=module, name=name, alias=alias)
        if bound_already(self._source, wanted) == wanted.local:
            return
        self._failed |= not can_bind(self._source, wanted.local, besides=old)
        self._imports.append(wanted)

    def edits(self) -> tuple[Edit, ...] | None:
        """Return the edits; None where the rewrite cannot be made exactly as asked."""
        if self._failed:
            return None
        edits = import_edits(self._source, self._imports)
        if self._constants:
            top = self._constants_offset()
            if top is None:
                return None
            text = "\n".join(self._constants) + "\n\n\n"
            path = self._source.path
            edits.append(Edit(path=path, start=top, end=top, before="", after=text))
        if self._actions:
            self._close_up()
            inner = rewrite_slice(
                self._source, self._lines(), self._actions, indented=self._node.col_offset > 0
            )
            if inner is None:
                return None
            edits += inner
        merged = _merged(edits)
        return merged if merged and self._holds(merged) else None

    def _put(self, node: ast.expr | ast.stmt, action: Action) -> None:
        place = place_of(self._source, node, self._first)
        self._failed |= place in self._actions
        self._actions[place] = action

    def _close_up(self) -> None:
        """Drop the blank line that a removed first statement would leave under the header."""
        for node in self._removed:
            block = self._source.block_of(node)
            if block[0] is node and len(block) > 1 and block[1] not in self._removed:
                place = place_of(self._source, block[1], self._first)
                inner = self._actions.get(place)
                self._actions[place] = partial(unspaced, inner)

    def _lines(self) -> tuple[int, int]:
        """The byte offsets of the function's lines, decorators and last line end included."""
        start = self._source.offset(self._first_line, 0)
        stop = self._source.content.find(b"\n", self._source.span(self._node)[1])
        return start, len(self._source.content) if stop < 0 else stop + 1

    def _hidden(self, name: str) -> bool:
        """Say whether ``name`` means something else than the module's inside the function."""
        scopes = self._source.scopes
        inner = next(one for one in scopes.scopes if one.node is self._node)
        return scopes.resolve(name, inner) is not scopes.module

    def _constants_offset(self) -> int | None:
        """Where module-level lines before the function go: above its top-level statement."""
        top: ast.AST = self._node
        while (parent := self._source.parent(top)) is not self._source.tree:
            assert parent is not None
            top = parent
        if not isinstance(top, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return None
        body = self._source.tree.body
        above = body[body.index(top) - 1] if body[0] is not top else None
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)) and above.name == top.name:
            # Overloads must stay together.
            return None
        line = min([top.lineno, *(one.lineno for one in top.decorator_list)])
        while line > 1 and self._source.line(line - 1).startswith("#"):
            line -= 1
        return self._source.offset(line, 0)

    def _holds(self, edits: tuple[Edit, ...]) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(apply_edits(self._source.content, edits))
        except (RefusedError, SyntaxError, ValueError, RecursionError):
            return False
        return True


def _merged(edits: list[Edit]) -> tuple[Edit, ...]:
    """Join insertions at the same place, in the order in which they were asked for."""
    result: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.start, one.end)):
        last = result[-1] if result else None
        if last is not None and last.start == last.end == edit.start == edit.end:
            after = last.after + edit.after
            result[-1] = Edit(
                path=edit.path, start=edit.start, end=edit.end, before="", after=after
            )
        elif edit.before != edit.after:
            result.append(edit)
    return tuple(result)
