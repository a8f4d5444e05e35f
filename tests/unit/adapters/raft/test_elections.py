"""Asking before an election: nobody is deposed, and no term rises, while a leader is heard."""

# ruff: noqa: SLF001  (PySyncObj's own timers are looked at)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.settings import (
    ELECTION_LONGEST_S,
    ELECTION_SHORTEST_S,
    LEADER_FALLBACK_S,
    LOST_LINK_SHARE,
)
from tars_peer.model.noun import PeerId
from tests.fakes.virtual_time import VirtualTime
from tests.unit.adapters.raft.network import Network

A, B, C, D, E = (PeerId(name) for name in "abcde")


@pytest.fixture
def time() -> Iterator[VirtualTime]:
    with VirtualTime(1).installed() as time:
        yield time


@pytest.fixture
def network(tmp_path: Path, time: VirtualTime) -> Iterator[Network]:  # noqa: ARG001  (runs in it)
    network = Network(tmp_path)
    yield network
    network.close()


def _terms(network: Network) -> set[int]:
    return {seat.engine.raftCurrentTerm for seat in network.seats.values()}


def _silence(network: Network, peer: PeerId) -> None:
    """Make a member's election deadline pass."""
    network.seats[peer].engine._SyncObj__raftElectionDeadline = 0.0


def _tick(network: Network, *peers: PeerId) -> None:
    """Run two rounds, and leave the members' own deadlines as they are."""
    for peer in peers * 2:
        network.seats[peer].engine.doTick(0.0)


def _sent(network: Network, link: tuple[PeerId, PeerId]) -> list[dict[str, Any]]:
    return [loader.loads(raw) for raw in network.queues[link]]


def _carry_all(network: Network, *links: tuple[PeerId, PeerId]) -> None:
    for link in links:
        while network.queues[link]:
            network.carry(link)


def _ask(network: Network, asker: PeerId, *others: PeerId) -> None:
    """Have ``asker`` ask and the others answer."""
    _silence(network, asker)
    _tick(network, asker)
    for other in others:
        _carry_all(network, (asker, other))
        _tick(network, other)
        _carry_all(network, (other, asker))
    _tick(network, asker)


def test_a_member_that_missed_its_leader_asks_and_changes_nothing(network: Network) -> None:
    network.elect(A)
    terms = _terms(network)
    _ask(network, C, A, B)
    network.settle()
    assert network.leads(A)
    assert _terms(network) == terms


def test_a_majority_of_yes_makes_it_stand_and_win(network: Network, time: VirtualTime) -> None:
    term = network.elect(A).engine.raftCurrentTerm
    network.crash(A)
    time.now_s += ELECTION_SHORTEST_S
    _ask(network, C, B)
    network.settle()
    assert network.leads(C)
    assert network.seats[C].engine.raftCurrentTerm == term + 1


def test_a_member_says_no_until_the_shortest_timeout_has_passed(
    network: Network, time: VirtualTime
) -> None:
    network.elect(A)
    network.disconnect(A, C)
    time.now_s += ELECTION_SHORTEST_S - 0.01
    _ask(network, C, B)
    assert not network.leads(C)
    assert network.seats[C].engine.raftCurrentTerm == network.seats[A].engine.raftCurrentTerm
    time.now_s += 0.02
    _ask(network, C, B)
    assert network.seats[C].engine.raftCurrentTerm > network.seats[A].engine.raftCurrentTerm


def test_a_member_says_no_to_a_log_that_lacks_something(
    network: Network, time: VirtualTime
) -> None:
    leader = network.elect(A)
    network.disconnect(A, C)
    leader.propose("C lacks this")
    network.settle()
    network.crash(A)
    time.now_s += ELECTION_LONGEST_S
    _silence(network, C)
    _tick(network, C)
    _carry_all(network, (C, B))
    _tick(network, B)
    answers = [each["granted"] for each in _sent(network, (B, C)) if "granted" in each]
    assert answers == [False]


@pytest.mark.usefixtures("time")
def test_one_yes_of_five_is_not_enough_and_counts_once(tmp_path: Path) -> None:
    network = Network(tmp_path, 5)
    _silence(network, A)
    _tick(network, A)
    answer = {"type": "pre_vote_answer", "term": 0, "granted": True, "round": 1}
    for message in (answer, answer, {**answer, "granted": False}):
        network.hand(B, A, message)
    network.hand(C, A, {**answer, "round": 2})
    _tick(network, A)
    assert network.seats[A].engine.raftCurrentTerm == 0
    network.hand(C, A, answer)
    _tick(network, A)
    assert network.seats[A].engine.raftCurrentTerm == 1
    network.close()


