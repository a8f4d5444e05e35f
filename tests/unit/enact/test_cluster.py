"""Rollouts over whole clusters: every one ends, and all peers end on the same sound tree."""

from __future__ import annotations

import pytest

from tars_peer.enact.gap import Step
from tars_peer.ledger.rollout import switching_order
from tars_peer.model.generation import Kind, Stage
from tests.unit.enact.cluster import SLOW_NS, Cluster, assert_all_on_head, settled


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
def test_a_sound_change_becomes_live_on_all_one_after_another(count):
    cluster = settled(count)
    change = cluster.propose()
    cluster.settle()
    assert cluster.state.head.tree == change.tree
    assert cluster.state.rollout.stage is Stage.COMPLETE
    order = switching_order(cluster.state.head.commit, cluster.members)
    reports = [name for name, step in cluster.steps if step is Step.REPORT]
    assert tuple(reports) == order
    assert not cluster.state.rollout.excused
    assert not cluster.errors
    assert_all_on_head(cluster)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_tree_that_does_not_become_healthy_is_rolled_back_everywhere(count):
    cluster = settled(count)
    old = cluster.state.head.tree
    cluster.propose(sick=" ".join(cluster.peers))
    cluster.settle()
    assert cluster.state.head.kind is Kind.ROLLBACK
    assert cluster.state.rollout.stage is Stage.ROLLED_BACK
    assert "it hangs" in cluster.state.head.summary
    assert cluster.running() == {old}
    assert_all_on_head(cluster)


def test_a_tree_that_is_unhealthy_on_the_last_peer_only_is_rolled_back_everywhere():
    cluster = settled(3)
    old = cluster.state.head.tree
    change = cluster.propose()
    last = switching_order(cluster.state.head.commit, cluster.members)[-1]
    cluster.peers[last].runtime.unhealthy[change.tree] = "it hangs here"
    cluster.settle()
    assert cluster.running() == {old}
    assert f"{last}: it hangs here" in cluster.state.head.summary


def test_a_tree_that_does_not_build_live_is_rolled_back():
    cluster = settled(3)
    cluster.propose(complaint="no space for bytecode")
    cluster.settle()
    assert cluster.state.head.kind is Kind.ROLLBACK
    assert "no space for bytecode" in cluster.state.head.summary
    assert not any(len(peer.runtime.switched) > 1 for peer in cluster.peers.values())


def test_a_canary_that_is_slower_live_is_rolled_back():
    cluster = settled(3)
    old = cluster.state.head.tree
    change = cluster.propose(cost=SLOW_NS)
    cluster.settle()
    assert cluster.state.head.kind is Kind.ROLLBACK
    assert "live cost is 200 %" in cluster.state.head.summary
    assert cluster.running() == {old}
    tried = [peer for peer in cluster.peers.values() if change.tree in peer.runtime.switched]
    assert len(tried) == 1


def test_a_slow_hour_of_the_machine_is_not_held_against_the_canary():
    cluster = settled(3)
    old = cluster.state.head.tree
    change = cluster.propose()
    canary = switching_order(cluster.state.head.commit, cluster.members)[0]
    while cluster.peers[canary].runtime.tree == old:
        cluster.round()
    for name in cluster.peers:
        cluster.costs[name, old] = cluster.costs[name, change.tree] = SLOW_NS
    cluster.settle()
    assert cluster.state.rollout.stage is Stage.COMPLETE
    assert cluster.running() == {change.tree}


@pytest.mark.parametrize("count", [1, 3])
def test_a_new_tree_whose_probe_fails_live_is_rolled_back_whoever_leads(count):
    for leader in list(settled(count).peers):
        cluster = settled(count)
        cluster.hub.elect(leader)
        cluster.propose(cost="the benchmark prints no number")
        cluster.settle()
        assert cluster.state.head.kind is Kind.ROLLBACK
        assert "the benchmark prints no number" in cluster.state.head.summary
        assert_all_on_head(cluster)


