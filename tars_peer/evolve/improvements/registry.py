"""Finds the improvements: one class in each module of this package. No list by hand may enter."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from tars_peer.evolve import improvements
from tars_peer.evolve.improvements.improvement import Improvement


@cache
def all_improvements() -> tuple[Improvement, ...]:
    """Return one of each improvement, by name."""
    found: dict[str, Improvement] = {}
    for info in pkgutil.iter_modules(improvements.__path__):
        module = importlib.import_module(f"{improvements.__name__}.{info.name}")
        for _, one in inspect.getmembers(module, inspect.isclass):
            if one.__module__ != module.__name__ or inspect.isabstract(one):
                continue
            if issubclass(one, Improvement):
                assert one.name not in found, f"two improvements are called {one.name}"
                found[one.name] = one()
    return tuple(found[name] for name in sorted(found))
