"""``queue.pop(0)`` on a list moves every other element; a deque gives its first one away."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts, Local
from tars_peer.evolve.facts.uses import Kind, Use
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import call_method

#: Methods that lists and deques share, argument for argument.
_SHARED = frozenset({"append", "clear", "count", "extend", "remove", "reverse"})


class PopFirstToDeque(Improvement):
    """Taking from the front of a list costs its length."""

    name: ClassVar[str] = "pop-first-to-deque"
    message: ClassVar[str] = "a list is used as a queue; a deque takes from the front in no time"
    expected_gain: ClassVar[float] = 0.4
    risk: ClassVar[float] = 1.3
    reach: ClassVar[Reach] = Reach.CALLS
    guards: ClassVar[str] = (
        "The list is made in the function, is bound once and does not escape; it is never "
        "iterated (a deque may not change then), sliced, compared or searched by index; no "
        "closure sees it. Only the words of an IndexError differ."
    )
    needs: ClassVar[bytes] = b".pop(0)"
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code('''
                """Walk."""

                from __future__ import annotations

                import re
                from pathlib import Path


                def walk(links, start):
                    queue: list[str] = [start]  # to do
                    out = 0
                    while queue:
                        out += 1
                        queue.extend(links.get(queue.pop(0), ()))
                    return out
            '''),
            after=code('''
                """Walk."""

                from __future__ import annotations

                import re
                from collections import deque
                from pathlib import Path


                def walk(links, start):
                    queue: deque[str] = deque([start])  # to do
                    out = 0
                    while queue:
                        out += 1
                        queue.extend(links.get(queue.popleft(), ()))
                    return out
            '''),
            check="walk({1: [2, 3], 2: [4]}, 1)",
        ),
        Example(
            before=code("""
                from collections import Counter


                class Window:
                    def total(self, values):
                        recent = []
                        best = 0
                        for value in values:
                            recent.append(value)
                            if len(recent) > 3:
                                recent.pop(0)
                            best = max(best, sum(recent))
                        return best
            """),
            after=code("""
                from collections import Counter, deque


                class Window:
                    def total(self, values):
                        recent = deque()
                        best = 0
                        for value in values:
                            recent.append(value)
                            if len(recent) > 3:
                                recent.popleft()
                            best = max(best, sum(recent))
                        return best
            """),
            check="Window().total([1, 5, 2, 8, 1, 1])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Sliced.
        code("""
            def f(xs):
                q = list(xs)
                while q[1:]:
                    q.pop(0)
        """),
        # Iterated: a deque may not change meanwhile.
        code("""
            def f(xs):
                q = list(xs)
                for x in q:
                    q.pop(0)
        """),
        # Returned.
        code("""
            def f(xs):
                q = list(xs)
                while len(q) > 3:
                    q.pop(0)
                return q
        """),
        # Handed on.
        code("""
            def f(xs, g):
                q = list(xs)
                while q:
                    g(q)
                    q.pop(0)
        """),
        # Given from outside.
        code("""
            def f(q):
                while q:
                    q.pop(0)
        """),
        # Bound twice.
        code("""
            def f(xs):
                q = list(xs)
                while q:
                    q.pop(0)
                    q = q + [1]
        """),
        # Not in a loop.
        code("""
            def f(xs):
                q = list(xs)
                return q.pop(0)
        """),
        # Another place than the front.
        code("""
            def f(xs):
                q = list(xs)
                while q:
                    q.pop(0)
                    q.pop(1)
        """),
        # A closure sees it.
        code("""
            def f(xs):
                q = list(xs)
                g = lambda: q.pop(0)
                while q:
                    q.pop(0)
        """),
        # The name deque is something else here.
        code("""
            deque = 3
            def f(xs):
                q = list(xs)
                while q:
                    q.pop(0)
                return deque
        """),
        # list is something else here.
        code("""
            def f(xs, list):
                q = list(xs)
                while q:
                    q.pop(0)
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield local lists that lose their first element in a loop."""
        if not facts.may_import():
            return
        for local in facts.locals(ast.List, ast.ListComp, ast.Call):
            firsts = [use for use in local.uses if _pops(use, 0)]
            if not any(facts.loops_since(use.node, local.statement) for use in firsts):
                continue
            draft = self._draft(facts, local, firsts)
            if draft is not None:
                yield Hit(
                    function=local.scope,
                    line=firsts[0].node.lineno,
                    subject=local.name,
                    evidence=f"{local.name}.pop(0) in a loop; {local.name} is a local list",
                    draft=draft,
                )

    def _draft(self, facts: Facts, local: Local, firsts: list[Use]) -> Draft | None:
        value = local.value
        if isinstance(value, ast.Call) and (
            not facts.is_builtin(value.func, "list") or value.keywords or len(value.args) > 1
        ):
            return None
        if not all(use in firsts or _is_shared(facts, use) for use in local.uses):
            return None
        draft = Draft(facts.source, local.scope)
        if local.annotation is not None:
            note = local.annotation
            note = note.value if isinstance(note, ast.Subscript) else note
            if not facts.is_builtin(note, "list"):
                return None
            draft.replace(note, "deque")
        deque = draft.need("collections", "deque")
        text = draft.text(value)
        if isinstance(value, ast.Call):
            new = f"{deque}{text.removeprefix('list')}"
        elif isinstance(value, ast.List) and not value.elts:
            new = f"{deque}()"
        else:
            new = f"{deque}({text})"
        draft.replace(value, new)
        for use in firsts:
            assert use.call is not None
            draft.expression(use.call, lambda call: call_method(call, "popleft", arguments=0))
        return draft


def _pops(use: Use, place: int) -> bool:
    """Say whether ``use`` is ``name.pop(place)``."""
    if use.word != "pop" or use.call is None or not use.alone or len(use.call.args) != 1:
        return False
    argument = use.call.args[0]
    return isinstance(argument, ast.Constant) and argument.value is place


def _is_shared(facts: Facts, use: Use) -> bool:
    """Say whether a deque does the same in this use."""
    match use.kind:
        case Kind.CONTAINS | Kind.TRUTH:
            return True
        case Kind.READ_BY:
            return use.word != "str" and use.call is not None and len(use.call.args) == 1
        case Kind.METHOD:
            assert use.call is not None
            return use.word in _SHARED or (use.word == "pop" and not use.call.args)
        case Kind.SUBSCRIPT:
            subscript = facts.source.parent(use.node)
            assert isinstance(subscript, ast.Subscript)
            return ast.unparse(subscript.slice) in ("0", "-1")
    return False
