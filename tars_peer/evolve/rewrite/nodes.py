"""Small LibCST pieces that improvements build their rewrites of.

``import libcst`` costs 0.3 s of processor time and most looks at a genome rewrite nothing, so it
is imported when the first rewrite is drafted. No guards may enter here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libcst as cst


def expression(text: str) -> cst.BaseExpression:
    """Parse one expression."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    return cst.parse_expression(text)


def written(text: str, old: cst.BaseExpression) -> cst.BaseExpression:
    """Return the expression ``text`` in the parentheses that ``old`` has."""
    new = expression(text)
    return new.with_changes(lpar=[*old.lpar, *new.lpar], rpar=[*new.rpar, *old.rpar])


def compared_with(text: str, old: cst.Comparison) -> cst.Comparison:
    """Return a comparison with another right side."""
    last = old.comparisons[-1].with_changes(comparator=expression(text))
    return old.with_changes(comparisons=[*old.comparisons[:-1], last])


def statement(text: str) -> cst.BaseStatement:
    """Parse one statement, at no indentation; simple statements come as a whole line."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    parsed = cst.parse_statement(text)
    assert isinstance(parsed, cst.BaseStatement)
    return parsed


def before(new: str, old: cst.BaseStatement) -> Sequence[cst.BaseStatement]:
    """Put the line ``new`` before ``old``: after its blank lines, above its comments."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    line = statement(new)
    assert isinstance(line, cst.SimpleStatementLine)
    lines = list(old.leading_lines)  # type: ignore[attr-defined]
    blank = 0
    while blank < len(lines) and lines[blank].comment is None:
        blank += 1
    return [
        line.with_changes(leading_lines=lines[:blank]),
        old.with_changes(leading_lines=lines[blank:]),
    ]


def after(new: str, old: cst.BaseStatement) -> Sequence[cst.BaseStatement]:
    """Put the line ``new`` after ``old``."""
    return [old, statement(new)]


def instead(new: str, old: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
    """Put the line ``new`` in the place of ``old``, with its comments."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    line = statement(new)
    assert isinstance(line, cst.SimpleStatementLine)
    return old.with_changes(body=line.body)


def unspaced(inner: Callable[[cst.BaseStatement], object] | None, old: cst.BaseStatement) -> object:
    """Drop the blank lines above ``old``, then do ``inner`` with it."""
    lines = list(old.leading_lines)  # type: ignore[attr-defined]
    while lines and lines[0].comment is None:
        del lines[0]
    new = old.with_changes(leading_lines=lines)
    return new if inner is None else inner(new)


def call_method(call: cst.Call, method: str, *, arguments: int | None = None) -> cst.Call:
    """Return ``call`` of an attribute with another method name and its first ``arguments`` only."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    assert isinstance(call.func, cst.Attribute)
    func = call.func.with_changes(attr=cst.Name(method))
    kept = call.args if arguments is None else call.args[:arguments]
    if kept and len(kept) < len(call.args):
        kept = [*kept[:-1], kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
    return call.with_changes(func=func, args=kept)


def rename(call: cst.Call, name: str) -> cst.Call:
    """Return ``call`` of a name as a call of ``name``, which may be dotted."""
    return call.with_changes(func=expression(name))


def decorated(decorator: str, old: cst.FunctionDef) -> cst.FunctionDef:
    """Put ``@decorator`` on a function that has none."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    return old.with_changes(decorators=[cst.Decorator(decorator=expression(decorator))])


def looked_up(find: str, test: str, loop: cst.For) -> Sequence[cst.BaseStatement]:
    """Replace a loop that searches, ``for … : if … : …; break``, by a look-up and an ``if``."""
    import libcst as cst  # noqa: PLC0415  (see the module's docstring)

    choice = loop.body.body[0]
    assert isinstance(choice, cst.If)
    line = statement(find)
    assert isinstance(line, cst.SimpleStatementLine)
    body = choice.body.with_changes(body=choice.body.body[:-1])
    return [
        line.with_changes(leading_lines=loop.leading_lines),
        choice.with_changes(test=expression(test), body=body),
    ]
