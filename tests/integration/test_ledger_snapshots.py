"""Real logs and real ledgers: a peer that goes on from a snapshot has the same ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tars_peer.adapters.raft.compaction import Pace
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.adapters.rpc.server import serve_streams
from tars_peer.config.home import ClusterHome, PeerEntry
from tars_peer.decide.decisions import Decisions
from tars_peer.ledger.entry import Pause
from tars_peer.ledger.signature import public_key
from tars_peer.ledger.state import state_digest
from tars_peer.model.noun import ClusterId, PeerId
from tars_peer.peer.founding import found, founding_fault
from tests.fakes.certificates import Certificates
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.home import some_home
from tests.fakes.waiting import until
from tests.integration.raft_member import free_addresses
from tests.unit.gates.cases import POLICY
from tests.unit.ledger.members import private_key

EVERY_ENTRIES = 8


class Node:
    """A peer's log and ledger, begun as a peer begins them."""

    def __init__(self, me: PeerId, home: ClusterHome, folder: Path, fault: list[str]) -> None:
        """Start from ``folder``."""
        self.me, self.home, self.events = me, home, FakeEvents()
        self.stopped = threading.Event()
        self.decisions = Decisions(
            me=me,
            cluster_id=ClusterId(home.cluster_id),
            private_key=private_key(me),
            clock=FakeClock(),
            events=self.events,
        )
        addresses = {PeerId(peer.id): peer.address for peer in home.peers}
        papers = Certificates(folder.parent / "certs", home.cluster_id).of(me)
        self.log = RaftLog(
            folder=folder,
            me=me,
            addresses=addresses,
            cluster_id=home.cluster_id,
            credentials=papers,
            deliver=self.decisions.deliver,
            keeper=self.decisions,
            on_fault=fault.append,
            pace=Pace(every_entries=EVERY_ENTRIES, trailing_entries=2),
        )
        self.decisions.start()
        self.server = serve_streams(
            self.log, address=addresses[me], credentials=papers, members=frozenset(addresses)
        )
        self.log.start()
        self.founding = threading.Thread(target=self._found)
        self.founding.start()
        # There is no code here to commit.
        self.decisions.note_enacted(0)

    def _found(self) -> None:
        found(
            self.home,
            self.me,
            POLICY,
            log=self.log,
            state=lambda: self.decisions.state,
            submit=lambda decision: self.decisions.submit(self.log, decision, timeout_s=5.0),
            events=self.events,
            stopped=self.stopped,
        )

    def pause(self, number: int) -> None:
        """Decide something that changes the ledger."""
        decision = Pause(paused=number % 2 == 0, reason=f"for the time {number}")
        self.decisions.submit(self.log, decision, timeout_s=10.0)

    def close(self) -> None:
        """End it."""
        self.stopped.set()
        self.founding.join(10)
        self.server.stop(0)
        self.log.close()
        self.decisions.close()


@pytest.fixture
def home(tmp_path: Path) -> ClusterHome:
    addresses: Mapping[PeerId, str] = free_addresses(3)
    peers = tuple(
        PeerEntry(
            id=name,
            address=address,
            service_port=7200 + number,
            ballot_key=public_key(private_key(name)),
        )
        for number, (name, address) in enumerate(addresses.items())
    )
    return some_home(tmp_path, peers=peers)


@pytest.fixture
def faults() -> Iterator[list[str]]:
    faults: list[str] = []
    yield faults
    assert faults == []


def test_a_peer_that_was_away_has_the_same_ledger_and_begins_at_once(
    home: ClusterHome, tmp_path: Path, faults: list[str]
) -> None:
    nodes = [
        Node(PeerId(peer.id), home, tmp_path / f"raft-{peer.id}", faults) for peer in home.peers
    ]
    try:
        until(lambda: all(node.decisions.state.founded for node in nodes), timeout_s=20)
        for number in range(6):
            nodes[0].pause(number)
        away = nodes.pop()
        away.close()
        for number in range(6, 40):
            nodes[0].pause(number)
        back = Node(away.me, home, tmp_path / f"raft-{away.me}", faults)
        nodes.append(back)
        last = nodes[0].decisions.state.index
        until(lambda: back.decisions.state.index >= last, timeout_s=20)
        until(lambda: back.log.status().ready, timeout_s=20)
        back.founding.join(10)
        assert not back.founding.is_alive(), "it has nothing to found"
        assert founding_fault(back.decisions.state, home, POLICY) == ""
        assert back.events.of("restored")
        back.pause(40)
        last = back.decisions.state.index
        until(lambda: all(node.decisions.state.index >= last for node in nodes), timeout_s=20)
        assert len({state_digest(node.decisions.state) for node in nodes}) == 1
    finally:
        for node in nodes:
            node.close()
    for node in nodes:
        journal = SqliteJournal(
            tmp_path / f"raft-{node.me}", cluster_id=home.cluster_id, me=node.me
        )
        assert len(journal) <= 2 * EVERY_ENTRIES + 2, "what was before is gone"
        journal.close()
