"""Whole clusters, by hand and by chance: PySyncObj's known weak places cannot be reached.

The labels S1 to S9 are those of the findings; each was reproduced on PySyncObj alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.operations import digest_of, seal
from tars_peer.model.noun import OperationId, PeerId
from tests.unit.adapters.raft.network import Chaos, Network

A, B, C, D, E = (PeerId(name) for name in "abcde")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path)
    yield network
    network.close()


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path, 5)
    yield network
    network.close()


def _isolate(network: Network, peer: PeerId) -> None:
    for other in network.peers:
        if other != peer:
            network.disconnect(peer, other)


def _rejoin(network: Network, peer: PeerId) -> None:
    for other in network.peers:
        if other != peer:
            network.connect(peer, other)


def _logs(network: Network) -> list[list[tuple[int, bytes]]]:
    return [seat.entries() for seat in network.seats.values()]


def _empty_append(term: int, previous: tuple[int, int], entries: list[Any]) -> Message:
    return {
        "type": "append_entries",
        "term": term,
        "commit_index": 1,
        "entries": entries,
        "prevLogIdx": previous[0],
        "prevLogTerm": previous[1],
    }


def test_what_one_proposes_all_deliver_at_one_index(network: Network) -> None:
    network.elect(A)
    for peer in network.peers:
        network.seats[peer].propose(f"from {peer}")
    network.settle()
    delivered = [seat.delivered for seat in network.seats.values()]
    assert delivered[0] == delivered[1] == delivered[2]
    assert len(delivered[0]) == 3
    assert all(seat.engine.is_ready() for seat in network.seats.values())


def test_a_message_leaves_only_after_what_it_promises_is_on_disk(network: Network) -> None:
    leader = network.elect(A)
    leader.propose("one")
    network.tick(A)
    assert network.queues[A, B], "the entry is on its way"
    network.crash(A)
    network.start(A)
    assert network.seats[A].entries() == [(1, b"one")]


def test_a_follower_that_answered_has_it_on_disk(network: Network) -> None:
    leader = network.elect(A)
    leader.propose("one")
    network.tick(A)
    network.carry((A, B))
    assert network.queues[B, A], "it has answered"
    network.crash(B)
    network.start(B)
    assert network.seats[B].entries() == [(1, b"one")]


def test_a_vote_outlives_its_voter(network: Network) -> None:
    network.tick(A, stand=True)
    network.carry((A, B))
    assert network.queues[B, A], "it has voted"
    network.crash(B)
    network.start(B)
    network.tick(C, stand=True)
    network.carry((C, B))
    assert not network.queues[B, C], "nobody gets a second vote in one term"


def test_votes_are_counted_once_a_voter(five: Network) -> None:
    """S5: PySyncObj counts messages, so that a repeated vote elects."""
    five.tick(A, stand=True)
    vote = {"type": "response_vote", "term": 1}
    for _ in range(3):
        five.hand(B, A, vote)
    assert not five.leads(A)
    five.hand(C, A, vote)
    assert five.leads(A)


def test_an_answer_of_an_older_term_does_not_count(five: Network) -> None:
    """S4: PySyncObj counts it, and acknowledges with two of five copies."""
    first = five.elect(A).engine.raftCurrentTerm
    five.elect(B)
    leader = five.elect(A)
    assert leader.engine.raftCurrentTerm > first
    _isolate(five, A)
    leader.propose("on one disk")
    five.tick(A)
    claim = {"next_node_idx": leader.journal.last_index + 1, "reset": False, "success": True}
    for peer in (B, C):
        five.hand(peer, A, {"type": "next_node_idx", "term": first, **claim})
    five.tick(A)
    assert leader.delivered == []
    for peer in (B, C):
        five.hand(
            peer, A, {"type": "next_node_idx", "term": leader.engine.raftCurrentTerm, **claim}
        )
    five.tick(A)
    assert [payload for _, payload in leader.delivered] == [b"on one disk"]


def test_an_old_batch_takes_nothing_back(network: Network) -> None:
    """S3: PySyncObj truncates behind every message, so that a late one deletes entries."""
    leader = network.elect(A)
    leader.propose("one")
    network.tick(A)
    late = loader.loads(network.queues[A, B][0])
    network.settle()
    leader.propose("two")
    network.settle()
    held = network.seats[B].journal[:]
    network.hand(A, B, late)
    assert network.seats[B].journal[:] == held


def test_an_answer_vouches_only_for_what_the_message_held(network: Network) -> None:
    """S3, other half: a tail of our own must not count as the leader's."""
    leader = network.elect(A)
    _isolate(network, A)
    leader.propose("lost tail")
    network.tick(A)
    network.elect(B).propose("won")
    network.settle()
    new_term = network.seats[B].engine.raftCurrentTerm
    tail_index = leader.journal.last_index
    network.connect(A, B)
    network.hand(B, A, _empty_append(new_term, (tail_index - 1, 1), []))
    answer = loader.loads(network.queues[A, B][-1])
    assert (answer["success"], answer["next_node_idx"]) == (True, tail_index)


def test_an_overtaken_leader_gives_up_its_tail_in_one_round(network: Network) -> None:
    """Findings, liveness: a stale tail and a backlog of many batches must not livelock."""
    old = network.elect(A)
    _isolate(network, A)
    for number in range(300):
        old.propose(f"lost {number}")
    network.tick(A)
    new = network.elect(B)
    for number in range(40):
        new.propose(f"won {number}".ljust(9_000))
        network.settle()
    _rejoin(network, A)
    network.settle(20)
    assert _logs(network)[0] == _logs(network)[1] == _logs(network)[2]
    # Its callers have not given up: what was lost was handed to the new leader, once.
    assert [len(seat.delivered) for seat in network.seats.values()] == [340] * 3


