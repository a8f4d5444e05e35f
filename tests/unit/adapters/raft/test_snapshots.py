"""Snapshots in whole clusters: taken, sent, broken off, damaged; nobody ends with another state.

The labels are those of the findings; each was reproduced on PySyncObj's own snapshots.
"""

# ruff: noqa: SLF001  (heartbeats are due and answers overdue when a test says so)

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.operations import digest_of, seal
from tars_peer.adapters.raft.snapshot import Snapshot
from tars_peer.model.noun import OperationId, PeerId
from tests.unit.adapters.raft.network import Chaos, Network

A, B, C = (PeerId(name) for name in "abc")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    network = Network(tmp_path, snapshot_every=5)
    yield network
    network.close()


def _write(network: Network, peer: PeerId, numbers: range) -> None:
    for number in numbers:
        network.seats[peer].propose(f"op {number}")
        network.settle()


def _with_c_behind(network: Network) -> None:
    """Have A lead, C down, and what C lacks in a snapshot."""
    network.elect(A)
    network.crash(C)
    _write(network, A, range(12))
    assert network.seats[A].journal.first_index > 2


def _until_chunk(network: Network, sender: PeerId, receiver: PeerId, data: int = 1) -> None:
    """Run the two until the next message to the receiver is a chunk with so much data."""
    for _ in range(50):
        queue = network.queues[sender, receiver]
        if queue:
            first = loader.loads(queue[0])
            if first["type"] == "snapshot_chunk" and len(first["data"]) >= data:
                return
            network.carry((sender, receiver))
        elif network.queues[receiver, sender]:
            network.carry((receiver, sender))
        else:
            network.seats[sender].engine._SyncObj__newAppendEntriesTime = 0.0
            network.tick(sender)
            network.tick(receiver)
    raise AssertionError("no chunk came")


def _assert_all_equal(network: Network, count: int) -> None:
    delivered = [seat.delivered for seat in network.seats.values()]
    assert all(each == delivered[0] for each in delivered)
    assert len(delivered[0]) == count
    assert [seat.faults for seat in network.seats.values()] == [[]] * len(network.seats)


def test_all_take_the_same_snapshot_and_trim(network: Network) -> None:
    network.elect(A)
    _write(network, A, range(20))
    taken = [seat.journal.snapshot for seat in network.seats.values()]
    assert len({each.raw for each in taken if each is not None}) == 1
    for seat in network.seats.values():
        assert len(seat.journal) < 8
        assert seat.journal[0][1] == seat.journal.first_index == taken[0].index  # type: ignore[union-attr]


def test_a_restart_goes_on_from_the_snapshot(network: Network) -> None:
    network.elect(A)
    _write(network, A, range(12))
    before = list(network.seats[B].delivered)
    network.crash(B)
    network.start(B)
    seat = network.seats[B]
    snapshot = seat.journal.snapshot
    assert snapshot is not None
    assert seat.history.restored == [snapshot.index]
    assert seat.engine.applied_index() == snapshot.index
    network.settle()
    assert seat.delivered == before
    assert seat.engine.is_ready()
    _write(network, B, range(12, 20))
    _assert_all_equal(network, 20)


def test_a_whole_cluster_starts_again_from_its_snapshots(network: Network) -> None:
    """S7, S13: nothing is gone after a restart of all."""
    network.elect(A)
    _write(network, A, range(13))
    for peer in network.peers:
        network.crash(peer)
    for peer in network.peers:
        network.start(peer)
    network.elect(C)
    _write(network, B, range(13, 16))
    _assert_all_equal(network, 16)


def test_a_follower_gets_it_in_chunks_over_a_link_that_breaks(network: Network) -> None:
    _with_c_behind(network)
    network.start(C)
    _until_chunk(network, A, C)
    network.carry((A, C))
    assert network.queues[C, A], "it asks for the next chunk"
    held = network.seats[C].engine._incoming.wanted(network.seats[A].journal.snapshot.checksum)  # type: ignore[union-attr]
    assert held == network.chunk_bytes
    network.disconnect(A, C)
    assert network.seats[C].engine.raftCommitIndex == 1, "S1: chunks commit nothing"
    assert network.seats[C].delivered == []
    network.connect(A, C)
    _until_chunk(network, A, C)
    offsets = []
    while network.seats[C].history.restored == []:
        _until_chunk(network, A, C)
        offsets.append(loader.loads(network.queues[A, C][0])["offset"])
        network.carry((A, C))
    assert 0 not in offsets, "it goes on where it was"
    assert len(set(offsets)) >= 3
    network.settle()
    _assert_all_equal(network, 12)
    assert network.seats[C].engine.is_ready()