def test_an_old_tree_whose_probe_fails_on_a_control_does_not_hold_up_the_rollout():
    cluster = settled(3)
    old = cluster.state.head.tree
    change = cluster.propose()
    order = switching_order(cluster.state.head.commit, cluster.members)
    cluster.hub.elect(order[1])
    cluster.costs[order[1], old] = "out of memory"
    began_s = cluster.clock.time_s
    cluster.settle()
    assert cluster.running() == {change.tree}
    assert cluster.clock.time_s - began_s < 20


def test_an_old_tree_whose_probe_fails_on_the_canary_ends_in_a_rollback():
    cluster = settled(3)
    old = cluster.state.head.tree
    cluster.propose()
    canary = switching_order(cluster.state.head.commit, cluster.members)[0]
    cluster.costs[canary, old] = "out of memory"
    cluster.settle()
    assert cluster.running() == {old}
    assert "its probe failed: out of memory" in cluster.state.head.summary


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_peer_that_is_down_is_excused_and_follows_later(place):
    cluster = settled(3)
    change = cluster.propose()
    absent = switching_order(cluster.state.head.commit, cluster.members)[place]
    cluster.kill(absent)
    for _ in range(60):
        if not cluster.round():
            cluster.clock.sleep(2)
    assert cluster.state.rollout.stage is Stage.COMPLETE
    assert cluster.state.rollout.excused == (absent,)
    assert cluster.running() == {change.tree}
    cluster.settle()
    assert set(cluster.state.rollout.live) == set(cluster.peers)
    assert_all_on_head(cluster)


def test_without_a_majority_nothing_is_switched_and_afterwards_it_goes_on():
    cluster = settled(3)
    old = cluster.state.head.tree
    cluster.propose()
    order = switching_order(cluster.state.head.commit, cluster.members)
    cluster.kill(order[1])
    cluster.kill(order[2])
    for _ in range(30):
        assert cluster.step(order[0]) is Step.NOTHING
        cluster.clock.sleep(5)
    assert cluster.peers[order[0]].runtime.tree == old
    cluster.settle()
    assert cluster.state.rollout.stage is Stage.COMPLETE
    assert_all_on_head(cluster)


def test_a_peer_that_hears_old_news_only_does_not_act_on_it():
    cluster = settled(3)
    old = cluster.state.head.tree
    cluster.propose()
    canary = switching_order(cluster.state.head.commit, cluster.members)[0]
    cluster.hold(canary)
    for _ in range(5):
        assert cluster.step(canary) is Step.NOTHING
    assert cluster.peers[canary].runtime.tree == old
    cluster.settle()
    assert_all_on_head(cluster)


def test_a_canary_that_falls_ill_before_it_has_reported_is_rolled_back():
    cluster = settled(3)
    old = cluster.state.head.tree
    change = cluster.propose()
    name = switching_order(cluster.state.head.commit, cluster.members)[0]
    canary = cluster.peers[name]
    while canary.runtime.tree == old:
        cluster.step(name)
    canary.runtime.ill = True
    canary.runtime.unhealthy[change.tree] = "it lost its database"
    cluster.kill(name)
    cluster.settle()
    assert cluster.state.head.kind is Kind.ROLLBACK
    assert "it lost its database" in cluster.state.head.summary


def test_a_peer_whose_service_is_only_starting_reports_when_it_serves():
    cluster = settled(3)
    old = cluster.state.head.tree
    cluster.propose(sick=" ".join(cluster.peers))
    last = switching_order(cluster.state.head.commit, cluster.members)[-1]
    cluster.peers[last].runtime.ill = True
    for _ in range(20):
        cluster.round()
    assert cluster.state.head.kind is Kind.ROLLBACK
    assert not cluster.state.settled
    assert last not in cluster.state.rollout.live
    cluster.peers[last].runtime.ill = False
    cluster.settle()
    assert cluster.running() == {old}


def test_a_leader_whose_own_service_is_broken_still_leads():
    cluster = settled(3)
    leader = cluster.hub.leader
    old = cluster.state.head.tree
    cluster.peers[leader].runtime.tree = None
    cluster.peers[leader].runtime.unhealthy[old] = "its disk is gone"
    change = cluster.propose()
    cluster.peers[leader].runtime.unhealthy[change.tree] = ""
    for _ in range(120):
        cluster.round()
        cluster.clock.sleep(1)
    assert cluster.state.settled


