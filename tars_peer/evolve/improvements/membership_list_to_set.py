"""A list that is searched in a loop becomes a set, or gets one beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts, Local
from tars_peer.evolve.facts.kinds import element_of, hashable
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.uses import READING_METHODS, Kind, Use
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import after, before, call_method

#: Uses that neither change the list nor hand it on while it may still be searched.
_READING = (Kind.CONTAINS, Kind.TRUTH, Kind.ITERATED, Kind.SUBSCRIPT, Kind.READ_BY, Kind.RETURNED)
#: Statements that a line can be put before.
_ROOMY = (ast.For, ast.While, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)


class MembershipListToSet(Improvement):
    """``in`` on a list compares with every element; on a set it computes one hash."""

    name: ClassVar[str] = "membership-list-to-set"
    message: ClassVar[str] = "a list is searched again and again in a loop; search a set"
    expected_gain: ClassVar[float] = 0.6
    risk: ClassVar[float] = 1.5
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "The list is a parameter that nothing changes while the loop runs, or made right here and "
        "only appended to; it does not escape and no closure sees it. Elements and what is looked "
        "for are proved to be hashable values of builtin types."
    )
    needs: ClassVar[bytes] = b" in "
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                def held(codes: list[str], lines: list[str]) -> list[str]:
                    holds = [line.split()[0] for line in lines]
                    return [code for code in codes if code in holds]
            """),
            after=code("""
                def held(codes: list[str], lines: list[str]) -> list[str]:
                    holds = {line.split()[0] for line in lines}
                    return [code for code in codes if code in holds]
            """),
            check="held(['a', 'b', 'c'], ['b x', 'c y'])",
        ),
        Example(
            before=code("""
                def first(words: list[str]) -> int:
                    seen: list[str] = []
                    for word in words:
                        if word not in seen:
                            seen.append(word)  # new
                    return len(words)
            """),
            after=code("""
                def first(words: list[str]) -> int:
                    seen: set[str] = set()
                    for word in words:
                        if word not in seen:
                            seen.add(word)  # new
                    return len(words)
            """),
            check="first(['a', 'b', 'a'])",
        ),
        Example(
            before=code("""
                def unique(words: list[str]) -> list[str]:
                    kept = []
                    for word in words:
                        if word not in kept:
                            kept.append(word)
                    return kept
            """),
            after=code("""
                def unique(words: list[str]) -> list[str]:
                    kept = []
                    kept_set = set(kept)
                    for word in words:
                        if word not in kept_set:
                            kept.append(word)
                            kept_set.add(word)
                    return kept
            """),
            check="unique(['b', 'a', 'b'])",
        ),
        Example(
            before=code("""
                def count(words: list[str], known: list[str]) -> int:
                    total = 0

                    # Only what is known counts.
                    for word in words:
                        if word in known:
                            total += 1
                    return total
            """),
            after=code("""
                def count(words: list[str], known: list[str]) -> int:
                    total = 0

                    known_set = set(known)
                    # Only what is known counts.
                    for word in words:
                        if word in known_set:
                            total += 1
                    return total
            """),
            check="count(['a', 'b', 'a'], ['a'])",
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Rows are lists: they cannot be hashed.
        code("""
            def distinct(rows: list[list[str]]):
                kept: list[list[str]] = []
                for row in rows:
                    if row not in kept:
                        kept.append(row)
                return kept
        """),
        # Nothing says what the elements are.
        code("""
            def some(words, known):
                return [word for word in words if word in known]
        """),
        # The list changes while it is searched.
        code("""
            def grow(words: list[str], known: list[str]):
                for word in words:
                    if word not in known:
                        known.append(word)
        """),
        # Unknown code may change the list.
        code("""
            def call(words: list[str], known: list[str], then):
                for word in words:
                    if word not in known:
                        then(word)
        """),
        # The caller may change it between two words.
        code("""
            def each(words: list[str], known: list[str]):
                for word in words:
                    if word in known:
                        yield word
        """),
        # No loop: a set would cost more than it saves.
        code("""
            def once(word: str, known: list[str]) -> bool:
                return word in known
        """),
        # Made anew each time round.
        code("""
            def fresh(rows: list[list[str]], word: str):
                for row in rows:
                    parts = [part.strip() for part in row]
                    if word in parts:
                        return row
        """),
        # A closure sees the list.
        code("""
            def closed(words: list[str]):
                seen: list[str] = []
                def add(word):
                    seen.append(word)
                for word in words:
                    if word not in seen:
                        add(word)
        """),
        # It may be a string, where ``in`` looks for parts.
        code("""
            from collections.abc import Sequence
            def text(words: list[str], known: Sequence[str]):
                return [word for word in words if word in known]
        """),
        # Names may be used that no one can see.
        code("""
            def seen(words: list[str], known: list[str]):
                for word in words:
                    if word in known:
                        eval(word)
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield lists, made here or given, that are searched in a loop."""
        for local in facts.locals(ast.List, ast.ListComp, ast.Call):
            if not self._is_made_list(facts, local):
                continue
            searched = _searched(facts, local.uses, local.statement)
            if not searched or not _all_hashable(facts, local.target, searched):
                continue
            draft = self._converted(facts, local) or self._accompanied(facts, local, searched)
            if draft is not None:
                yield self._hit(local.scope, local.name, searched, draft)
        for scope in facts.functions():
            for name, bindings in scope.bindings.items():
                if len(bindings) == 1 and isinstance(bindings[0], ast.arg):
                    yield from self._parameter(facts, scope, name)

    def _is_made_list(self, facts: Facts, local: Local) -> bool:
        value = local.value
        if isinstance(value, ast.Call):
            return facts.is_builtin(value.func, "list") and not value.keywords
        return isinstance(value, (ast.List, ast.ListComp))

    def _converted(self, facts: Facts, local: Local) -> Draft | None:
        """The list itself becomes a set, where nothing but searching and adding is done."""
        draft = Draft(facts.source, local.scope)
        for use in local.uses:
            if use.kind in (Kind.CONTAINS, Kind.TRUTH):
                continue
            if _appended(facts, use) is None or use.call is None:
                return None
            draft.expression(use.call, lambda call: call_method(call, "add"))
        text = draft.text(local.value)
        if isinstance(local.value, ast.Call):
            new = f"set{text.removeprefix('list')}"
        elif isinstance(local.value, ast.List) and not local.value.elts:
            new = "set()"
        else:
            new = f"{{{text[1:-1]}}}"
        draft.replace(local.value, new)
        if local.annotation is not None:
            note = local.annotation
            note = note.value if isinstance(note, ast.Subscript) else note
            if not facts.is_builtin(note, "list"):
                return None
            draft.replace(note, "set")
        return draft

    def _accompanied(self, facts: Facts, local: Local, searched: list[Use]) -> Draft | None:
        """A set goes along with the list."""
        draft = Draft(facts.source, local.scope)
        beside = draft.fresh(f"{local.name}_set")
        for use in local.uses:
            if use.kind in _READING or (use.word in READING_METHODS and use.alone):
                continue
            added = _appended(facts, use)
            if added is None or not facts.is_cheap(added):
                return None
            line = f"{beside}.add({draft.text(added)})"
            draft.statement(facts.source.statement_of(use.node), partial(after, line))
        for use in searched:
            draft.replace(use.node, beside)
        draft.statement(local.statement, partial(after, f"{beside} = set({local.name})"))
        return draft

    def _parameter(self, facts: Facts, scope: Scope, name: str) -> Iterator[Hit]:
        uses = facts.uses(scope, name)
        if not uses:
            return
        searched = [use for use in uses if use.kind is Kind.CONTAINS]
        searched = [use for use in searched if facts.source.loops_around(use.node)]
        if not searched or not _all_hashable(facts, uses[0].node, searched):
            return
        if any(
            use.kind not in _READING and not (use.word in READING_METHODS and use.alone)
            for use in uses
        ):
            return
        outermost = {facts.source.loops_around(use.node)[-1] for use in searched}
        loop = outermost.pop()
        statement = facts.source.statement_of(loop)
        if outermost or not isinstance(statement, _ROOMY):
            return
        if not facts.quiet.region(facts.source, statement):
            return
        draft = Draft(facts.source, scope)
        beside = draft.fresh(f"{name}_set")
        for use in searched:
            draft.replace(use.node, beside)
        draft.statement(statement, partial(before, f"{beside} = set({name})"))
        yield self._hit(scope, name, searched, draft)

    def _hit(self, scope: Scope, name: str, searched: list[Use], draft: Draft) -> Hit:
        return Hit(
            function=scope,
            line=searched[0].node.lineno,
            subject=name,
            evidence=f"`in {name}` {len(searched)} time(s) in a loop; {name} is a list",
            draft=draft,
        )


def _searched(facts: Facts, uses: list[Use], made: ast.stmt) -> list[Use]:
    found = [use for use in uses if use.kind is Kind.CONTAINS]
    return [use for use in found if facts.loops_since(use.node, made)]


def _appended(facts: Facts, use: Use) -> ast.expr | None:
    """Return what a ``name.append(value)`` line appends."""
    if use.kind is not Kind.METHOD or use.word != "append" or use.call is None:
        return None
    line = facts.source.parent(use.call)
    if not use.alone or len(use.call.args) != 1 or not isinstance(line, ast.Expr):
        return None
    value = use.call.args[0]
    return None if isinstance(value, ast.Starred) else value


def _all_hashable(facts: Facts, name: ast.Name, searched: list[Use]) -> bool:
    kind = facts.kind(name)
    if kind.name not in ("list", "tuple*") or not hashable(element_of(kind)):
        return False
    return all(hashable(facts.kind(facts.probe(use.node))) for use in searched)
