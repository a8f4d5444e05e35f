"""What a majority that lies cannot do: make a worse generation stay, or make replicas differ.

The gates are passed by here (see ``stand_in``); what is left is what watches afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.cluster import Cluster
from tests.integration.genomes import QUIET, TOY, plant
from tests.integration.stand_in import Wish


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("lies")
    with Cluster(folder / "home", plant(TOY, folder / "toy", QUIET)) as cluster:
        cluster.wait_healthy()
        yield cluster


def test_a_generation_that_is_slower_live_is_taken_back_by_an_entry(cluster: Cluster) -> None:
    mark = cluster.mark()
    before = cluster.history()[-1]
    made = cluster.decide_unproved(
        Wish(path="toy/words.py", before="for word in words:", after="for word in words * 3:")
    )
    rollback = cluster.wait_event("rollback", mark, beyond=before.generation)
    cluster.wait_equal()
    assert "live cost is" in rollback["reason"]
    rows = cluster.history()
    assert rows[made.generation].state == "rolled_back"
    assert rows[-1].kind == "rollback"
    assert rows[-1].tree == before.tree
    assert rows[-1].raft_index == rollback["index"]
    tried = {event["peer"] for event in cluster.events(mark, "switch") if _is_to(event, made.tree)}
    assert len(tried) == 1, "only the canary ever ran it"
    status = cluster.status()
    assert status is not None
    assert status.rollout is not None
    assert (status.rollout.generation, status.rollout.stage) == (made.generation, "rolled_back")
    assert "live cost is" in status.rollout.reason


def test_edits_that_lead_to_another_tree_stop_every_replica_and_each_says_so(
    cluster: Cluster,
) -> None:
    pids = [cluster.pids(peer) for peer in cluster.peers]
    before = cluster.history()[-1]
    declared = "1" * 40
    made = cluster.decide_unproved(
        Wish(path="toy/words.py", before="total += 1", after="total += 2", tree=declared)
    )
    assert made.tree == declared

    def all_say_so() -> bool:
        seen = [cluster.peer(peer) for peer in cluster.peers]
        return all(peer is not None and peer.state == "stopped-by-fault" for peer in seen)

    cluster.wait(all_say_so, "stopped by fault on all peers")
    for peer in cluster.peers:
        seen = cluster.peer(peer)
        assert seen is not None
        assert f"not {declared}" in seen.reason
        assert seen.tree == before.tree, "the old one goes on"
        assert cluster.git_head(peer) == before.commit
    untouched = [
        pid for pid, peer in zip(pids, cluster.peers, strict=True) if pid == cluster.pids(peer)
    ]
    assert len(untouched) == 2, "nobody crashed; one was stopped for the lie"
    seen = cluster.json("cluster", "status", code=3)
    assert not seen["healthy"]
    assert declared in seen["reason"]
    verified = cluster.tars("cluster", "verify")
    assert verified.returncode == 1
    assert made.commit in verified.stderr


def _is_to(event: dict[str, object], tree: str) -> bool:
    return event["tree"] == tree and event["state"] == "live"
