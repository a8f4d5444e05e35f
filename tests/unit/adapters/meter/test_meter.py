"""Building, testing and measuring small genomes for real, in the strongest sandbox."""

from __future__ import annotations

import marshal
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tars_peer.errors import RefusedError
from tars_peer.model.policy import Timeouts
from tests.fakes.sandbox import FakeSandbox, outcome
from tests.unit.adapters.meter.genomes import artifact, meter

BENCHMARK = ("python", "benchmark.py")
SHORT = Timeouts(build_ms=500, test_ms=500, benchmark_ms=500)
HANG = "import time\ntime.sleep(60)\n"


def benchmark(folder: Path, code: str, **changes: object) -> int:
    root = artifact(folder, {"benchmark.py": code, "app/__init__.py": "STEP = 0.25\n"})
    return meter(folder, benchmark=BENCHMARK, **changes).cost(root)


@pytest.mark.parametrize(
    "code",
    [
        "from app import STEP; print({'seconds': STEP}.__repr__().replace(chr(39), chr(34)))",
        "print('digest'); print(); print('{\"seconds\": 0.25, \"runs\": 3}'); print()",
        "print(0.25)",
        "print('2.5e-1')",
    ],
)
def test_a_cost_is_the_last_line_that_the_benchmark_prints(tmp_path, code):
    assert benchmark(tmp_path, code) == 250_000_000


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "printed nothing"),
        ("print('fast')", "'fast'"),
        ("print(0)", "'0'"),
        ("import sys; print(1); sys.exit('broken')", "failed with exit code 1: broken"),
        ("import os; os.kill(os.getpid(), 9)", "killed"),
        ("bytearray(2 ** 31)", "limits.memory_mib is 1024"),
    ],
)
def test_a_benchmark_without_a_figure_is_refused_with_the_reason(tmp_path, code, reason):
    with pytest.raises(RefusedError, match=reason) as caught:
        benchmark(tmp_path, code)
    assert caught.value.hint


def test_a_benchmark_that_hangs_is_refused_with_the_setting(tmp_path):
    with pytest.raises(RefusedError, match=r"timeouts.benchmark_ms \(500 ms\)"):
        benchmark(tmp_path, HANG, timeouts=SHORT)


def test_without_a_benchmark_the_tests_cpu_time_is_the_cost(tmp_path):
    code = "import time\ndef test_burn():\n    while time.process_time() < 1.0: pass\n"
    subject = meter(tmp_path)
    assert subject.source == "tests"
    assert 1.0e9 < subject.cost(artifact(tmp_path, {"test_it.py": code})) < 3.0e9


def test_without_a_benchmark_tests_that_do_not_finish_are_refused(tmp_path):
    with pytest.raises(RefusedError, match=r"timeouts.test_ms"):
        meter(tmp_path, timeouts=SHORT).cost(artifact(tmp_path, {"test_it.py": HANG}))


def test_tests_are_told_apart_by_name(tmp_path):
    code = """
import pytest
from app import one
def test_good(): assert one() == 1
def test_bad(): assert one() == 2
def test_error(gone): pass
@pytest.mark.skip
def test_left(): pass
@pytest.mark.xfail
def test_known(): assert one() == 2
@pytest.mark.parametrize("number", [1, 2])
def test_each(number): assert one() == number
class TestGroup:
    def test_in(self): pass
@pytest.fixture
def late():
    yield
    raise ValueError
def test_torn(late): pass
"""
    root = artifact(
        tmp_path, {"src/app/__init__.py": "def one(): return 1\n", "tests/test_it.py": code}
    )
    run = meter(tmp_path).test(root)
    assert run.finished, run.complaint
    name = "tests.test_it::test_"
    assert run.passed == {f"{name}good", f"{name}each[1]", "tests.test_it.TestGroup::test_in"}
    assert run.failed == {f"{name}bad", f"{name}error", f"{name}each[2]", f"{name}torn"}
    assert run.skipped == {f"{name}left", f"{name}known"}
    assert run.complaint.startswith("4 failed: ")
    assert run.cpu_ns > 0
    assert run.wall_ns > 0


