"""Types are what is surely so, and nothing where it is not."""

from __future__ import annotations

import ast

import pytest

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.project import Project
from tars_peer.evolve.facts.quiet import Quiet
from tars_peer.evolve.facts.types import Types

MODELS = b"""
from dataclasses import dataclass
from typing import NamedTuple

Links = dict[str, list[str]]

@dataclass(slots=True)
class Parcel:
    code: str
    grams: int
    address: "Address | None" = None
    depots: list[str] = ()

    @property
    def kilos(self) -> float:
        return self.grams / 1000

@dataclass
class Address:
    ident: str

class Scan(NamedTuple):
    depot: str

class Odd:
    code: str

    def __getattr__(self, name):
        return 1

def price(parcel: Parcel) -> int:
    return 1
"""
HEADER = """
from __future__ import annotations
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from pack import models
from pack.models import Links, Odd, Parcel, Scan, price

"""


def facts_of(text: str) -> Facts:
    files = {
        "pack/__init__.py": b"",
        "pack/models.py": MODELS,
        "pack/code.py": (HEADER + text).encode(),
    }
    project = Project(files)
    types = Types(project)
    source = project.source("pack/code.py")
    assert source is not None
    return Facts(source=source, project=project, types=types, quiet=Quiet(types))


def kind(text: str) -> str:
    """Return the type of what the last ``return`` returns, as text."""
    facts = facts_of(text)
    found = facts.source.nodes(ast.Return)[-1].value
    return spelt(facts.kind(found))


def spelt(one: object) -> str:
    name, args = getattr(one, "name"), getattr(one, "args")  # noqa: B009
    if name == "class":
        return str(getattr(one, "origin")).rpartition(":")[2]  # noqa: B009
    return f"{name}[{', '.join(spelt(part) for part in args)}]" if args else str(name)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a' + f'{x}'", "str"),
        ("text.split()[0].strip()", "str"),
        ("text.partition(':')[1]", "str"),
        ("[x for x in words]", "list[str]"),
        ("{w: len(w) for w in words}", "dict[str, int]"),
        ("sorted({w for w in words})", "list[str]"),
        ("links[text]", "list[str]"),
        ("links.get(text)", "optional[list[str]]"),
        ("links.get(text, [text])", "list[str]"),
        ("parcel.code", "str"),
        ("parcel.kilos", "float"),
        ("parcel.address.ident", "str"),
        ("parcel.missing", "any"),
        ("price(parcel)", "int"),
        ("models.price(parcel)", "int"),
        ("unknown(parcel)", "any"),
        ("[p.code for p in parcels]", "list[str]"),
        ("Parcel('a', 1).grams", "int"),
        ("when.isoformat()", "str"),
        ("text if x else None", "optional[str]"),
        ("text if x else 1", "any"),
        ("x", "any"),
        ("not x", "bool"),
        ("x in words", "bool"),
        ("(text, 1)", "tuple[str, int]"),
        ("max(words)", "str"),
        ("3 / 2", "float"),
        ("deque(words).popleft()", "str"),
        ("[*words]", "list[any]"),
        ("words + words", "list[str]"),
        ("words[1:]", "list[str]"),
    ],
)
def test_expressions(expression: str, expected: str) -> None:
    text = (
        "def f(x, text: str, words: list[str], links: Links, parcel: Parcel,\n"
        "      parcels: Iterable[Parcel], when: datetime):\n"
        f"    return {expression}\n"
    )
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("y = 'a'", "str"),
        ("y = 1\n    y += 2", "int"),
        ("y = 1\n    y /= 2", "any"),
        ("y = 'a'\n    y = 1", "any"),
        ("y, z = 'a', 1", "str"),
        ("z, *y = words", "any"),
        ("for y in words: pass", "str"),
        ("for i, y in enumerate(words): pass", "str"),
        ("for y, z in zip(words, [1]): pass", "str"),
        ("with open('x') as y: pass", "any"),
        # Containers count only where all that goes in is seen.
        ("y = []\n    y.append('a')", "list[str]"),
        ("y = ['a']\n    y.append(1)", "list[any]"),
        ("y = ['a']\n    y.extend(x)", "list[any]"),
        ("y = ['a']\n    x(y)", "list[any]"),
        ("y = ['a']\n    z = y\n    z.append(1)", "list[any]"),
        ("y = ['a']\n    y[0] = 1", "list[any]"),
        ("y = {'a': 1}\n    y['b'] = 2", "dict[str, int]"),
        ("y = {'a': 1}\n    y[1] = 2", "dict[any, int]"),
        ("y = {'a': ['b']}\n    y['a'].append(1)", "dict[str, list[any]]"),
        ("y: list[str] = []\n    y.append(x)", "list[str]"),
        # What comes out may go in again.
        ("y = list(words)\n    while y:\n        z = y.pop(0)\n        y.append(z)", "list[str]"),
        ("y = list(words)\n    while y:\n        z = y.pop(0)\n        y.append([z])", "list[any]"),
        ("y = list(words)\n    while y:\n        y.append(y)", "list[any]"),
        ("y = y + 'a'", "str"),
        ("y = x\n    y = y", "any"),
    ],
)
def test_variables(body: str, expected: str) -> None:
    assert kind(f"def f(x, words: list[str]):\n    {body}\n    return y\n") == expected


