"""Byte-compile a tree into another folder and write, as JSON, which files do not compile.

Run as ``python -I compile_tree.py SOURCE TARGET COMPLAINTS``. It runs nothing of the tree. The
byte code is marked as not to be checked against its source: a tree with an id never changes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import sys
import warnings
from pathlib import Path


def main(source: Path, target: Path, report: Path) -> None:
    """Compile every Python file below ``source``; links are not followed."""
    complaints = []
    for parent, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in {"__pycache__", ".git"})
        for path in (Path(parent, name) for name in sorted(names)):
            if path.suffix == ".py" and path.is_file() and not path.is_symlink():
                relative = path.relative_to(source)
                complaint = compile_file(path, target / relative)
                if complaint:
                    complaints.append([str(relative), complaint])
    report.write_text(json.dumps(complaints), encoding="utf-8")


def compile_file(path: Path, target: Path) -> str:
    """Compile one file; return why it does not compile, or nothing."""
    try:
        py_compile.compile(
            str(path),
            cfile=importlib.util.cache_from_source(target),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    except py_compile.PyCompileError as error:
        cause = error.exc_value
        line = getattr(cause, "lineno", None)
        what = f"{type(cause).__name__}: {getattr(cause, 'msg', cause)}"
        return f"{what} (line {line})" if line else what
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*map(Path, sys.argv[1:4]))
