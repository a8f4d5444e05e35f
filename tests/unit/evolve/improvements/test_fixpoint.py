"""All improvements together, on code nobody wrote for them: they end, agree and break nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

import pytest

from tars_peer.evolve.analyse.analyse import analyse
from tars_peer.model.change import Edit, changed_files
from tars_peer.model.finding import Analysis, Finding

ROOT = Path(__file__).parents[4]
LIBRARY = Path(sysconfig.get_paths()["stdlib"])
MODULES = [
    "argparse", "base64", "calendar", "configparser", "csv", "difflib", "fnmatch", "fractions",
    "functools", "heapq", "pprint", "sched", "shlex", "smtplib", "statistics", "string",
    "textwrap", "tokenize",
]  # fmt: skip
ROUNDS = 10


def look(files: dict[str, bytes], source: list[str]) -> Analysis:
    return analyse("0" * 40, files, source=source, protected=["tests"], hotspots=())


def disjoint(findings: tuple[Finding, ...]) -> list[Edit]:
    """Edits of as many findings as go together, first come first served."""
    chosen: list[Edit] = []
    for finding in findings:
        if not any(_clash(one, other) for one in finding.edits for other in chosen):
            chosen += finding.edits
    return chosen


def _clash(one: Edit, other: Edit) -> bool:
    if one.path != other.path:
        return False
    return one.start <= other.end and other.start <= one.end


def improve(files: dict[str, bytes], source: list[str]) -> tuple[dict[str, bytes], int]:
    """Apply everything until nothing is found; return the files and the rounds it took."""
    for number in range(ROUNDS):
        findings = look(files, source).findings
        if not findings:
            return files, number
        files = {**files, **changed_files(files, disjoint(findings))}
    pytest.fail(f"still finding after {ROUNDS} rounds: {findings}")


@pytest.mark.parametrize("name", MODULES)
def test_every_finding_alone_gives_valid_code(name: str) -> None:
    files = {"sample/code.py": (LIBRARY / f"{name}.py").read_bytes()}
    findings = look(files, ["sample"]).findings
    assert len({finding.fingerprint for finding in findings}) == len(findings)
    for finding in findings:
        content = changed_files(files, finding.edits)["sample/code.py"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, name, "exec", dont_inherit=True)
        later = look({"sample/code.py": content}, ["sample"]).findings
        assert (finding.improvement, finding.function, finding.evidence) not in {
            (one.improvement, one.function, one.evidence) for one in later
        }, "found again after it was done"


@pytest.mark.parametrize("name", MODULES)
def test_everything_together_runs_dry(name: str) -> None:
    files, _ = improve({"sample/code.py": (LIBRARY / f"{name}.py").read_bytes()}, ["sample"])
    compile(files["sample/code.py"], name, "exec", dont_inherit=True)


@pytest.fixture(scope="module")
def parcels() -> dict[str, bytes]:
    folder = ROOT / "examples" / "parcels"
    paths = [path for path in folder.rglob("*") if path.suffix in (".py", ".toml")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_genome_is_improved_in_many_ways(parcels: dict[str, bytes]) -> None:
    kinds = {finding.improvement for finding in look(parcels, ["parcels"]).findings}
    assert kinds >= {
        "constant-hoist",
        "import-hoist",
        "invariant-call-hoist",
        "membership-list-to-set",
        "nested-join-to-index",
        "pop-first-to-deque",
        "regex-hoist",
        "string-join",
    }


def test_the_improved_example_passes_its_tests_and_gives_the_same_results(
    parcels: dict[str, bytes], tmp_path: Path
) -> None:
    improved, rounds = improve(parcels, ["parcels"])
    assert rounds > 1
    for path, content in improved.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    assert "passed" in run(tmp_path, "-m", "pytest", "-q", "tests")
    old = run(ROOT / "examples" / "parcels", "benchmark.py").splitlines()
    new = run(tmp_path, "benchmark.py").splitlines()
    assert new[-2] == old[-2]
    seconds = [json.loads(lines[-1])["seconds"] for lines in (old, new)]
    assert seconds[1] < seconds[0]
