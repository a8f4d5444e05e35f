"""From how the test command ended to a ``TestRun``. Nothing is run here."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from tars_peer.adapters.meter.report import MOST_BYTES, Report, read_report
from tars_peer.adapters.meter.result import read_result
from tars_peer.model.policy import Policy
from tars_peer.ports.meter import TestRun
from tars_peer.ports.sandbox import Ending, Outcome

_REPORT: Final = "tars-report.xml"
_ALL_RAN: Final = frozenset({0, 1})
_NONE_COLLECTED: Final = 5
_FINISHED: Final = _ALL_RAN | {_NONE_COLLECTED}
_SHOWN: Final = 3


def uses_pytest(command: Sequence[str]) -> bool:
    """Say whether a command is a run of pytest."""
    return any(PurePosixPath(word).name in {"pytest", "py.test"} for word in command)


def pytest_environment(scratch: Path) -> dict[str, str]:
    """Return the variables that make pytest report by name, on top of the genome's own options."""
    options = (
        *("-p", "no:cacheprovider", "-o", "junit_family=xunit2"),
        f"--junitxml={scratch / _REPORT}",
    )
    return {"PYTEST_ADDOPTS": shlex.join(options)}


def suite_run(outcome: Outcome, *, scratch: Path, policy: Policy) -> TestRun:
    """Return what one run of the test command says."""
    stopped = stop_complaint(outcome, policy, what="the tests", timeout="test_ms")
    report: Report | None = None
    if uses_pytest(policy.test):
        content = read_result(scratch / _REPORT, most_bytes=MOST_BYTES)
        report = None if content is None else read_report(content)
        complaint = stopped or _pytest_complaint(outcome, report)
        finished = not stopped and report is not None and outcome.code in _FINISHED
    else:
        complaint = stopped or ("" if outcome.ok else f"the tests failed: {outcome.complaint()}")
        finished = not stopped
        suite = frozenset({"suite"})
        report = Report(
            passed=suite if outcome.ok else frozenset(),
            failed=frozenset() if outcome.ok else suite,
            skipped=frozenset(),
        )
    return TestRun(
        passed=report.passed if report else frozenset(),
        failed=report.failed if report else frozenset(),
        skipped=report.skipped if report else frozenset(),
        finished=finished,
        complaint=complaint,
        cpu_ns=outcome.cpu_ns,
        wall_ns=outcome.wall_ns,
    )


def stop_complaint(outcome: Outcome, policy: Policy, *, what: str, timeout: str) -> str:
    """Say which setting stopped a job that did not end by itself, or nothing."""
    match outcome.ending:
        case Ending.EXITED:
            return ""
        case Ending.TIMED_OUT:
            allowed_ms = getattr(policy.timeouts, timeout)
            return f"{what} ran longer than timeouts.{timeout} ({allowed_ms} ms)"
        case Ending.OUT_OF_MEMORY:
            return f"{what} ran out of memory (limits.memory_mib is {policy.limits.memory_mib})"
        case Ending.CANCELLED:
            return f"{what} were cancelled"
        case Ending.KILLED:
            return f"{what} were killed: {outcome.complaint()}"


def _pytest_complaint(outcome: Outcome, report: Report | None) -> str:
    """Say what was wrong with a run of pytest that ended by itself, or nothing."""
    if outcome.code == _NONE_COLLECTED:
        return "no tests were collected"
    if report is None:
        return f"pytest left no report ({outcome.complaint()}); its options must not set --junitxml"
    names = sorted(report.failed)
    listed = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    if outcome.code not in _ALL_RAN:
        return f"pytest did not run all tests ({outcome.complaint()}): {_error(outcome) or listed}"
    return f"{len(names)} failed: {listed}" if names else ""


def _error(outcome: Outcome) -> str:
    """Return the last error that pytest showed, where it showed any."""
    errors = [line[1:].strip() for line in outcome.stdout.splitlines() if line.startswith("E  ")]
    return errors[-1][:300] if errors else ""