def test_a_transfer_goes_on_with_another_leader_and_a_newer_snapshot_there(
    network: Network,
) -> None:
    _with_c_behind(network)
    network.start(C)
    for _ in range(3):
        _until_chunk(network, A, C)
        network.carry((A, C))
    held = network.seats[C].engine._incoming
    network.disconnect(A, C)
    network.disconnect(B, C)
    network.elect(B)
    network.connect(B, C)
    _until_chunk(network, B, C)
    chunk = loader.loads(network.queues[B, C][0])
    assert chunk["offset"] == held.wanted(chunk["checksum"]) >= 2 * network.chunk_bytes
    # Two more snapshots while it is on its way do not make it begin anew.
    network.disconnect(B, C)
    _write(network, B, range(12, 24))
    network.connect(B, C)
    network.connect(A, C)
    assert network.seats[B].journal.snapshot.index > chunk["index"]  # type: ignore[union-attr]
    _until_chunk(network, B, C)
    assert loader.loads(network.queues[B, C][0])["offset"] == chunk["offset"]
    network.settle(200)
    _assert_all_equal(network, 24)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"data": b"x" * 100}, "again"),
        ({"data_checksum": 1}, "again"),
        ({"offset": 7}, "again"),
        ({"checksum": b"?" * 32, "offset": 0}, "from the start"),
    ],
    ids=["data", "crc", "offset", "checksum"],
)
def test_a_damaged_chunk_is_asked_for_again(
    network: Network, change: dict[str, Any], wanted: str
) -> None:
    """S12: a snapshot that did not arrive whole was answered with success."""
    _with_c_behind(network)
    network.start(C)
    for _ in range(2):
        _until_chunk(network, A, C)
        network.carry((A, C))
    _until_chunk(network, A, C)
    good = loader.loads(network.queues[A, C].pop(0))
    network.hand(A, C, {**good, **change})
    answer = loader.loads(network.queues[C, A][-1])
    assert answer["type"] == "snapshot_wish"
    if wanted == "again":
        assert answer["offset"] == good["offset"]
    network.settle(100)
    _assert_all_equal(network, 12)


def test_a_whole_that_does_not_match_is_dropped_and_fetched_again(network: Network) -> None:
    _with_c_behind(network)
    network.start(C)
    _until_chunk(network, A, C)
    snapshot = network.seats[A].journal.snapshot
    assert snapshot is not None
    forged = {"type": "snapshot_chunk", "term": 1, "index": snapshot.index, "data": b"forged"}
    forged |= {"size_bytes": 6, "checksum": snapshot.checksum, "offset": 0}
    network.hand(A, C, {**forged, "data_checksum": 0xF00})
    network.hand(A, C, {**forged, "data_checksum": zlib.crc32(b"forged")})
    assert {loader.loads(raw)["type"] for raw in network.queues[C, A]} == {"snapshot_wish"}
    assert network.seats[C].engine.raftLastApplied == 1
    network.settle(100)
    _assert_all_equal(network, 12)


def test_a_state_that_its_owner_cannot_read_stops_the_peer(network: Network) -> None:
    _with_c_behind(network)
    network.start(C)
    _until_chunk(network, A, C)
    bad = Snapshot.of(index=9, term=1, state=b"s" * 32 + b"newer", operations=[])
    network.chunk_bytes = len(bad.raw)
    for data in (b"", bad.raw):
        chunk = {"type": "snapshot_chunk", "term": 1, "index": 9, "size_bytes": len(bad.raw)}
        chunk |= {"checksum": bad.checksum, "offset": 0, "data": data}
        network.hand(A, C, {**chunk, "data_checksum": zlib.crc32(data)})
    assert "the history does not match its digest" in network.seats[C].faults[0]
    assert network.seats[C].journal.snapshot is None
    assert all(loader.loads(raw)["type"] != "next_node_idx" for raw in network.queues[C, A])


def test_one_chunk_is_in_flight_however_often_the_leader_has_something_to_say(
    network: Network,
) -> None:
    leader = network.elect(A)
    _write(network, A, range(3))
    # C is streamed to, and then takes nothing while the leader goes on and trims.
    for number in range(3, 40):
        leader.propose(f"op {number}")
        network.tick(A)
        for link in ((A, B), (B, A)):
            while network.queues[link]:
                network.carry(link)
        leader.engine._SyncObj__newAppendEntriesTime = 0.0
        network.tick(A)
    most = 0
    for _ in range(60):
        if network.queues[A, C]:
            network.carry((A, C))
        if network.queues[C, A]:
            network.carry((C, A))
        leader.engine._SyncObj__newAppendEntriesTime = 0.0
        network.tick(A)
        kinds = [loader.loads(raw)["type"] for raw in network.queues[A, C]]
        most = max(most, kinds.count("snapshot_chunk"))
    assert most == 1
    network.settle(100)
    _assert_all_equal(network, 40)


