"""What no job may do, tried for real at each level with walls."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from tests.unit.adapters.sandbox.jobs import WALLED, Make, bubblewrap, python_job

TRY = """
import sys
try:
    {attempt}
except OSError as error:
    print("refused", error.errno)
else:
    print("done")
"""


def said(make: Make, folder: Path, attempt: str, *words: str, **changes: object) -> str:
    outcome = make().run(python_job(folder, TRY.format(attempt=attempt), *words, **changes))
    assert outcome.ok, outcome
    return outcome.stdout.split()[0]


@pytest.fixture(params=WALLED, ids=lambda make: make.__name__)
def make(request) -> Make:
    return request.param


def test_a_job_reads_its_artifact_and_what_is_named(make, tmp_path):
    (tmp_path / "artifact").mkdir()
    (tmp_path / "artifact" / "mine").write_text("mine")
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / "too").write_text("too")
    assert said(make, tmp_path, "open('mine').read()") == "done"
    readable = (tmp_path / "named",)
    path = str(tmp_path / "named" / "too")
    assert said(make, tmp_path, "open(sys.argv[1]).read()", path, readable=readable) == "done"


def test_a_job_does_not_read_the_rest_of_the_host(make, tmp_path):
    (tmp_path / "host").mkdir()
    secret = tmp_path / "host" / "secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    assert said(make, tmp_path, "open(sys.argv[1]).read()", str(secret)) == "refused"
    assert said(make, tmp_path, "open('/etc/shadow').read()") == "refused"


def test_a_job_does_not_reach_the_host_through_a_link_in_its_artifact(make, tmp_path):
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "secret").write_text("secret")
    (tmp_path / "artifact").mkdir()
    (tmp_path / "artifact" / "link").symlink_to(tmp_path / "host")
    assert said(make, tmp_path, "open('link/secret').read()") == "refused"


def test_a_job_writes_to_its_scratch_folder_and_nowhere_else(make, tmp_path):
    assert said(make, tmp_path, "open('new', 'w')") == "refused"
    assert not (tmp_path / "artifact" / "new").exists()
    assert said(make, tmp_path, "open('/usr/new', 'w')") == "refused"
    # Where the sandbox has a /tmp of its own, this may be written, but not to the host's.
    said(make, tmp_path, "open(sys.argv[1], 'w')", str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    path = str(tmp_path / "scratch" / "new")
    assert said(make, tmp_path, "open(sys.argv[1], 'w').write('kept')", path) == "done"
    assert (tmp_path / "scratch" / "new").read_text() == "kept"


def test_a_job_does_not_change_the_kernels_settings(make, tmp_path):
    # Opened for writing only: nothing is written even where the wall is broken.
    attempt = "__import__('os').open('/proc/sys/kernel/core_pattern', 1)"
    assert said(make, tmp_path, attempt) == "refused"


def test_a_job_does_not_reach_the_hosts_network(make, tmp_path):
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
        stream.bind(("127.0.0.1", 0))
        stream.listen()
        datagram.bind(("127.0.0.1", 0))
        datagram.settimeout(0)
        attempt = "__import__('socket').create_connection(('127.0.0.1', int(sys.argv[1])), 2)"
        assert said(make, tmp_path, attempt, str(stream.getsockname()[1])) == "refused"
        attempt = (
            "s = __import__('socket').socket(type=2); "
            "s.sendto(b'x', ('127.0.0.1', int(sys.argv[1])))"
        )
        said(make, tmp_path, attempt, str(datagram.getsockname()[1]))
        with pytest.raises(BlockingIOError):
            datagram.recv(1)


def test_a_job_does_not_reach_a_socket_of_the_host(make, tmp_path):
    (tmp_path / "host").mkdir()
    path = tmp_path / "host" / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        path.chmod(0o600)
        attempt = "__import__('socket').socket(1).connect(sys.argv[1])"
        assert said(make, tmp_path, attempt, str(path)) == "refused"


def test_a_job_does_not_signal_the_peer(make, tmp_path):
    assert said(make, tmp_path, f"__import__('os').kill({os.getpid()}, 0)") == "refused"


def test_a_job_has_no_privileges_and_a_filter_of_calls(make, tmp_path):
    code = "print(*(line for line in open('/proc/self/status')), sep='')"
    status = make().run(python_job(tmp_path, code)).stdout
    facts = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    # CAP_DAC_READ_SEARCH is left at the level of Landlock where root's files are to be read.
    assert int(facts["CapEff"], 16) & ~0b100 == 0
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"


def test_a_job_sees_only_its_own_environment(make, tmp_path):
    code = "import os; print(sorted(os.environ.items()))"
    outcome = make().run(python_job(tmp_path, code, environment={"MINE": "yes"}))
    seen = dict(eval(outcome.stdout))
    assert {"PWD", "_"}.union(seen) == {
        *("PATH", "HOME", "TMPDIR", "LANG", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED"),
        *("MINE", "PWD", "_"),
    }
    assert seen["HOME"] == seen["TMPDIR"] == str(tmp_path / "scratch")
    assert (seen["PYTHONHASHSEED"], seen["LANG"], seen["MINE"]) == ("0", "C.UTF-8", "yes")


def test_without_a_scratch_folder_there_is_a_private_one(make, tmp_path):
    code = "import os, tempfile; open(os.environ['HOME'] + '/x', 'w'); print(tempfile.mkdtemp())"
    outcome = make().run(python_job(tmp_path, code, scratch=None))
    assert outcome.ok, outcome
    assert not Path(outcome.stdout.strip()).exists()


def test_in_bubblewrap_a_job_has_a_loopback_of_its_own(tmp_path):
    code = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname(), 2)
client.sendall(b"hello")
print(server.accept()[0].recv(5))
"""
    assert bubblewrap().run(python_job(tmp_path, code)).stdout == "b'hello'\n"


def test_in_bubblewrap_a_job_makes_no_namespaces_and_sees_no_other_processes(tmp_path):
    code = """
import ctypes, os
print(ctypes.CDLL(None).unshare(0x10000000))
print(len([name for name in os.listdir("/proc") if name.isdigit()]))
print(os.getuid())
"""
    assert bubblewrap().run(python_job(tmp_path, code)).stdout.split() == ["-1", "2", "1000"]
