"""The baseline: steady tests count, others are named."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_peer.errors import CorruptError, RefusedError, UsageError
from tars_peer.gates.baseline import Baseline, take_baseline
from tests.fakes.meter import scripted_run
from tests.unit.gates.cases import BASE, good_meter, make_baseline


def take(*runs):
    """Take a baseline over scripted runs."""
    return take_baseline(good_meter(tests={BASE: runs}), BASE, len(runs))


def test_tests_are_sorted_by_how_steadily_they_end():
    baseline = take(
        scripted_run(passed=["a", "b", "c", "e"], failed=["bad"], skipped=["s"], cpu_ns=30),
        scripted_run(passed=["a", "c", "d"], failed=["b", "bad"], skipped=["s", "e"], cpu_ns=10),
        scripted_run(passed=["a", "b", "d"], failed=["bad"], skipped=["s", "e"], cpu_ns=20),
    )
    assert baseline.passed == {"a"}
    assert baseline.failed == {"bad"}
    assert baseline.wavering == {"b", "c", "d", "e"}
    assert baseline.cpu_ns == 20


def test_the_tests_run_as_often_as_asked():
    meter = good_meter()
    take_baseline(meter, BASE, 3)
    assert meter.calls == [("test", BASE)] * 3


def test_a_test_that_passes_and_fails_in_one_run_does_not_count_as_passed():
    assert take(scripted_run(passed=["a", "b"], failed=["a"])).passed == {"b"}


def test_a_run_that_does_not_finish_ends_it_at_once():
    run = scripted_run(finished=False, complaint="timed out: no output")
    meter = good_meter(tests={BASE: [scripted_run(), run, scripted_run()]})
    with pytest.raises(RefusedError, match=r"did not finish \(run 2 of 3\): timed out") as caught:
        take_baseline(meter, BASE, 3)
    assert "test_ms" in caught.value.hint
    assert len(meter.calls) == 2


def test_a_genome_without_tests_is_refused():
    with pytest.raises(RefusedError, match="no tests") as caught:
        take(scripted_run(passed=[]))
    assert "[tool.tars]" in caught.value.hint


def test_a_genome_with_no_steady_test_is_refused_and_they_are_named():
    with pytest.raises(RefusedError, match=r"1 fail \(bad\); 1 waver \(dice\); 1 are skipped \(s"):
        take(
            scripted_run(passed=["dice"], failed=["bad"], skipped=["s"]),
            scripted_run(passed=[], failed=["bad", "dice"], skipped=["s"]),
        )


@pytest.mark.parametrize("runs", [0, -1])
def test_a_baseline_of_no_runs_is_wrong_use(runs):
    with pytest.raises(UsageError, match="at least one run"):
        take_baseline(good_meter(), BASE, runs)


@given(
    st.lists(st.sets(st.text(alphabet="abc/:é", max_size=4), max_size=4), min_size=3, max_size=3)
)
def test_json_round_trip(groups):
    passed, failed, wavering = groups
    baseline = Baseline(
        passed=frozenset(passed),
        failed=frozenset(failed - passed),
        wavering=frozenset(wavering - passed - failed),
        cpu_ns=5,
    )
    assert Baseline.from_json(baseline.to_json()) == baseline


def test_equal_baselines_give_equal_bytes():
    names = [f"t{number}" for number in range(50)]
    assert make_baseline(*names).to_json() == make_baseline(*reversed(names)).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"cpu_ns": -1},
        {"cpu_ns": "1"},
        {"passed": "a"},
        {"failed": ["a"]},
        {"surprise": 1},
        {"wavering": None},
    ],
)
def test_anything_else_is_corrupt(change):
    good = msgspec.json.decode(make_baseline("a").to_json())
    with pytest.raises(CorruptError) as caught:
        Baseline.from_json(msgspec.json.encode({**good, **change}))
    assert "take it again" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"\xff", b"[]", b'{"passed":["\xff"]}'])
def test_garbage_is_corrupt(content):
    with pytest.raises(CorruptError):
        Baseline.from_json(content)