def test_the_genomes_own_pytest_options_keep_working(tmp_path):
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-k wanted'\n",
        "test_it.py": "def test_wanted(): pass\ndef test_other(): pass\n",
    }
    assert meter(tmp_path).test(artifact(tmp_path, files)).passed == {"test_it::test_wanted"}


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import gone\n", "No module named 'gone'"),
        ("import os\ndef test_one(): os._exit(0)\n", "left no report"),
        ("import os\ndef test_one(): os.abort()\n", "left no report"),
        ("import sys\ndef test_one(): sys.exit(0)\ndef test_two(): pass\n", ""),
    ],
)
def test_a_suite_that_breaks_off_has_not_finished(tmp_path, code, complaint):
    run = meter(tmp_path).test(artifact(tmp_path, {"test_it.py": code}))
    assert run.finished is not bool(complaint)
    assert complaint in run.complaint
    assert run.passed <= {"test_it::test_two"}


def test_a_suite_that_hangs_has_not_finished(tmp_path):
    code = f"def test_one():\n    {HANG.replace(chr(10), '; ')}\n"
    run = meter(tmp_path, timeouts=SHORT).test(artifact(tmp_path, {"test_it.py": code}))
    assert not run.finished
    assert "timeouts.test_ms (500 ms)" in run.complaint


def test_no_tests_is_a_complaint(tmp_path):
    run = meter(tmp_path).test(artifact(tmp_path, {"app/__init__.py": ""}))
    assert (run.passed, run.complaint) == (frozenset(), "no tests were collected")


@pytest.mark.parametrize(("code", "passed"), [("assert True", {"suite"}), ("assert False", set())])
def test_a_command_that_is_no_pytest_is_one_test(tmp_path, code, passed):
    run = meter(tmp_path, test=("python", "check.py")).test(artifact(tmp_path, {"check.py": code}))
    assert run.finished
    assert run.passed == passed
    assert run.failed == {"suite"} - passed


def test_the_artifact_cannot_be_changed_by_its_tests(tmp_path):
    code = "def test_write():\n    open('app.py', 'w')\n"
    root = artifact(tmp_path, {"test_it.py": code, "app.py": "x = 1\n"})
    run = meter(tmp_path).test(root)
    assert run.failed == {"test_it::test_write"}
    assert (root / "app.py").read_text() == "x = 1\n"


def test_building_lays_byte_code_next_to_the_source(tmp_path):
    root = artifact(tmp_path, {"app/__init__.py": "", "app/deep/core.py": "x = 7\n"})
    assert meter(tmp_path).build(root) == ""
    made = root / "app" / "deep" / "__pycache__" / f"core.{sys.implementation.cache_tag}.pyc"
    content = made.read_bytes()
    assert int.from_bytes(content[4:8], "little") == 1, "hash-based and unchecked (PEP 552)"
    scope: dict[str, object] = {}
    exec(marshal.loads(content[16:]), scope)
    assert scope["x"] == 7


def test_building_complains_of_source_that_does_not_compile(tmp_path):
    root = artifact(tmp_path, {"app/a.py": "x = 1\nx = = 2\n", "tests/data.py": "1 1 1\n"})
    assert meter(tmp_path).build(root) == "app/a.py: SyntaxError: invalid syntax (line 2)"
    (root / "app" / "a.py").write_text("x = 1\n")
    assert meter(tmp_path).build(root) == ""


def test_building_does_not_write_through_a_link(tmp_path):
    root = artifact(tmp_path, {"app/a.py": "x = 1\n"})
    (tmp_path / "host").mkdir()
    (root / "app" / "__pycache__").symlink_to(tmp_path / "host")
    assert meter(tmp_path).build(root) == ""
    assert list((tmp_path / "host").iterdir()) == []


