"""The floors of the house hold, and the contracts that say so can fail. No other test enters here.

The contracts are read from pyproject.toml by import-linter, in a process of its own, because the
linter imports by name and this process has the true package loaded.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename="pyproject.toml", cache_dir=sys.argv[1], no_logo=True))
"""

#: What breaks which contract: files to add to a copy of the package.
BREAKS = {
    "a lower floor looks up": ("floors", {"model/odd.py": "import tars_peer.gates"}),
    "a room looks aside": ("floors", {"decide/odd.py": "import tars_peer.enact"}),
    "a room has no floor": ("floors", {"attic.py": ""}),
    "the ledger reads a clock": ("the core is pure", {"ledger/odd.py": "import time"}),
    "a noun opens a socket": ("the core is pure", {"model/odd.py": "import socket"}),
    "a gate speaks wire": ("only adapters speak wire", {"gates/odd.py": "import tars_peer.wire"}),
    "a room replicates by itself": (
        "only the raft adapter knows PySyncObj",
        {"enact/odd.py": "import pysyncobj"},
    ),
    "two modules need each other": (
        "no circles",
        {
            "gates/odd.py": "import tars_peer.gates.even",
            "gates/even.py": "import tars_peer.gates.odd",
        },
    ),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def lint(folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    """Check the package in ``folder`` against its own contracts."""
    command = [sys.executable, "-c", LINT, str(cache)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_contract_is_kept(cache):
    done = lint(ROOT, cache)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize("name", BREAKS)
def test_a_contract_can_fail(name, tmp_path, cache):
    contract, files = BREAKS[name]
    unread = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tars_peer", tmp_path / "tars_peer", ignore=unread)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, text in files.items():
        (tmp_path / "tars_peer" / path).write_text(f'"""Breaks a contract."""\n{text}\n')

    done = lint(tmp_path, cache)

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout
