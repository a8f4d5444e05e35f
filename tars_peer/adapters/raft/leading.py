"""The leader's side of consensus: what it sends each follower, and how it takes the answers.

Methods named ``_SyncObj__...`` are PySyncObj's private ones, replaced: a subclass that defines the
mangled name wins. What a node does as a follower or candidate, and applying, may not enter here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.monotonic import monotonic

from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.replication import BATCH_ENTRIES, Progress, cut_batch
from tars_peer.adapters.raft.settings import HEARTBEAT_PERIOD_S
from tars_peer.adapters.raft.transfer import CHUNK_BYTES, Outgoing
from tars_peer.adapters.raft.transport import MemberNode

#: PySyncObj's ``_RAFT_STATE.FOLLOWER``.
_FOLLOWER = 0


class Outbox(Protocol):
    """A transport of PySyncObj's that keeps messages until it is told to let them go."""

    def send(self, node: MemberNode, message: Message) -> bool:
        """Keep a message; False where there is no link to ``node``."""
        ...

    def flush_outbox(self) -> None:
        """Let the messages go."""
        ...


#: Called by PySyncObj with itself, this member and the others.
MakeTransport = Callable[[Any, MemberNode, Any], Outbox]


class Leading(SyncObj):  # type: ignore[misc]  # PySyncObj is untyped
    """PySyncObj with a replication of our own."""

    def __init__(
        self,
        *,
        me: MemberNode,
        others: Sequence[MemberNode],
        settings: SyncObjConf,
        journal: SqliteJournal,
        make_transport: MakeTransport,
    ) -> None:
        """Bind the address; nothing is sent before the first round."""
        self._make_transport = make_transport
        self._journal = journal
        self._members = tuple(others)
        self._progress = {node: Progress() for node in others}
        # The snapshots on their way; kept over lost links, so that they are gone on with.
        self._outgoing: dict[MemberNode, Outgoing] = {}
        self.chunk_bytes = CHUNK_BYTES
        # What the followers were last told, and by whom: (term, last index, commit index).
        self._announced = (0, 0, 0)
        # The only leader seen in a term; a second one breaks Raft's first promise.
        self._leader_seen: tuple[int, MemberNode | None] = (0, None)
        self._outbox: Outbox | None = None
        super().__init__(me, list(others), conf=settings, transportClass=self._keep_transport)

    def _keep_transport(self, raft: Any, me: MemberNode, others: Any) -> Outbox:  # noqa: ANN401
        self._outbox = self._make_transport(raft, me, others)
        return self._outbox

    def send(self, node: MemberNode, message: Message) -> None:
        """Put a message into the outbox."""
        assert self._outbox is not None
        self._outbox.send(node, message)

    def flush(self) -> None:
        """Make the journal durable, then let the messages go that promise what is in it."""
        assert self._outbox is not None
        self._journal.flush()
        self._outbox.flush_outbox()

    def announce(self) -> None:
        """Tell the followers at once when there is something new to tell."""
        news = (self.raftCurrentTerm, self._journal.last_index, self.raftCommitIndex)
        if news != self._announced:
            self._SyncObj__sendAppendEntries()

    def note_leader(self, term: int, node: MemberNode) -> None:
        """Remember who leads in ``term``.

        Raises:
            AssertionError: somebody else did already.
        """
        seen_term, seen_node = self._leader_seen
        if seen_term == term and seen_node not in {None, node}:
            raise AssertionError(f"term {term} has two leaders, {seen_node} and {node}")
        self._leader_seen = (term, node)

    def take_answer(self, node: MemberNode, message: Message) -> None:
        """Count an answer to this very term's leader; one of an older term may be untrue now."""
        if not self._is_for_me(message):
            return
        optimistic, asked = self._next_index(node), message["next_node_idx"]
        if asked > self._journal.last_index + 1:
            raise AssertionError(f"{node} claims entry {asked - 1}, which it was never sent")
        outgoing = self._outgoing.get(node)
        if outgoing is not None and asked > outgoing.snapshot.index:
            del self._outgoing[node]
        super()._SyncObj__onMessageReceived(node, message)
        progress = self._progress[node]
        note = progress.note_fitted if message["success"] else progress.note_refused
        self._set_next_index(node, note(optimistic, asked))
        self._replicate(node, is_heartbeat=False)

    def take_wish(self, node: MemberNode, message: Message) -> None:
        """Send the next chunk of a snapshot; nothing is acknowledged by asking for it."""
        if not self._is_for_me(message):
            return
        # It lives: PySyncObj steps down when a majority seems not to.
        self._SyncObj__lastResponseTime[node] = monotonic()
        self._progress[node].note_answered()
        if node in self._outgoing:
            self._outgoing[node].take_wish(message)
        self._replicate(node, is_heartbeat=False)

    def _is_for_me(self, message: Message) -> bool:
        """Say whether an answer is one to this leader in this term; a newer term is followed."""
        if message["term"] > self.raftCurrentTerm:
            self.follow_in(message["term"])
        return bool(self._isLeader()) and message["term"] == self.raftCurrentTerm

    def follow_in(self, term: int) -> None:
        """Follow in a newer term (Raft, section 5.1); a leader of an older one steps down.

        PySyncObj by itself would lead on, unheard, for a while.
        """
        if self._isLeader():
            self._SyncObj__raftElectionDeadline = monotonic() + self._SyncObj__generateRaftTimeout()
        self._SyncObj__setCurrentTerm(term, None)
        self._SyncObj__setState(_FOLLOWER)
        self._SyncObj__raftLeader = None

    def _SyncObj__onNodeConnected(self, node: MemberNode) -> None:  # noqa: N802
        self._progress[node] = Progress()
        if node in self._outgoing:
            # It says where to go on; a chunk that it has already would be sent for nothing.
            self._outgoing[node].offset = None
        super()._SyncObj__onNodeConnected(node)

    def _SyncObj__onBecomeLeader(self) -> None:  # noqa: N802
        self.note_leader(self.raftCurrentTerm, self.selfNode)
        self._progress = {each: Progress() for each in self._members}
        self._outgoing.clear()
        super()._SyncObj__onBecomeLeader()

    def _SyncObj__sendAppendEntries(self) -> None:  # noqa: N802
        """Send each follower what it lacks, or a sign of life."""
        self._announced = (self.raftCurrentTerm, self._journal.last_index, self.raftCommitIndex)
        self._SyncObj__newAppendEntriesTime = monotonic() + HEARTBEAT_PERIOD_S
        for node in self._members:
            if self.isNodeConnected(node):
                self._replicate(node, is_heartbeat=True)

    def _replicate(self, node: MemberNode, *, is_heartbeat: bool) -> None:
        """Send batches while there is news and room in flight; once even if there is no news."""
        progress, now_s = self._progress[node], monotonic()
        term, commit_index = self.raftCurrentTerm, self.raftCommitIndex
        while progress.may_send(now_s):
            previous = self._next_index(node) - 1
            if previous < self._journal.first_index:
                self._send_chunk(node, progress)
                return
            entries = cut_batch(self._journal.entries_from(previous + 1, BATCH_ENTRIES))
            if not (entries or is_heartbeat or progress.told_commit_index < commit_index):
                return
            is_heartbeat = False
            message = {
                "type": "append_entries",
                "term": term,
                "commit_index": commit_index,
                "entries": entries,
                "prevLogIdx": previous,
                "prevLogTerm": self._journal.term_at(previous),
            }
            self.send(node, message)
            progress.note_sent(now_s, commit_index)
            self._set_next_index(node, previous + len(entries) + 1)

    def _send_chunk(self, node: MemberNode, progress: Progress) -> None:
        """Send a part of the snapshot in place of entries that are no longer here.

        One at a time, as while probing: the answer to it says what is wanted next.
        """
        progress.is_probing = True
        outgoing = self._outgoing.get(node)
        if outgoing is None:
            assert self._journal.snapshot is not None
            outgoing = self._outgoing[node] = Outgoing(snapshot=self._journal.snapshot)
        chunk = outgoing.chunk(self.chunk_bytes)
        self.send(node, {"type": "snapshot_chunk", "term": self.raftCurrentTerm, **chunk})
        progress.note_sent(monotonic(), progress.told_commit_index)

    def _next_index(self, node: MemberNode) -> int:
        return int(self._SyncObj__raftNextIndex[node])

    def _set_next_index(self, node: MemberNode, index: int) -> None:
        # Entry 1 is in every log from birth, so 2 is the first that can be lacking.
        self._SyncObj__raftNextIndex[node] = max(2, min(index, self._journal.last_index + 1))
