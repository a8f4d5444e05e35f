"""Whole clusters of engines in one thread, with links, crashes and elections driven by hand.

Real journals on disk, real messages through the real codec; no sockets, no threads, no waiting.
"""

# ruff: noqa: SLF001  (the harness moves PySyncObj's own timers and callbacks)

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from pysyncobj.transport import Transport

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.compaction import Compaction, Pace
from tars_peer.adapters.raft.elections import Round
from tars_peer.adapters.raft.engine import Engine
from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.operations import Operations, digest_of, open_seal, seal
from tars_peer.adapters.raft.settings import make_settings
from tars_peer.adapters.raft.transport import MemberNode
from tars_peer.model.noun import OperationId, PeerId
from tests.fakes.keeper import History

Link = tuple[PeerId, PeerId]


class HandTransport(Transport):  # type: ignore[misc]  # PySyncObj is untyped
    """Sends into the network's queues; PySyncObj's callbacks are called by the network."""

    def __init__(self, raft: Any, network: Network, me: PeerId) -> None:
        """Begin with an empty outbox."""
        super().__init__(raft, None, [])
        self.outbox: list[tuple[MemberNode, Message]] = []
        self._network = network
        self._me = me

    def send(self, node: MemberNode, message: Message) -> bool:
        self.outbox.append((node, message))
        return True

    def flush_outbox(self) -> None:
        for node, message in self.outbox:
            self._network.post(self._me, PeerId(node.id), message)
        self.outbox = []

    def destroy(self) -> None:
        self.outbox = []


class Seat:
    """One member: its engine while it is up, and what this incarnation delivered."""

    def __init__(self, network: Network, me: PeerId, folder: Path) -> None:
        """Start the engine from the disk."""
        self.journal = SqliteJournal(folder, cluster_id="c", me=me)
        self.operations = Operations()
        self.history = History()
        self.delivered = self.history.delivered
        self.faults: list[str] = []
        nodes = {peer: MemberNode(peer) for peer in network.peers}
        self.transport: HandTransport | None = None

        def make_transport(raft: Any, _me: MemberNode, _others: Any) -> HandTransport:
            self.transport = HandTransport(raft, network, me)
            return self.transport

        self.engine = Engine(
            me=nodes[me],
            others=[node for peer, node in nodes.items() if peer != me],
            settings=make_settings(self.journal),
            journal=self.journal,
            make_transport=make_transport,
            operations=self.operations,
            compaction=Compaction(
                journal=self.journal,
                operations=self.operations,
                keeper=self.history if network.snapshot_every else None,
                pace=Pace(
                    every_entries=network.snapshot_every or 1, trailing_entries=network.trailing
                ),
            ),
            deliver=self.history.deliver,
            on_fault=self.faults.append,
        )
        # Some chunks even for the little that tests write.
        self.engine.chunk_bytes = network.chunk_bytes
        self.nodes = nodes

    def entries(self) -> list[tuple[int, bytes]]:
        """Return term and payload of what is in this log, the empty entries left out."""
        opened = [(term, open_seal(command)) for command, _, term in self.journal[:]]
        return [(term, each[1]) for term, each in opened if each is not None]

    def propose(self, name: str) -> None:
        """Do what ``append`` does, but for waiting."""
        digest = digest_of(OperationId(name))
        self.operations.wait_for(digest, seal(name.encode(), digest))
        self.operations.make_all_due()

    def settled_index(self, name: str) -> int | None:
        """Return what ``append`` would return now."""
        return self.operations.wait_for(digest_of(OperationId(name)), b"").index


