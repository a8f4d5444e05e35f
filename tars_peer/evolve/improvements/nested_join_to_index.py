"""For each of many, a search through all of others for the equal one: a dict finds it at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.kinds import element_of, hashable
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.stability import is_stable
from tars_peer.evolve.improvements.improvement import Example, Hit, Improvement, Reach, code
from tars_peer.evolve.rewrite.draft import Draft
from tars_peer.evolve.rewrite.nodes import before, looked_up


@dataclass(frozen=True, slots=True, kw_only=True)
class _Join:
    """``for outer: for item in many: if item.field == probe: …; break``."""

    outer: ast.For
    inner: ast.For
    test: ast.If
    many: ast.Name
    item: str
    field: ast.Attribute
    probe: ast.expr


class NestedJoinToIndex(Improvement):
    """An index is built once; every search in it takes one hash."""

    name: ClassVar[str] = "nested-join-to-index"
    message: ClassVar[str] = "equal records are searched in a nested loop; index them by their key"
    expected_gain: ClassVar[float] = 0.7
    risk: ClassVar[float] = 1.7
    reach: ClassVar[Reach] = Reach.OWN
    guards: ClassVar[str] = (
        "The inner loop does nothing but take the first record of a list whose field equals a "
        "value, and leaves with `break`. Records are dataclasses or NamedTuples of the genome; "
        "field and value are proved to be of the same hashable builtin type; nothing in the outer "
        "loop changes the list or that field, or runs unknown code; the record is not used "
        "outside of the inner loop."
    )
    needs: ClassVar[bytes] = b"break"
    finds: ClassVar[tuple[Example, ...]] = (
        Example(
            before=code("""
                from dataclasses import dataclass


                @dataclass
                class Address:
                    ident: str
                    town: str


                def towns(keys: list[str], book: list[Address]) -> list[str]:
                    found: list[str] = []
                    # Keys without an address are left out.
                    for key in keys:
                        for address in book:
                            if address.ident == key:
                                # The first one counts.
                                found.append(address.town)
                                break
                    return found
            """),
            after=code("""
                from dataclasses import dataclass


                @dataclass
                class Address:
                    ident: str
                    town: str


                def towns(keys: list[str], book: list[Address]) -> list[str]:
                    found: list[str] = []
                    book_by_ident = {address.ident: address for address in reversed(book)}
                    # Keys without an address are left out.
                    for key in keys:
                        address = book_by_ident.get(key)
                        if address is not None:
                            # The first one counts.
                            found.append(address.town)
                    return found
            """),
            check=(
                "towns(['a', 'x', 'b', 'a'], [Address('a', 'A'), Address('b', 'B'), "
                "Address('a', 'C')])"
            ),
        ),
    )
    leaves: ClassVar[tuple[str, ...]] = (
        # Every match counts, not the first.
        code("""
            from dataclasses import dataclass

            @dataclass
            class A:
                k: str

            def f(keys: list[str], book: list[A]):
                n = 0
                for key in keys:
                    for a in book:
                        if a.k == key:
                            n += 1
                return n
        """),
        # Not a record: the field may be computed.
        code("""
            class A:
                k: str

            def f(keys: list[str], book: list[A]):
                n = 0
                for key in keys:
                    for a in book:
                        if a.k == key:
                            n += 1
                            break
                return n
        """),
        # 1 == 1.0 is fine, but the field may also be a list.
        code("""
            from dataclasses import dataclass

            @dataclass
            class A:
                k: list[str]

            def f(keys: list[list[str]], book: list[A]):
                n = 0
                for key in keys:
                    for a in book:
                        if a.k == key:
                            n += 1
                            break
                return n
        """),
        # The field changes meanwhile.
        code("""
            from dataclasses import dataclass

            @dataclass
            class A:
                k: str

            def f(keys: list[str], book: list[A]):
                for key in keys:
                    for a in book:
                        if a.k == key:
                            a.k = ""
                            break
        """),
        # The last record looked at is used afterwards.
        code("""
            from dataclasses import dataclass

            @dataclass
            class A:
                k: str

            def f(keys: list[str], book: list[A]):
                n = 0
                for key in keys:
                    for a in book:
                        if a.k == key:
                            n += 1
                            break
                    n += len(a.k)
                return n
        """),
        # An else belongs to the search.
        code("""
            from dataclasses import dataclass

            @dataclass
            class A:
                k: str

            def f(keys: list[str], book: list[A]):
                n = 0
                for key in keys:
                    for a in book:
                        if a.k == key:
                            break
                    else:
                        n += 1
                return n
        """),
        # Unknown code may change the list.
        code("""
            from dataclasses import dataclass

            @dataclass
            class A:
                k: str

            def f(keys: list[str], book: list[A], g):
                for key in keys:
                    for a in book:
                        if a.k == key:
                            g(a)
                            break
        """),
    )

    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield nested loops that search for an equal field."""
        for inner in facts.source.nodes(ast.For):
            function = facts.source.function_of(inner)
            found = _join(facts, inner)
            if function is None or function.dynamic or found is None:
                continue
            if not _is_proved(facts, function, found):
                continue
            yield Hit(
                function=function,
                line=inner.lineno,
                subject=f"{found.many.id} {found.field.attr}",
                evidence=f"{found.many.id} is searched for {found.field.attr} in a nested loop",
                draft=self._draft(facts, function, found),
            )

    def _draft(self, facts: Facts, function: Scope, join: _Join) -> Draft:
        draft = Draft(facts.source, function)
        many, key, item = join.many.id, join.field.attr, join.item
        index = draft.fresh(f"{many}_by_{key}")
        made = f"{index} = {{{item}.{key}: {item} for {item} in reversed({many})}}"
        draft.statement(join.outer, partial(before, made))
        find = f"{item} = {index}.get({draft.text(join.probe)})"
        draft.statement(join.inner, partial(looked_up, find, f"{item} is not None"))
        return draft


