"""Gate 20: the change touches only files that evolution may edit.

Stops changes outside the genome's declared source, changes of protected or constitutional files,
and changes of what judges them (tests, the benchmark, anything a judging command runs). It stands
before anything that costs, and before anything is written to disk under such a path. That the
replayed tree has the id that the change promises is the caller's check, not this gate's.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from tars_peer.gates.case import Case
from tars_peer.gates.outcome import GateOutcome
from tars_peer.model.policy import Policy

NAME = "paths"
NUMBER = 20

#: File names that steer tests or the interpreter, wherever they lie.
STEERING_FILES = ("conftest.py", "sitecustomize.py", "usercustomize.py", "setup.py")


def check(case: Case) -> GateOutcome:
    """Look at each path of the change."""
    for path in case.change.files:
        complaint = (
            _malformed(path)
            or _outside(path, case.policy, case.constitution)
            or _judging(path, case.policy)
        )
        if complaint:
            return GateOutcome(passed=False, reason=f"{path!r}: {complaint}")
    return GateOutcome(passed=True, reason=f"{len(case.change.files)} path(s) may be edited")


def _malformed(path: str) -> str:
    """Say why ``path`` is no plain relative path of a Python file, or nothing."""
    parts = path.split("/")
    if path.startswith("/"):
        return "is absolute; paths are relative to the tree"
    if "\\" in path:
        return "has a backslash; folders are separated by /"
    if ".." in parts or "." in parts or "" in parts:
        return "has an empty, . or .. part"
    if any(not character.isprintable() for character in path):
        return "has a character that cannot be printed"
    if any(part.lower() == ".git" for part in parts):
        return "lies in a git folder"
    if not path.endswith(".py"):
        return "is no Python file (.py)"
    return ""


def _outside(path: str, policy: Policy, constitution: tuple[str, ...]) -> str:
    """Say why the settings or the constitution forbid ``path``, or nothing."""
    if not any(_within(path, entry) for entry in policy.source):
        return f"is not under the genome's source ({', '.join(policy.source)})"
    for entry in policy.protected:
        if _within(path, entry) or fnmatchcase(path, entry):
            return f"is protected by the genome's settings ({entry})"
    for entry in constitution:
        if _within(path, entry) or fnmatchcase(path, entry):
            return f"belongs to the constitution ({entry}), which evolution may not edit"
    return ""


def _judging(path: str, policy: Policy) -> str:
    """Say why ``path`` has a part in judging changes, or nothing."""
    pure = PurePosixPath(path)
    if pure.name in STEERING_FILES:
        return "steers the tests or the interpreter"
    if pure.name.startswith("test_") or pure.name.endswith("_test.py") or "tests" in pure.parts:
        return "is a test; what judges a change may not be edited by it"
    for command in (policy.test, policy.benchmark, policy.build, *policy.house):
        for before, word in zip(("", *command), command, strict=False):
            if path == word.removeprefix("./") or (before == "-m" and _is_module(path, word)):
                return f"is run by the command {' '.join(command)!r}, which judges changes"
    return ""


def _within(path: str, entry: str) -> bool:
    """Say whether ``path`` is the file ``entry`` or lies in the folder ``entry``."""
    folder = PurePosixPath(entry).as_posix()
    return folder in (".", path) or path.startswith(f"{folder}/")


def _is_module(path: str, module: str) -> bool:
    """Say whether ``python -m module`` would run the file ``path``."""
    stem = module.replace(".", "/")
    return any(
        path == file or path.endswith(f"/{file}") for file in (f"{stem}.py", f"{stem}/__main__.py")
    )
