"""Cases for the gates, made from one source file before and after. No test may enter here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tars_peer.gates.baseline import Baseline
from tars_peer.gates.case import Case
from tars_peer.model.change import Change, Edit
from tars_peer.model.policy import Limits, Policy, Thresholds, Timeouts
from tests.fakes.meter import FakeMeter

BASE = Path("/artifacts/base")
CANDIDATE = Path("/artifacts/candidate")
BEFORE = "def total(values):\n    return sum(values)\n"
AFTER = "def total(values):\n    return sum(iter(values))\n"

POLICY = Policy(
    name="parcels",
    source=("parcels",),
    protected=("parcels/frozen",),
    build=(),
    house=(),
    test=("python", "-m", "pytest", "tests"),
    benchmark=("python", "benchmark.py"),
    service=None,
    requirements=(),
    timeouts=Timeouts(),
    thresholds=Thresholds(),
    limits=Limits(),
)


class HousedMeter(FakeMeter):
    """A fake meter that also answers for the house rules."""

    house_complaint = ""

    def house(self, artifact: Path) -> str:
        """Return the scripted complaint."""
        self.calls.append(("house", artifact))
        return self.house_complaint


def rewrite(path: str, before: str, after: str) -> Edit:
    """Make the edit that replaces the whole of a file."""
    return Edit(path=path, start=0, end=len(before.encode()), before=before, after=after)


def make_change(*edits: Edit) -> Change:
    """Make a change of ``edits`` on some base."""
    return Change(
        base_generation=1,
        base_commit="1" * 40,
        base_tree="2" * 40,
        tree="3" * 40,
        improvement="sum-of-iterator",
        summary="Sum without a list",
        target="parcels.totals.total",
        fingerprint="4" * 64,
        policy="5" * 64,
        edits=edits,
    )


def make_case(
    before: str = BEFORE,
    after: str = AFTER,
    *,
    path: str = "parcels/totals.py",
    edits: tuple[Edit, ...] | None = None,
    others: Mapping[str, bytes] | None = None,
    policy: Policy = POLICY,
    meter: FakeMeter | None = None,
    baseline: Baseline | None = None,
    constitution: tuple[str, ...] = (),
    cancelled: Callable[[], bool] = lambda: False,
    candidate: Callable[[], Path] = lambda: CANDIDATE,
) -> Case:
    """Make a case in which ``path`` goes from ``before`` to ``after``."""
    edits = (rewrite(path, before, after),) if edits is None else edits
    return Case(
        change=make_change(*edits),
        policy=policy,
        base_files={path: before.encode(), **(others or {})},
        base=lambda: BASE,
        candidate=candidate,
        baseline=baseline or make_baseline("tests.test_all::test_one"),
        meter=meter or good_meter(),
        constitution=constitution,
        cancelled=cancelled,
    )


def make_baseline(*passed: str, failed: str = "", wavering: str = "") -> Baseline:
    """Make a baseline; ``failed`` and ``wavering`` are names divided by spaces."""
    return Baseline(
        passed=frozenset(passed),
        failed=frozenset(failed.split()),
        wavering=frozenset(wavering.split()),
        cpu_ns=1_000,
    )


def good_meter(**options: object) -> HousedMeter:
    """Make a meter on which the candidate builds, passes and is 1.25 times as fast."""
    costs = options.pop("costs", {BASE: 1_000_000, CANDIDATE: 800_000})
    return HousedMeter(costs, **options)  # type: ignore[arg-type]


def with_thresholds(**thresholds: int) -> Policy:
    """Return the policy with other thresholds."""
    changed = msgspec.structs.replace(POLICY.thresholds, **thresholds)
    return msgspec.structs.replace(POLICY, thresholds=changed)
