"""The rules of the house that no linter knows, as tests. A rule of behaviour must not enter here.

Each rule is a function that yields what it finds in one file; ``OFFENCES`` proves of each that it
can find something. Generated code and the example genomes are left out: both are not ours to tidy.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_AT_MOST = 400
FUNCTION_LINES_AT_MOST = 60

#: Not in the repository (.gitignore), or not tidied: generated, and somebody else's code.
NOT_OURS = {"__pycache__", "build", "dist", "examples", "wire"}
HIDDEN_OF_OURS = {".ci", ".editorconfig", ".gitignore"}
SILENT = (ast.Pass, ast.Continue)

VAGUE_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
#: Home folders, this machine's work folders, hosts that serve packages.
PLACES = re.compile(
    r"(?<![\w.])/(?:root|Users|home)/\w"
    r"|(?<![\w.])/work/(?:main|shared|\.)"
    r"|\b(?:pypi|pythonhosted|piwheels|anaconda)\.(?:org|com|io)\b"
)

Rule = Callable[[Path, str], Iterator[str]]


def files(pattern: str) -> list[Path]:
    """Return our own files, relative to the root: what is, or will be, in the repository."""
    found = []
    for path in sorted(ROOT.rglob(pattern)):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part not in HIDDEN_OF_OURS for part in parts)
        foreign = any(part in NOT_OURS or part.endswith(".egg-info") for part in parts)
        if path.is_file() and not hidden and not foreign:
            found.append(path.relative_to(ROOT))
    return found


def length(_path: Path, text: str) -> Iterator[str]:
    """Find a file that is too long to be read in one go."""
    if (count := text.count("\n")) > LINES_AT_MOST:
        yield f"{count} lines, at most {LINES_AT_MOST}"


def function_length(_path: Path, text: str) -> Iterator[str]:
    """Find a function that is too long to be seen at once."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            if (count := node.end_lineno - node.lineno + 1) > FUNCTION_LINES_AT_MOST:
                yield f"{node.name}: {count} lines, at most {FUNCTION_LINES_AT_MOST}"


def module_docstring(_path: Path, text: str) -> Iterator[str]:
    """Find a module that does not say what it is for."""
    if not ast.get_docstring(ast.parse(text)):
        yield "no module docstring"


def unfinished(_path: Path, text: str) -> Iterator[str]:
    """Find a comment that puts work off."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and UNFINISHED.search(token.string):
            yield f"line {token.start[0]}: {token.string}"


def printing(path: Path, text: str) -> Iterator[str]:
    """Find a print outside the faces."""
    if path.parts[0] == "scripts" or path.parts[:2] == ("tars_peer", "cli"):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            yield f"line {node.lineno}: print()"


def vague_name(path: Path, _text: str) -> Iterator[str]:
    """Find a module or package whose name says nothing."""
    for part in path.with_suffix("").parts:
        if vague := VAGUE_NAMES & set(part.split("_")):
            yield f"'{vague.pop()}' says nothing"


def swallowed_error(_path: Path, text: str) -> Iterator[str]:
    """Find a place where any error at all is dropped without a word."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "Exception"
            silent = all(isinstance(line, SILENT) for line in node.body)
            if silent and caught in {"Exception", "BaseException"}:
                yield f"line {node.lineno}: {caught} is swallowed"
        elif isinstance(node, ast.Call) and ast.unparse(node).endswith("suppress(Exception)"):
            yield f"line {node.lineno}: Exception is swallowed"


def machine_place(_path: Path, text: str) -> Iterator[str]:
    """Find the path of one machine, or where one machine gets its packages."""
    for number, line in enumerate(text.splitlines(), 1):
        if match := PLACES.search(line):
            yield f"line {number}: {match[0]}"


PYTHON_RULES: tuple[Rule, ...] = (
    length,
    function_length,
    module_docstring,
    unfinished,
    printing,
    vague_name,
    swallowed_error,
)

OFFENCES: tuple[tuple[Rule, str, str], ...] = (
    (length, "a.py", "x\n" * 401),
    (function_length, "a.py", "async def f():\n" + "    x\n" * 60),
    (module_docstring, "a.py", "x = 1\n"),
    (unfinished, "a.py", "x = 1  # TODO: y\n"),
    (printing, "tars_peer/model/a.py", "print(1)\n"),
    (vague_name, "tars_peer/log_helpers.py", ""),
    (vague_name, "tars_peer/utils/a.py", ""),
    (swallowed_error, "a.py", "try:\n    x\nexcept Exception:\n    pass\n"),
    (swallowed_error, "a.py", "for x in y:\n    try:\n        x\n    except:\n        continue\n"),
    (swallowed_error, "a.py", "with contextlib.suppress(Exception):\n    x\n"),
    (machine_place, "a.md", "in /home/" + "anna/tars\n"),
    (machine_place, "a.lock", "--index-url https://" + "pypi" + ".org/simple\n"),
)


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_python_files_are_tidy(rule):
    found = [
        f"{path}: {offence}"
        for path in files("*.py")
        for offence in rule(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


def test_no_file_names_a_machine():
    found = [
        f"{path}: {offence}"
        for path in files("*")
        for offence in machine_place(path, (ROOT / path).read_text("utf-8", errors="replace"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("rule", "path", "text"), OFFENCES)
def test_each_rule_finds_its_offence(rule, path, text):
    assert list(rule(Path(path), text))


def test_the_files_are_found():
    found = {str(path) for path in files("*")}
    assert {"tars_peer/errors.py", "tests/test_tidy.py", ".ci/run", "requirements.lock"} <= found
    assert not any(".venv" in name or "/wire/" in name for name in found)
