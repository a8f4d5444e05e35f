"""The engine with one of its protections taken away, to see that the simulation notices.

The labels are those of ``docs/consensus.md``. Each is a context; what it patches is put back.
"""

# ruff: noqa: SLF001  (the engine's inside is what is broken here)

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from pysyncobj import SyncObj

from tars_peer.adapters.raft import elections, guard, journal
from tars_peer.adapters.raft.elections import Elections
from tars_peer.adapters.raft.engine import Engine
from tars_peer.adapters.raft.guard import LogView, Message
from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.leading import Leading
from tars_peer.adapters.raft.operations import Operations
from tars_peer.adapters.raft.replication import Progress

_patch = mock.patch.object


def _stale_answers_count() -> AbstractContextManager[Any]:
    take = Leading.take_answer

    def take_answer(self: Any, node: Any, message: Message) -> None:
        # Told of a newer term it still steps down; an older one passes for the current one.
        take(self, node, {**message, "term": max(message["term"], self.raftCurrentTerm)})

    return _patch(Leading, "take_answer", take_answer)


def _own_tail_is_vouched_for() -> AbstractContextManager[Any]:
    send = Engine._SyncObj__sendNextNodeIdx

    def send_next(self: Any, node: Any, *_: object, success: bool = False, **__: object) -> None:
        self._vouched_end = self._journal.last_index
        send(self, node, success=success)

    return _patch(Engine, "_SyncObj__sendNextNodeIdx", send_next)


def _commit_index_is_believed() -> AbstractContextManager[Any]:
    cut = guard.without_held

    def without_held(message: Message, log: LogView) -> Message:
        return {**cut(message, log), "commit_index": message["commit_index"]}

    return _patch(guard, "without_held", without_held)


def _old_batches_truncate() -> AbstractContextManager[Any]:
    def without_held(message: Message, _log: LogView) -> Message:
        end = message["prevLogIdx"] + len(message["entries"])
        return {**message, "commit_index": min(message["commit_index"], end)}

    return _patch(guard, "without_held", without_held)


def _votes_count_twice() -> AbstractContextManager[Any]:
    return _patch(Elections, "take_vote", SyncObj._SyncObj__onMessageReceived)


def _send_before_flush() -> AbstractContextManager[Any]:
    def flush(self: Any) -> None:
        self._outbox.flush_outbox()
        self._journal.flush()

    return _patch(Leading, "flush", flush)


def _commit_before_flush() -> AbstractContextManager[Any]:
    def move(self: Any, commit_index: int) -> None:
        self._commit_index = commit_index

    return _patch(SqliteJournal, "setRaftCommitIndex", move)


def _votes_are_forgotten() -> AbstractContextManager[Any]:
    return _patch(SqliteJournal, "getVotedForNodeId", lambda _: None)


def _failed_writes_are_shrugged_off() -> AbstractContextManager[Any]:
    return _patch(journal, "stop_for_storage", lambda *_: None)


def _operations_are_not_known() -> AbstractContextManager[Any]:
    return _patch(Operations, "is_known", lambda *_: False)


def _refusals_do_not_probe() -> AbstractContextManager[Any]:
    def note_refused(self: Progress, _optimistic: int, asked_next: int) -> int:
        self.note_answered()
        return asked_next

    return _patch(Progress, "note_refused", note_refused)


def _newer_terms_are_ignored() -> AbstractContextManager[Any]:
    return _patch(Leading, "follow_in", lambda *_: None)


def _chunks_commit() -> AbstractContextManager[Any]:
    take = Engine._take_chunk

    def take_chunk(self: Any, node: Any, message: Message) -> None:
        take(self, node, message)
        upto = min(message["index"], self._journal.last_index)
        if upto > self.raftCommitIndex:
            self._SyncObj__raftCommitIndex = upto
            self._journal.setRaftCommitIndex(upto)

    return _patch(Engine, "_take_chunk", take_chunk)


def _operations_are_not_restored() -> AbstractContextManager[Any]:
    return _patch(Operations, "restore", lambda *_: None)


def _nobody_is_asked() -> AbstractContextManager[Any]:
    ask = SyncObj._SyncObj__connectedToAnyone
    return _patch(Elections, "_SyncObj__connectedToAnyone", ask)


def _a_heard_leader_is_no_reason() -> AbstractContextManager[Any]:
    return _patch(elections, "ELECTION_SHORTEST_S", 0.0)


NOTHING = "nothing (the engine as it is)"
#: By what is missing; the contexts are made anew for each use.
WEAKENINGS: Mapping[str, Callable[[], AbstractContextManager[Any]]] = {
    NOTHING: contextlib.nullcontext,
    "S1: commit index limited to the message": _commit_index_is_believed,
    "S2: end at a failed write": _failed_writes_are_shrugged_off,
    "S3: old batches do not truncate": _old_batches_truncate,
    "S3: vouch only for the message": _own_tail_is_vouched_for,
    "S4: answers of older terms dropped": _stale_answers_count,
    "S5: voters counted, not votes": _votes_count_twice,
    "S8: an operation is decided once": _operations_are_not_known,
    "p24: a vote outlives its voter": _votes_are_forgotten,
    "flush before send": _send_before_flush,
    "flush before commit": _commit_before_flush,
    "probe after a refusal": _refusals_do_not_probe,
    "S1: a chunk commits nothing": _chunks_commit,
    "snapshot: operations are in it": _operations_are_not_restored,
    "step down in a newer term": _newer_terms_are_ignored,
    "pre-vote": _nobody_is_asked,
    "pre-vote: no while a leader is heard": _a_heard_leader_is_no_reason,
}


def weakened(name: str) -> AbstractContextManager[Any]:
    """Take one protection away for as long as the context lasts."""
    return WEAKENINGS[name]()
