"""Source text on its way to another indentation. No parsing of names may enter here."""

from __future__ import annotations

import ast

from tars_peer.evolve.facts.source import Source


def dedented(source: Source, node: ast.expr | ast.stmt, statement: ast.stmt) -> str:
    """Return the text of ``node`` with the indentation of ``statement`` taken off its lines.

    Lines that begin inside a string stay as they are.
    """
    lines = source.text(node).split("\n")
    inside: set[int] = set()
    for one in ast.walk(node):
        if isinstance(one, (ast.Constant, ast.JoinedStr)):
            assert one.end_lineno is not None
            inside.update(range(one.lineno + 1, one.end_lineno + 1))
    first = source.line(statement.lineno)
    prefix = first[: len(first) - len(first.lstrip())]
    return "\n".join(
        line if number in inside or number == node.lineno else line.removeprefix(prefix)
        for number, line in enumerate(lines, start=node.lineno)
    )
