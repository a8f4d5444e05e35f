"""One Python file, parsed once: its tree, byte positions, parents, scopes and names.

Everything is in bytes of the file as it is, so edits can be made of it. No type knowledge and no
other file may enter here.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass, field
from typing import TypeVar

from tars_peer.errors import RefusedError
from tars_peer.evolve.facts.scope import Scope, ScopeMap, map_scopes

NodeType = TypeVar("NodeType", bound=ast.AST)

_WORD = re.compile(r"[^\W\d]\w*")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@dataclass(slots=True, kw_only=True)
class Source:
    """A parsed file. Lines are 1-based, columns and offsets in bytes, as in ``ast``."""

    path: str
    content: bytes
    tree: ast.Module
    scopes: ScopeMap
    line_starts: list[int]
    _words: frozenset[str] | None = field(default=None)

    def nodes(self, kind: type[NodeType]) -> list[NodeType]:
        """Return every node of exactly this type, in the order of the file."""
        return [node for node in self.scopes.by_type.get(kind, ()) if isinstance(node, kind)]

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that holds ``node``; None for the module."""
        return self.scopes.parents.get(node)

    def scope_of(self, node: ast.AST) -> Scope:
        """Return the scope in which ``node`` is evaluated."""
        return self.scopes.scope_of[node]

    def function_of(self, node: ast.AST) -> Scope | None:
        """Return the innermost ``def`` around ``node``; None at module or class level."""
        scope: Scope | None = self.scope_of(node)
        while scope is not None and scope.kind != "function":
            scope = scope.parent
        return scope

    def offset(self, line: int, column: int) -> int:
        """Return the byte offset of a place as ``ast`` gives it."""
        return self.line_starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Return the byte offsets at which ``node`` starts and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno, node.end_col_offset),
        )

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return the text of ``node`` as it is in the file."""
        start, end = self.span(node)
        return self.content[start:end].decode()

    def line(self, number: int) -> str:
        """Return line ``number`` without its end; empty behind the last one."""
        if not 1 <= number <= len(self.line_starts):
            return ""
        start = self.line_starts[number - 1]
        end = self.content.find(b"\n", start)
        return self.content[start : len(self.content) if end < 0 else end].decode()

    @property
    def words(self) -> frozenset[str]:
        """Every word in the file, in comments and strings too: what a new name must avoid."""
        if self._words is None:
            self._words = frozenset(_WORD.findall(self.content.decode()))
        return self._words

    def owns_line(self, statement: ast.stmt) -> bool:
        """Say whether nothing but a comment shares the lines of ``statement``."""
        start, end = self.span(statement)
        before = self.content[self.line_starts[statement.lineno - 1] : start]
        stop = self.content.find(b"\n", end)
        after = self.content[end : len(self.content) if stop < 0 else stop].strip()
        return not before.strip() and (not after or after.startswith(b"#"))

    def inside(self, node: ast.AST, around: ast.AST) -> bool:
        """Say whether ``node`` is ``around`` or lies in it."""
        at: ast.AST | None = node
        while at is not None and at is not around:
            at = self.parent(at)
        return at is around

    def statement_of(self, node: ast.AST) -> ast.stmt:
        """Return the innermost statement that holds ``node``."""
        at: ast.AST | None = node
        while not isinstance(at, ast.stmt):
            assert at is not None
            at = self.parent(at)
        return at

    def top_of(self, node: ast.AST) -> ast.stmt:
        """Return the module-level statement that holds ``node``."""
        at = node
        while (parent := self.parent(at)) is not self.tree:
            assert parent is not None
            at = parent
        assert isinstance(at, ast.stmt)
        return at

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the list of statements that holds ``statement``."""
        holder = self.parent(statement)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(holder, name, None)
            if isinstance(block, list) and any(one is statement for one in block):
                return block
        assert isinstance(holder, ast.AST)
        return [statement]

    def loops_around(self, node: ast.AST) -> list[ast.stmt | ast.comprehension]:
        """Return the loops that evaluate ``node`` anew each time round, innermost first.

        Comprehensions count; the iterable of a ``for`` and the first one of a comprehension are
        evaluated once and do not.
        """
        loops: list[ast.stmt | ast.comprehension] = []
        child: ast.AST = node
        at = self.parent(node)
        while at is not None and not isinstance(at, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if _goes_round(at, child):
                assert isinstance(at, ast.stmt)
                loops.append(at)
            elif isinstance(at, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
                first = at.generators[0]
                if not (child is first and self.inside(node, first.iter)):
                    loops.append(first)
            elif isinstance(at, (ast.Lambda, ast.ClassDef)):
                break
            child, at = at, self.parent(at)
        return loops


def _goes_round(loop: ast.AST, child: ast.AST) -> bool:
    """Say whether ``loop`` is a loop statement that evaluates its part ``child`` again."""
    if isinstance(loop, ast.While):
        return child not in loop.orelse
    return isinstance(loop, (ast.For, ast.AsyncFor)) and child in loop.body


_LINE_END = re.compile("\n")
_LINE_END_BYTES = re.compile(b"\n")


def read_source(path: str, content: bytes) -> Source:
    """Parse a file.

    Raises:
        RefusedError: it is not something that can be rewritten byte by byte; the message says why.
    """
    if content.startswith(_BYTE_ORDER_MARK):
        raise RefusedError("starts with a byte order mark", hint="save it as plain UTF-8")
    if b"\r" in content or b"\0" in content:
        raise RefusedError("has carriage returns or null bytes", hint="use \\n line ends")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise RefusedError(f"is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content, filename=path)
    except SyntaxError as error:
        raise RefusedError(f"line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise RefusedError(f"cannot be parsed: {error}") from error
    starts = [0]
    starts += (
        [match.end() for match in _LINE_END.finditer(text)]
        if text.isascii()
        else [match.end() for match in _LINE_END_BYTES.finditer(content)]
    )
    return Source(
        path=path, content=content, tree=tree, scopes=map_scopes(tree), line_starts=starts
    )
