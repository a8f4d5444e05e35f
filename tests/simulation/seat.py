"""One incarnation of one member: the real engine between a disk and a network of the test's."""

# ruff: noqa: SLF001  (PySyncObj's callbacks are called from outside)

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from pysyncobj.transport import Transport

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.compaction import Compaction, Pace
from tars_peer.adapters.raft.elections import Round
from tars_peer.adapters.raft.engine import Engine
from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.operations import Operations, Pending, digest_of, seal
from tars_peer.adapters.raft.settings import make_settings
from tars_peer.adapters.raft.transport import MemberNode
from tars_peer.model.noun import OperationId, PeerId
from tests.simulation.disk import Disk, DiskJournal, Fuse
from tests.simulation.witness import ViolationError, Witness

#: A state comes after it was asked for so often.
_PATIENCE = 3
#: A snapshot of a schedule is some kilobytes.
_CHUNK_BYTES = 1_500

Post = Callable[[str, str, bytes], None]


class NumberedNode(MemberNode):
    """Iterated over in the same order by every process, whatever its hashes are salted with."""

    def __hash__(self) -> int:
        """Return the same number everywhere."""
        return ord(self.id)


class _Transport(Transport):  # type: ignore[misc]  # PySyncObj is untyped
    def __init__(self, raft: Any, me: str, fuse: Fuse, post: Post) -> None:
        super().__init__(raft, None, [])
        self._me, self._fuse, self._post = me, fuse, post
        self._outbox: list[tuple[MemberNode, Message]] = []

    def send(self, node: MemberNode, message: Message) -> bool:
        self._outbox.append((node, message))
        return True

    def flush_outbox(self) -> None:
        outbox, self._outbox = self._outbox, []
        for node, message in outbox:
            self._post(self._me, node.id, loader.dumps(message))
            self._fuse.burn()

    def destroy(self) -> None:
        self._outbox = []


class _Keeper:
    """Has how many entries were delivered, and their digest, as its state."""

    def __init__(self, seat: Seat, witness: Witness) -> None:
        self._seat, self._witness = seat, witness
        self._captured: tuple[int, bytes] | None = None
        self._asked_count = 0

    def capture(self, index: int) -> None:
        count = self._seat.delivered_count
        state = msgspec.msgpack.encode((count, self._witness.digest(count)))
        self._captured, self._asked_count = (index, state), 0

    def captured(self) -> tuple[int, bytes] | None:
        self._asked_count += 1
        return self._captured if self._asked_count > _PATIENCE else None

    def restore(self, index: int, state: bytes) -> str:
        count, digest = msgspec.msgpack.decode(state, type=tuple[int, bytes])
        try:
            self._witness.restored(self._seat.me, count, index, digest)
        except ViolationError as error:
            raise SeatError(str(error)) from error
        self._seat.delivered_count = count
        return ""


class Seat:
    """A member from its start to its death."""

    def __init__(
        self,
        me: str,
        incarnation: int,
        members: Sequence[str],
        disk: Disk,
        post: Post,
        witness: Witness,
        *,
        snapshot_every: int,
    ) -> None:
        """Start from the disk."""
        self.me, self.incarnation = me, incarnation
        self.fuse = Fuse()
        self.is_paused = False
        self.inbox: list[tuple[str, bytes, int]] = []
        self.delivered_count = 0
        self._witness = witness
        self._waiting: list[tuple[str, Pending]] = []
        self.journal = DiskJournal(disk, self.fuse, witness.entry)
        self._operations = Operations()
        nodes = {peer: NumberedNode(PeerId(peer)) for peer in members}
        self._nodes = nodes
        self.engine = Engine(
            me=nodes[me],
            others=[node for peer, node in nodes.items() if peer != me],
            settings=make_settings(self.journal),
            journal=self.journal,
            make_transport=lambda raft, _me, _others: _Transport(raft, me, self.fuse, post),
            operations=self._operations,
            compaction=Compaction(
                journal=self.journal,
                operations=self._operations,
                keeper=_Keeper(self, witness) if snapshot_every else None,
                pace=Pace(every_entries=snapshot_every or 1, trailing_entries=snapshot_every // 3),
            ),
            deliver=self._deliver,
            on_fault=self._fail,
        )
        self.engine.chunk_bytes = _CHUNK_BYTES

    def _deliver(self, index: int, payload: bytes) -> None:
        term = self.engine.raftCurrentTerm
        try:
            self._witness.committed(self.me, term, self.journal, index)
            self._witness.delivered(self.me, self.delivered_count, index, payload)
        except ViolationError as error:
            # The engine must survive what a reader throws; the simulation must not.
            raise SeatError(str(error)) from error
        self.delivered_count += 1

    def _fail(self, reason: str) -> None:
        raise SeatError(f"fault: {self.me}: {reason}")

    def tick(self) -> None:
        """Run one round of the node's thread, without the waiting."""
        self.engine.doTick(0.0)
        self.engine.flush()

    def stand(self) -> None:
        """Stand for election, as if a majority had said that it would vote for this member."""
        if not self.leads():
            won = Round(number=0, began_at_s=0.0, deadline_s=0.0, is_won=True)
            self.engine._round, self.engine._SyncObj__raftElectionDeadline = won, 0.0
        self.tick()

    def receive(self, sender: str, raw: bytes) -> None:
        """Take one message, as a round of the poller does."""
        self.engine._SyncObj__onMessageReceived(self._nodes[sender], loader.loads(raw))
        self.engine.flush()

    def link(self, other: str, *, is_up: bool) -> None:
        """Learn that a link is there, or is gone."""
        change = self.engine._SyncObj__onNodeConnected
        if not is_up:
            change = self.engine._SyncObj__onNodeDisconnected
        change(self._nodes[other])

    def propose(self, name: str) -> Pending:
        """Do what ``append`` does, but for waiting."""
        digest = digest_of(OperationId(name))
        pending = self._operations.wait_for(digest, seal(name.encode(), digest))
        self._waiting.append((name, pending))
        return pending

    def give_up(self, pending: Pending) -> None:
        """Do what ``append`` does when its time is over."""
        self._operations.forget(pending)
        self._waiting = [each for each in self._waiting if each[1] is not pending]

    def answers(self) -> list[tuple[str, int]]:
        """Return, once, which operations ``append`` would return now, and where they lie."""
        settled = [each for each in self._waiting if each[1].settled.is_set()]
        if settled:
            self._waiting = [each for each in self._waiting if not each[1].settled.is_set()]
        return [(name, pending.index or 0) for name, pending in settled]

    def leads(self) -> bool:
        """Say whether this member thinks that it leads."""
        return bool(self.engine._isLeader())


class SeatError(BaseException):
    """What the engine must not be able to catch: a broken promise, or its own complaint."""
