"""Genomes whose own commands fail, hang or misbehave: what is said of them, and what still goes on.

A cluster of one is enough: each peer proves the base for itself.
"""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster import tars
from tests.integration.genomes import TOY, plant
from tests.integration.processes import kill_all, until_gone

_SETTINGS = (TOY / "pyproject.toml").read_text()
_STRICT = """
[tool.tars.timeouts]
benchmark_ms = 1500
test_ms = 20000

[tool.tars.limits]
processes = 40
"""

_MISBEHAVING = '''
"""Tests that do what they may not; each asserts that it could."""

import os
import socket
from pathlib import Path

from toy.words import first

OUTSIDE = Path({outside!r})


def test_right():
    assert first(["b", "a"]) == "a"


def test_fails_always():
    assert first(["b", "a"]) == "b"


def test_wavers():
    """Twelve runs that all end the same way would be a chance of one in two thousand."""
    assert os.urandom(1)[0] % 2


def test_writes_outside():
    (OUTSIDE / "written").write_text("escaped")


def test_uses_the_network():
    socket.create_connection(("127.0.0.1", {port}), timeout=2).sendall(b"hello")

'''


_FORKING = """
import os
import time

for _ in range(200):
    if os.fork() == 0:
        time.sleep(600)
"""


def _up(home: Path, genome: Path) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Run ``up --once`` with one peer; nothing may be left running, however it ended."""
    words = ("--peers", 1, "--genome", genome, "--home", home, "--once", "--json-events")
    try:
        done = tars("cluster", "up", *words)
        until_gone(home)
    finally:
        kill_all(home)
    assert "Traceback" not in done.stderr
    return done, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("benchmark.py", "import toy\n", ["benchmark", "number"]),
        ("benchmark.py", "raise SystemExit('out of order')\n", ["benchmark", "out of order"]),
        ("benchmark.py", "while True: pass\n", ["benchmark", "benchmark_ms", "1500"]),
        ("tests/test_words.py", "assert False, 'never'\n", ["no test passes", "suite"]),
        ("tests/test_words.py", _FORKING, ["more than 40 processes"]),
    ],
    ids=["silent", "failing", "hanging", "all-tests-fail", "forking"],
)
def test_a_genome_that_cannot_be_proved_is_refused_with_its_own_words(
    tmp_path: Path, path: str, content: str, said: list[str]
) -> None:
    changed = {path: content, "pyproject.toml": _SETTINGS + _STRICT}
    done, events = _up(tmp_path / "home", plant(TOY, tmp_path / "toy", changed))
    assert done.returncode == 1, done.stderr
    assert "this genome cannot evolve" in done.stderr
    for words in said:
        assert words in done.stderr
    assert "hint:" in done.stderr
    assert "in a new --home" in done.stderr
    assert [event["kind"] for event in events].count("refused-genome") == 1
    assert not any(event["kind"] == "decision" for event in events)


def test_tests_that_misbehave_harm_nobody_and_evolution_goes_on(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.0)
        port = listener.getsockname()[1]
        genome = plant(
            TOY,
            tmp_path / "toy",
            {
                "pyproject.toml": _SETTINGS.replace(
                    '["python", "-m", "tests.test_words"]', '["python", "-m", "pytest", "-q"]'
                ).replace("baseline_runs = 2", "baseline_runs = 12"),
                "tests/test_bad.py": _MISBEHAVING.format(outside=str(outside), port=port),
            },
        )
        done, events = _up(tmp_path / "home", genome)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert done.returncode == 0, done.stderr
    baseline = next(event for event in events if event["kind"] == "baseline")["data"]
    assert [name.rpartition("::")[2] for name in baseline["failed"]] == [
        "test_fails_always",
        "test_uses_the_network",
        "test_writes_outside",
    ]
    assert [name.rpartition("::")[2] for name in baseline["wavering"]] == ["test_wavers"]
    assert list(outside.iterdir()) == []
    decision = next(event for event in events if event["kind"] == "decision")
    assert "toy/words.py" in decision["text"]