def test_a_person_can_take_a_running_rollout_back():
    cluster = settled(3)
    old = cluster.state.head.tree
    change = cluster.propose()
    while change.tree not in cluster.running():
        cluster.round()
    cluster.roll_back(0)
    cluster.settle()
    assert cluster.state.rollout.stage is Stage.ROLLED_BACK
    assert cluster.running() == {old}


def test_a_rollback_of_what_is_live_everywhere_goes_back_everywhere():
    cluster = settled(3)
    old = cluster.state.head.tree
    for _ in range(3):
        cluster.propose()
        cluster.settle()
    cluster.roll_back(0)
    cluster.settle()
    assert cluster.running() == {old}
    assert_all_on_head(cluster)


def test_a_rollback_that_does_not_work_at_once_is_tried_again_by_a_majority():
    cluster = settled(3)
    old = cluster.state.head.tree
    cluster.propose()
    cluster.settle()
    for peer in cluster.peers.values():
        peer.runtime.unhealthy[old] = "its port is busy"
    cluster.roll_back(0)
    for _ in range(30):
        cluster.round()
    assert not cluster.state.settled
    for peer in cluster.peers.values():
        peer.runtime.unhealthy.clear()
    cluster.settle()
    assert sum(peer.runtime.tree == old for peer in cluster.peers.values()) >= 2


def test_a_disk_that_was_lost_is_filled_again():
    cluster = settled(3)
    cluster.propose()
    cluster.settle()
    cluster.kill("p2")
    lost = cluster.peers["p2"]
    lost.worktree.trees.clear()
    lost.worktree.commits.clear()
    lost.worktree.branch = ""
    lost.store.kept.clear()
    lost.runtime.tree = None
    lost.runtime.verdicts.clear()
    cluster.settle()
    assert_all_on_head(cluster)


def test_folders_of_trees_that_nobody_will_need_soon_are_removed():
    cluster = settled(3)
    for _ in range(6):
        cluster.propose()
        cluster.settle()
    newest = {generation.tree for generation in cluster.state.generations[-4:]}
    for peer, _ in cluster.up():
        assert set(peer.worktree.made) == newest


def reading_old_entries(cluster: Cluster, name: str, count: int) -> None:
    """Restart a peer that has heard only the first ``count`` entries yet, and let it step."""
    cluster.kill(name)
    entries = list(cluster.hub.entries)
    del cluster.hub.entries[count:]
    cluster.peers[name].process = cluster._start(cluster.peers[name])  # noqa: SLF001
    cluster.hold(name)
    cluster.hub.entries[:] = entries
    for _ in range(3):
        cluster.step(name)


def test_a_peer_that_reads_old_entries_removes_nothing_that_newer_ones_need():
    cluster = settled(3)
    for _ in range(6):
        cluster.propose()
        cluster.settle()
    kept = set(cluster.peers["p1"].worktree.made)
    reading_old_entries(cluster, "p1", 1)
    assert set(cluster.peers["p1"].worktree.made) == kept


def test_a_peer_that_reads_old_entries_does_not_take_its_branch_back_to_them():
    cluster = settled(3)
    cluster.propose()
    decided = len(cluster.hub.entries)
    cluster.settle()
    cluster.roll_back(0)
    cluster.settle()
    head = cluster.state.head.commit
    reading_old_entries(cluster, "p1", decided)
    assert cluster.peers["p1"].worktree.head() == head
    cluster.settle()
    assert_all_on_head(cluster)


def test_a_peer_that_goes_out_of_reach_while_the_leader_is_busy_is_not_excused_at_once():
    cluster = settled(3)
    cluster.propose()
    canary, leader = cluster.state.rollout.order[0], cluster.hub.leader
    if canary == leader:
        leader = next(name for name in cluster.peers if name != canary)
        cluster.hub.elect(leader)
    cluster.step(leader)
    cluster.kill(canary)
    cluster.clock.sleep(30)
    for _ in range(6):
        cluster.step(leader)
    assert not cluster.state.rollout.excused
    cluster.clock.sleep(9)
    for _ in range(6):
        cluster.step(leader)
    assert cluster.state.rollout.excused == (canary,)