class Network:
    """The members and every message on its way between them."""

    def __init__(
        self,
        folder: Path,
        count: int = 3,
        *,
        snapshot_every: int = 0,
        trailing: int = 0,
        chunk_bytes: int = 100,
    ) -> None:
        """Start ``count`` members, all linked; ``snapshot_every`` so many entries, 0 is never."""
        loader.install()
        self.snapshot_every, self.trailing, self.chunk_bytes = (
            snapshot_every,
            trailing,
            chunk_bytes,
        )
        self.order = [(n, PeerId(chr(ord("a") + n))) for n in range(count)]
        self.peers = [peer for _, peer in self.order]
        self._folder = folder
        self.queues: dict[Link, list[bytes]] = {}
        self.up: set[Link] = set()
        self.seats: dict[PeerId, Seat] = {}
        for peer in self.peers:
            self.start(peer)

    def post(self, sender: PeerId, receiver: PeerId, message: Message) -> None:
        """Take a message, as bytes, if there is a link."""
        if (sender, receiver) in self.up:
            self.queues[sender, receiver].append(loader.dumps(message))

    def start(self, peer: PeerId) -> None:
        """Start a member from its disk and link it with all that are up."""
        self.seats[peer] = Seat(self, peer, self._folder / peer)
        for other in self.seats:
            if other != peer:
                self.connect(peer, other)

    def crash(self, peer: PeerId) -> None:
        """End a member without a goodbye: what was not flushed is gone, and so are its links."""
        for other in list(self.seats):
            if other != peer:
                self.disconnect(peer, other)
        self.seats.pop(peer).journal.close()

    def connect(self, one: PeerId, other: PeerId) -> None:
        """Link two members anew."""
        self.disconnect(one, other)
        for me, peer in ((one, other), (other, one)):
            self.up.add((me, peer))
            self.queues[me, peer] = []
            seat = self.seats[me]
            seat.engine._SyncObj__onNodeConnected(seat.nodes[peer])

    def disconnect(self, one: PeerId, other: PeerId) -> None:
        """Cut a link and lose what was on it."""
        for me, peer in ((one, other), (other, one)):
            if (me, peer) in self.up:
                self.up.discard((me, peer))
                self.queues[me, peer] = []
                seat = self.seats[me]
                seat.engine._SyncObj__onNodeDisconnected(seat.nodes[peer])

    def tick(self, peer: PeerId, *, stand: bool = False) -> None:
        """Run one round; the member stands for election when told to, and only then."""
        engine = self.seats[peer].engine
        engine._SyncObj__raftElectionDeadline = 0.0 if stand else float("inf")
        if stand:
            # As if a majority had said that it would vote for this member.
            engine._round = Round(number=0, began_at_s=0.0, deadline_s=0.0, is_won=True)
        engine.doTick(0.0)
        engine.flush()

    def carry(self, link: Link, position: int = 0) -> None:
        """Hand over one message of a link; the first, unless told otherwise."""
        sender, receiver = link
        raw = self.queues[link].pop(position)
        self.hand(sender, receiver, loader.loads(raw))

    def hand(self, sender: PeerId, receiver: PeerId, message: Message) -> None:
        """Have a member receive a message."""
        seat = self.seats[receiver]
        seat.engine._SyncObj__onMessageReceived(seat.nodes[sender], message)
        seat.engine.flush()

    def settle(self, rounds: int = 30) -> None:
        """Run everybody, leaders with a sign of life, until nothing moves any more."""
        for seat in self.seats.values():
            seat.engine._SyncObj__newAppendEntriesTime = 0.0
        for _ in range(rounds):
            for peer in list(self.seats):
                self.tick(peer)
            waiting = [link for link, queue in self.queues.items() if queue]
            if not waiting:
                return
            for link in waiting:
                while self.queues[link]:
                    self.carry(link)

    def elect(self, peer: PeerId) -> Seat:
        """Have ``peer`` stand until it leads, then settle."""
        for _ in range(10):
            self.tick(peer, stand=True)
            self.settle()
            if self.leads(peer):
                return self.seats[peer]
        raise AssertionError(f"{peer} was not elected")

    def leads(self, peer: PeerId) -> bool:
        """Say whether a member thinks that it leads."""
        return bool(self.seats[peer].engine._isLeader())

    def close(self) -> None:
        """Close all journals."""
        for peer in list(self.seats):
            self.crash(peer)


class Chaos:
    """A seeded stream of misfortune; the same seed, the same story."""

    def __init__(self, network: Network, seed: int, *, is_fifo: bool) -> None:
        """Prepare; ``is_fifo`` off reorders and doubles messages too."""
        self.network = network
        self.chance = random.Random(seed)
        self._is_fifo = is_fifo
        self.proposed: list[str] = []
        #: What ``append`` would have answered to somebody, at any time.
        self.acknowledged: dict[str, int] = {}
        #: The only payload ever delivered at an index, by anyone.
        self.history: dict[int, bytes] = {}

    def step(self) -> None:
        """Let one thing happen."""
        network, chance = self.network, self.chance
        peer = chance.choice(network.peers)
        match chance.choices(range(6), weights=(30, 50, 4, 8, 4, 2))[0]:
            case 0 if peer in network.seats:
                network.tick(peer)
            case 1:
                for _ in range(3):
                    self._carry_something()
            case 2 if peer in network.seats:
                network.tick(peer, stand=True)
            case 3 if peer in network.seats:
                name = f"op-{len(self.proposed)}"
                # Now and then somebody tries again what was tried before, elsewhere.
                if self.proposed and chance.random() < 0.3:
                    name = chance.choice(self.proposed)
                else:
                    self.proposed.append(name)
                network.seats[peer].propose(name)
            case 4:
                self._cut_or_heal(peer)
            case 5:
                if peer not in network.seats:
                    network.start(peer)
                elif len(network.seats) > 1:
                    network.crash(peer)
        self.check()

    def _carry_something(self) -> None:
        network = self.network
        waiting = sorted(link for link, queue in network.queues.items() if queue)
        if not waiting:
            return
        link = self.chance.choice(waiting)
        length = len(network.queues[link])
        position = 0 if self._is_fifo else self.chance.randrange(length)
        if not self._is_fifo and self.chance.random() < 0.2:
            network.queues[link].append(network.queues[link][position])
        network.carry(link, position)

    def _cut_or_heal(self, peer: PeerId) -> None:
        network = self.network
        other = self.chance.choice([each for each in network.peers if each != peer])
        if (peer, other) in network.up:
            network.disconnect(peer, other)
        elif {peer, other} <= network.seats.keys():
            network.connect(peer, other)

    def check(self) -> None:
        """Compare what all have delivered, ever."""
        for peer, seat in self.network.seats.items():
            assert seat.faults == [], (peer, seat.faults)
            payloads = [payload for _, payload in seat.delivered]
            assert len(payloads) == len(set(payloads)), f"{peer} delivered something twice"
            for index, payload in seat.delivered:
                assert self.history.setdefault(index, payload) == payload, (peer, index)
                self.acknowledged.setdefault(payload.decode(), index)

    def heal(self) -> None:
        """Start and link everybody, elect somebody, and let all settle."""
        network = self.network
        for peer in network.peers:
            if peer not in network.seats:
                network.start(peer)
        for one in network.peers:
            for other in network.peers:
                if one < other:
                    network.connect(one, other)
        network.settle()
        leading = [peer for peer in network.peers if network.leads(peer)]
        assert len(leading) <= 1, "a deposed leader steps down as soon as it is heard"
        # Who is behind in its term or log loses, but pushes the terms on: somebody wins at last.
        for peer in network.peers * 20:
            network.tick(peer, stand=True)
            network.settle()
            if network.leads(peer):
                break
        else:
            raise AssertionError("nobody is elected in a healthy cluster")
        network.settle(60)
        self.check()
