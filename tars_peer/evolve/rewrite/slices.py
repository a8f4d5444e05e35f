"""Runs LibCST on one function and says which lines became different.

Only the function's own lines are parsed: a hit in a large file costs what its function costs.
Nodes are found by their place and type, as ``ast`` gives them. No guards may enter here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from tars_peer.evolve.facts.source import Source
from tars_peer.model.change import Edit

if TYPE_CHECKING:
    import libcst as cst

#: Gets the LibCST node of an expression or a whole statement; returns it, another one, or for
#: statements several (none removes it).
Action = Callable[[Any], Any]

#: Makes lines that are indented parse on their own.
_HEADER = "if True:\n"

#: LibCST names that differ from those of ``ast``.
_NAMES = {
    "Constant": ("SimpleString", "ConcatenatedString", "Integer", "Float", "Name"),
    "BinOp": ("BinaryOperation",),
    "Compare": ("Comparison",),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is in a slice: 1-based lines, columns in characters. Statements have no end."""

    start: tuple[int, int]
    end: tuple[int, int] | None
    kinds: tuple[str, ...]


def place_of(source: Source, node: ast.expr | ast.stmt, first_line: int) -> Place:
    """Return the place of ``node`` in a slice that starts with line ``first_line``."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = _at(source, node.lineno, node.col_offset, first_line)
    if isinstance(node, ast.stmt):
        return Place(start, None, ())
    name = type(node).__name__
    end = _at(source, node.end_lineno, node.end_col_offset, first_line)
    return Place(start, end, _NAMES.get(name, (name,)))


def rewrite_slice(
    source: Source, span: tuple[int, int], actions: Mapping[Place, Action], *, indented: bool
) -> tuple[Edit, ...] | None:
    """Apply ``actions`` to the lines in ``span`` (byte offsets of whole lines).

    Returns None where LibCST does not give the lines back as they were, or where a place was not
    found: then nothing may be rewritten.
    """
    import libcst as cst  # noqa: PLC0415  (0.3 s, and most looks rewrite nothing)

    before = source.content[span[0] : span[1]].decode()
    header = _HEADER if indented else ""
    try:
        module = cst.parse_module(header + before)
    except cst.ParserSyntaxError:
        return None
    if module.code != header + before:
        return None
    after = _transform(module, actions)
    if after is None or not after.startswith(header):
        return None
    return tuple(_line_edits(source.path, span[0], before, after[len(header) :]))


def _transform(module: cst.Module, actions: Mapping[Place, Action]) -> str | None:
    import libcst as cst  # noqa: PLC0415
    from libcst.metadata import MetadataWrapper, PositionProvider  # noqa: PLC0415

    wanted: dict[cst.CSTNode, Action] = {}
    found: set[Place] = set()
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    for node, where in wrapper.resolve(PositionProvider).items():
        start = (where.start.line, where.start.column)
        end = (where.end.line, where.end.column)
        if isinstance(node, cst.BaseStatement):
            place = Place(start, None, ())
            if place in actions:
                wanted[node] = actions[place]
                found.add(place)
        elif isinstance(node, cst.BaseExpression):
            for place in (Place(start, end, kinds) for kinds in _kinds(type(node).__name__)):
                if place in actions:
                    wanted[node] = actions[place]
                    found.add(place)
    if found != set(actions):
        return None

    class Rewriter(cst.CSTTransformer):
        def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # noqa: ANN401
            updated = super().on_leave(original_node, updated_node)
            if original_node not in wanted:
                return updated
            result = wanted[original_node](updated)
            if isinstance(result, list):
                return cst.FlattenSentinel(result) if result else cst.RemoveFromParent()
            return result

    return module.visit(Rewriter()).code


def _kinds(name: str) -> Iterable[tuple[str, ...]]:
    """The kinds that a LibCST node of this name may stand for in a ``Place``."""
    yield (name,)
    yield from (names for names in _NAMES.values() if name in names)


def _at(source: Source, line: int, column: int, first_line: int) -> tuple[int, int]:
    start = source.offset(line, 0)
    return line - first_line + 1, len(source.content[start : start + column].decode())


def _line_edits(path: str, offset: int, before: str, after: str) -> Iterable[Edit]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [offset]
    for line in old:
        starts.append(starts[-1] + len(line.encode()))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag != "equal":
            yield Edit(
                path=path,
                start=starts[i],
                end=starts[j],
                before="".join(old[i:j]),
                after="".join(new[k:m]),
            )