def test_an_operation_that_is_in_the_log_twice_is_delivered_once(network: Network) -> None:
    leader = network.elect(A)
    command = seal(b"same", digest_of(OperationId("same")))
    for _ in range(2):
        leader.journal.add(command, leader.journal.last_index + 1, leader.engine.raftCurrentTerm)
    leader.propose("next")
    network.settle()
    indexes = {seat.settled_index("same") for seat in network.seats.values()}
    assert len(indexes) == 1
    for seat in network.seats.values():
        assert [payload for _, payload in seat.delivered] == [b"same", b"next"]
        assert seat.engine.raftLastApplied == seat.journal.last_index


def test_a_leader_puts_an_operation_into_its_log_once(network: Network) -> None:
    leader = network.elect(A)
    _isolate(network, A)
    for _ in range(5):
        leader.propose("again")
        network.tick(A)
    assert [payload for _, payload in leader.entries()] == [b"again"]
    _rejoin(network, A)
    network.settle()
    leader.propose("again")
    network.settle()
    assert [payload for _, payload in leader.entries()] == [b"again"]


def test_a_new_leader_is_handed_what_the_old_one_was(network: Network) -> None:
    network.elect(A)
    seat = network.seats[C]
    seat.propose("in hand")
    network.tick(C)
    network.crash(A)
    network.elect(B)
    assert seat.settled_index("in hand") is not None


def test_a_deposed_leader_steps_down_when_it_is_next_heard(network: Network) -> None:
    old = network.elect(A)
    _isolate(network, A)
    network.tick(C, stand=True)
    network.carry((C, B))
    assert old.engine.leader_peer() == A
    network.connect(A, B)
    network.settle()
    assert old.engine.raftCurrentTerm == network.seats[B].engine.raftCurrentTerm
    assert not network.leads(A)


def test_a_slow_follower_learns_what_is_committed_with_its_next_answer(network: Network) -> None:
    leader = network.elect(A)
    network.connect(A, B)
    leader.engine._SyncObj__newAppendEntriesTime = float("inf")  # noqa: SLF001  (no heartbeat)
    leader.propose("one")
    network.tick(A)
    network.carry((A, C))
    network.carry((C, A))
    network.tick(A)
    assert leader.settled_index("one") is not None
    for link in ((A, B), (B, A), (A, B)):
        network.carry(link)
    network.tick(B)
    assert network.seats[B].delivered == leader.delivered


def test_a_second_leader_in_one_term_is_a_fault(network: Network) -> None:
    network.elect(A)
    forged = _empty_append(network.seats[A].engine.raftCurrentTerm, (1, 0), [])
    with pytest.raises(AssertionError, match="two leaders"):
        network.hand(B, C, forged)
    with pytest.raises(AssertionError, match="two leaders"):
        network.hand(B, A, forged)


def test_a_leader_that_would_undo_what_is_committed_is_a_fault(network: Network) -> None:
    network.elect(A).propose("committed")
    network.settle()
    forged = _empty_append(9, (1, 0), [[b"\x01", 2, 9]])
    with pytest.raises(AssertionError, match="are committed"):
        network.hand(C, B, forged)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "append_entries", "term": 9, "commit_index": 5, "serialized": None},
        {"type": "timeout_now", "term": 9},
        {"type": "apply_command", "command": b"\x03K\x01."},
        "not even a message",
    ],
)
def test_what_members_do_not_say_changes_nothing(network: Network, message: Any) -> None:
    """S1 (commit by a message without entries), S10, S11, and membership by message."""
    leader = network.elect(A)
    before = (leader.engine.raftCurrentTerm, leader.engine.raftCommitIndex, leader.journal[:])
    for receiver in (A, B):
        network.hand(C, receiver, message)
    network.settle()
    after = (leader.engine.raftCurrentTerm, leader.engine.raftCommitIndex, leader.journal[:])
    assert after == before


def test_a_restarted_follower_is_ready_only_when_it_has_caught_up(network: Network) -> None:
    leader = network.elect(A)
    network.crash(C)
    for number in range(5):
        leader.propose(f"missed {number}")
        network.settle()
    network.start(C)
    network.tick(C)
    assert not network.seats[C].engine.is_ready()
    network.settle()
    assert network.seats[C].engine.is_ready()
    assert network.seats[C].delivered == leader.delivered


@pytest.mark.parametrize("is_fifo", [True, False], ids=["fifo", "reordered-and-doubled"])
@pytest.mark.parametrize("seed", range(8))
def test_no_misfortune_loses_doubles_or_reorders(tmp_path: Path, seed: int, is_fifo: bool) -> None:  # noqa: FBT001
    network = Network(tmp_path, 3 if seed % 3 else 5)
    chaos = Chaos(network, seed, is_fifo=is_fifo)
    try:
        network.elect(A)
        for _ in range(250):
            chaos.step()
        acknowledged = dict(chaos.acknowledged)
        chaos.heal()
        logs = [seat.delivered for seat in network.seats.values()]
        assert all(log == logs[0] for log in logs), "all have delivered the same"
        final = {payload.decode(): index for index, payload in logs[0]}
        assert acknowledged.items() <= final.items(), "nothing acknowledged is lost or moved"
    finally:
        network.close()
