"""What a probe measures: as often as counts in the ledger, and remembered before a switch."""

from __future__ import annotations

import pytest

from tars_peer.enact.observe import Prober
from tars_peer.errors import RefusedError
from tars_peer.ledger.deploying import MOST_RUNS
from tars_peer.ledger.verdict import FEWEST_RUNS
from tests.fakes.meter import FakeMeter
from tests.fakes.store import FakeStore
from tests.fakes.worktree import ARTIFACTS, FakeWorktree


class ExclusiveMeter(FakeMeter):
    """A meter that wants to be held while it measures."""

    def cost(self, artifact):
        assert self.held == 1
        return super().cost(artifact)


def prober(costs, *, runs=5, store=None):
    """Return a prober of a tree that costs ``costs``, and the tree."""
    worktree = FakeWorktree()
    _, tree = worktree.begin({"a.py": b""})
    meter = ExclusiveMeter({ARTIFACTS / tree: costs})
    return Prober(worktree=worktree, meter=meter, store=store or FakeStore(), runs=runs), tree


def test_a_tree_is_measured_as_often_as_the_settings_say():
    probe, tree = prober([5, 6, 7, 8, 9])
    assert probe.measure(tree) == (5, 6, 7, 8, 9)


@pytest.mark.parametrize(("runs", "expected"), [(1, FEWEST_RUNS), (1_000, MOST_RUNS)])
def test_never_so_seldom_or_so_often_that_it_would_not_count(runs, expected):
    probe, tree = prober(5, runs=runs)
    assert len(probe.measure(tree)) == expected


def test_a_long_benchmark_is_run_as_seldom_as_counts():
    probe, tree = prober(6_000_000_000, runs=20)
    assert len(probe.measure(tree)) == FEWEST_RUNS


def test_a_run_that_fails_is_said():
    probe, tree = prober("it prints nothing")
    with pytest.raises(RefusedError, match="it prints nothing"):
        probe.measure(tree)


def test_what_was_before_is_kept_by_generation_over_a_restart():
    store = FakeStore()
    probe, _ = prober(5, store=store)
    assert not probe.is_measured(1)
    assert probe.before(1) == ()
    probe.keep_before(1, (3, 4))
    probe.keep_before(2, ())
    again, _ = prober(5, store=store)
    assert (again.is_measured(1), again.before(1)) == (True, (3, 4))
    assert (again.is_measured(2), again.before(2)) == (True, ())
    assert not again.is_measured(3)
