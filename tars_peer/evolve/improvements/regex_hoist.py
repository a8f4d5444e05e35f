"""``re.sub(constant, …)`` in a function finds its pattern anew each time; compile it once."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.project import imported_as
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import expression
from tars_peer.evolve.rewrite.text import dedented

if TYPE_CHECKING:
    import libcst as cst

#: The functions of ``re`` that take a pattern, and where their flags stand among the arguments.
_FLAGS_AT = {
    "compile": 1, "findall": 2, "finditer": 2, "fullmatch": 2, "match": 2, "search": 2,
    "split": 3, "sub": 4, "subn": 4,
}  # fmt: skip
_FLAGS = frozenset(
    {"A", "ASCII", "I", "IGNORECASE", "M", "MULTILINE", "S", "DOTALL", "X", "VERBOSE", "U"}
    | {"UNICODE"}
)
_LONGEST = 2_000


class RegexHoist(Improvement):
    """The cache of ``re`` costs a key, a look-up and a call each time."""

    name: ClassVar[str] = "regex-hoist"
    message: ClassVar[str] = "a constant pattern is compiled or looked up at every call; do it once"
    expected_gain: ClassVar[float] = 0.3
    risk: ClassVar[float] = 1.1
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "`re` is the standard module, imported once at module level above the function; pattern "
        "and flags are constants and compile without a warning; no argument is starred."
    )
    needs: ClassVar[bytes] = b"re."
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code(r"""
                import re


                def tidy(text):
                    text = re.sub(r"\s+", " ", text.strip())
                    return re.sub(r"\bst\b", "Street", text, flags=re.IGNORECASE)
            """),
            after=code(r"""
                import re


                _TIDY_PATTERN = re.compile(r"\s+")
                _TIDY_PATTERN_2 = re.compile(r"\bst\b", re.IGNORECASE)


                def tidy(text):
                    text = _TIDY_PATTERN.sub(" ", text.strip())
                    return _TIDY_PATTERN_2.sub("Street", text)
            """),
            check="tidy(' high   ST ')",
        ),
        Example(
            before=code(r'''
                import re

                # Reads lines.
                def parse(line):
                    pattern = re.compile(
                        r"""
                        (\d+)  # number
                        """,
                        re.VERBOSE,
                    )
                    words = re.split('a', re.sub('b', 'a', line), 1)
                    return pattern.match(line), words
            '''),
            after=code(r'''
                import re

                _PARSE_PATTERN = re.compile(
                    r"""
                        (\d+)  # number
                        """,
                    re.VERBOSE,
                )
                _PARSE_PATTERN_2 = re.compile('a')
                _PARSE_PATTERN_3 = re.compile('b')


                # Reads lines.
                def parse(line):
                    pattern = _PARSE_PATTERN
                    words = _PARSE_PATTERN_2.split(_PARSE_PATTERN_3.sub('a', line), 1)
                    return pattern.match(line), words
            '''),
            check="parse('12b3')",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        code("""
            import re

            def f(p, t):
                return re.sub(p, '', t)
        """),
        code("""
            import re

            def f(t, *a):
                return re.sub('x', *a)
        """),
        code("""
            import re

            def f(t, flags):
                return re.match('x', t, flags)
        """),
        # Does not compile: it must go on failing when it is called.
        code("""
            import re

            def f(t):
                return re.match('(', t)
        """),
        # Something else of that name.
        code("""
            def f(re, t):
                return re.match('x', t)
        """),
        code("""
            try:
                import regex as re
            except ImportError:
                import re

            def f(t):
                return re.match('x', t)
        """),
        # Not there yet where the constant would stand.
        code("""
            def f(t):
                return re.match('x', t)

            import re
        """),
        # Already once: at module level, or in a default.
        code("""
            import re

            P = re.compile('x')
        """),
        code("""
            import re

            def f(t, p=re.compile('x')):
                return p.match(t)
        """),
        # Compiled late on purpose.
        code("""
            import re

            _P = None

            def f(t):
                global _P
                _P = re.compile('x')
        """),
        # A comment would be lost.
        code("""
            import re

            def f(t):
                return re.match(
                    'x',  # ex
                    t,
                )
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield the functions that name constant patterns, with all their patterns at once."""
        by_function: dict[Scope, list[ast.Call]] = {}
        for call in facts.source.nodes(ast.Call):
            function = facts.source.function_of(call)
            if function is not None and _arguments(facts, call) is not None:
                by_function.setdefault(function, []).append(call)
        for function, calls in by_function.items():
            ordered = sorted(calls, key=lambda call: (call.lineno, call.col_offset))
            yield Hit(
                function=function,
                line=ordered[0].lineno,
                subject="",
                evidence=f"{len(ordered)} call(s) of re with a constant pattern",
                draft=self._draft(facts, function, ordered),
            )

    def _draft(self, facts: Facts, function: Scope, calls: list[ast.Call]) -> Draft:
        draft = Draft(facts.source, function)
        stem = f"_{function.function.name.strip('_').upper()}_PATTERN"
        names: dict[str, str] = {}
        for call in calls:
            arguments = _arguments(facts, call)
            assert arguments is not None
            assert isinstance(call.func, ast.Attribute)
            texts = [
                dedented(facts.source, one, facts.source.statement_of(call)) for one in arguments
            ]
            made = f"{facts.source.text(call.func.value)}.compile({', '.join(texts)})"
            if call.func.attr == "compile":
                made = dedented(facts.source, call, facts.source.statement_of(call))
            if made not in names:
                names[made] = draft.fresh(stem)
                draft.constant(f"{names[made]} = {made}")
            self._use(draft, call, names[made])
        return draft

    def _use(self, draft: Draft, call: ast.Call, name: str) -> None:
        assert isinstance(call.func, ast.Attribute)
        if call.func.attr == "compile":
            draft.replace(call, name)
            return
        flags_at = _FLAGS_AT[call.func.attr]

        def rewrite(node: cst.Call) -> cst.Call:
            kept = [
                one
                for place, one in enumerate(node.args)
                if not (
                    one.keyword.value in ("pattern", "flags")
                    if one.keyword
                    else place in (0, flags_at)
                )
            ]
            if kept:
                kept[-1] = kept[-1].with_changes(comma=node.args[-1].comma)
            assert not isinstance(node.func, str)
            func = node.func.with_changes(value=expression(name))
            return node.with_changes(func=func, args=kept)

        draft.expression(call, rewrite)


def _arguments(facts: Facts, call: ast.Call) -> list[ast.expr] | None:
    """Return pattern and flags of a call of ``re`` that may be hoisted, as they are written."""
    word = (imported_as(facts.source, call.func) or "").removeprefix("re.")
    if word not in _FLAGS_AT or not isinstance(call.func, ast.Attribute):
        return None
    if facts.project.has_module("re") or not _is_ready(facts, call, call.func.value):
        return None
    keywords = {one.arg: one.value for one in call.keywords}
    if None in keywords or any(isinstance(one, ast.Starred) for one in call.args):
        return None
    at = _FLAGS_AT[word]
    pattern = call.args[0] if call.args else keywords.get("pattern")
    flags = call.args[at] if len(call.args) > at else keywords.get("flags")
    if not isinstance(pattern, ast.Constant) or not _compiles(pattern.value, flags):
        return None
    if word != "compile" and b"#" in facts.source.content[slice(*facts.source.span(call))]:
        return None
    return [pattern] if flags is None else [pattern, flags]


def _is_ready(facts: Facts, call: ast.Call, module: ast.expr) -> bool:
    """Say whether ``re`` is imported above, and the result is not kept for all on purpose."""
    source = facts.source
    if not isinstance(module, ast.Name):
        return False
    statement = source.statement_of(source.scopes.module.bindings[module.id][0])
    parent = source.parent(call)
    targets = parent.targets if isinstance(parent, ast.Assign) else []
    kept = source.scope_of(call).elsewhere
    is_kept = any(isinstance(one, ast.Name) and one.id in kept for one in targets)
    return statement.lineno < source.top_of(call).lineno and not is_kept


def _compiles(pattern: object, flags: ast.expr | None) -> bool:
    if not isinstance(pattern, (str, bytes)) or len(pattern) > _LONGEST:
        return False
    value = _value(flags)
    if value is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, value)
    except (re.error, Warning, ValueError, OverflowError, RecursionError):
        return False
    return True


def _value(flags: ast.expr | None) -> re.RegexFlag | None:
    """Return the value of flags that are written as ``re.A | re.B``."""
    match flags:
        case None:
            return re.NOFLAG
        case ast.Attribute(value=ast.Name(id="re"), attr=word) if word in _FLAGS:
            return re.RegexFlag[word]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            one, other = _value(left), _value(right)
            return None if one is None or other is None else one | other
    return None
