"""Git repositories to evolve, made from the folders in tests/genomes and examples.

What a test wants to be wrong with a genome it hands in; no fault of its own may enter here.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOY = ROOT / "tests" / "genomes" / "toy"
GREETER = ROOT / "examples" / "greeter"

#: Settings of the toy under which nothing is found wanting: no generation comes by itself.
QUIET = {
    "pyproject.toml": (TOY / "pyproject.toml")
    .read_text()
    .replace('source = ["toy"]', 'source = ["toy/__init__.py"]')
}


def plant(source: Path, folder: Path, changed: Mapping[str, str | None] | None = None) -> Path:
    """Make the repository ``folder`` from ``source``; ``changed`` is content by path, None removes.

    Returns the folder.
    """
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
    for path, content in (changed or {}).items():
        if content is None:
            (folder / path).unlink()
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commit all that ``folder`` holds."""
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "Begin")


def git(folder: Path, *words: str) -> str:
    """Run git in ``folder`` and return what it prints; fail with what it complains of."""
    done = subprocess.run(
        ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
