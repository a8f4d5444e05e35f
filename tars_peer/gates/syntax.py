"""Reading Python source without running it and without a word on the console.

Parsing and compiling warn about doubtful source (an unknown escape, ``is`` with a literal); that
is the genome's matter, and where warnings are errors it would read as broken syntax. Nothing that
runs what it reads may enter here.
"""

from __future__ import annotations

import ast
import threading
import warnings

# ``warnings.catch_warnings`` changes the whole process, so one thread at a time may do it.
_quiet = threading.Lock()


def parse(source: bytes) -> ast.Module:
    """Return the AST of ``source``.

    Raises:
        SyntaxError, ValueError: it is not Python.
        RecursionError, MemoryError: its expressions are nested too deep.
    """
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def compile_in_memory(source: bytes, path: str) -> None:
    """Compile ``source`` to a code object and drop it.

    Raises: as ``parse``.
    """
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, path, "exec", dont_inherit=True)
