"""The supervisor keeps one peer running, swaps it, puts it back, and leaves nothing over."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tars_peer.adapters.runtime.pointer import Pointer
from tars_peer.errors import UsageError
from tars_peer.supervisor.certificates import ensure_certificates
from tars_peer.supervisor.launch import is_supervised, kill_peer, last_words, stop
from tars_peer.supervisor.supervise import supervise
from tests.fakes.home import some_home
from tests.fakes.waiting import until

ROOT = Path(__file__).resolve().parents[3]
OLD, NEW = "a" * 40, "b" * 40

RUN = """
import fcntl, sys
from pathlib import Path
from tars_peer.config.home import ClusterHome
from tars_peer.supervisor.supervise import LOCK_FILE, Supervisor
home = ClusterHome.load(Path(sys.argv[2]))
with (home.folder("p1") / LOCK_FILE).open("a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    sys.exit(Supervisor(home, "p1", healthy_s=float(sys.argv[3])).run())
"""


class Nursery:
    """A home whose peer p1 is a pretender, and its supervisor as a process."""

    def __init__(self, folder: Path, behaviour: str) -> None:
        """Make the home and the old program; nothing runs yet."""
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        home = some_home(folder)
        peers = (replace(home.peers[0], address=address), home.peers[1])
        self.home = replace(home, peers=peers, tree=OLD)
        self.home.save()
        self.peer = self.home.folder("p1")
        ensure_certificates(self.home)
        self.old = self.program("old", behaviour)
        self.choose(self.old, "")
        self.process: subprocess.Popen[bytes] | None = None

    def program(self, name: str, behaviour: str, *, python: str = sys.executable) -> Path:
        """Make a program that behaves so; it asks to be run by ``python``."""
        source = self.folder / name
        (source / "tars_peer").mkdir(parents=True)
        (source / "tars_peer" / "__init__.py").write_text("")
        shutil.copy(Path(__file__).with_name("pretender.py"), source / "tars_peer" / "__main__.py")
        (source / "behaviour").write_text(behaviour)
        (source / "python").write_text(python)
        return source

    def choose(self, source: Path, tree: str) -> None:
        """Let the next start be of ``source``."""
        program = {"python": sys.executable, "source": f"{source}", "tree": tree}
        (self.peer / "program.json").write_text(json.dumps(program))

    def start(self, *, healthy_s: float = 20.0) -> subprocess.Popen[bytes]:
        """Start the supervisor."""
        words = [sys.executable, "-c", RUN, "tars_peer", self.folder, f"{healthy_s}"]
        self.process = subprocess.Popen(words, cwd=ROOT)
        return self.process

    def starts(self) -> list[tuple[str, str, int, float]]:
        """Return each start: the program, its tree's first letter, process id and time."""
        file = self.peer / "starts"
        lines = file.read_text().splitlines() if file.exists() else []
        words = [line.split() for line in lines]
        return [(name, tree, int(pid), float(time_s)) for name, tree, pid, time_s in words]

    def running(self) -> list[str]:
        """Return the programs that run now."""
        return [
            name
            for name, _, pid, _ in self.starts()
            if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        ]

    def close(self) -> None:
        """End the supervisor, and see that nothing is left over."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(15)
        until(lambda: not self.running())


@pytest.fixture
def nursery(tmp_path):
    made: list[Nursery] = []

    def make(behaviour: str) -> Nursery:
        made.append(Nursery(tmp_path, behaviour))
        return made[0]

    yield make
    made[0].close()


def test_a_peer_runs_until_its_supervisor_is_told_to_stop(nursery):
    place = nursery("run")
    process = place.start()
    until(lambda: place.running() == ["old"])
    assert place.starts()[0][1] == OLD[0]
    process.terminate()
    assert process.wait(10) == 0
    assert place.running() == []
    assert last_words(place.home, "p1") == "stopped"


def test_a_peer_that_ends_is_started_again_and_ever_more_slowly(nursery):
    place = nursery("crash")
    process = place.start()
    until(lambda: len(place.starts()) == 3)
    first, second, third = (time_s for *_, time_s in place.starts())
    assert second - first >= 0.5
    assert third - second >= 1.0
    until(lambda: last_words(place.home, "p1") == "the peer ended with code 3: the last words")
    process.terminate()
    assert process.wait(10) == 0


@pytest.mark.parametrize(("behaviour", "code"), [("usage", 2), ("done", 0)])
def test_a_peer_that_cannot_or_need_not_run_is_not_started_again(nursery, behaviour, code):
    place = nursery(behaviour)
    assert place.start().wait(10) == code
    assert len(place.starts()) == 1
    if code:
        assert last_words(place.home, "p1").endswith("error: wrong settings")


def test_a_generation_that_is_healthy_takes_over_and_stays_over_a_restart(nursery, tmp_path):
    new = tmp_path / "new"
    place = nursery(f"swap {new}")
    place.program("new", "serve")
    process = place.start()
    pointer = place.peer / "active.json"
    until(lambda: Pointer(pointer).verdict(NEW) == "")
    assert Pointer(pointer).tree == NEW
    assert place.running() == ["new"]
    assert [(name, tree) for name, tree, *_ in place.starts()] == [("old", "a"), ("new", "b")]
    process.terminate()
    process.wait(15)
    place.start()
    until(lambda: place.running() == ["new"])


@pytest.mark.parametrize(
    ("behaviour", "python", "reason"),
    [
        ("crash", sys.executable, "it ended with code 3: the last words"),
        ("run", sys.executable, "it was not healthy within 2 s"),
        ("serve", "/no/python", "it cannot be started or kept: "),
    ],
)
def test_a_generation_that_is_not_healthy_is_put_back(nursery, tmp_path, behaviour, python, reason):
    new = tmp_path / "new"
    place = nursery(f"swap {new}")
    place.program("new", behaviour, python=python)
    Pointer(place.peer / "active.json").move(OLD, tried=OLD, verdict="")
    place.start(healthy_s=2.0)
    pointer = place.peer / "active.json"
    until(lambda: Pointer(pointer).verdict(NEW))
    assert reason in Pointer(pointer).verdict(NEW)
    assert Pointer(pointer).tree == OLD
    until(lambda: place.running() == ["old"])
    assert reason in last_words(place.home, "p1")
    assert json.loads((place.peer / "program.json").read_text())["source"] == f"{place.old}"


def test_a_generation_that_takes_over_and_then_ends_again_and_again_is_put_back(nursery, tmp_path):
    new = tmp_path / "new"
    place = nursery(f"swap {new}")
    place.program("new", "falter")
    place.start()
    pointer = place.peer / "active.json"
    until(lambda: Pointer(pointer).verdict(NEW) == "", timeout_s=20)
    until(lambda: Pointer(pointer).verdict(NEW), timeout_s=30)
    reason = "it ended 3 times soon after its start: it was too much"
    assert Pointer(pointer).verdict(NEW) == reason
    until(lambda: place.running() == ["old"])
    assert [name for name, *_ in place.starts()] == ["old", "new", "new", "new", "old"]
    assert json.loads((place.peer / "program.json").read_text())["source"] == f"{place.old}"
    assert reason in last_words(place.home, "p1")


def test_an_artifact_that_is_gone_is_put_back(nursery, tmp_path):
    new = tmp_path / "new"
    place = nursery(f"swap {new}")
    new.mkdir()
    (new / "python").write_text(sys.executable)
    (tmp_path / "old" / "behaviour").write_text(f"swap {new}")
    place.start(healthy_s=5.0)
    pointer = place.peer / "active.json"
    until(lambda: Pointer(pointer).verdict(NEW))
    until(lambda: place.running() == ["old"])


def test_stopping_during_a_swap_ends_everything(nursery, tmp_path):
    new = tmp_path / "new"
    place = nursery(f"swap {new}")
    place.program("new", "run")
    process = place.start()
    until(lambda: place.running() == ["new"])
    process.terminate()
    assert process.wait(15) == 0
    assert place.running() == []
    assert [name for name, *_ in place.starts()] == ["old", "new"]
    assert Pointer(place.peer / "active.json").verdict(NEW) is None


def test_a_note_from_before_a_crash_is_not_followed(nursery, tmp_path):
    place = nursery("run")
    place.program("new", "serve")
    note = {"tree": NEW, "artifact": f"{tmp_path / 'new'}", "python": sys.executable}
    (place.peer / "swap.json").write_text(json.dumps(note))
    place.start()
    until(lambda: place.running() == ["old"])
    assert not (place.peer / "swap.json").exists()


def test_a_peer_does_not_outlive_a_supervisor_that_is_killed(nursery):
    place = nursery("run")
    process = place.start()
    until(lambda: place.running() == ["old"])
    process.kill()
    process.wait(10)
    until(lambda: not place.running())
    assert not is_supervised(place.home, "p1")


def test_a_killed_peer_is_started_again_by_its_supervisor(nursery):
    place = nursery("run")
    place.start()
    until(lambda: place.running() == ["old"])
    killed = kill_peer(place.home, "p1", restart=True)
    until(lambda: len(place.starts()) == 2)
    assert place.starts()[0][2] == killed
    until(lambda: place.running() == ["old"])
    with pytest.raises(UsageError, match="p2 does not run"):
        kill_peer(place.home, "p2", restart=True)


def test_a_peer_can_be_killed_for_good(nursery):
    place = nursery("run")
    process = place.start()
    until(lambda: place.running() == ["old"])
    until(lambda: is_supervised(place.home, "p1"))
    kill_peer(place.home, "p1", restart=False)
    assert process.wait(10) == -signal.SIGKILL
    until(lambda: not place.running())
    assert len(place.starts()) == 1


def test_stopping_a_cluster_ends_those_that_run(nursery):
    place = nursery("run")
    process = place.start()
    until(lambda: place.running() == ["old"])
    said: list[str] = []
    assert stop(place.home, said.append) == ["p1"]
    assert said == ["p1 is stopped"]
    assert process.wait(10) == 0
    assert stop(place.home) == []


def test_a_process_number_that_was_given_anew_is_left_alone(nursery):
    place = nursery("run")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        note = {"pid": bystander.pid, "child": bystander.pid, "reason": ""}
        (place.peer / "supervisor.json").write_text(json.dumps(note))
        place.start()
        until(lambda: place.running() == ["old"])
        (place.peer / "supervisor.json").write_text(json.dumps(note))
        assert kill_peer(place.home, "p1", restart=True) == bystander.pid
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_peer_is_supervised_once(nursery):
    place = nursery("run")
    place.start()
    until(lambda: is_supervised(place.home, "p1"))
    with pytest.raises(UsageError, match="supervised already"):
        supervise(place.folder, "p1")
    with pytest.raises(UsageError, match="no peer 'p9'"):
        supervise(place.folder, "p9")


@pytest.mark.parametrize("damage", ["gone", "garbage"])
def test_without_its_program_tars_as_it_is_installed_is_run(nursery, damage):
    place = nursery("run")
    if damage == "gone":
        shutil.rmtree(place.old)
    else:
        (place.peer / "program.json").write_text('{"python": 5, "source": [], "tree": ""}')
    assert place.start().wait(20) == 2
    assert "error: " in (place.peer / "peer.log").read_text()
    assert place.starts() == []
