"""What a person may get wrong before anything runs: a message that helps, and nothing half done."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.cluster import Cluster, environment, tars
from tests.integration.genomes import QUIET, TOY, git, plant
from tests.integration.processes import kill_all, processes_of

_SETTINGS = (TOY / "pyproject.toml").read_text()


def _settings(old: str, new: str) -> dict[str, str | None]:
    assert old in _SETTINGS
    return {"pyproject.toml": _SETTINGS.replace(old, new)}


def _not_a_repository(folder: Path) -> None:
    shutil.copytree(TOY, folder)


def _no_commit(folder: Path) -> None:
    shutil.copytree(TOY, folder)
    git(folder, "init", "--quiet")


def _dirty(folder: Path) -> None:
    (plant(TOY, folder) / "toy" / "words.py").write_text("changed = 1\n")


def _no_tests(folder: Path) -> None:
    plant(TOY, folder, _settings("test =", "# test =") | {"tests/test_words.py": None})


def _no_settings_and_no_package(folder: Path) -> None:
    plant(TOY, folder, {"pyproject.toml": None, "toy/__init__.py": None})


def _unknown_key(folder: Path) -> None:
    plant(TOY, folder, _settings("benchmark =", "bench ="))


def _shell_command(folder: Path) -> None:
    plant(TOY, folder, _settings('["python", "benchmark.py"]', '"python benchmark.py"'))


def _unknown_threshold(folder: Path) -> None:
    plant(TOY, folder, _settings("pairs = 9", "pears = 9"))


def _no_toml(folder: Path) -> None:
    plant(TOY, folder, _settings("[project]", "[project"))


def _source_elsewhere(folder: Path) -> None:
    plant(TOY, folder, _settings('source = ["toy"]', 'source = ["joy"]'))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _folder: None, ["no folder", "genome"]),
        (_not_a_repository, ["is not a git repository", "git -C", "init"]),
        (_no_commit, ["has no commit yet"]),
        (_dirty, ["not committed", "toy/words.py", "commit or stash"]),
        (_no_tests, ["pyproject.toml", "tool.tars.test", "without tests"]),
        (_no_settings_and_no_package, ["tool.tars.source", "is missing"]),
        (_unknown_key, ["pyproject.toml", "tool.tars.bench", "benchmark"]),
        (_shell_command, ["tool.tars.benchmark", "list"]),
        (_unknown_threshold, ["tool.tars.thresholds.pears", "pairs"]),
        (_no_toml, ["pyproject.toml", "correct the file"]),
        (_source_elsewhere, ["tool.tars.source", "'joy'"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_genome_that_cannot_evolve_is_refused_before_anything_starts(
    make: Callable[[Path], None], said: list[str], tmp_path: Path
) -> None:
    home, genome = tmp_path / "home", tmp_path / "genome"
    make(genome)
    done = tars("cluster", "up", "--genome", genome, "--home", home, "--once")
    assert done.returncode == 2, done.stderr
    assert "error: " in done.stderr
    for words in said:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert processes_of(home) == []
    assert not (home / "cluster.json").exists(), "a corrected genome can begin in the same home"


def test_what_does_not_fit_the_home_is_refused(tmp_path: Path) -> None:
    genome, other = plant(TOY, tmp_path / "toy", QUIET), plant(TOY, tmp_path / "other")
    with Cluster(tmp_path / "home", genome, peers=1) as cluster:
        cluster.wait_healthy()
        for words, said in (
            (("--genome", other), [str(genome), str(other), "another --home"]),
            (("--genome", "self"), [str(genome), "self", "another --home"]),
            (("--peers", 5), ["1 peer", "not 5"]),
            (("--runtime", "steam"), ["steam"]),
        ):
            done = cluster.tars("cluster", "up", *words)
            assert done.returncode == 2, done.stderr
            assert all(word in done.stderr for word in said), done.stderr
            assert cluster.peer("p1"), "whoever ran before goes on"

        cluster.stop_peer("p1")
        port = int(cluster.home.peers[0].address.rpartition(":")[2])
        with socket.create_server(("127.0.0.1", port)):
            done = cluster.tars("cluster", "up", "--detach")
        assert done.returncode == 2, done.stderr
        assert f"port {port} of p1 is busy" in done.stderr
        assert "ss -ltnp" in done.stderr
        assert processes_of(cluster.path) == []


def test_two_launches_at_once_make_one_cluster(tmp_path: Path) -> None:
    genome, home = plant(TOY, tmp_path / "toy", QUIET), tmp_path / "home"
    words = ["cluster", "up", "--peers", "2", "--genome", genome, "--home", home, "--detach"]
    command = [sys.executable, "-m", "tars_peer", *map(str, words)]
    try:
        both = [
            subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
            for _ in range(2)
        ]
        said = [each.communicate(timeout=120)[1] for each in both]
        assert [each.returncode for each in both] == [0, 0], said
        with Cluster(home, genome, peers=2) as cluster:
            cluster.wait_equal()
            assert len(processes_of(home)) == 4, "a supervisor and a peer each"
    finally:
        kill_all(home)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    done = tars("cluster", "up", "--home", file / "home")
    assert done.returncode == 1, done.stderr
    assert str(file / "home") in done.stderr
    assert "hint:" in done.stderr
