"""A meter that answers from a script. It runs nothing and must never read the artifact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tars_peer.errors import RefusedError
from tars_peer.model.finding import Hotspot
from tars_peer.ports.meter import TestRun


def scripted_run(
    *,
    passed: Sequence[str] = ("tests.test_all::test_one",),
    failed: Sequence[str] = (),
    skipped: Sequence[str] = (),
    finished: bool = True,
    complaint: str = "",
    cpu_ns: int = 1_000_000,
    wall_ns: int = 1_000_000,
) -> TestRun:
    """Make a run of tests in which one test passed, but for what the caller says."""
    return TestRun(
        passed=frozenset(passed),
        failed=frozenset(failed),
        skipped=frozenset(skipped),
        finished=finished,
        complaint=complaint,
        cpu_ns=cpu_ns,
        wall_ns=wall_ns,
    )


class FakeMeter:
    """Answers by artifact folder.

    ``costs`` is one cost in nanoseconds, or several that are given in turn, over and over; a
    string instead is the reason of the ``RefusedError`` that ``cost`` raises. ``tests`` is one run
    or several in turn. ``complaints`` are what ``build`` says, ``house`` is what ``house`` says.
    ``calls`` lists what was asked, as ``(method, artifact)``; ``held`` is how deep ``exclusive``
    is entered now.
    """

    def __init__(
        self,
        costs: Mapping[Path, Sequence[int] | int | str] | None = None,
        tests: Mapping[Path, Sequence[TestRun] | TestRun] | None = None,
        *,
        complaints: Mapping[Path, str] | None = None,
        house: Mapping[Path, str] | None = None,
        hotspots: Mapping[Path, Sequence[Hotspot]] | None = None,
        source: str = "benchmark",
        sandbox_level: str = "bubblewrap",
    ) -> None:
        """Keep the script; an artifact with no test run gets one passed test."""
        self._costs = dict(costs or {})
        self._tests = dict(tests or {})
        self._complaints = dict(complaints or {})
        self._house = dict(house or {})
        self._hotspots = dict(hotspots or {})
        self._source = source
        self._sandbox_level = sandbox_level
        self.calls: list[tuple[str, Path]] = []
        self.held = 0

    @property
    def sandbox_level(self) -> str:
        """The level it was told to claim."""
        return self._sandbox_level

    @property
    def source(self) -> str:
        """The source it was told to claim."""
        return self._source

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Count how deep it is held."""
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    def build(self, artifact: Path) -> str:
        """Return the scripted complaint, or none."""
        self.calls.append(("build", artifact))
        return self._complaints.get(artifact, "")

    def house(self, artifact: Path) -> str:
        """Return the scripted complaint, or none."""
        self.calls.append(("house", artifact))
        return self._house.get(artifact, "")

    def test(self, artifact: Path) -> TestRun:
        """Return the next scripted run."""
        turn = self._turn("test", artifact)
        script = self._tests.get(artifact, scripted_run())
        return script if isinstance(script, TestRun) else script[turn % len(script)]

    def cost(self, artifact: Path) -> int:
        """Return the next scripted cost.

        Raises:
            RefusedError: the script holds a reason instead of a cost.
        """
        turn = self._turn("cost", artifact)
        if artifact not in self._costs:
            raise AssertionError(f"the script of this FakeMeter has no cost for {artifact}")
        script = self._costs[artifact]
        if isinstance(script, str):
            raise RefusedError(script, hint="this refusal is scripted")
        return script if isinstance(script, int) else script[turn % len(script)]

    def profile(self, artifact: Path) -> tuple[Hotspot, ...]:
        """Return the scripted hotspots, or none."""
        self.calls.append(("profile", artifact))
        return tuple(self._hotspots.get(artifact, ()))

    def _turn(self, method: str, artifact: Path) -> int:
        """Note the call and return how many like it there were before."""
        turn = self.calls.count((method, artifact))
        self.calls.append((method, artifact))
        return turn
