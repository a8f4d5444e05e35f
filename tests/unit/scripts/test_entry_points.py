"""Tests of the shell scripts that people start; stand-ins take the place of what those start."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture
def project(tmp_path):
    """Return a project, in a folder with a space, whose programs only say how they were called."""
    root = tmp_path / "a project"
    stand_in(root / "scripts" / "setup_environment.sh", 'echo "setup $*" >&2')
    stand_in(root / "scripts" / "check.sh", 'echo "check $*"')
    stand_in(root / ".venv" / "bin" / "tars", 'printf "<%s>" tars "$@"; pwd')
    stand_in(root / ".venv" / "bin" / "python", 'printf "<%s>" python "$@"')
    for name in ("launch_peers.sh", "test.sh"):
        shutil.copy(SCRIPTS / name, root / "scripts")
    return root


def stand_in(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def start(project: Path, script: str, *arguments: str, cwd: Path | None = None):
    command = [str(project / "scripts" / script), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "<--peers><3>"),
        (("5",), "<--peers><5>"),
        (("--once",), "<--peers><3><--once>"),
        (("5", "--genome", "a b", "--detach"), "<--peers><5><--genome><a b><--detach>"),
    ],
)
def test_launch_passes_on_what_it_is_told(project, tmp_path, arguments, expected):
    done = start(project, "launch_peers.sh", *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # Relative paths among the options mean the caller's folder, so it must stay the same.
    assert done.stdout == f"<tars><cluster><up>{expected}{tmp_path}\n"
    assert done.stderr == "setup runtime\n"


@pytest.mark.parametrize("count", ["0", "two", "1.5", "08", "1000", "3 4"])
def test_launch_refuses_a_wrong_count_before_it_installs(project, count):
    done = start(project, "launch_peers.sh", count)
    assert done.returncode == 2
    assert "whole number from 1 to 999" in done.stderr
    assert "setup" not in done.stderr


def test_launch_explains_itself_without_installing(project):
    done = start(project, "launch_peers.sh", "--help")
    assert done.returncode == 0
    assert "[N]" in done.stdout
    assert done.stderr == ""


def test_launch_stops_when_the_set_up_fails(project):
    stand_in(project / "scripts" / "setup_environment.sh", "exit 7")
    done = start(project, "launch_peers.sh")
    assert (done.returncode, done.stdout) == (7, "")


def test_all_checks_come_before_the_tests(project):
    done = start(project, "test.sh")
    assert done.returncode == 0
    assert done.stdout == "check \n<python><-m><pytest>"
    assert done.stderr == "setup dev\n"


def test_arguments_mean_only_pytest(project):
    done = start(project, "test.sh", "tests/unit", "-k", "a b")
    assert done.stdout == "<python><-m><pytest><tests/unit><-k><a b>"


@pytest.mark.parametrize("script", ["scripts/check.sh", ".venv/bin/python"])
def test_a_failed_check_or_test_fails_the_run_and_both_are_seen(project, script):
    with (project / script).open("a") as handle:
        handle.write("exit 3\n")
    done = start(project, "test.sh")
    assert done.returncode == 3
    assert done.stdout == "check \n<python><-m><pytest>"
