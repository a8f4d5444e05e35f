"""Peers that go on from a snapshot end as those do that heard every entry."""

from __future__ import annotations

import pytest

from tars_peer.ledger.state import state_digest
from tars_peer.model.generation import Kind
from tars_peer.model.noun import PeerId
from tests.unit.enact.cluster import Cluster, assert_all_on_head, settled


def _assert_all_equal(cluster: Cluster) -> None:
    digests = {state_digest(process.decisions.state) for _, process in cluster.up()}
    assert digests == {state_digest(cluster.state)}
    assert_all_on_head(cluster)


def _compact(cluster: Cluster, name: str) -> bool:
    return cluster.hub.compact(PeerId(name))


def test_who_missed_generations_fetches_their_commits_and_serves_the_head():
    cluster = settled(3)
    cluster.kill("p3")
    # Two of three go on: who is away is excused after a while.
    for _ in range(2):
        cluster.propose()
        for _ in range(60):
            if not cluster.round():
                cluster.clock.sleep(5.0)
    assert cluster.state.settled
    assert _compact(cluster, "p1")
    cluster.revive("p3")
    process = cluster.peers["p3"].process
    assert process.decisions.state == cluster.state, "restored, not stepped over"
    assert [event.index for event in cluster.events.of("restored")] == [cluster.state.index]
    cluster.settle()
    assert any("fetched" in text for text in cluster.events.texts("commit"))
    _assert_all_equal(cluster)


def test_who_heard_nothing_for_a_while_is_restored_where_it_stands():
    cluster = settled(3)
    cluster.hold("p2")
    cluster.propose()
    for _ in range(60):
        if not cluster.round():
            cluster.clock.sleep(5.0)
    assert _compact(cluster, "p1")
    cluster.release("p2")
    cluster.settle()
    _assert_all_equal(cluster)


def test_entries_are_kept_until_what_they_hold_is_committed_here():
    cluster = settled(3)
    cluster.propose()
    assert not _compact(cluster, "p3"), "the change is in its entry and nowhere else"
    cluster.settle()
    assert _compact(cluster, "p3")


def test_a_power_cut_of_all_at_once_loses_no_generation():
    cluster = settled(3)
    for _ in range(3):
        cluster.propose()
        cluster.settle()
    assert _compact(cluster, "p2")
    for name in cluster.peers:
        cluster.kill(name)
    for name in cluster.peers:
        cluster.revive(name)
    cluster.settle()
    _assert_all_equal(cluster)
    cluster.roll_back(1)
    cluster.settle()
    assert cluster.state.head.kind is Kind.ROLLBACK
    assert cluster.state.head.tree == cluster.state.generations[1].tree
    _assert_all_equal(cluster)


@pytest.mark.parametrize("at", range(12))
def test_a_snapshot_in_the_middle_of_a_rollout_changes_nothing(at):
    cluster = settled(3)
    change = cluster.propose()
    for _ in range(at):
        cluster.round()
    done = [_compact(cluster, name) for name in cluster.peers]
    cluster.kill("p2")
    cluster.kill("p3")
    cluster.revive("p2")
    cluster.revive("p3")
    cluster.settle()
    assert at < 1 or any(done)
    assert cluster.state.head.tree == change.tree
    _assert_all_equal(cluster)
