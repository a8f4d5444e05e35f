"""What a job may use, tried for real at every level; and that nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tars_peer.adapters.sandbox.output import KEPT_BYTES
from tars_peer.ports.sandbox import Ending
from tests.unit.adapters.sandbox.jobs import ALL, Make, python_job

#: Doubles nine times, 512 at the most, so that a broken limit does no harm here either.
BOMB = """
import os, sys, time
for _ in range(9):
    try:
        os.fork()
    except OSError:
        pass
time.sleep(15)
"""
#: The same, and each leaves its process group, out of reach of a signal to all of a group.
FLEEING_BOMB = BOMB.replace(
    "time.sleep", "os.getpgrp() == os.getpid() or os.setpgid(0, 0); time.sleep"
)

ORPHAN = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        time.sleep(60)
    os._exit(0)
os.wait()
print("started", flush=True)
"""


def alive(marker: str) -> list[str]:
    """Return the commands of all processes here that have ``marker`` among their words."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if process.name.isdigit() and marker.encode() in command.split(b"\0"):
            found.append(f"{process.name} {command!r}")
    return found


def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.01)


@pytest.fixture(params=ALL, ids=lambda make: make.__name__)
def make(request) -> Make:
    return request.param


@pytest.fixture
def marker(tmp_path) -> str:
    return f"marker-{tmp_path.name}-{os.getpid()}"


def test_a_job_that_ends_gives_its_code_and_its_output(make, tmp_path):
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    outcome = make().run(python_job(tmp_path, code))
    assert (outcome.ending, outcome.code) == (Ending.EXITED, 3)
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")
    assert outcome.complaint() == "exit code 3: err"


def test_a_command_that_is_not_there_is_an_exit(make, tmp_path):
    outcome = make().run(python_job(tmp_path, "", command=("no-such-command",)))
    assert (outcome.ending, outcome.code) == (Ending.EXITED, 127)
    assert "no-such-command" in outcome.stderr


def test_a_job_ends_at_its_deadline(make, tmp_path, marker):
    code = "import time; print('began', flush=True); time.sleep(60)"
    outcome = make().run(python_job(tmp_path, code, marker, timeout_ms=1_000))
    assert outcome.ending is Ending.TIMED_OUT
    assert outcome.stdout == "began\n"
    assert "longer than 1000 ms" in outcome.complaint()
    assert outcome.wall_ns < 10e9
    assert alive(marker) == []


def test_a_job_ends_when_it_is_cancelled(make, tmp_path, marker):
    cancel = threading.Event()
    job = python_job(tmp_path, "import time; time.sleep(60)", marker)
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    outcome = make(cancelled=cancel.is_set).run(job)
    timer.join()
    assert outcome.ending is Ending.CANCELLED
    assert outcome.wall_ns < 10e9
    assert alive(marker) == []


def test_an_orphan_does_not_outlive_its_job(make, tmp_path, marker):
    outcome = make().run(python_job(tmp_path, ORPHAN, marker))
    assert outcome.stdout == "started\n", outcome
    assert alive(marker) == []


def test_an_orphan_does_not_outlive_a_job_that_is_stopped(make, tmp_path, marker):
    code = f"{ORPHAN}\ntime.sleep(60)"
    outcome = make().run(python_job(tmp_path, code, marker, timeout_ms=1_500))
    assert (outcome.ending, outcome.stdout) == (Ending.TIMED_OUT, "started\n")
    assert alive(marker) == []


@pytest.mark.parametrize("bomb", [BOMB, FLEEING_BOMB], ids=["bomb", "fleeing bomb"])
def test_a_fork_bomb_ends_quickly(make, tmp_path, marker, bomb):
    started = time.monotonic()
    outcome = make().run(python_job(tmp_path, bomb, marker))
    assert outcome.ending is Ending.KILLED
    assert "more than 16 processes" in outcome.complaint()
    assert time.monotonic() - started < 10
    assert alive(marker) == []


def test_as_many_processes_as_allowed_may_run(make, tmp_path):
    code = """
import os, time
for _ in range(10):
    if os.fork() == 0:
        time.sleep(0.3)
        os._exit(0)
print(len([os.wait() for _ in range(10)]))
"""
    assert make().run(python_job(tmp_path, code)).stdout == "10\n"


def test_one_process_does_not_get_more_memory(make, tmp_path):
    outcome = make().run(python_job(tmp_path, "bytearray(2 ** 30)", memory_mib=256))
    assert outcome.ending is Ending.OUT_OF_MEMORY


def test_many_processes_do_not_get_more_memory_together(make, tmp_path):
    code = """
import os, time
children = [os.fork() for _ in range(4)]
held = bytearray(os.urandom(1) * (100 * 2**20))
time.sleep(15)
"""
    outcome = make().run(python_job(tmp_path, code, memory_mib=256))
    assert outcome.ending is Ending.OUT_OF_MEMORY
    assert "256 MiB" in outcome.complaint()


def test_a_file_does_not_grow_over_its_limit(make, tmp_path):
    code = "import os; open(os.environ['HOME'] + '/large', 'wb').write(bytes(5 * 2**20))"
    outcome = make().run(python_job(tmp_path, code, file_mib=4))
    assert "File too large" in outcome.complaint()
    assert (tmp_path / "scratch" / "large").stat().st_size <= 4 * 2**20


def test_many_files_do_not_fill_the_disk(make, tmp_path):
    code = """
import os, time
for number in range(8):
    with open(f"{os.environ['HOME']}/{number}", "wb") as file:
        file.write(os.urandom(3 * 2**20))
        os.fsync(file)
time.sleep(15)
"""
    outcome = make().run(python_job(tmp_path, code, file_mib=4))
    assert outcome.ending is Ending.KILLED
    assert "16 MiB" in outcome.complaint()


def test_endless_output_is_read_and_forgotten(make, tmp_path):
    code = "while True: print('x' * 99_999)"
    outcome = make().run(python_job(tmp_path, code, timeout_ms=1_500))
    assert outcome.ending is Ending.TIMED_OUT
    assert KEPT_BYTES // 2 < len(outcome.stdout) <= KEPT_BYTES


def test_the_cpu_of_all_processes_counts(make, tmp_path):
    code = """
import os, time
def burn(seconds):
    while time.process_time() < seconds:
        pass
if os.fork() == 0:
    if os.fork() == 0:
        burn(0.4)  # an orphan by then
    os._exit(0)
os.wait()
burn(0.4)
time.sleep(1.5)
"""
    outcome = make().run(python_job(tmp_path, code))
    assert outcome.ok, outcome
    assert 0.8e9 < outcome.cpu_ns < 1.5e9


def test_no_job_outlives_a_peer_that_is_killed(make, tmp_path, marker):
    code = f"""
from pathlib import Path
from tests.unit.adapters.sandbox.jobs import {make.__name__}, python_job
code = "import time; print('began', flush=True); time.sleep(60)"
{make.__name__}().run(python_job(Path({str(tmp_path)!r}), code, {marker!r}))
"""
    peer = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[4])
    try:
        until(lambda: any("print" in command for command in alive(marker)))
    finally:
        peer.kill()
        peer.wait()
    until(lambda: not alive(marker))
