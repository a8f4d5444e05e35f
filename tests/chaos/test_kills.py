"""kill -9 at the dangerous points: what was decided is there afterwards, and equal on all peers.

One cluster goes through it all, so each test also begins with what the ones before it left.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tars_peer.errors import NoQuorumError
from tests.fakes.waiting import until
from tests.integration.cluster import Cluster
from tests.integration.genomes import TOY, git, plant
from tests.integration.processes import family_of, is_gone, processes_of, until_gone

pytestmark = pytest.mark.chaos


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("chaos")
    with Cluster(folder / "home", plant(TOY, folder / "toy")) as cluster:
        cluster.wait_healthy()
        yield cluster


@pytest.fixture
def cluster(started: Cluster) -> Cluster:
    """The cluster with everything still to gain."""
    started.launch()
    started.wait_healthy()
    started.begin_anew()
    return started


def _victim(cluster: Cluster, role: str, proposer: str) -> str:
    leader = cluster.leader()
    if role == "follower":
        return next(peer for peer in cluster.peers if peer not in (leader, proposer))
    return proposer if role == "proposer" or leader is None else leader


def _kill(cluster: Cluster, peer: str) -> None:
    """Kill ``peer`` and see its supervisor start it again, and nothing of the old one left."""
    pid = cluster.kill(peer)
    cluster.wait(lambda: cluster.pids(peer)[1] not in (0, pid), f"{peer} started again")
    cluster.wait(lambda: cluster.peer(peer), f"{peer} answers again")


@pytest.mark.parametrize("role", ["leader", "follower", "proposer"])
def test_killed_at_every_point_nothing_decided_is_lost(cluster: Cluster, role: str) -> None:
    first = cluster.history()[-1]
    mark = cluster.mark()

    # While ballots are gathered: the proposer has approved, the others are asked.
    proposer = cluster.wait_event("ballot", mark, verdict="approve")["peer"]
    _kill(cluster, _victim(cluster, role, proposer))

    # Around the append, and between the commit and the switch that follows it.
    decided = cluster.wait_event("decision", mark, beyond=first.generation)
    cluster.remember()
    _kill(cluster, _victim(cluster, role, decided["peer"]))

    # In the middle of the rollout.
    cluster.wait_event("rollout", mark, stage="partial", generation=decided["generation"])
    _kill(cluster, _victim(cluster, role, proposer))

    done = cluster.wait_event("complete", mark, generation=decided["generation"])
    assert done["stage"] == "complete"
    row = cluster.history()[decided["generation"]]
    assert (row.raft_index, row.kind) == (decided["index"], "change")
    assert row.state != "rolled_back"

    # During a rollback, which was acknowledged.
    number = cluster.decide(lambda client, name: client.rollback(first.generation, "chaos", name))
    cluster.remember()
    _kill(cluster, _victim(cluster, role, proposer))
    cluster.wait_equal()
    assert cluster.history()[number].kind == "rollback"
    assert cluster.history()[number].tree == first.tree


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_killed_at_a_chance_moment_go_on_where_they_were(cluster: Cluster, seed: int) -> None:
    mark = cluster.mark()
    events = random.Random(seed).randint(5, 60)
    cluster.wait(lambda: len(cluster.events(mark)) >= events, f"{events} events")
    cluster.remember()
    cluster.kill_everything()
    until_gone(cluster.path)
    cluster.launch()
    cluster.wait_healthy()
    cluster.wait_equal()


def test_one_down_goes_on_two_down_say_why_and_recover(cluster: Cluster) -> None:
    leader = cluster.leader() or ""
    away = next(peer for peer in cluster.peers if peer != leader)
    kept = next(peer for peer in cluster.peers if peer not in (leader, away))
    mark, before = cluster.mark(), cluster.history()
    cluster.take_down(away)
    done = cluster.wait_event("complete", mark, beyond=before[-1].generation)
    assert done["stage"] == "complete", "evolution goes on with one of three down"
    cluster.remember()

    cluster.take_down(leader)
    cluster.wait(lambda: (seen := cluster.peer(kept)) and seen.state == "no-quorum", "no quorum")
    seen = cluster.json("cluster", "status", code=3)
    assert not seen["healthy"]
    assert "no quorum" in seen["reason"]
    states = {peer["id"]: peer["state"] for peer in seen["peers"]}
    assert states == {away: "unreachable", leader: "unreachable", kept: "no-quorum"}
    before = cluster.history()
    with ThreadPoolExecutor() as pool, cluster.client(kept) as client:
        asked = pool.submit(client.rollback, 0, "asked of a minority", "minority")
        cluster.wait(lambda: cluster.json("cluster", "status", code=3), "still no quorum")
        assert not asked.done(), asked.result()
        assert cluster.history() == before, "nothing is decided"
        cluster.start_one(away)
        cluster.wait(cluster.leader, "a leader, by itself")
        cluster.remember()
        cluster.wait(asked.done, "an answer")
    if asked.exception() is None:
        assert cluster.history()[asked.result()].kind == "rollback"
    else:
        assert isinstance(asked.exception(), NoQuorumError)
    cluster.launch()
    cluster.wait_healthy()
    cluster.wait_equal()


def test_what_a_peer_lost_of_its_repository_it_gets_back(cluster: Cluster) -> None:
    if len(cluster.history()) == 1:
        cluster.wait_event("complete", cluster.mark(), beyond=0)
    head = cluster.history()[-1]
    rewound, emptied = (peer for peer in cluster.peers if peer != cluster.leader())
    # As after a kill between the append and the commit: the entry is there, the commit is not.
    cluster.stop_peer(rewound)
    repository = cluster.folder(rewound) / "genome.git"
    git(repository, "update-ref", "refs/heads/tars", head.parent_commit)
    loose = repository / "objects" / head.commit[:2] / head.commit[2:]
    loose.unlink()
    cluster.launch()
    cluster.wait(lambda: cluster.git_head(rewound) == cluster.history()[-1].commit, "made again")

    cluster.stop_peer(emptied)
    (cluster.folder(emptied) / "genome.git").rename(cluster.path / "taken-away.git")
    cluster.launch()
    cluster.wait_healthy()
    cluster.wait_equal()
    git(cluster.folder(emptied) / "genome.git", "fsck", "--strict")


def test_a_leader_that_stands_still_is_replaced_and_follows(cluster: Cluster) -> None:
    leader = cluster.leader() or ""
    process = next(one for one in processes_of(cluster.path) if one.pid == cluster.pids(leader)[1])
    began_s = time.monotonic()
    process.suspend()
    try:
        cluster.wait(lambda: cluster.leader() not in (leader, None), "another leader")
        until(lambda: time.monotonic() > began_s + 6.0)
    finally:
        process.resume()
    cluster.wait_healthy()
    cluster.wait_equal()


def test_a_peer_dies_with_its_supervisor_and_up_brings_it_back(cluster: Cluster) -> None:
    proposer = cluster.wait_event("change", cluster.mark())["peer"]
    family = family_of(cluster.pids(proposer)[0])
    assert cluster.pids(proposer)[1] in {process.pid for process in family}
    family[0].kill()
    cluster.wait(lambda: all(map(is_gone, family)), "the supervisor and all that came of it gone")
    done = cluster.tars("cluster", "up", "--detach")
    assert done.returncode == 0, done.stderr
    cluster.wait_equal()
