"""Gate 20: only files that evolution may edit."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.gates import g20_paths
from tars_peer.gates.constitution import CONSTITUTION
from tests.unit.gates.cases import AFTER, BEFORE, POLICY, make_case, rewrite


@pytest.mark.parametrize("path", ["parcels/totals.py", "parcels/deep/er/x.py", "parcels/test.py"])
def test_source_files_pass(path):
    assert g20_paths.check(make_case(path=path)).passed


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/parcels/totals.py", "absolute"),
        ("parcels\\totals.py", "backslash"),
        ("parcels/../setup.py", ".. part"),
        ("./parcels/totals.py", ". or .. part"),
        ("parcels//totals.py", "empty"),
        ("parcels/to\ntals.py", "cannot be printed"),
        ("parcels/.Git/hooks.py", "git folder"),
        ("parcels/data.json", "no Python file"),
        ("parcels/totals.pyc", "no Python file"),
        ("other/totals.py", "not under the genome's source (parcels)"),
        ("parcels_two/totals.py", "not under the genome's source"),
        ("parcels/frozen/x.py", "protected by the genome's settings (parcels/frozen)"),
        ("parcels/conftest.py", "steers the tests"),
        ("parcels/test_totals.py", "is a test"),
        ("parcels/totals_test.py", "is a test"),
        ("parcels/tests/data.py", "is a test"),
    ],
)
def test_other_files_are_refused_and_named(path, reason):
    outcome = g20_paths.check(make_case(path=path))
    assert not outcome.passed
    assert repr(path) in outcome.reason
    assert reason in outcome.reason


def test_one_bad_path_among_good_ones_is_enough():
    edits = (
        rewrite("parcels/totals.py", BEFORE, AFTER),
        rewrite("parcels/frozen/x.py", BEFORE, AFTER),
    )
    assert "frozen" in g20_paths.check(make_case(edits=edits)).reason


@pytest.mark.parametrize("source", [".", "./", "parcels/", "./parcels", "parcels/totals.py"])
def test_source_may_be_written_in_any_usual_way(source):
    policy = msgspec.structs.replace(POLICY, source=(source,))
    assert g20_paths.check(make_case(policy=policy)).passed


def test_protected_may_be_a_pattern():
    policy = msgspec.structs.replace(POLICY, protected=("parcels/tot*.py",))
    assert not g20_paths.check(make_case(policy=policy)).passed


@pytest.mark.parametrize(
    ("field", "command"),
    [
        ("benchmark", ("python", "./parcels/totals.py")),
        ("benchmark", ("python", "-m", "parcels.totals")),
        ("benchmark", ("python", "-m", "totals", "--fast")),
        ("test", ("python", "parcels/totals.py")),
        ("build", ("python", "parcels/totals.py")),
        ("house", (("python", "parcels/totals.py"),)),
    ],
)
def test_what_a_judging_command_runs_may_not_be_edited(field, command):
    policy = msgspec.structs.replace(POLICY, **{field: command})
    outcome = g20_paths.check(make_case(policy=policy))
    assert not outcome.passed
    assert "judges changes" in outcome.reason


@pytest.mark.parametrize(
    "path",
    [
        "tars_peer/model/change.py",
        "tars_peer/ledger/step.py",
        "tars_peer/gates/g20_paths.py",
        "tars_peer/ports/meter.py",
        "tars_peer/wire/tars/v1/ballot_pb2.py",
        "tars_peer/adapters/raft/journal.py",
        "tars_peer/adapters/sandbox/bubblewrap.py",
        "tars_peer/errors.py",
        "tars_peer/peer.py",
        "tars_peer/peer_parts.py",
        "tars_peer/supervisor.py",
        "tars_peer/supervisor/swap.py",
        "tars_peer/__main__.py",
        "scripts/launch.py",
    ],
)
def test_the_constitution_is_refused(path):
    policy = msgspec.structs.replace(POLICY, source=(".",))
    outcome = g20_paths.check(make_case(path=path, policy=policy, constitution=CONSTITUTION))
    assert not outcome.passed
    assert "constitution" in outcome.reason


@pytest.mark.parametrize("path", ["tars_peer/evolve/plan/rank.py", "tars_peer/cli/main.py"])
def test_the_rest_of_the_own_source_may_evolve(path):
    policy = msgspec.structs.replace(POLICY, source=("tars_peer",))
    assert g20_paths.check(make_case(path=path, policy=policy, constitution=CONSTITUTION)).passed
