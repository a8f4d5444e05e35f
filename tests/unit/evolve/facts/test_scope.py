"""Who binds and who reads: the ground that every guard stands on."""

from __future__ import annotations

import ast

import pytest

from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.facts.source import Source, read_source


def parsed(text: str) -> Source:
    return read_source("a.py", text.encode())


def function(source: Source, name: str) -> Scope:
    return next(one for one in source.scopes.functions() if one.qualname.endswith(name))


def name_in(source: Source, word: str, line: int) -> ast.Name:
    return next(one for one in source.nodes(ast.Name) if (one.id, one.lineno) == (word, line))


def test_names_belong_to_the_scope_that_binds_them() -> None:
    source = parsed(
        "x = 1\n"
        "class A:\n"
        "    x = 2\n"
        "    def f(self):\n"
        "        return x\n"
        "def g(x):\n"
        "    def h():\n"
        "        return x\n"
        "    return h\n"
    )
    scopes = source.scopes
    assert scopes.resolve("x", function(source, "f")) is scopes.module
    assert scopes.resolve("x", function(source, "h")) is function(source, "g")
    assert scopes.resolve("len", function(source, "h")) is None


def test_qualified_names_are_those_of_python() -> None:
    source = parsed("class A:\n    def f(self):\n        def g():\n            pass\n")
    names = [one.qualname for one in source.scopes.functions()]
    assert names == ["A.f", "A.f.<locals>.g"]


def test_global_and_nonlocal_bind_elsewhere() -> None:
    source = parsed(
        "n = 0\n"
        "def f():\n"
        "    global n\n"
        "    n = 1\n"
        "def g():\n"
        "    m = 0\n"
        "    def h():\n"
        "        nonlocal m\n"
        "        m = 1\n"
        "    return h\n"
    )
    assert len(source.scopes.module.bindings["n"]) == 2
    assert len(function(source, "g").bindings["m"]) == 2
    assert source.scopes.resolve("m", function(source, "h")) is function(source, "g")


def test_comprehensions_have_a_scope_but_their_first_iterable_does_not() -> None:
    source = parsed("def f(x):\n    return [x for x in x if (y := x)]\n")
    scope = function(source, "f")
    assert "y" in scope.bindings
    loads = [source.scopes.resolve(one.id, source.scope_of(one)) for one in source.nodes(ast.Name)]
    assert scope in loads
    assert [one.kind for one in source.scopes.scopes] == ["module", "function", "comprehension"]


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("def f(x):\n    return [x for i in x]\n", False),
        ("def f(x):\n    return sum(x for i in range(3))\n", False),
        ("def f(x):\n    return ','.join(x for i in range(3))\n", False),
        ("def f(x):\n    return (x for i in range(3))\n", True),
        ("def f(x):\n    return lambda: x\n", True),
        ("def f(x, sum):\n    return sum(x for i in range(3))\n", True),
    ],
)
def test_captured_names_may_be_read_later(text: str, *, later: bool) -> None:
    source = parsed(text)
    scope = function(source, "f")
    assert any(source.scopes.captured(one, scope) for one in scope.references["x"]) is later


def test_a_shadowed_or_starred_builtin_is_none() -> None:
    plain = parsed("def f(x):\n    return len(x)\n")
    assert plain.scopes.is_builtin(name_in(plain, "len", 2), "len")
    for text in (
        "def f(x, len):\n    return len(x)\n",
        "from a import *\ndef f(x):\n    return len(x)\n",
        "def f(x):\n    return len(x)\nlen = 3\n",
        "def g():\n    global len\n    len = 3\ndef f(x):\n    return len(x)\n",
    ):
        source = parsed(text)
        found = [one for one in source.nodes(ast.Name) if one.id == "len"]
        assert not any(source.scopes.is_builtin(one, "len") for one in found), text


@pytest.mark.parametrize(
    ("call", "here", "around"),
    [("eval('x')", True, True), ("locals()", True, False), ("vars(x)", False, False)],
)
def test_code_that_reaches_names_unseen_is_dynamic(call: str, *, here: bool, around: bool) -> None:
    source = parsed(f"def f(x):\n    return {call}\n")
    assert function(source, "f").dynamic is here
    assert source.scopes.module.dynamic is around


def test_every_way_to_bind_a_name_is_seen() -> None:
    source = parsed(
        "def f(a, *b, c=1, **d):\n"
        "    import e, g.h\n"
        "    from i import j as k\n"
        "    for l in a:\n"
        "        with a as m:\n"
        "            pass\n"
        "    try:\n"
        "        pass\n"
        "    except OSError as n:\n"
        "        pass\n"
        "    match a:\n"
        "        case [o, *p]:\n"
        "            pass\n"
        "        case {'x': q, **r}:\n"
        "            pass\n"
        "    s, (t, *u) = a\n"
        "    v: int = 1\n"
        "    v += 1\n"
        "    class w: pass\n"
        "    def x(): pass\n"
        "    del s\n"
    )
    assert set(function(source, "f").bindings) == set("abcdegklmnopqrstuvwx")
    assert len(function(source, "f").bindings["s"]) == 2


def test_loops_around_are_those_that_evaluate_again() -> None:
    source = parsed(
        "def f(xs):\n"
        "    for x in xs:\n"
        "        while xs:\n"
        "            y = [x for z in xs if x in xs]\n"
    )
    places = {
        (one.id, one.lineno, one.col_offset): len(source.loops_around(one))
        for one in source.nodes(ast.Name)
    }
    assert places["xs", 2, 13] == 0
    assert places["xs", 3, 14] == 2
    assert places["xs", 4, 28] == 2
    assert places["xs", 4, 39] == 3