def _join(facts: Facts, inner: ast.For) -> _Join | None:
    match inner:
        case ast.For(
            target=ast.Name(id=item),
            iter=ast.Name() as many,
            body=[ast.If(body=[_, *_, ast.Break()], orelse=[]) as test],
            orelse=[],
        ):
            pass
        case _:
            return None
    match test.test:
        case ast.Compare(
            left=ast.Attribute(value=ast.Name(id=word)) as field,
            ops=[ast.Eq()],
            comparators=[probe],
        ) if word == item:
            pass
        case ast.Compare(
            left=probe,
            ops=[ast.Eq()],
            comparators=[ast.Attribute(value=ast.Name(id=word)) as field],
        ) if word == item:
            pass
        case _:
            return None
    outer = facts.source.parent(inner)
    if not isinstance(outer, ast.For) or inner not in outer.body:
        return None
    return _Join(
        outer=outer, inner=inner, test=test, many=many, item=item, field=field, probe=probe
    )


def _is_proved(facts: Facts, function: Scope, join: _Join) -> bool:
    source = facts.source
    kind = facts.kind(join.many)
    key = facts.kind(join.field)
    if kind.name != "list" or element_of(kind).name != "class" or key.name not in ("str", "int"):
        return False
    if facts.kind(join.probe) != key or not hashable(key) or not facts.is_cheap(join.probe):
        return False
    if not facts.is_plain_field(join.field) or not is_stable(facts, join.many, join.outer):
        return False
    if not facts.quiet.region(source, join.outer) or _touches(join):
        return False
    return _is_used_inside(facts, function, join)


def _touches(join: _Join) -> bool:
    """Say whether the loop sets the field, or has jumps that would mean another loop."""
    body = [one for statement in join.test.body[:-1] for one in ast.walk(statement)]
    if any(isinstance(one, (ast.Break, ast.Continue)) for one in body):
        return True
    return any(
        isinstance(one, ast.Attribute)
        and one.attr == join.field.attr
        and not isinstance(one.ctx, ast.Load)
        for one in ast.walk(join.outer)
    )


def _is_used_inside(facts: Facts, function: Scope, join: _Join) -> bool:
    """Say whether the record is bound by the inner loop alone, and used only where it matched."""
    if function.bindings.get(join.item, []) != [join.inner.target]:
        return False
    probe_names = {one.id for one in ast.walk(join.probe) if isinstance(one, ast.Name)}
    if join.item in probe_names:
        return False
    return all(
        facts.source.inside(use, join.test) and not facts.source.scopes.captured(use, function)
        for use in function.references.get(join.item, [])
    )
