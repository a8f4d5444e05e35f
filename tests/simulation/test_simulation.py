"""Seeded schedules of misfortune: every promise of the log is kept, and broken ones are noticed."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.story import play
from tests.simulation.weaken import weakened

ROOT = Path(__file__).parents[2]
#: So long new schedules are begun; what a day's work may wait for.
BUDGET_S = 20.0
#: However slow the machine is.
SCHEDULES_AT_LEAST = 20


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_schedule_breaks_a_promise() -> None:
    ends_s = time.monotonic() + BUDGET_S
    seed, acknowledged_count, restored_count = 0, 0, 0
    while seed < SCHEDULES_AT_LEAST or time.monotonic() < ends_s:
        report = play(seed)
        again = f"python -m tests.simulation --seed {seed}"
        assert not report.violation, f"{report.violation}; to see it alone: {again}"
        acknowledged_count += report.acknowledged_count
        restored_count += report.restored_count
        seed += 1
    assert acknowledged_count > 20 * seed, "the cluster got something done between its troubles"
    assert restored_count > seed, "snapshots were taken, sent and started from"


def test_the_same_seed_is_the_same_story() -> None:
    """Also in another process, whose hashes are salted differently."""
    traces = set()
    for salt in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "3"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        )
        traces.add(run.stdout)
    assert traces == {repr(play(3)) + "\n"}
    assert play(3).trace != play(5).trace


@pytest.mark.parametrize(
    "name",
    [
        "S2: end at a failed write",
        "S3: old batches do not truncate",
        "S8: an operation is decided once",
        "S1: a chunk commits nothing",
        "snapshot: operations are in it",
        "flush before send",
    ],
)
def test_a_protection_that_is_missing_is_noticed(name: str) -> None:
    with weakened(name):
        assert any(play(seed).violation for seed in range(60)), f"60 schedules without {name}"
