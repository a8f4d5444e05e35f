"""What a job is told and given, and what is said where that cannot be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tars_peer.adapters.sandbox import seccomp, words
from tars_peer.adapters.sandbox.bubblewrap import BubblewrapSandbox
from tars_peer.adapters.sandbox.cgroup import task_limit
from tars_peer.adapters.sandbox.output import KEPT_BYTES, Tail
from tars_peer.errors import PermanentError, UsageError
from tests.unit.adapters.sandbox.jobs import ALL, bubblewrap, landlock, python_job


def test_only_the_first_word_python_is_the_interpreter(tmp_path):
    job = python_job(tmp_path, "", command=("python", "python"))
    assert words.command(job) == (sys.executable, "python")
    assert words.command(python_job(tmp_path, "", command=("sh", "-c"))) == ("sh", "-c")


def test_an_empty_command_is_refused(tmp_path):
    with pytest.raises(UsageError):
        words.command(python_job(tmp_path, "", command=()))


def test_an_interpreter_needs_its_environment_its_base_and_the_links_between(tmp_path):
    for name in ("base", "elsewhere", "environment"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "lib" / "python3.11").mkdir(parents=True)
    (tmp_path / "base" / "bin" / "python3").touch()
    (tmp_path / "home" / "bin").mkdir(parents=True)
    link = tmp_path / "home" / "bin" / "python"
    link.symlink_to("../../base/bin/python3")
    python = tmp_path / "environment" / "bin" / "python"
    python.symlink_to(link)
    settings = tmp_path / "environment" / "pyvenv.cfg"
    settings.write_text(f"home = {tmp_path}/elsewhere/bin\nversion = 3.11\n")
    assert set(words.interpreter_places(python)) == {
        *(python, link, tmp_path / "base" / "bin" / "python3"),
        *(tmp_path / name for name in ("base", "elsewhere", "environment")),
    }


def test_a_link_to_an_interpreter_works_and_does_not_open_the_folder_around_it(tmp_path):
    (tmp_path / "home" / "bin").mkdir(parents=True)
    (tmp_path / "home" / "secret").write_text("secret")
    link = tmp_path / "home" / "bin" / "python"
    link.symlink_to(Path(sys.executable).resolve())
    code = f"print('ran'); open({str(tmp_path / 'home' / 'secret')!r})"
    for make in (bubblewrap, landlock):
        outcome = make().run(python_job(tmp_path, code, python=link))
        assert (outcome.stdout, outcome.code) == ("ran\n", 1), outcome


def test_an_interpreter_of_the_system_does_not_open_the_whole_disk():
    assert Path("/") not in set(words.interpreter_places(Path("/bin/python3")))


def test_a_missing_folder_is_an_error_that_says_so(tmp_path):
    job = python_job(tmp_path, "", folder=tmp_path / "gone")
    for make in ALL:
        with pytest.raises(PermanentError, match="gone"):
            make().run(job)


def test_a_program_that_is_no_bwrap_is_an_error(tmp_path):
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(PermanentError, match="not today"):
        BubblewrapSandbox(program).run(python_job(tmp_path, ""))


def test_bwraps_own_words_in_the_output_of_a_job_mean_nothing(tmp_path):
    code = "import sys; sys.exit('bwrap: setting up uid map: Permission denied')"
    for make in (bubblewrap, landlock):
        assert make().run(python_job(tmp_path, code)).code == 1


def test_without_sockets_the_filter_refuses_them_but_no_pairs():
    program = seccomp.program(network=False, unix=False)
    assert program is not None
    code = f"""
import socket
from tars_peer.adapters.sandbox import kernel
kernel.forbid_new_privileges()
kernel.filter_calls({program!r})
left, right = socket.socketpair()
left.sendall(b"pair")
print(right.recv(4))
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
    try:
        socket.socket(family)
    except PermissionError:
        print("refused")
"""
    root = Path(words.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["b'pair'", *["refused"] * 3], done.stderr


def test_a_group_for_the_limit_on_tasks_is_gone_afterwards(tmp_path):
    with task_limit(4) as descriptor:
        made = Path(f"/proc/self/fd/{descriptor}").readlink().parent if descriptor else tmp_path
        assert made.exists()
    assert descriptor is None or not made.exists()


def test_a_tail_keeps_the_end_in_bounded_memory():
    tail = Tail()
    for number in range(1_000):
        tail.feed(b"%05d" % number * 1_000)
    assert tail.text().endswith("00999" * 1_000)
    assert len(tail.text()) == KEPT_BYTES
    tail.feed(b"\xff")
    assert tail.text().endswith("\N{REPLACEMENT CHARACTER}")
