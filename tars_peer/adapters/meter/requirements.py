"""Which packages a genome needs, from its settings and its own files.

Nothing is installed and nothing is resolved here. Only what a tree holds decides, so that every
peer comes to the same list.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final, cast

from tars_peer.adapters.meter.suite import uses_pytest
from tars_peer.errors import UsageError
from tars_peer.model.policy import Policy

#: Extras and groups of a project that its tests need.
TEST_GROUPS: Final = ("test", "tests")
_NAME: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_VERSION: Final = re.compile(r"[A-Za-z0-9.!+_-]{1,60}")
_DEEPEST: Final = 8
Table = Mapping[str, object]


def required(policy: Policy, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the requirements of the genome in ``files`` (path → content), sorted, none twice.

    They are those of its settings, of its project, and of its extras and groups for tests; and
    pytest where its test command needs it and nothing else asks for it.

    Raises:
        UsageError: one is no requirement, or names a file that is not in the genome.
    """
    project = Project(files)
    found = {
        line
        for text in (*policy.requirements, *project.required())
        for line in _lines(text, files, "tool.tars.requirements", 0)
        if not project.is_itself(line)
    }
    names = {normal_name(line) for line in found}
    if uses_pytest(policy.test) and "pytest" not in names:
        found.add("pytest")
    return tuple(sorted(found))


def normal_name(requirement: str) -> str:
    """Return the name of the package that a requirement asks for, in its one spelling (PEP 503)."""
    match = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


class Project:
    """What a genome's ``pyproject.toml`` says of it as a project."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Read it from ``files``; a genome without one needs nothing.

        Raises:
            UsageError: it is no TOML.
        """
        try:
            content = tomllib.loads(files.get("pyproject.toml", b"").decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                f"pyproject.toml: {error}", hint="correct the file and commit it"
            ) from error
        self._project = _table(content, "project")
        self._groups = _table(content, "dependency-groups")

    @property
    def name(self) -> str:
        """The project's name in its one spelling, or ``""``."""
        return normal_name(str(self._project.get("name", "")))

    @property
    def version(self) -> str:
        """The project's version, ``0`` where it says none (as when a tool works it out)."""
        version = str(self._project.get("version", "0"))
        return version if _VERSION.fullmatch(version) else "0"

    def is_itself(self, requirement: str) -> bool:
        """Say whether a requirement asks for this project: its code is the artifact."""
        return bool(self.name) and normal_name(requirement) == self.name

    def required(self) -> Iterator[str]:
        """Yield the project's own requirements and those of its tests."""
        yield from _words(self._project, "dependencies")
        for name in TEST_GROUPS:
            yield from self._extra(name, 0)
            yield from self._group(name, 0)

    def _extra(self, name: str, depth: int) -> Iterator[str]:
        """Yield what an extra asks for, and what the extras it names do."""
        for requirement in _words(_table(self._project, "optional-dependencies"), name):
            yield from self._own_extras(requirement, depth)

    def _group(self, name: str, depth: int) -> Iterator[str]:
        """Yield what a dependency group (PEP 735) asks for, and what the groups it includes do."""
        for item in cast("list[object]", self._groups.get(name, [])):
            if isinstance(item, str):
                yield from self._own_extras(item, depth)
            elif isinstance(item, dict) and depth < _DEEPEST:
                yield from self._group(str(item.get("include-group", "")), depth + 1)

    def _own_extras(self, requirement: str, depth: int) -> Iterator[str]:
        """Yield ``requirement``, or, where it is this project with extras, what those ask for."""
        match = _NAME.match(requirement)
        if match is None or not self.is_itself(requirement):
            yield requirement
        elif depth < _DEEPEST:
            for extra in filter(None, map(str.strip, (match[2] or "").split(","))):
                yield from self._extra(extra, depth + 1)


def _table(content: Table, key: str) -> Table:
    """Return the table at ``key``, empty where there is none."""
    value = content.get(key, {})
    return value if isinstance(value, dict) else {}


def _words(content: Table, key: str) -> list[str]:
    """Return the list of strings at ``key``, empty where there is none."""
    value = content.get(key, [])
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _lines(text: str, files: Mapping[str, bytes], where: str, depth: int) -> Iterator[str]:
    """Yield the requirements that one line stands for; a file's are those of its lines.

    Raises:
        UsageError: see ``required``.
    """
    line = re.split(r"(?:^|\s)#|\s--hash[=\s]", text.strip(), maxsplit=1)[0].strip()
    if not line:
        return
    named = re.fullmatch(r"(?:-r|--requirement)[\s=]*(\S+)", line)
    path = named[1] if named else line
    if named or path.endswith(".txt"):
        yield from _file_lines(path, files, where, depth)
        return
    if not _NAME.match(line):
        raise UsageError(
            f"{where}: {line!r} is no requirement",
            hint="allowed are requirements as 'requests>=2' and files of the genome that list "
            "such, as 'requirements.txt'; indexes are set up for the machine (pip's or uv's "
            "configuration), not in the genome",
        )
    yield line


def _file_lines(path: str, files: Mapping[str, bytes], where: str, depth: int) -> Iterator[str]:
    """Yield the requirements that a file of the genome lists.

    Raises:
        UsageError: see ``required``.
    """
    if path not in files or depth > _DEEPEST:
        raise UsageError(
            f"{where}: {path!r} is not in the genome",
            hint="name a file of the repository, relative to its root, and commit it",
        )
    content = files[path].decode(errors="replace").replace("\\\n", " ")
    for line in content.splitlines():
        nested = re.fullmatch(r"\s*(?:-r|--requirement)[\s=]*(\S+)\s*", line)
        beside = PurePosixPath(path).parent
        text = f"-r {(beside / nested[1]).as_posix()}" if nested else line
        yield from _lines(text, files, path, depth + 1)
