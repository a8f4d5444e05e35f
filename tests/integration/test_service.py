"""A genome that is a service: what answers on each peer's port while generations come and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.integration.cluster import Cluster
from tests.integration.genomes import GREETER, plant
from tests.integration.processes import family_of, is_gone, processes_of
from tests.integration.stand_in import Wish
from tests.integration.visitors import Visitors, get

#: Nothing is found wanting in this file, so no generation comes but those the tests make.
_NOTHING_TO_GAIN = ('source = ["greeter"]', 'source = ["greeter/__init__.py"]')
#: A figure that no busy machine can change: what is at stake here is not how quick it is.
_BENCHMARK = """
from greeter.text import greeting

print(len(greeting("ann")) and 0.01)
"""
#: Nothing tells this one to end when the service is killed.
_WITH_A_PROCESS_OF_ITS_OWN = (
    "    args = parser.parse_args()\n",
    '    args = parser.parse_args()\n    __import__("subprocess").Popen(["sleep", "600"])\n',
)
_QUICK = "\n[tool.tars.thresholds]\npairs = 9\nprobes = 3\nbaseline_runs = 1\n"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("service")
    settings = (GREETER / "pyproject.toml").read_text().replace(*_NOTHING_TO_GAIN) + _QUICK
    main = (GREETER / "greeter" / "__main__.py").read_text()
    genome = plant(
        GREETER,
        folder / "greeter",
        {
            "pyproject.toml": settings,
            "benchmark.py": _BENCHMARK,
            "greeter/__main__.py": main.replace(*_WITH_A_PROCESS_OF_ITS_OWN),
        },
    )
    with Cluster(folder / "home", genome) as cluster:
        cluster.wait_healthy()
        yield cluster


@pytest.fixture
def ports(cluster: Cluster) -> dict[str, int]:
    return {peer.id: peer.service_port for peer in cluster.home.peers}


def test_every_peer_serves(cluster: Cluster, ports: dict[str, int]) -> None:
    assert {get(port, "/greet?name=ann") for port in ports.values()} == {"Hello, Ann!"}
    status = cluster.status()
    assert status is not None
    assert {peer.service_url for peer in status.peers} == {
        f"127.0.0.1:{port}" for port in ports.values()
    }


def test_a_new_generation_is_served_and_taken_back_and_never_two_are_away(
    cluster: Cluster, ports: dict[str, int]
) -> None:
    cluster.decide_unproved(
        Wish(path="greeter/text.py", before='"Hello, {tidy}!"', after='"Welcome, {tidy}!"')
    )
    cluster.wait_equal()
    assert {get(port, "/greet?name=ann") for port in ports.values()} == {"Welcome, Ann!"}

    with Visitors(ports, "/health") as visitors:
        assert cluster.tars("evolve", "rollback").returncode == 0
        cluster.wait_equal()
    assert {get(port, "/greet?name=ann") for port in ports.values()} == {"Hello, Ann!"}
    assert {absence.peer for absence in visitors.absences} == set(ports), "each was swapped"
    assert visitors.together() == []


def test_one_that_does_not_start_is_put_back_and_taken_back_for_all(
    cluster: Cluster, ports: dict[str, int]
) -> None:
    mark = cluster.mark()
    before = cluster.history()[-1]
    made = cluster.decide_unproved(
        Wish(
            path="greeter/__main__.py",
            before="    parser = argparse.ArgumentParser",
            after='    raise SystemExit("no such luck")\n    parser = argparse.ArgumentParser',
        )
    )
    rollback = cluster.wait_event("rollback", mark, beyond=before.generation)
    cluster.wait_equal()
    assert "no such luck" in rollback["reason"]
    rows = cluster.history()
    assert rows[made.generation].state == "rolled_back"
    assert rows[-1].kind == "rollback"
    assert rows[-1].tree == before.tree
    failed = cluster.events(mark, "switch")
    assert {event["peer"] for event in failed if event["state"] == "failed"} == {
        next(event["peer"] for event in failed if event["generation"] == made.generation)
    }, "only the canary ever tried it"
    assert {get(port, "/greet?name=ann") for port in ports.values()} == {"Hello, Ann!"}
    verified = cluster.tars("cluster", "verify")
    assert verified.returncode == 0, verified.stderr


def test_a_service_dies_with_its_peer_and_is_started_again_however_it_ended(
    cluster: Cluster, ports: dict[str, int]
) -> None:
    served = _services(cluster)
    assert len(served) == len(ports)
    served[0].kill()
    cluster.wait(lambda: len(set(_services(cluster)) - set(served)) == 1, "a new process")
    cluster.wait_healthy()

    victim = family_of(cluster.pids("p1")[1])
    assert set(victim) & set(_services(cluster)), "the service is the peer's child"
    assert "sleep" in {process.name() for process in victim}
    cluster.kill("p1")
    cluster.wait(lambda: all(map(is_gone, victim)), "the peer, its service and its process gone")
    cluster.wait(
        lambda: all(get(port, "/health") == "ok" for port in ports.values()), "all serve again"
    )
    cluster.wait_equal()
    assert len(_services(cluster)) == len(ports)


def _services(cluster: Cluster) -> list[psutil.Process]:
    found = []
    for process in processes_of(cluster.path):
        with suppress(psutil.Error):
            if "greeter" in process.cmdline() and "leash.py" not in " ".join(process.cmdline()):
                found.append(process)
    return found
