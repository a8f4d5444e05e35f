"""A real service is swapped, put back, started again, and never outlives its peer."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tars_peer.adapters.runtime.health import ask_service
from tars_peer.adapters.runtime.service import ServiceRuntime, ServiceSettings
from tars_peer.model.policy import Health, Service
from tests.fakes.waiting import until

GREETER = Path(__file__).resolve().parents[4] / "examples" / "greeter"
SERVICE = Service(
    command=("python", "-m", "greeter", "--port", "{port}"), health=Health(http_path="/health")
)
OLD, NEW = "a" * 40, "b" * 40


class Place:
    """Artifacts of the greeter in a folder, and a runtime that serves them."""

    def __init__(self, folder: Path, *, healthy_ms: int = 10_000) -> None:
        """Make the old artifact, which greets as it always has."""
        self.folder = folder
        (folder / "peer").mkdir(exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.settings = ServiceSettings(
            service=SERVICE,
            python=Path(sys.executable),
            port=self.port,
            healthy_ms=healthy_ms,
            restart_ms=1_000,
        )
        self.make(OLD)
        self.runtime = self.start()

    def start(self) -> ServiceRuntime:
        """Start a runtime on the folder, as a restarted peer does."""
        return ServiceRuntime(
            self.folder / "peer",
            self.settings,
            artifact=self.folder.joinpath,
            healthy=lambda service, port, folder: ask_service(
                service, port, folder, python=Path(sys.executable)
            ),
        )

    def make(self, tree: str, main: str = "") -> Path:
        """Make the artifact of ``tree``; ``main`` goes first in its program."""
        place = self.folder / tree
        shutil.copytree(GREETER / "greeter", place / "greeter")
        text = (place / "greeter" / "text.py").read_text()
        (place / "greeter" / "text.py").write_text(text.replace("Hello", f"Hello {tree[0]}"))
        program = place / "greeter" / "__main__.py"
        program.write_text(main + "\n" + program.read_text())
        return place

    def switch(self, tree: str) -> str:
        """Switch to ``tree``."""
        return self.runtime.switch(tree, self.folder / tree)

    def greeting(self) -> str:
        """Ask the service to greet Ann."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/greet?name=ann")
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def services(port: int) -> list[int]:
    """Return the process ids of services on ``port``."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if words[-2:] == ["--port", f"{port}"] and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.runtime.close()
    assert not services(place.port)


def test_a_healthy_service_takes_the_place_of_the_old_one(place):
    place.make(NEW)
    assert place.runtime.running() is None
    assert place.runtime.verdict(OLD) is None
    assert place.switch(OLD) == ""
    assert place.greeting() == "Hello a, Ann!"
    assert place.switch(NEW) == ""
    assert place.greeting() == "Hello b, Ann!"
    running = place.runtime.running()
    assert (running.tree, running.healthy) == (NEW, True)
    assert running.url == f"127.0.0.1:{place.port}"
    assert place.runtime.verdict(NEW) == ""
    assert len(services(place.port)) == 1


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        ("raise SystemExit('no such database')", "ended with code 1 (no such database)"),
        ("import os; os.kill(os.getpid(), 9)", "ended with code -9 (no output)"),
        ("import time; time.sleep(60)", "was not healthy within 700 ms"),
        (
            "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
            "was not healthy within 700 ms",
        ),
        ("import greeter.service as s; s.answer = lambda _: (503, 'ill')", "not healthy within"),
        ("def (", "ended with code 1 (SyntaxError"),
    ],
    ids=["crashes", "is killed", "hangs", "hangs and will not go", "is ill", "is no program"],
)
def test_a_service_that_does_not_become_healthy_is_put_back(tmp_path, main, reason):
    place = Place(tmp_path)
    assert place.switch(OLD) == ""
    place.make(NEW, main)
    hurried = ServiceSettings(
        service=SERVICE, python=Path(sys.executable), port=place.port, healthy_ms=700, stop_ms=500
    )
    place.runtime.close()
    place.settings = hurried
    place.runtime = place.start()
    assert reason in place.switch(NEW)
    until(lambda: place.runtime.running().healthy)
    assert place.greeting() == "Hello a, Ann!"
    assert place.runtime.running().tree == OLD
    assert reason in place.runtime.verdict(NEW)
    assert len(services(place.port)) == 1
    place.runtime.close()
    assert not services(place.port)


def test_a_service_that_was_killed_is_started_again_but_not_in_a_hot_loop(place):
    place.switch(OLD)
    (first,) = services(place.port)
    os.kill(first, signal.SIGKILL)
    until(lambda: not services(place.port))
    until(lambda: place.runtime.running().healthy)
    (second,) = services(place.port)
    assert second != first
    os.kill(second, signal.SIGKILL)
    until(lambda: not services(place.port))
    assert not place.runtime.running().healthy
    assert not services(place.port)
    until(lambda: place.runtime.running().healthy)


def test_a_restarted_peer_serves_what_was_live(place):
    place.make(NEW)
    place.switch(OLD)
    place.switch(NEW)
    place.runtime.close()
    assert not services(place.port)
    place.runtime = place.start()
    until(lambda: place.runtime.running().healthy)
    assert place.greeting() == "Hello b, Ann!"


def test_a_crash_in_the_middle_of_a_switch_leaves_the_old_one_live(place):
    place.switch(OLD)
    place.runtime.close()
    half = place.folder / "peer" / ".active.json.making"
    half.write_text('{"tree": "')
    place.runtime = place.start()
    until(lambda: place.runtime.running().healthy)
    assert place.runtime.running().tree == OLD
    assert place.switch(OLD) == ""


def test_what_the_service_started_goes_with_it(place):
    place.make(NEW, "import subprocess; subprocess.Popen(['sleep', '1234.5'])")
    place.switch(NEW)
    (service,) = services(place.port)
    (child,) = psutil.Process(service).children()
    place.make(OLD[:-1] + "c")
    assert place.switch(OLD[:-1] + "c") == ""
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_port_that_another_program_has_is_not_taken_for_our_service(place):
    with socket.socket() as other:
        other.bind(("127.0.0.1", place.port))
        other.listen()
        assert f"port {place.port} is not free" in place.switch(OLD)
    assert place.switch(OLD) == ""


def test_a_question_during_a_switch_is_answered_at_once(place):
    place.switch(OLD)
    place.make(NEW, "import time; time.sleep(1)")
    with ThreadPoolExecutor(1) as pool:
        switching = pool.submit(place.switch, NEW)
        until(place.runtime._lock.locked)  # noqa: SLF001  (nothing else tells)
        running = place.runtime.running()
        assert not switching.done()
        assert (running.tree, running.healthy) == (OLD, False)
        assert switching.result() == ""


def test_a_service_outlives_the_thread_that_asked_for_it(place):
    thread = threading.Thread(target=place.switch, args=(OLD,))
    thread.start()
    thread.join()
    (service,) = services(place.port)
    assert place.greeting() == "Hello a, Ann!"
    assert services(place.port) == [service]


PEER = """
import sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from tars_peer.adapters.runtime.service import ServiceRuntime, ServiceSettings
from tars_peer.model.policy import Health, Service
service = Service(command=("python", "-m", "greeter", "--port", "{port}"), health=Health())
settings = ServiceSettings(
    service=service, python=Path(sys.executable), port=int(sys.argv[2]), healthy_ms=1
)
runtime = ServiceRuntime(
    Path(sys.argv[1]), settings, artifact=Path, healthy=lambda *_: True
)
runtime.switch("a" * 40, Path(sys.argv[3]))
print("ready", flush=True)
threading.Event().wait()
"""


def test_a_peer_that_is_killed_takes_its_service_with_it(tmp_path):
    place = Place(tmp_path)
    root = Path(__file__).resolve().parents[4]
    words = [tmp_path / "peer", f"{place.port}", tmp_path / OLD, root]
    with subprocess.Popen([sys.executable, "-c", PEER, *words], stdout=subprocess.PIPE) as peer:
        assert peer.stdout.readline() == b"ready\n"
        until(lambda: len(services(place.port)) == 1)
        peer.kill()
    until(lambda: not services(place.port))
