"""Plays ``tests/scenarios/*.txt`` and compares what follows with what stands there.

``pytest tests/unit/ledger/test_scenarios.py --rewrite`` writes the expected parts anew; the diff
is then reviewed like code. No scenario is written in Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ledger.scenario import Scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
SCENARIOS = sorted(FOLDER.glob("*.txt"))
#: What follows a command stands under it, indented.
INDENT = "    "


def played(text: str) -> Iterator[str]:
    """Yield ``text`` line by line with what follows from each command under it."""
    scenario = Scenario()
    for line in text.splitlines():
        if line.startswith(INDENT):
            continue
        yield line
        if line and not line.startswith("#"):
            yield from (INDENT + outcome for outcome in scenario.run(line))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_goes_as_it_is_written(path: Path, *, rewrite: bool) -> None:
    text = path.read_text(encoding="utf-8")
    outcome = "\n".join(played(text)) + "\n"
    if rewrite:
        path.write_text(outcome, encoding="utf-8")
        return
    assert outcome.splitlines() == text.splitlines(), "see --rewrite"


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 10


def test_a_scenario_that_goes_otherwise_is_noticed() -> None:
    text = "found p1 by p1\n    founded on commit 00000000\n"
    assert "\n".join(played(text)) != text


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_replicas_play_a_scenario_to_the_same_digest(path: Path) -> None:
    commands = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", INDENT, "show"))
    ]
    replicas = [Scenario(), Scenario()]
    for command in commands:
        outcomes = [list(replica.run(command)) for replica in replicas]
        assert outcomes[0] == outcomes[1]
        digests = [list(replica.run("show digest")) for replica in replicas]
        assert digests[0] == digests[1]
