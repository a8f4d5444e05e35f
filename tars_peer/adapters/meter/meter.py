"""The genome's own commands, run in the sandbox on one artifact at a time.

How a job is confined (``ports.sandbox``) and what a figure means (the gates) may not enter here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from tars_peer.adapters.meter import bytecode, suite
from tars_peer.adapters.meter.built import is_built, mark_built
from tars_peer.adapters.meter.figure import cost_ns
from tars_peer.adapters.meter.hotspots import MOST_BYTES, MOST_FILES, hotspots, read_figures
from tars_peer.adapters.meter.lock import MachineLock
from tars_peer.adapters.meter.result import read_result
from tars_peer.errors import RefusedError
from tars_peer.model.finding import Hotspot
from tars_peer.model.policy import Policy
from tars_peer.ports.meter import TestRun
from tars_peer.ports.sandbox import Job, Outcome, Sandbox

_PROFILER: Final = Path(__file__).parent / "hook" / "profile"
#: A profiled run may take so many times as long as one that is not.
_PROFILED_TIMES: Final = 5


class GenomeMeter:
    """Builds, tests, measures and profiles artifacts of one genome."""

    def __init__(
        self, *, policy: Policy, python: Path, sandbox: Sandbox, machine_lock: Path
    ) -> None:
        """Run what ``policy`` says with ``python`` in ``sandbox``.

        All meters with the same ``machine_lock`` file, in any process, take turns.
        """
        self._policy = policy
        self._python = python
        self._sandbox = sandbox
        self._lock = MachineLock(machine_lock)

    @property
    def sandbox_level(self) -> str:
        """How strong the sandbox is (see docs/sandbox.md)."""
        return self._sandbox.level

    @property
    def source(self) -> str:
        """``benchmark`` where the genome has one, else ``tests``."""
        return "benchmark" if self._policy.benchmark else "tests"

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the machine for a series of runs; re-entrant."""
        return self._lock.held()

    def build(self, artifact: Path) -> str:
        """Byte-compile and run the genome's build command; return a complaint or ``""``.

        A folder is built once: going back to it later builds nothing and waits for nobody.

        Raises:
            TemporaryError: the disk does not take the byte code.
        """
        policy = self._policy
        if is_built(artifact):
            return ""
        with self._lock.held(), _scratch() as scratch:
            outcome = self._run(
                bytecode.compile_command(artifact.resolve(), scratch),
                artifact,
                scratch,
                timeout_ms=policy.timeouts.build_ms,
                readable=(bytecode.COMPILER.parent,),
            )
            complaint = bytecode.compile_complaint(outcome, scratch, policy.source)
            if complaint:
                return complaint
            bytecode.lay_out(scratch, artifact.resolve())
        if policy.build:
            complaint = self._command(policy.build, artifact, what="the build")
        if not complaint:
            mark_built(artifact)
        return complaint

    def house(self, artifact: Path) -> str:
        """Run the genome's check commands one after another; return the first complaint or ``""``.

        They have the time of a build, ``timeouts.build_ms``, each.
        """
        for command in self._policy.house:
            complaint = self._command(command, artifact, what=" ".join(command)[:80])
            if complaint:
                return complaint
        return ""

    def test(self, artifact: Path) -> TestRun:
        """Run the genome's tests once; names are ``class name::test name`` as JUnit has them."""
        policy = self._policy
        with self._lock.held(), _scratch() as scratch:
            outcome = self._run(
                policy.test,
                artifact,
                scratch,
                timeout_ms=policy.timeouts.test_ms,
                environment=self._test_environment(scratch),
            )
            return suite.suite_run(outcome, scratch=scratch, policy=policy)

    def cost(self, artifact: Path) -> int:
        """Run the benchmark once in a fresh process and return its cost in nanoseconds.

        Without a benchmark it is the CPU time of the tests.

        Raises:
            RefusedError: it failed, hung, or did not print a number; the message says which.
        """
        policy = self._policy
        if not policy.benchmark:
            run = self.test(artifact)
            if not run.finished:
                raise RefusedError(
                    f"the tests, whose time is the cost, did not finish: {run.complaint}",
                    hint="give the genome a benchmark, or tests that end in time",
                )
            return max(1, run.cpu_ns)
        with self._lock.held(), _scratch() as scratch:
            outcome = self._run(
                policy.benchmark, artifact, scratch, timeout_ms=policy.timeouts.benchmark_ms
            )
        self._must_have_ended(outcome)
        return cost_ns(outcome.stdout)

    def profile(self, artifact: Path) -> tuple[Hotspot, ...]:
        """Run the benchmark, or the tests without one, under cProfile; by falling ``share``.

        Raises:
            RefusedError: it failed under the profiler, or no process of it left any figures.
        """
        policy = self._policy
        root = artifact.resolve()
        with self._lock.held(), _scratch() as scratch:
            environment = {"TARS_PROFILE_ROOT": str(root), "TARS_PROFILE_FOLDER": str(scratch)}
            if not policy.benchmark:
                environment |= self._test_environment(scratch)
            outcome = self._run(
                policy.benchmark or policy.test,
                artifact,
                scratch,
                timeout_ms=self._profile_ms(),
                environment=environment,
                hook=_PROFILER,
            )
            if policy.benchmark:
                self._must_have_ended(outcome)
            files = sorted(scratch.glob("profile-*.json"))[:MOST_FILES]
            contents = (read_result(file, most_bytes=MOST_BYTES) for file in files)
            figures = [read_figures(content) for content in contents if content is not None]
        known = [each for each in figures if each is not None]
        if not known:
            raise RefusedError(
                f"no figures under the profiler: {outcome.complaint()}",
                hint=f"the {self.source} must run Python without -I, -E or -S and end normally",
            )
        return hotspots(known, artifact=root, source=policy.source)

    def _profile_ms(self) -> int:
        """Return how long a profiled run may take."""
        timeouts = self._policy.timeouts
        plain_ms = timeouts.benchmark_ms if self._policy.benchmark else timeouts.test_ms
        return _PROFILED_TIMES * plain_ms

    def _test_environment(self, scratch: Path) -> dict[str, str]:
        """Return what the test command needs to report by name."""
        return suite.pytest_environment(scratch) if suite.uses_pytest(self._policy.test) else {}

    def _must_have_ended(self, outcome: Outcome) -> None:
        """Refuse a benchmark that was stopped or failed.

        Raises:
            RefusedError: it did.
        """
        stopped = suite.stop_complaint(
            outcome, self._policy, what="the benchmark", timeout="benchmark_ms"
        )
        if stopped or not outcome.ok:
            raise RefusedError(
                stopped or f"the benchmark failed with {outcome.complaint()}",
                hint=f"run {' '.join(self._policy.benchmark)!r} in the genome to see it fail",
            )

    def _command(self, command: tuple[str, ...], artifact: Path, *, what: str) -> str:
        """Run one command that must succeed; return a complaint or ``""``."""
        with self._lock.held(), _scratch() as scratch:
            outcome = self._run(
                command, artifact, scratch, timeout_ms=self._policy.timeouts.build_ms
            )
        stopped = suite.stop_complaint(outcome, self._policy, what=what, timeout="build_ms")
        return stopped or ("" if outcome.ok else f"{what}: {outcome.complaint()}")

    def _run(
        self,
        command: tuple[str, ...],
        artifact: Path,
        scratch: Path,
        *,
        timeout_ms: int,
        readable: tuple[Path, ...] = (),
        environment: Mapping[str, str] | None = None,
        hook: Path | None = None,
    ) -> Outcome:
        """Run one command of the genome in its artifact."""
        root, limits = artifact.resolve(), self._policy.limits
        roots = [hook, root, root / "src" if (root / "src").is_dir() else None]
        return self._sandbox.run(
            Job(
                command=command,
                folder=root,
                python=self._python,
                readable=readable if hook is None else (*readable, hook),
                scratch=scratch,
                environment={
                    "PYTHONPATH": ":".join(str(path) for path in roots if path is not None),
                    **_TOOLS,
                    **(environment or {}),
                },
                timeout_ms=timeout_ms,
                memory_mib=limits.memory_mib,
                processes=limits.processes,
                file_mib=limits.file_mib,
            )
        )


#: An artifact cannot be written to, so tools are told to keep their caches elsewhere.
_TOOLS: Final = {
    "MYPY_CACHE_DIR": "/dev/null",
    "RUFF_NO_CACHE": "true",
}


@contextmanager
def _scratch() -> Iterator[Path]:
    """Yield a folder for one job, gone afterwards whatever the job left in it."""
    with tempfile.TemporaryDirectory(prefix="tars-job-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()