def test_a_word_of_the_leader_ends_the_round(network: Network) -> None:
    leader = network.elect(A)
    _silence(network, C)
    _tick(network, C)
    leader.engine._SyncObj__newAppendEntriesTime = 0.0
    _tick(network, A)
    _carry_all(network, (A, C))
    number = network.seats[C].engine._round_number
    answer = {"type": "pre_vote_answer", "term": 1, "granted": True, "round": number}
    network.hand(B, C, answer)
    _tick(network, C)
    assert network.seats[C].engine.raftCurrentTerm == leader.engine.raftCurrentTerm


def test_after_a_pause_what_has_arrived_is_read_before_anybody_is_asked(
    network: Network,
) -> None:
    network.elect(A)
    _silence(network, C)
    network.seats[C].engine.doTick(0.0)
    assert _sent(network, (C, A)) == [], "first it reads"
    assert network.seats[C].engine.rest_s() == 0.0
    network.seats[C].engine.doTick(0.0)
    assert [each["type"] for each in _sent(network, (C, A))] == ["pre_vote"]


def test_a_question_is_answered_after_what_arrived_with_it(
    network: Network, time: VirtualTime
) -> None:
    """B was paused too: the question lies before the leader's sign of life."""
    leader = network.elect(A)
    time.now_s += ELECTION_LONGEST_S
    _silence(network, C)
    _tick(network, C)
    _carry_all(network, (C, B))
    leader.engine._SyncObj__newAppendEntriesTime = 0.0
    _tick(network, A)
    _carry_all(network, (A, B))
    _tick(network, B)
    granted = [each["granted"] for each in _sent(network, (B, C)) if "granted" in each]
    assert granted == [False]


def test_of_two_that_ask_at_once_one_gives_way(network: Network, time: VirtualTime) -> None:
    network.elect(A)
    network.crash(A)
    time.now_s += ELECTION_LONGEST_S
    for peer in (B, C):
        _silence(network, peer)
        _tick(network, peer)
    _carry_all(network, (B, C), (C, B))
    _tick(network, B, C)
    _carry_all(network, (B, C), (C, B))
    _tick(network, B, C)
    assert [network.seats[peer].engine.raftCurrentTerm for peer in (B, C)] == [1, 2]
    network.settle()
    assert network.leads(C)


def test_who_stands_stands_above_every_term_there_is(network: Network, time: VirtualTime) -> None:
    """A voter of a newer term would not even answer: up to it, each try would cost a timeout."""
    network.elect(A)
    network.crash(A)
    time.now_s += ELECTION_LONGEST_S
    network.disconnect(B, C)
    for _ in range(5):
        network.tick(B, stand=True)
    network.connect(B, C)
    high = network.seats[B].engine.raftCurrentTerm
    _ask(network, C, B)
    assert network.seats[C].engine.raftCurrentTerm == high + 1
    network.settle()
    assert network.leads(C)


def test_a_broken_link_to_the_leader_makes_it_ask_soon(network: Network, time: VirtualTime) -> None:
    network.elect(A)
    seat = network.seats[B]
    seat.engine._SyncObj__raftElectionDeadline = time.now_s + ELECTION_LONGEST_S
    network.disconnect(B, C)
    assert seat.engine._SyncObj__raftElectionDeadline == time.now_s + ELECTION_LONGEST_S
    network.disconnect(A, B)
    wait_s = seat.engine._SyncObj__raftElectionDeadline - time.now_s
    low, high = ELECTION_SHORTEST_S * LOST_LINK_SHARE, ELECTION_LONGEST_S * LOST_LINK_SHARE
    assert low <= wait_s <= high
    # ... and yields to who asks, but C, whose link holds, still says no.
    _ask(network, B, C)
    assert not network.leads(B)


def test_a_leader_that_no_majority_answers_steps_down(network: Network, time: VirtualTime) -> None:
    leader = network.elect(A)
    term = leader.engine.raftCurrentTerm
    time.now_s += LEADER_FALLBACK_S - 0.01
    _tick(network, A)
    assert network.leads(A)
    time.now_s += 0.02
    for _ in range(10):
        leader.engine.doTick(0.0)
        time.now_s += ELECTION_LONGEST_S
    assert not network.leads(A)
    assert leader.engine.leader_peer() is None
    assert leader.engine.raftCurrentTerm == term, "it asks, and nobody answers"


@pytest.mark.usefixtures("time")
def test_one_alone_leads_at_once(tmp_path: Path) -> None:
    network = Network(tmp_path, 1)
    network.seats[A].engine.doTick(0.0)
    assert network.leads(A)
    network.close()
