"""``text += part`` in a loop may copy all of it each time; ``join`` copies once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.uses import binding_value
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import after, instead


class StringJoin(Improvement):
    """CPython often grows the string in place, but not when it is an attribute, shared or moved."""

    name: ClassVar[str] = "string-join"
    message: ClassVar[str] = "a string grows in a loop; collect the parts and join them once"
    expected_gain: ClassVar[float] = 0.1
    risk: ClassVar[float] = 1.3
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "The string starts as a string literal and is only added to, at least once in a loop, by "
        "parts that are proved to be strings; all of that stands in one block, and the name is "
        "first read after the last addition, outside of the loops. No closure, no global, and not "
        "just the characters of a text."
    )
    needs: ClassVar[bytes] = b"+="
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code(r"""
                def csv(rows: list[list[str]]) -> str:
                    out = "a,b\n"  # header
                    for row in rows:
                        if not row:
                            continue
                        out += ",".join(row)
                        out += "\n"  # end
                    out += f"{len(rows)}"
                    return out
            """),
            after=code(r"""
                def csv(rows: list[list[str]]) -> str:
                    out_parts = ["a,b\n"]  # header
                    for row in rows:
                        if not row:
                            continue
                        out_parts.append(",".join(row))
                        out_parts.append("\n")  # end
                    out_parts.append(f"{len(rows)}")
                    out = "".join(out_parts)
                    return out
            """),
            check="csv([['1', '2'], [], ['3']]), csv([])",
        ),
        Example(
            before=code("""
                def numbers(words: list[str]) -> str:
                    found = ""
                    for word in words:
                        if not word.isdigit():
                            break
                        found += word
                    return found.strip()
            """),
            after=code("""
                def numbers(words: list[str]) -> str:
                    found_parts = []
                    for word in words:
                        if not word.isdigit():
                            break
                        found_parts.append(word)
                    found = "".join(found_parts)
                    return found.strip()
            """),
            check="numbers(['1', '22', 'x']), numbers([])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Parts may be anything with an addition of its own.
        code("""
            def f(parts):
                out = ""
                for part in parts:
                    out += part
                return out
        """),
        # Single characters of a text are few: a list of them costs more.
        code("""
            def f(text: str):
                out = ""
                for char in text:
                    if char.isalpha():
                        out += char
                return out
        """),
        # Read where it grows.
        code("""
            def f(parts: list[str]):
                out = ""
                for part in parts:
                    out += part
                    if len(out) > 9:
                        break
                return out
        """),
        code("""
            def f(parts: list[str]):
                out = ""
                for part in parts:
                    out += part
                    if not part:
                        return out
                return ""
        """),
        # Started anew.
        code("""
            def f(parts: list[str]):
                out = ""
                for part in parts:
                    out += part
                    if not part:
                        out = ""
                return out
        """),
        # Bytes and numbers.
        code("""
            def f(parts: list[int]):
                out = 0
                for part in parts:
                    out += part
                return out
        """),
        # Read when an error cuts the loop short.
        code("""
            def f(parts: list[str]):
                out = ""
                try:
                    for part in parts:
                        out += part
                finally:
                    print(out)
        """),
        # No loop.
        code("""
            def f(a: str, b: str):
                out = ""
                out += a
                out += b
                return out
        """),
        # Seen by a closure.
        code("""
            def f(parts: list[str]):
                out = ""
                for part in parts:
                    out += part
                return lambda: out
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield local strings that grow in a loop."""
        for scope in facts.functions():
            for name in list(scope.bindings):
                found = _growth(facts, scope, name)
                if found is None:
                    continue
                first, additions = found
                reader = _reader(facts, scope, name, first, additions)
                if reader is None:
                    continue
                yield Hit(
                    function=scope,
                    line=additions[0].lineno,
                    subject=name,
                    evidence=f"{name} grows {len(additions)} time(s), some in a loop",
                    draft=self._draft(facts, scope, name, (first, additions, reader)),
                )

    def _draft(
        self,
        facts: Facts,
        scope: Scope,
        name: str,
        parts: tuple[ast.Assign, list[ast.AugAssign], ast.stmt],
    ) -> Draft:
        first, additions, last = parts
        draft = Draft(facts.source, scope)
        pieces = draft.fresh(f"{name}_parts")
        is_empty = isinstance(first.value, ast.Constant) and first.value.value == ""
        start = "" if is_empty else draft.text(first.value)
        joined = f'{name} = "".join({pieces})'
        for one in additions:
            if one is not last:
                draft.statement(one, partial(instead, f"{pieces}.append({draft.text(one.value)})"))
        draft.statement(first, partial(instead, f"{pieces} = [{start}]"))
        if isinstance(last, ast.AugAssign):
            line = f"{pieces}.append({draft.text(last.value)})"
            draft.statement(last, lambda old: after(joined, instead(line, old)))
        else:
            draft.statement(last, partial(after, joined))
        return draft


def _growth(facts: Facts, scope: Scope, name: str) -> tuple[ast.Assign, list[ast.AugAssign]] | None:
    """Return the first assignment of a string literal and the additions that follow it."""
    firsts: list[ast.Assign] = []
    additions: list[ast.AugAssign] = []
    for binding in scope.bindings[name]:
        match facts.source.parent(binding):
            case ast.AugAssign(op=ast.Add(), value=value) as parent if facts.kind(
                value
            ).name == "str" and facts.source.owns_line(parent):
                additions.append(parent)
            case ast.Assign(targets=[_]) as parent:
                firsts.append(parent)
            case _:
                return None
    if len(firsts) != 1 or not additions or name in scope.elsewhere:
        return None
    start = binding_value(facts.source, firsts[0].targets[0])
    if not isinstance(start, ast.Constant) or not isinstance(start.value, str):
        return None
    if not any(facts.loops_since(one, firsts[0]) for one in additions):
        return None
    if all(_is_character(facts, one.value) for one in additions):
        return None
    return firsts[0], sorted(additions, key=lambda one: one.lineno)


def _is_character(facts: Facts, value: ast.expr) -> bool:
    """Say whether ``value`` is bound by a loop over a string."""
    if not isinstance(value, ast.Name):
        return False
    scope = facts.source.scopes.resolve(value.id, facts.source.scope_of(value))
    loops = [facts.source.parent(one) for one in scope.bindings[value.id]] if scope else []
    return any(isinstance(one, ast.For) and facts.kind(one.iter).name == "str" for one in loops)


def _reader(
    facts: Facts, scope: Scope, name: str, first: ast.Assign, additions: list[ast.AugAssign]
) -> ast.stmt | None:
    """Return the statement of the block with the last addition; None where that is not enough.

    All additions and reads must lie in the block of the first assignment, and every read behind
    the last statement that adds.
    """
    source = facts.source
    block = source.block_of(first)
    start = block.index(first)
    holders = [_holder(facts, one, block) for one in additions]
    if None in holders or not source.owns_line(first):
        return None
    places = [block.index(one) for one in holders if one is not None]
    last = max(places)
    if min(places) <= start:
        return None
    uses = facts.uses(scope, name)
    if not uses:
        return None
    for use in uses:
        holder = _holder(facts, use.node, block)
        if holder is None or block.index(holder) <= last:
            return None
    return block[last]


def _holder(facts: Facts, node: ast.AST, block: list[ast.stmt]) -> ast.stmt | None:
    return next((one for one in block if facts.source.inside(node, one)), None)
