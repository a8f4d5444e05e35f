"""Examining a change: on our own copy of the base, and never held guilty for our own troubles."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tars_peer.errors import CorruptError, RefusedError, TemporaryError
from tars_peer.evolve.validate.examine import Examiner
from tars_peer.gates.baseline import Baseline
from tars_peer.gates.ladder import GATES, Dismissed
from tars_peer.model.change import Change
from tests.fakes.events import FakeEvents
from tests.fakes.meter import FakeMeter, scripted_run
from tests.fakes.store import FakeStore
from tests.fakes.worktree import ARTIFACTS, FakeWorktree, tree_id
from tests.unit.gates.cases import AFTER, BEFORE, POLICY, make_change, rewrite

PATH = "parcels/totals.py"
NAMES = ("tests.test_all::test_one",)


def never() -> bool:
    """Nobody calls it off."""
    return False


class Bench:
    """An examiner of a genome with one file; its fields are what a test turns."""

    def __init__(self, *, store: FakeStore | None = None, **meter: object) -> None:
        """Make the base and a good change on it."""
        self.worktree, self.events = FakeWorktree(), FakeEvents()
        self.store = store or FakeStore()
        self.commit, self.tree = self.worktree.begin({PATH: BEFORE.encode(), "b.py": b""})
        after = tree_id({PATH: AFTER.encode(), "b.py": b""})
        self.old, self.new = ARTIFACTS / self.tree, ARTIFACTS / after
        options = {"costs": {self.old: 1_000_000, self.new: 800_000}, **meter}
        self.meter = FakeMeter(**options)
        self.change = msgspec.structs.replace(
            make_change(rewrite(PATH, BEFORE, AFTER)),
            base_commit=self.commit,
            base_tree=self.tree,
            tree=after,
        )
        self.examiner = Examiner(
            policy=POLICY,
            worktree=self.worktree,
            meter=self.meter,
            store=self.store,
            events=self.events,
        )

    def examine(self, change: Change | None = None, cancelled=never):
        """Prove the base and examine a change."""
        self.examiner.prove_base(self.tree)
        return self.examiner.examine(change or self.change, cancelled)


def test_a_good_change_climbs_the_whole_ladder_and_each_rung_is_told():
    bench = Bench()
    report = bench.examine()
    assert report.passed, report.reason
    assert report.tests_passed == 1
    assert report.measurement.ratio_ppm == 1_250_000
    told = bench.events.of("gate")
    assert [said.data["gate"] for said in told] == [gate.NAME for gate in GATES]
    assert all(said.data["passed"] and said.change_id for said in told)


def test_a_change_whose_edits_lead_to_another_tree_is_refused():
    bench = Bench()
    report = bench.examine(msgspec.structs.replace(bench.change, tree="e" * 40))
    assert not report.passed
    assert report.reason == f"replay: the edits lead to tree {bench.change.tree}, not {'e' * 40}"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (rewrite("parcels/none.py", "a", "b"), "no file parcels/none.py"),
        (rewrite(PATH, "x" * len(BEFORE), AFTER), "are not as expected"),
        (rewrite(PATH, BEFORE + "more", AFTER), "overlaps or is outside"),
    ],
)
def test_a_change_whose_edits_do_not_fit_is_refused(edit, reason):
    bench = Bench()
    report = bench.examine(msgspec.structs.replace(bench.change, edits=(edit,)))
    assert not report.passed
    assert reason in report.reason
    assert ("test", bench.new) not in bench.meter.calls


def test_a_change_that_breaks_a_test_is_refused_with_the_gate_that_said_so():
    bench = Bench()
    broken = {bench.new: scripted_run(passed=(), failed=NAMES)}
    bench = Bench(tests=broken)
    report = bench.examine()
    assert "tests" in report.reason
    assert "test_one" in report.reason


def test_what_is_lost_on_our_own_disk_is_no_evidence_against_the_change():
    bench = Bench()
    bench.examiner.prove_base(bench.tree)
    bench.worktree.trees.clear()
    with pytest.raises(TemporaryError, match="this peer cannot judge now: tree"):
        bench.examiner.examine(bench.change, never)


@pytest.mark.parametrize("fault", [OSError("no space left on device"), CorruptError("torn")])
def test_a_full_disk_is_no_evidence_against_the_change(fault):
    class NoRoom(FakeWorktree):
        full = False

        def artifact(self, tree) -> Path:
            if self.full:
                raise fault
            return super().artifact(tree)

    bench = Bench()
    worktree = NoRoom(trees=bench.worktree.trees, commits=bench.worktree.commits)
    bench.examiner = Examiner(
        policy=POLICY,
        worktree=worktree,
        meter=bench.meter,
        store=bench.store,
        events=bench.events,
    )
    bench.examiner.prove_base(bench.tree)
    worktree.full = True
    with pytest.raises(TemporaryError, match="cannot judge now") as caught:
        bench.examiner.examine(bench.change, never)
    assert caught.value.__cause__ is fault


def test_one_that_nobody_needs_any_more_ends_as_no_verdict():
    with pytest.raises(Dismissed):
        Bench().examine(cancelled=lambda: True)


def test_nothing_is_examined_before_the_base_is_proved():
    bench = Bench()
    with pytest.raises(TemporaryError, match="not proved on this peer yet"):
        bench.examiner.examine(bench.change, never)


def test_a_base_that_does_not_build_is_refused():
    bench = Bench()
    bench = Bench(complaints={bench.old: "make: no rule"})
    with pytest.raises(RefusedError, match="does not build: make: no rule") as caught:
        bench.examiner.prove_base(bench.tree)
    assert "repair" in caught.value.hint


def test_a_base_whose_benchmark_fails_is_refused_and_not_remembered():
    bench = Bench()
    bench = Bench(costs={bench.old: "it prints nothing"})
    with pytest.raises(RefusedError, match="it prints nothing"):
        bench.examiner.prove_base(bench.tree)
    assert not bench.store.kept


def test_a_base_of_which_no_test_passes_every_time_is_refused():
    bench = Bench()
    bench = Bench(tests={bench.old: scripted_run(passed=(), failed=NAMES)})
    with pytest.raises(RefusedError, match="no test passes every time"):
        bench.examiner.prove_base(bench.tree)


def test_tests_that_waver_are_named():
    bench = Bench()
    both = ("a", "b")
    runs = [scripted_run(passed=both), scripted_run(passed=("a",), failed=("b",))]
    bench = Bench(tests={bench.old: [*runs, runs[0]]})
    baseline = bench.examiner.prove_base(bench.tree)
    assert (baseline.passed, baseline.wavering) == ({"a"}, {"b"})
    (said,) = bench.events.of("baseline")
    assert said.text == "1 tests of the base pass every time, 1 waver"
    assert said.data == {"passed": 1, "failed": [], "wavering": ["b"]}


def test_a_baseline_is_taken_once_and_remembered_over_a_restart():
    bench = Bench()
    first = bench.examiner.prove_base(bench.tree)
    again = Bench(store=bench.store)
    assert again.examiner.prove_base(again.tree) == first
    assert not [call for call in again.meter.calls if call[0] in ("test", "cost")]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"passed": 5}'])
def test_a_baseline_that_cannot_be_read_is_taken_again(damage):
    bench = Bench()
    bench.store.put("baseline", bench.tree, damage)
    baseline = bench.examiner.prove_base(bench.tree)
    assert baseline.passed == set(NAMES)
    assert Baseline.from_json(bench.store.get("baseline", bench.tree)) == baseline