def test_names_that_are_changed_unseen_have_no_type() -> None:
    assert kind("def f():\n    y = 'a'\n    exec('y = 1')\n    return y\n") == "any"
    assert kind("y = 'a'\ndef g():\n    global y\n    y = 1\ndef f():\n    return y\n") == "any"


def test_long_chains_of_names_end_quickly() -> None:
    lines = ["x0 = 1"] + [f"x{n} = x{n - 1} + x{n - 1} + x{n - 1}" for n in range(1, 60)]
    body = "\n    ".join(lines)
    assert kind(f"def f():\n    {body}\n    return x59\n") in ("int", "any")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("price(parcel)", True),
        ("Parcel(text, 1)", True),
        ("text.strip()", True),
        ("sorted(words, key=len)", True),
        ("fresh.append(text)", True),
        ("words.append(text)", False),
        ("sorted(words, key=unknown)", False),
        ("unknown(text)", False),
        ("print(text)", False),
        ("Odd()", False),
        ("parcel.send()", False),
    ],
)
def test_quiet_calls_run_no_unknown_code(call: str, *, expected: bool) -> None:
    facts = facts_of(
        "def f(text: str, words: list[str], parcel: Parcel, unknown):\n"
        "    fresh = []\n"
        f"    return {call}\n"
    )
    node = facts.source.nodes(ast.Return)[-1].value
    assert node is not None
    assert facts.quiet.region(facts.source, node) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return len(words)", True),
        ("words.clear()", False),
        ("words[0] = 1", False),
        ("words += [1]", False),
        ("parcel.code = ''", False),
        ("global x\n    x = 1", False),
        ("return g(words, parcel)", True),
        ("print(words)", False),
    ],
)
def test_functions_are_quiet_if_they_change_nothing(body: str, *, expected: bool) -> None:
    facts = facts_of(
        f"def g(words: list[str], parcel: Parcel):\n    {body}\n"
        "def f(words: list[str], parcel: Parcel):\n    return g(words, parcel)\n"
    )
    node = facts.source.nodes(ast.Return)[-1].value
    assert node is not None
    assert facts.quiet.region(facts.source, node) is expected


def test_records_are_known_by_their_fields() -> None:
    facts = facts_of("def f(p: Parcel, s: Scan, o: Odd):\n    return p.code, s.depot, o.code\n")
    fields = [one for one in facts.source.nodes(ast.Attribute) if one.attr in ("code", "depot")]
    assert [facts.is_plain_field(one) for one in fields] == [True, True, False]