def test_a_follower_that_asks_for_chunks_counts_as_alive(network: Network) -> None:
    _with_c_behind(network)
    network.start(C)
    network.disconnect(A, B)
    _until_chunk(network, A, C)
    engine = network.seats[A].engine
    for node in network.seats[A].nodes.values():
        engine._SyncObj__lastResponseTime[node] = float("-inf")
    network.carry((A, C))
    network.carry((C, A))
    network.tick(A)
    assert network.leads(A)


def test_an_old_snapshot_is_ignored(network: Network) -> None:
    _with_c_behind(network)
    network.start(C)
    _until_chunk(network, A, C, data=0)
    late = []
    while network.seats[C].history.restored == []:
        _until_chunk(network, A, C, data=0)
        late.append(loader.loads(network.queues[A, C][0]))
        network.carry((A, C))
    network.settle()
    _write(network, A, range(12, 15))
    before = (network.seats[C].journal[:], list(network.seats[C].delivered))
    for message in late:
        network.hand(A, C, message)
    assert (network.seats[C].journal[:], network.seats[C].delivered) == before
    network.settle()
    _assert_all_equal(network, 15)


def test_an_uncommitted_tail_is_not_applied_because_of_a_snapshot(network: Network) -> None:
    """S1, p02: a rejoining leader applied its own tail, and told its callers so."""
    old = network.elect(A)
    for other in (B, C):
        network.disconnect(A, other)
    for number in range(30):
        old.propose(f"lost {number}")
    network.tick(A)
    assert old.journal.last_index > 30
    network.elect(B)
    _write(network, B, range(12))
    # Who proposed them has given up; nobody hands them to the new leader.
    old.operations.close()
    network.connect(A, B)
    network.connect(A, C)
    network.settle(100)
    assert old.history.restored
    assert [payload for _, payload in old.delivered] == [f"op {n}".encode() for n in range(12)]
    _assert_all_equal(network, 12)


def test_an_operation_tried_again_after_a_snapshot_answers_with_its_first_index(
    network: Network,
) -> None:
    _with_c_behind(network)
    first = {payload: index for index, payload in network.seats[A].delivered}
    network.start(C)
    network.settle(100)
    for peer in (B, C):
        network.crash(peer)
        network.start(peer)
    network.settle()
    for peer in network.peers:
        assert network.seats[peer].settled_index("op 1") == first[b"op 1"]
    network.elect(C)
    network.seats[B].propose("op 1")
    network.settle()
    _assert_all_equal(network, 12)


def test_a_caller_whose_operation_came_in_a_snapshot_is_answered(network: Network) -> None:
    network.elect(A)
    seat = network.seats[C]
    digest = digest_of(OperationId("op 0"))
    waiting = seat.operations.wait_for(digest, seal(b"op 0", digest))
    network.tick(C)
    network.carry((C, A))
    for other in (A, B):
        network.disconnect(C, other)
    network.settle()
    _write(network, A, range(1, 12))
    network.connect(C, A)
    network.settle(100)
    assert seat.history.restored
    assert waiting.settled.is_set()
    assert waiting.index == network.seats[A].delivered[0][0]


def test_a_slow_owner_delays_the_snapshot_and_nothing_else(network: Network) -> None:
    network.elect(A)
    network.seats[A].history.is_slow = True
    _write(network, A, range(13))
    assert network.seats[A].journal.snapshot is None
    assert network.seats[B].journal.snapshot is not None
    network.seats[A].history.is_slow = False
    _write(network, A, range(13, 20))
    taken = [seat.journal.snapshot for seat in network.seats.values()]
    assert len({each.raw for each in taken if each is not None}) == 1


@pytest.mark.parametrize("is_fifo", [True, False], ids=["fifo", "reordered-and-doubled"])
@pytest.mark.parametrize("seed", range(8))
def test_no_misfortune_with_snapshots_loses_doubles_or_reorders(
    tmp_path: Path,
    seed: int,
    is_fifo: bool,  # noqa: FBT001
) -> None:
    network = Network(
        tmp_path, 3 if seed % 3 else 5, snapshot_every=4, trailing=seed % 2, chunk_bytes=200
    )
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
        by_index: dict[int, bytes] = {}
        for seat in network.seats.values():
            snapshot = seat.journal.snapshot
            if snapshot is not None:
                assert by_index.setdefault(snapshot.index, snapshot.raw) == snapshot.raw
    finally:
        network.close()
