"""The genome's own Python environment: made once for equal requirements, shared by all peers here.

Made by uv outside the sandbox, from requirements only: the genome itself is not installed, its
code is the artifact's. Nothing the engine may write decides what is installed here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uv

from tars_peer.adapters.meter.indexes import only_local, uv_environment
from tars_peer.adapters.meter.requirements import Project, normal_name, required
from tars_peer.errors import PermanentError, TarsError, TemporaryError
from tars_peer.model.policy import Policy

Report = Callable[[str], None]

#: Written last: an environment without it was not finished.
_MARKER: Final = "tars-finished.json"
_INSTALL_S: Final = 1_800.0
_UNREACHABLE: Final = ("error sending request", "Failed to fetch", "dns error", "timed out")
_SHOWN_LINES: Final = 12


def build_environment(
    *,
    policy: Policy,
    files: Mapping[str, bytes],
    folder: Path,
    report: Report,
    variables: Mapping[str, str] = os.environ,
) -> Path:
    """Return the interpreter of the environment for the genome in ``files`` (path → content).

    It is made below ``folder`` if no peer made it before; a peer that finds another one making it
    waits. ``report`` is told, line by line, what is going on; ``variables`` say where packages
    come from, as pip and uv understand them.

    Raises:
        UsageError: a requirement is none, or names a file that is not in the genome.
        PermanentError: a requirement cannot be had.
        TemporaryError: the place where packages come from cannot be reached.
    """
    requirements = required(policy, files)
    project = Project(files)
    base = _base_interpreter()
    facts = [*requirements, project.name, project.version, str(base), sys.version]
    text = json.dumps([*facts, platform.machine()])
    place = folder.absolute() / hashlib.sha256(text.encode()).hexdigest()[:20]
    python = place / "bin" / "python"
    if (place / _MARKER).exists():
        return python
    with _making(place, report):
        if not (place / _MARKER).exists():
            report(f"making the genome's environment ({', '.join(requirements) or 'empty'})")
            _make(place, base, requirements, variables)
            _name_project(place, project)
            _finish(place, requirements)
            report("the genome's environment is ready")
    return python


def _base_interpreter() -> Path:
    """Return the interpreter that our own environment was made from."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


@contextmanager
def _making(place: Path, report: Report) -> Iterator[None]:
    """Hold the right to make the environment at ``place``, among all processes here."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(f"{place}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("another peer is making the genome's environment; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make(
    place: Path, base: Path, requirements: Sequence[str], variables: Mapping[str, str]
) -> None:
    """Make an environment with ``requirements``; what a crash left there is removed first.

    Raises:
        TarsError: see ``build_environment``.
    """
    shutil.rmtree(place, ignore_errors=True)
    run = _Uv(requirements, variables)
    run("venv", "--quiet", "--no-project", "--python", str(base), str(place))
    if not requirements:
        return
    with tempfile.TemporaryDirectory(prefix="tars-requirements-") as name:
        listed = Path(name, "requirements.txt")
        listed.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
        options = ["--no-index"] if only_local(variables) else []
        words = ("--python", str(place / "bin" / "python"), "--requirement", str(listed))
        # Compiled now: nothing can be written there from inside the sandbox.
        run("pip", "install", "--compile-bytecode", *words, *options)


class _Uv:
    """Runs uv on behalf of some requirements."""

    def __init__(self, requirements: Sequence[str], variables: Mapping[str, str]) -> None:
        """Keep what is to be named when it fails, and its environment."""
        self._requirements = requirements
        self._variables = {**uv_environment(variables), "UV_NO_PROGRESS": "1"}

    def __call__(self, *words: str) -> None:
        """Run one command of uv; it must succeed.

        Raises:
            TarsError: see ``build_environment``.
        """
        try:
            done = subprocess.run(
                [uv.find_uv_bin(), "--no-config", "--no-python-downloads", "--color=never", *words],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                env=self._variables,
                cwd="/",
                timeout=_INSTALL_S,
            )
        except FileNotFoundError as error:
            raise PermanentError(
                "uv, which makes the genome's environment, is not installed",
                hint="install TARS again with its dependencies",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise TemporaryError(
                f"the genome's requirements were not installed within {_INSTALL_S:.0f} s",
                hint="look at the network and at the machine's package index, then try again",
            ) from error
        if done.returncode != 0:
            raise _not_had(done.stderr, self._requirements)


def _not_had(said: str, requirements: Sequence[str]) -> TarsError:
    """Return the error for what uv said when it failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = "\n  ".join(lines[-_SHOWN_LINES:])
    spelled = said.lower().replace("_", "-")
    named = [line for line in requirements if normal_name(line) in spelled] or list(requirements)
    message = f"the genome's requirement {' or '.join(map(repr, named))} cannot be had:\n  {text}"
    if any(sign in said for sign in _UNREACHABLE):
        return TemporaryError(
            message, hint="look at the network and the machine's package index, then try again"
        )
    return PermanentError(
        message,
        hint="correct the requirement in tool.tars.requirements or in the genome's project, or set "
        "up an index that has it for this machine (pip's or uv's configuration)",
    )


def _name_project(place: Path, project: Project) -> None:
    """Let the genome find its own name and version (``importlib.metadata``): it is not installed.

    No entry points are declared, and no file is: only the artifact has the genome's code.
    """
    if not project.name:
        return
    name = project.name.replace("-", "_")
    site = next(place.glob("lib/python*/site-packages"))
    metadata = site / f"{name}-{project.version}.dist-info"
    metadata.mkdir(exist_ok=True)
    text = f"Metadata-Version: 2.1\nName: {project.name}\nVersion: {project.version}\n"
    (metadata / "METADATA").write_text(text, encoding="utf-8")


def _finish(place: Path, requirements: Sequence[str]) -> None:
    """Write the marker, after everything else is on disk."""
    os.sync()
    part = place / f"{_MARKER}.part"
    part.write_text(json.dumps(list(requirements)), encoding="utf-8")
    part.replace(place / _MARKER)
