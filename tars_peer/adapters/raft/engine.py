"""PySyncObj's consensus with this house's rules laid over it from outside.

PySyncObj keeps the voting, the log matching and the commit rule. Replaced are: how a leader
replicates (``leading``), when a node stands for election (``elections``), and here what is done
with a message and how an entry is applied. Nothing is ever sent before the journal is on disk. Runs
on one thread; no waiting caller may enter here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from pysyncobj import SyncObjConf
from pysyncobj.monotonic import monotonic

from tars_peer.adapters.raft import guard
from tars_peer.adapters.raft.compaction import Compaction
from tars_peer.adapters.raft.elections import Elections
from tars_peer.adapters.raft.fault import OnFault
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.leading import MakeTransport
from tars_peer.adapters.raft.operations import Operations, open_seal
from tars_peer.adapters.raft.readiness import Readiness
from tars_peer.adapters.raft.settings import (
    IDLE_PERIOD_S,
    LARGEST_UNCOMMITTED,
    LEADER_FALLBACK_S,
)
from tars_peer.adapters.raft.snapshot import Snapshot
from tars_peer.adapters.raft.transfer import Incoming
from tars_peer.adapters.raft.transport import MemberNode
from tars_peer.adapters.raft.wake import Wake
from tars_peer.errors import TarsError
from tars_peer.model.noun import PeerId
from tars_peer.ports.log import Deliver

_logger = logging.getLogger(__name__)


class Engine(Elections):
    """One member's Raft; ``doTick`` is one round: commit, apply, send, then wait for messages."""

    def __init__(
        self,
        *,
        me: MemberNode,
        others: Sequence[MemberNode],
        settings: SyncObjConf,
        journal: SqliteJournal,
        make_transport: MakeTransport,
        operations: Operations,
        compaction: Compaction,
        deliver: Deliver,
        on_fault: OnFault,
    ) -> None:
        """Bind the address and restore the snapshot; entries are delivered from the first round on.

        Raises:
            SyncObjException: the address cannot be bound.
            CorruptError: the snapshot cannot be used.
        """
        self._operations = operations
        self._compaction = compaction
        self._incoming = Incoming()
        self._deliver = deliver
        self._on_fault = on_fault
        self._readiness = Readiness(journal)
        self._delivered_index = compaction.restore()
        # Operations this leader has put into its log in this term and has not applied yet.
        self._in_log: set[bytes] = set()
        self._in_log_term = 0
        # The leader, and its term, that was handed the pending operations.
        self._served: tuple[int, MemberNode | None] = (0, None)
        # End of the message that PySyncObj is handling; see `_take_append`.
        self._vouched_end = 0
        super().__init__(
            me=me,
            others=others,
            settings=settings,
            journal=journal,
            make_transport=make_transport,
        )
        self._SyncObj__raftLastApplied = self._delivered_index
        self.addOnTickCallback(self.flush)
        if not others:
            # Nobody else could lead, so there is nobody to wait for.
            self._SyncObj__raftElectionDeadline = 0.0

    # -- for the node --------------------------------------------------------------------------

    def make_wake(self) -> Wake:
        """Return what ends the waiting of a round early."""
        return Wake(self._poller)

    def rest_s(self) -> float:
        """Return how long a round may wait for messages: until the next deadline, exactly.

        Members that look at their deadlines in fixed steps fall into step with each other, and
        then stand for election at the same moment, again and again.
        """
        if self._isLeader():
            remaining_s = self._SyncObj__newAppendEntriesTime - monotonic()
            return min(IDLE_PERIOD_S, remaining_s + 0.001) if remaining_s > 0 else IDLE_PERIOD_S
        return min(IDLE_PERIOD_S, self.election_rest_s())

    def leader_peer(self) -> PeerId | None:
        """Return the leader, unless it has been silent for too long."""
        leader = self._getLeader()
        is_silent = monotonic() - self._heard_at_s > LEADER_FALLBACK_S
        if leader is None or (is_silent and not self._isLeader()):
            return None
        return PeerId(leader.id)

    def applied_index(self) -> int:
        """Return the last index applied; the entry just delivered counts already."""
        return max(int(self.raftLastApplied), self._delivered_index)

    def connected_peers(self) -> frozenset[PeerId]:
        """Return the other members there is a link to now."""
        return frozenset(PeerId(each.id) for each in self._members if self.isNodeConnected(each))

    def has_quorum_now(self) -> bool:
        """Say whether a leader is known and, on the leader, a majority is connected."""
        return self.leader_peer() is not None and (not self._isLeader() or self.hasQuorum)

    def is_ready(self) -> bool:
        """Say whether everything committed before this start is delivered (see ``readiness``)."""
        return self._readiness.is_ready

    # -- one round; the names below are PySyncObj's --------------------------------------------

    def _checkCommandsToApply(self) -> None:  # noqa: N802
        """Hand what callers wait for to the leader; as the leader, tell the followers the news.

        PySyncObj's own queue is not used: it loses commands silently when it is full, and its
        numbers for answers begin anew with each process (findings, S8).
        """
        leader = self._getLeader()
        if leader is not None:
            if self._served != (self.raftCurrentTerm, leader):
                self._served = (self.raftCurrentTerm, leader)
                self._operations.make_all_due()
            for command in self._operations.due(monotonic()):
                if self._isLeader():
                    self._add(command)
                else:
                    self.send(leader, {"type": "apply_command", "command": command})
        if self._isLeader():
            self._readiness.heard(self.raftCurrentTerm, self.raftCommitIndex)
            self.announce()
        self._readiness.applied(self.raftLastApplied)

    def _add(self, command: bytes) -> None:
        """Put a sealed command into this leader's log, unless it is there or the log is behind."""
        opened = open_seal(command)
        assert opened is not None
        digest = opened[0]
        if self._in_log_term != self.raftCurrentTerm:
            self._in_log_term = self.raftCurrentTerm
            self._in_log.clear()
        index = self._journal.last_index + 1
        is_behind = index - self.raftCommitIndex > LARGEST_UNCOMMITTED
        if not (is_behind or digest in self._in_log or self._operations.is_known(digest, index)):
            self._in_log.add(digest)
            self._journal.add(command, index, self.raftCurrentTerm)

    def _SyncObj__doApplyCommand(self, command: bytes) -> None:  # noqa: N802
        """Deliver one committed entry; never raises, or it would be applied again for ever."""
        # PySyncObj applies in order and counts afterwards, so this is the entry's Raft index.
        index = self.raftLastApplied + 1
        try:
            opened = open_seal(command)
        except TarsError as error:
            self._on_fault(f"entry {index} cannot be read: {error} ({error.hint})")
            return
        if opened is None:
            return
        digest, payload = opened
        self._in_log.discard(digest)
        if self._operations.is_known(digest, index):
            return
        try:
            self._deliver(index, payload)
        except Exception as error:  # noqa: BLE001  (see above)
            self._on_fault(f"entry {index} could not be delivered: {error!r}")
        # Even so: on every replica alike this was the operation's first and only delivery.
        self._delivered_index = index
        self._operations.settle(digest, index)
        self._compaction.note_delivered(index)

    def _SyncObj__tryLogCompaction(self) -> None:  # noqa: N802
        """Take our own snapshot in the place of PySyncObj's; ``settings`` says why."""
        self._compaction.tick()

    # -- messages ------------------------------------------------------------------------------

    def _SyncObj__onMessageReceived(self, node: MemberNode, message: object) -> None:  # noqa: N802
        try:
            checked = guard.check(message)
        except TarsError as error:
            _logger.warning("dropped a message of %s: %s (%s)", node, error, error.hint)
            return
        match checked["type"]:
            case "append_entries":
                self._take_append(node, checked)
            case "next_node_idx":
                self.take_answer(node, checked)
            case "response_vote":
                self.take_vote(node, checked)
            case "snapshot_chunk":
                self._take_chunk(node, checked)
            case "snapshot_wish":
                self.take_wish(node, checked)
            case "pre_vote":
                self.take_pre_vote(node, checked)
            case "pre_vote_answer":
                self.take_pre_vote_answer(node, checked)
            case "apply_command":
                # Not passed on further: who forwarded it tries again when it knows the leader.
                if self._isLeader():
                    self._add(checked["command"])
            case _:
                super()._SyncObj__onMessageReceived(node, checked)

    def _heed(self, node: MemberNode, term: int) -> bool:
        """Note a sign of life of a leader; say whether it still is one."""
        if term < self.raftCurrentTerm:
            # Its sender has been deposed and does not know; the term in the answer tells it.
            self._SyncObj__sendNextNodeIdx(node)
            return False
        self.note_leader(term, node)
        self.note_heard()
        return True

    def _take_append(self, node: MemberNode, message: guard.Message) -> None:
        term = message["term"]
        if not self._heed(node, term):
            return
        self._readiness.heard(term, message["commit_index"])
        self._vouched_end = message["prevLogIdx"] + len(message["entries"])
        super()._SyncObj__onMessageReceived(node, guard.without_held(message, self._journal))

    def _take_chunk(self, node: MemberNode, message: guard.Message) -> None:
        """Keep a part of a snapshot and ask for the next, or go on from the whole."""
        if not self._heed(node, message["term"]):
            return
        # PySyncObj follows the sender for this, and no more: there is nothing to match, and a
        # commit index of 0 moves nothing (findings, S1).
        life = {"type": "append_entries", "term": message["term"], "commit_index": 0}
        super()._SyncObj__onMessageReceived(node, life)
        if message["index"] <= self.raftCommitIndex:
            # It is all here: an old message, or a leader who does not know yet.
            self._SyncObj__sendNextNodeIdx(node)
            return
        try:
            snapshot = self._incoming.take(message)
        except TarsError as error:
            _logger.warning("refused a snapshot of %s: %s (%s)", node, error, error.hint)
            snapshot = None
        if snapshot is not None:
            self._install(node, snapshot)
            return
        wish = {key: message[key] for key in ("index", "checksum")}
        wish["offset"] = self._incoming.wanted(message["checksum"])
        self.send(node, {"type": "snapshot_wish", "term": self.raftCurrentTerm, **wish})

    def _install(self, node: MemberNode, snapshot: Snapshot) -> None:
        """Go on from a verified snapshot; only when that is on disk is it acknowledged."""
        fault = self._compaction.install(snapshot)
        if fault:
            self._on_fault(f"{node}'s snapshot of entry {snapshot.index} cannot be used: {fault}")
            return
        self._SyncObj__raftCommitIndex = self._SyncObj__raftLastApplied = snapshot.index
        self._vouched_end = self._delivered_index = snapshot.index
        self._SyncObj__sendNextNodeIdx(node, success=True)

    def _SyncObj__sendNextNodeIdx(  # noqa: N802
        self,
        node: MemberNode,
        reset: bool = False,  # noqa: FBT001, FBT002
        nextNodeIdx: int | None = None,  # noqa: N803
        success: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Answer ``append_entries``: vouch only for what the message held, and say in which term.

        A refusal asks for all that is not committed here: up to there the logs are equal, so one
        round is enough, where PySyncObj steps back one entry a round.
        """
        del nextNodeIdx, reset
        answer = {
            "type": "next_node_idx",
            "term": self.raftCurrentTerm,
            "next_node_idx": (self._vouched_end if success else self.raftCommitIndex) + 1,
            "reset": not success,
            "success": success,
        }
        self.send(node, answer)
