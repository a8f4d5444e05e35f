"""Gate 10: every file the change touches is Python that parses and compiles.

Stops edits that do not fit their base, edits that change nothing, and broken syntax. It stands
first because it is the cheapest and everything after it may rely on an AST. Nothing may be
imported, run or written here: code objects are made in memory and dropped.
"""

from __future__ import annotations

from tars_peer.gates.case import Case
from tars_peer.gates.outcome import GateOutcome
from tars_peer.gates.syntax import compile_in_memory

NAME = "parses"
NUMBER = 10

#: No file written by hand is larger; a larger one would only keep the parser busy.
LARGEST_FILE_BYTES = 2 * 1024 * 1024


def check(case: Case) -> GateOutcome:
    """Compile each touched file in memory."""
    contents = case.contents
    if not contents:
        return GateOutcome(passed=False, reason="the change has no edits")
    for path, content in sorted(contents.items()):
        complaint = _complaint(path, content, case.base_files[path])
        if complaint:
            return GateOutcome(passed=False, reason=f"{path}: {complaint}")
    return GateOutcome(passed=True, reason=f"{len(contents)} file(s) compile")


def _complaint(path: str, content: bytes, before: bytes) -> str:
    """Say what is wrong with the new content of one file, or nothing."""
    if content == before:
        return "the edits leave this file as it was"
    if len(content) > LARGEST_FILE_BYTES:
        return f"{len(content)} bytes are more than the {LARGEST_FILE_BYTES} that are read"
    if not path.endswith(".py"):
        return ""  # gate 20 says which files may be touched at all
    try:
        compile_in_memory(content, path)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (RecursionError, MemoryError):
        # CPython's parser reports expressions nested too deep as MemoryError; that is the
        # candidate's fault and no shortage of ours.
        return "its expressions are nested too deep to compile"
    except ValueError as error:
        return str(error)
    return ""