def test_building_runs_the_build_command(tmp_path):
    root = artifact(tmp_path, {"app/a.py": ""})
    code = "import sys; sys.exit('no header')"
    command = ("python", "-c", code)
    assert meter(tmp_path, build=command).build(root) == "the build: exit code 1: no header"
    hang = meter(tmp_path, build=("python", "-c", HANG), timeouts=SHORT)
    assert "timeouts.build_ms" in hang.build(root)
    assert meter(tmp_path, build=("python", "-c", "pass")).build(root) == ""


def test_going_back_to_what_was_built_waits_for_nobody(tmp_path):
    root = artifact(tmp_path, {"app/a.py": "x = 1\n"})
    assert meter(tmp_path).build(root) == ""
    with meter(tmp_path).exclusive(), ThreadPoolExecutor() as pool:
        assert pool.submit(meter(tmp_path).build, root).result(timeout=5) == ""


def test_what_was_made_anew_is_built_anew(tmp_path):
    root = artifact(tmp_path, {"app/a.py": "x = 1\n"})
    assert meter(tmp_path).build(root) == ""
    shutil.move(root, tmp_path / "old")
    (root / "app").mkdir(parents=True)
    (root / "app" / "a.py").write_text("x = = 1\n")
    assert "SyntaxError" in meter(tmp_path).build(root)


def test_the_first_house_rule_that_is_broken_is_told(tmp_path):
    root = artifact(tmp_path, {"app/a.py": ""})
    good, bad = ("python", "-c", "pass"), ("python", "-c", "raise SystemExit('circle')")
    assert meter(tmp_path, house=(good, good)).house(root) == ""
    assert "circle" in meter(tmp_path, house=(good, bad, good)).house(root)


def test_what_a_job_may_use_is_what_the_settings_say(tmp_path):
    sandbox = FakeSandbox(lambda _job: outcome(stdout="1"))
    subject = meter(tmp_path, sandbox, benchmark=BENCHMARK)
    assert subject.sandbox_level == "bubblewrap"
    subject.cost(artifact(tmp_path, {"src/app/a.py": ""}))
    (job,) = sandbox.jobs
    assert job.command == BENCHMARK
    assert (job.timeout_ms, job.memory_mib, job.processes, job.file_mib) == (30_000, 1_024, 32, 16)
    root = tmp_path / "artifact"
    assert job.environment["PYTHONPATH"] == f"{root}:{root}/src"
    assert job.scratch is not None
    assert not job.scratch.exists()


def test_meters_of_one_machine_take_turns(tmp_path):
    running, most, guard = [0], [0], threading.Lock()

    def answer(_job):
        with guard:
            running[0] += 1
            most[0] = max(most[0], running[0])
        entered.wait(0.2)
        with guard:
            running[0] -= 1
        return outcome(stdout="1")

    entered = threading.Event()
    root = artifact(tmp_path, {})
    root.mkdir(exist_ok=True)
    meters = [meter(tmp_path, FakeSandbox(answer), benchmark=BENCHMARK) for _ in range(3)]
    threads = [threading.Thread(target=one.cost, args=(root,)) for one in meters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_meter_that_holds_the_machine_runs_and_others_wait(tmp_path):
    mine, other = (
        meter(tmp_path, FakeSandbox(lambda _job: outcome(stdout="1")), benchmark=BENCHMARK)
        for _ in range(2)
    )
    root = artifact(tmp_path, {"app/a.py": ""})
    done = threading.Event()
    waiting = threading.Thread(target=lambda: (other.cost(root), done.set()))
    with mine.exclusive(), mine.exclusive():
        waiting.start()
        assert mine.cost(root) == mine.cost(root) == 1_000_000_000
        assert not done.wait(0.2)
    assert done.wait(10)
    waiting.join()
