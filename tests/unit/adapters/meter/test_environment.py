"""Making the genome's environment for real, from a folder of wheels: no network is used."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tars_peer.adapters.meter.environment import build_environment
from tars_peer.errors import PermanentError
from tests.unit.adapters.meter.genomes import policy

ROOT = Path(__file__).parents[4]
PROJECT = {"pyproject.toml": b'[project]\nname = "my.app"\nversion = "1.5"\n'}
#: What one peer does, for two at a time: prints what it was told and which interpreter it got.
PEER = """
import os, sys
from pathlib import Path
from tars_peer.adapters.meter.environment import build_environment
from tests.unit.adapters.meter.genomes import policy
print(build_environment(
    policy=policy(test=("x",), requirements=("tiny==1.0",)),
    files={},
    folder=Path(sys.argv[1]),
    report=lambda line: print(line, flush=True),
))
"""


def wheel(folder: Path, name: str, version: str) -> None:
    """Write a package of one module that knows its version."""
    folder.mkdir(exist_ok=True)
    facts = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        file.writestr(
            f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        file.writestr(
            f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{facts}/RECORD", f"{name}.py,,\n{facts}/METADATA,,\n{facts}/RECORD,,\n")


@pytest.fixture
def variables(tmp_path) -> dict[str, str]:
    """Variables under which packages come from a folder alone."""
    wheel(tmp_path / "wheels", "tiny", "1.0")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("UV_")},
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }


def make(folder: Path, variables: dict[str, str], *requirements: str, **changes: object) -> Path:
    settings: dict[str, object] = {"files": {}, "report": lambda _line: None, **changes}
    return build_environment(
        policy=policy(test=("x",), requirements=requirements),
        folder=folder / "environments",
        variables=variables,
        **settings,  # type: ignore[arg-type]
    )


def says(python: Path, code: str) -> str:
    done = subprocess.run(
        [str(python), "-I", "-c", code], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr


def test_it_has_what_was_asked_for_compiled_and_nothing_of_ours(tmp_path, variables):
    python = make(tmp_path, variables, "tiny")
    assert says(python, "import tiny; print(tiny.VERSION)") == "1.0"
    assert "No module named 'msgspec'" in says(python, "import msgspec")
    assert list(python.parents[1].glob("lib/*/site-packages/__pycache__/tiny.*.pyc"))
    assert says(python, "import sys; print(sys.version)") == sys.version


def test_equal_requirements_share_one_and_it_is_made_once(tmp_path, variables):
    lines: list[str] = []
    first = make(tmp_path, variables, "tiny", report=lines.append)
    assert lines[0] == "making the genome's environment (tiny)"
    lines.clear()
    assert make(tmp_path, variables, "tiny", report=lines.append) == first
    assert lines == []
    assert make(tmp_path, variables) != first


def test_one_that_was_not_finished_is_made_again(tmp_path, variables):
    python = make(tmp_path, variables, "tiny")
    (python.parents[1] / "tars-finished.json").unlink()
    next(python.parents[1].glob("lib/*/site-packages/tiny.py")).unlink()
    assert make(tmp_path, variables, "tiny") == python
    assert says(python, "import tiny; print(tiny.VERSION)") == "1.0"


def test_two_peers_at_once_make_one(tmp_path, variables):
    command = [sys.executable, "-c", PEER, str(tmp_path / "environments")]
    peers = [
        subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [peer.communicate(timeout=60)[0].splitlines() for peer in peers]
    assert [peer.returncode for peer in peers] == [0, 0]
    assert told[0][-1] == told[1][-1]
    made = [line for lines in told for line in lines if line.startswith("making")]
    assert len(made) == 1


def test_what_cannot_be_had_is_named_with_what_to_do(tmp_path, variables):
    with pytest.raises(PermanentError) as caught:
        make(tmp_path, variables, "tiny", "no_such-package>=2")
    assert "requirement 'no_such-package>=2' cannot be had" in str(caught.value)
    assert "tool.tars.requirements" in caught.value.hint
    assert says(make(tmp_path, variables, "tiny"), "import tiny; print(tiny.VERSION)") == "1.0"


def test_the_genome_finds_its_own_version(tmp_path, variables):
    python = make(tmp_path, variables, files=PROJECT)
    code = "from importlib.metadata import version; print(version('my-app'))"
    assert says(python, code) == "1.5"
