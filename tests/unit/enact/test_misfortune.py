"""Crashes at any deed and any order of misfortunes: every rollout ends, and all end the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_peer.errors import TarsError
from tars_peer.model.generation import Kind, Stage
from tests.unit.enact.cluster import SLOW_NS, Cluster, assert_all_on_head, settled


def deeds(outcome: str) -> dict[str, int]:
    """Return how many deeds each peer does in a rollout of three that is ``outcome``."""
    cluster = settled(3)
    before = {name: peer.fuse.count for name, peer in cluster.peers.items()}
    propose(cluster, outcome)
    cluster.settle()
    return {name: peer.fuse.count - before[name] for name, peer in cluster.peers.items()}


def propose(cluster: Cluster, outcome: str) -> None:
    """Propose a change that turns out ``outcome``."""
    if outcome == "good":
        cluster.propose()
    elif outcome == "slow":
        cluster.propose(cost=SLOW_NS)
    elif outcome == "unbuildable":
        cluster.propose(complaint="no")
    else:
        cluster.propose(sick=" ".join(cluster.peers))


@pytest.mark.parametrize(("outcome", "stride"), [("good", 1), ("slow", 2), ("sick", 2)])
def test_a_crash_at_any_deed_of_any_peer_changes_nothing_in_the_end(outcome, stride):
    expected = Kind.CHANGE if outcome == "good" else Kind.ROLLBACK
    for name, count in deeds(outcome).items():
        assert count > 3
        for at in range(1, count + 1, stride):
            cluster = settled(3)
            peer = cluster.peers[name]
            peer.fuse.at = peer.fuse.count + at
            propose(cluster, outcome)
            while peer.process is not None:
                if not cluster.round():
                    cluster.clock.sleep(1)
            cluster.settle()
            assert cluster.state.head.kind is expected, (name, at)
            assert_all_on_head(cluster)


ACTIONS = st.one_of(
    st.tuples(st.just("step"), st.integers(0, 4)),
    st.tuples(st.just("step"), st.integers(0, 4)),
    st.tuples(st.just("round"), st.just(0)),
    st.tuples(st.just("round"), st.just(0)),
    st.tuples(st.just("crash"), st.integers(0, 4)),
    st.tuples(st.just("kill"), st.integers(0, 4)),
    st.tuples(st.just("revive"), st.integers(0, 4)),
    st.tuples(st.just("hold"), st.integers(0, 4)),
    st.tuples(st.just("ill"), st.integers(0, 4)),
    st.tuples(st.just("release"), st.integers(0, 4)),
    st.tuples(st.just("wait"), st.integers(1, 45)),
    st.tuples(st.just("good"), st.just(0)),
    st.tuples(st.just("slow"), st.just(0)),
    st.tuples(st.just("sick"), st.just(0)),
    st.tuples(st.just("unbuildable"), st.just(0)),
    st.tuples(st.just("back"), st.integers(0, 3)),
    st.tuples(st.just("elect"), st.integers(0, 4)),
)


def act(cluster: Cluster, action: str, argument: int) -> None:
    """Do one thing to a cluster; what is not possible now is left."""
    names = list(cluster.peers)
    name = names[argument % len(names)]
    peer = cluster.peers[name]
    match action:
        case "step":
            cluster.step(name)
        case "round":
            cluster.round()
        case "crash":
            peer.fuse.at = peer.fuse.count + 1 + argument
        case "kill" if len(list(cluster.up())) > 1:
            cluster.kill(name)
        case "revive":
            peer.fuse.at = 0
            cluster.revive(name)
        case "hold" if len(cluster.held) < len(names) - 1 and cluster.hub.leader != name:
            cluster.hold(name)
        case "release":
            cluster.release(name)
        case "back":
            cluster.roll_back(min(argument, cluster.state.head.number))
        case "ill":
            peer.runtime.ill = peer.runtime.tree is not None
        case "elect" if peer.process is not None:
            cluster.hub.elect(name)
        case "good" | "slow" | "sick" | "unbuildable":
            propose(cluster, action)
        case _:
            cluster.clock.sleep(argument)


@given(count=st.integers(1, 5), actions=st.lists(ACTIONS, max_size=40))
def test_whatever_happens_every_rollout_ends_with_all_on_the_same_tree(count, actions):
    cluster = settled(count)
    for action, argument in actions:
        if not list(cluster.up()):
            cluster.revive("p1")
        try:
            act(cluster, action, argument)
        except (TarsError, StopIteration):
            continue
    for peer in cluster.peers.values():
        peer.runtime.ill = False
    cluster.settle()
    rollout = cluster.state.rollout
    assert rollout is None or rollout.stage in (Stage.COMPLETE, Stage.ROLLED_BACK)
    head = cluster.state.head
    failed = set(rollout.failed) if rollout else set()
    assert len(failed) * 2 < count
    for name, peer in cluster.peers.items():
        assert peer.worktree.head() == head.commit
        assert name in failed or peer.runtime.tree == head.tree
