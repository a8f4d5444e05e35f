"""Finds what could do harm in one Python file, by reading its AST (see ``forbidden``).

Pure: source bytes in, findings out. It neither judges whether a finding is new nor imports or
runs anything. Imports are followed by name through the whole file, whatever their scope, so that
``from os import system as s`` and ``import os as o; o.system`` are both ``os.system``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tars_peer.gates import forbidden
from tars_peer.gates.syntax import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Something harmful: its name (equal names are the same thing), what it does, its line."""

    name: str
    why: str
    line: int


def dangers(source: bytes) -> tuple[Danger, ...]:
    """Return what could do harm in ``source``, in no promised order.

    Raises:
        SyntaxError, ValueError: ``source`` does not parse (gate 10 comes first).
    """
    tree = parse(source)
    aliases = _aliases(tree)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found: list[Danger] = []
    for node in ast.walk(tree):
        for name, why in _in_node(node, aliases, called, inner):
            found.append(Danger(name=name, why=why, line=getattr(node, "lineno", 0)))
    return (*found, *_in_text(source))


def imported(source: bytes) -> frozenset[str]:
    """Return the top-level names of what ``source`` imports from outside its own package.

    Raises:
        SyntaxError, ValueError: ``source`` does not parse.
    """
    names: set[str] = set()
    for node in ast.walk(parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return frozenset(names)


def _aliases(tree: ast.AST) -> dict[str, frozenset[str]]:
    """Return what each imported name may stand for, as dotted paths."""
    aliases: dict[str, frozenset[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                dotted = alias.name if alias.asname else name
                aliases[name] = aliases.get(name, frozenset()) | {dotted}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                name = alias.asname or alias.name
                aliases[name] = aliases.get(name, frozenset()) | {f"{module}.{alias.name}"}
    return aliases


def _in_node(
    node: ast.AST, aliases: dict[str, frozenset[str]], called: set[int], inner: set[int]
) -> Iterator[tuple[str, str]]:
    """Yield the name and reason of each danger that ``node`` itself is."""
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield from _dotted(alias.name)
        case ast.ImportFrom(module=module, names=names, level=0):
            for alias in names:
                if alias.name == "*":
                    yield f"from {module} import *", "hides what is imported"
                yield from _dotted(f"{module}.{alias.name}")
        case ast.Name() | ast.Attribute():
            yield from _reference(node, aliases, called, inner)
        case ast.Call():
            yield from _call(node, aliases)
        case ast.Constant(value=str(text)):
            for word in re.findall(r"__[a-z_]+__", text):
                if word in forbidden.ATTRIBUTES:
                    yield f"the text {word}", forbidden.ATTRIBUTES[word]


def _reference(
    node: ast.Name | ast.Attribute,
    aliases: dict[str, frozenset[str]],
    called: set[int],
    inner: set[int],
) -> Iterator[tuple[str, str]]:
    """Yield dangers in a name or an attribute chain; chains count once, at their outer end."""
    if isinstance(node, ast.Attribute) and node.attr in forbidden.ATTRIBUTES:
        yield f".{node.attr}", forbidden.ATTRIBUTES[node.attr]
    if isinstance(node, ast.Attribute) and node.attr in forbidden.METHODS:
        yield f".{node.attr}", forbidden.METHODS[node.attr]
    if isinstance(node, ast.Name) and node.id in forbidden.BUILTINS and node.id not in aliases:
        yield node.id, forbidden.BUILTINS[node.id]
    if id(node) in inner:
        return
    changed = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
    for dotted in _resolved(node, aliases):
        if dotted in forbidden.OPENERS and id(node) not in called:
            yield f"{dotted} as a value", "hands on what opens files"
        if _root(node) not in aliases:
            continue
        yield from _dotted(dotted)
        if changed:
            yield f"assignment to {dotted}", "changes another module"
        if dotted in forbidden.CLOSED_MODULES and dotted not in forbidden.MODULES:
            yield f"{dotted} as a value", "hands on a whole module"


def _call(node: ast.Call, aliases: dict[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """Yield dangers that lie in how something is called."""
    func = node.func
    names = _resolved(func, aliases) if isinstance(func, ast.Name | ast.Attribute) else frozenset()
    openers = sorted(names & forbidden.OPENERS)
    if openers and _may_write(node, 1):
        yield f"{openers[0]} for writing", "writes files"
    if not openers and isinstance(func, ast.Attribute) and func.attr == "open":
        # Whose ``open`` this is, is not known: ``path.open(mode)`` or ``thing.open(path, mode)``.
        writing = ".open for writing", "writes files"
        yield from [writing] if _may_write(node, 0) or _may_write(node, 1) else []
    if names & {"getattr", "setattr", "delattr"} and len(node.args) > 1:
        attribute = node.args[1]
        if not (isinstance(attribute, ast.Constant) and isinstance(attribute.value, str)):
            yield f"{min(names)} with a computed name", "reaches attributes unseen"
        elif isinstance(node.args[0], ast.Name) and node.args[0].id in aliases:
            for dotted in _resolved(node.args[0], aliases):
                yield f"{min(names)} on {dotted}", "reaches into another module unseen"


def _may_write(node: ast.Call, position: int) -> bool:
    """Say whether the mode of a call that opens a file allows, or may allow, to write."""
    given = [word.value for word in node.keywords if word.arg == "mode"]
    if any(word.arg is None for word in node.keywords):
        return True  # ``**options`` may hold a mode
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return True
    modes = given or node.args[position : position + 1]
    if not modes:
        return False
    mode = modes[0]
    if not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)):
        return True
    return re.fullmatch(r"[rbtU]*[wax+][rwaxbt+]*", mode.value) is not None


def _resolved(node: ast.expr, aliases: dict[str, frozenset[str]]) -> frozenset[str]:
    """Return the dotted paths that a chain may stand for; none where it starts with no name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return frozenset()
    tail = "".join(f".{part}" for part in reversed(parts))
    return frozenset(f"{root}{tail}" for root in aliases.get(node.id, frozenset({node.id})))


def _root(node: ast.expr) -> str:
    """Return the name an attribute chain starts with, or ``""``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _dotted(dotted: str) -> Iterator[tuple[str, str]]:
    """Yield the danger that a resolved dotted path is, if it is one."""
    if any(f"{dotted}.".startswith(f"{harmless}.") for harmless in forbidden.HARMLESS):
        return
    parts = dotted.split(".")
    if parts[0] in forbidden.MODULES:
        yield dotted, forbidden.MODULES[parts[0]]
        return
    for module, attribute in pairwise(parts):
        name = f"{module}.{attribute}"
        if name in forbidden.NAMES:
            yield name, forbidden.NAMES[name]


def _in_text(source: bytes) -> Iterator[Danger]:
    """Yield secrets and hidden characters, wherever they stand."""
    text = source.decode("utf-8", errors="replace")
    for name, pattern in forbidden.SECRETS.items():
        for hit in re.finditer(pattern, text):
            line = text.count("\n", 0, hit.start()) + 1
            yield Danger(name=name, why="looks like a secret", line=line)
    for hit in re.finditer(forbidden.HIDDEN_CHARACTERS, text):
        line = text.count("\n", 0, hit.start()) + 1
        yield Danger(
            name=f"the hidden character U+{ord(hit.group()):04X}",
            why="makes code read differently from how it runs",
            line=line,
        )
