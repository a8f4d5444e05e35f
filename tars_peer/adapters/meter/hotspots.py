"""From the figures that a profiled run left to the genome's hotspots.

The figures were written next to code that nobody has proved: each is checked before it is used.
No profiling and no ranking by worth may enter here.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tars_peer.adapters.meter.bytecode import within
from tars_peer.model.finding import Hotspot

#: Larger files of figures are not read, nor more than so many of them.
MOST_BYTES: Final = 16 * 1024 * 1024
MOST_FILES: Final = 64
_MOST_SECONDS: Final = 1e6
_MODULE: Final = "<module>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One code object in one process; times in seconds."""

    path: str
    line: int
    name: str
    calls: int
    own_s: float
    cumulative_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one process left."""

    total_s: float
    functions: tuple[Timed, ...]


def read_figures(content: bytes) -> Figures | None:
    """Return the figures of one process, or None where they are none."""
    try:
        stated = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stated, dict) or not isinstance(stated.get("functions"), list):
        return None
    total_s = _seconds(stated.get("total"))
    functions = tuple(filter(None, map(_timed, stated["functions"])))
    return None if total_s is None else Figures(total_s=total_s, functions=functions)


def _timed(row: object) -> Timed | None:
    """Return one row of figures, or None where it is none."""
    match row:
        case [str(path), int(line), str(name), int(calls), own, cumulative]:
            own_s, cumulative_s = _seconds(own), _seconds(cumulative)
            if own_s is not None and cumulative_s is not None and line >= 0 and calls >= 0:
                return Timed(
                    path=path,
                    line=line,
                    name=name,
                    calls=calls,
                    own_s=own_s,
                    cumulative_s=cumulative_s,
                )
    return None


def _seconds(value: object) -> float | None:
    """Return ``value`` where it is a possible number of seconds, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value < _MOST_SECONDS else None


def hotspots(
    figures: Iterable[Figures], *, artifact: Path, source: Sequence[str]
) -> tuple[Hotspot, ...]:
    """Return the functions under ``source`` by falling share of the time of all processes.

    A lambda, a comprehension and a generator expression count as their function's own time.
    """
    figures = tuple(figures)
    total_s = sum(each.total_s for each in figures)
    if total_s <= 0:
        return ()
    names: dict[str, _Names | None] = {}
    spots: dict[tuple[str, int, str], list[float]] = {}
    for timed in (timed for each in figures for timed in each.functions):
        if not any(within(timed.path, folder) for folder in source):
            continue
        if timed.path not in names:
            names[timed.path] = _Names.of(artifact / timed.path)
        known = names[timed.path]
        if known is None:
            continue
        line, name, whole = known.at(timed)
        spot = spots.setdefault((timed.path, line, name), [0, 0.0, 0.0])
        spot[1] += timed.own_s
        if whole:
            spot[0] += timed.calls
            spot[2] += timed.cumulative_s
    found = [
        Hotspot(
            path=path,
            function=name,
            line=line,
            calls=int(calls),
            own_share=min(1.0, own_s / total_s),
            share=min(1.0, max(own_s, cumulative_s) / total_s),
        )
        for (path, line, name), (calls, own_s, cumulative_s) in spots.items()
    ]
    return tuple(sorted(found, key=lambda spot: (-spot.share, spot.path, spot.line)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    """Where a function is; ``first`` is the line of its first decorator or of its ``def``."""

    name: str
    first: int
    line: int
    last: int


class _Names:
    """The qualified names of one file's functions."""

    def __init__(self, functions: Mapping[int, Sequence[_Function]]) -> None:
        """Keep the functions by their first line."""
        self._by_line = functions
        self._all = [function for group in functions.values() for function in group]

    @classmethod
    def of(cls, path: Path) -> _Names | None:
        """Read the file at ``path``; None where it is no Python file."""
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        by_line: dict[int, list[_Function]] = {}
        for function in _functions(tree, ""):
            by_line.setdefault(function.first, []).append(function)
        return cls(by_line)

    def at(self, timed: Timed) -> tuple[int, str, bool]:
        """Return the line and qualified name of a code object's function.

        The third says whether the code object is that function, not a part of it.
        """
        for function in self._by_line.get(timed.line, ()):
            if function.name.rpartition(".")[2] == timed.name:
                return function.line, function.name, True
        around = [each for each in self._all if each.first <= timed.line <= each.last]
        if timed.name.startswith("<") and timed.name != _MODULE and around:
            inner = max(around, key=lambda each: each.first)
            return inner.line, inner.name, False
        return max(1, timed.line), _MODULE if timed.name.startswith("<") else timed.name, True


def _functions(node: ast.AST, prefix: str) -> Iterable[_Function]:
    """Yield the functions below ``node``; ``prefix`` is the qualified name of ``node``."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                decorators = [decorator.lineno for decorator in child.decorator_list]
                yield _Function(
                    name=prefix + child.name,
                    first=min([child.lineno, *decorators]),
                    line=child.lineno,
                    last=child.end_lineno or child.lineno,
                )
                yield from _functions(child, f"{prefix}{child.name}.<locals>.")
            case ast.ClassDef():
                yield from _functions(child, f"{prefix}{child.name}.")
            case _:
                yield from _functions(child, prefix)
