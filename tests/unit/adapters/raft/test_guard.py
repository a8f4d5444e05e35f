"""Messages of a wrong form are dropped; good ones make PySyncObj do what Raft's paper says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tars_peer.adapters.raft import guard
from tars_peer.adapters.raft.journal_file import Entry
from tars_peer.adapters.raft.operations import digest_of, seal
from tars_peer.adapters.raft.snapshot import LARGEST_SNAPSHOT_BYTES
from tars_peer.adapters.raft.transfer import CHUNK_BYTES
from tars_peer.errors import CorruptError
from tars_peer.model.noun import OperationId
from tests.unit.adapters.raft.entries import Entries

APPEND: dict[str, Any] = {
    "type": "append_entries",
    "term": 3,
    "commit_index": 1,
    "entries": [[b"\x01", 3, 2], [b"\x01", 4, 3]],
    "prevLogIdx": 2,
    "prevLogTerm": 1,
}
COMMAND = seal(b"payload", digest_of(OperationId("one")))
GOOD: list[dict[str, Any]] = [
    APPEND,
    {"type": "next_node_idx", "term": 1, "next_node_idx": 2, "reset": False, "success": True},
    {"type": "request_vote", "term": 1, "last_log_index": 1, "last_log_term": 0},
    {"type": "response_vote", "term": 1},
    {"type": "pre_vote", "round": 1, "last_log_index": 1, "last_log_term": 0},
    {"type": "pre_vote_answer", "round": 1, "term": 1, "granted": True},
    {"type": "apply_command", "command": COMMAND},
    {
        "type": "snapshot_chunk",
        "term": 3,
        "index": 9,
        "size_bytes": 10,
        "checksum": b"s" * 32,
        "offset": 8,
        "data": b"12",
        "data_checksum": 1,
    },
    {"type": "snapshot_wish", "term": 3, "index": 9, "checksum": b"s" * 32, "offset": 2},
]
CHUNK = next(message for message in GOOD if message["type"] == "snapshot_chunk")


@pytest.mark.parametrize("message", GOOD, ids=lambda message: message["type"])
def test_what_members_say_is_understood(message: dict[str, Any]) -> None:
    checked = guard.check(message)
    assert checked["type"] == message["type"]
    if message is APPEND:
        assert checked["entries"] == [(b"\x01", 3, 2), (b"\x01", 4, 3)]


@pytest.mark.parametrize("message", GOOD, ids=lambda message: message["type"])
def test_a_missing_odd_or_surplus_field_is_refused(message: dict[str, Any]) -> None:
    for name in message:
        wrong: list[object] = [None, "text", -1, [[1]], {}]
        for bad in wrong:
            with pytest.raises(CorruptError):
                guard.check({**message, name: bad})
        with pytest.raises(CorruptError):
            guard.check({key: value for key, value in message.items() if key != name})
    with pytest.raises(CorruptError):
        guard.check({**message, "serialized": b"a snapshot"})


@pytest.mark.parametrize(
    "message",
    [
        None,
        ["status"],
        {},
        {"type": []},
        {"type": "timeout_now", "term": 1},
        {"type": "apply_command_response", "request_id": 1, "log_idx": 2, "log_term": 1},
        {"type": "append_entries", "term": 1, "commit_index": 9, "serialized": None},
        {"type": "apply_command", "command": b"\x02membership"},
        {"type": "apply_command", "command": b"\x01"},
        {**APPEND, "entries": [[b"\x01", 4, 2]]},
        {**APPEND, "entries": [[b"\x01", 3, 4]]},
        {**APPEND, "entries": [[b"\x01", 3, 0]]},
        {**APPEND, "entries": [["text", 3, 2, 1]]},
        {**APPEND, "term": True},
        {**CHUNK, "commit_index": 9},
        {**CHUNK, "offset": 9},
        {**CHUNK, "size_bytes": 0},
        {**CHUNK, "size_bytes": LARGEST_SNAPSHOT_BYTES + 1},
        {**CHUNK, "size_bytes": CHUNK_BYTES * 2, "data": b"1" * (CHUNK_BYTES + 1)},
        {**CHUNK, "checksum": b"s" * 31},
    ],
)
def test_what_members_never_say_is_refused(message: object) -> None:
    with pytest.raises(CorruptError):
        guard.check(message)


def _log(terms: list[int], tag: bytes) -> list[Entry]:
    return [(tag, number + 1, term) for number, term in enumerate(terms)]


def _as_pysyncobj_does(log: list[Entry], message: dict[str, Any]) -> list[Entry]:
    """What PySyncObj makes of the log (its lines 982 to 1006)."""
    previous = message["prevLogIdx"]
    if not 1 <= previous <= len(log) or log[previous - 1][2] != message["prevLogTerm"]:
        return log
    return log[:previous] + message["entries"]


def _as_the_paper_says(log: list[Entry], message: dict[str, Any]) -> list[Entry]:
    """Raft, figure 2, AppendEntries: one entry after the other, dropping only at a conflict."""
    previous = message["prevLogIdx"]
    if not 1 <= previous <= len(log) or log[previous - 1][2] != message["prevLogTerm"]:
        return log
    result = list(log)
    for entry in message["entries"]:
        position = entry[1] - 1
        if position < len(result) and result[position][2] != entry[2]:
            del result[position:]
        if position >= len(result):
            result.append(entry)
    return result


_terms = st.lists(st.integers(0, 4), min_size=1, max_size=8).map(sorted)


@given(_terms, _terms, st.data())
def test_the_log_becomes_what_the_paper_says(
    mine: list[int], leaders: list[int], data: st.DataObject
) -> None:
    # Entry 1 is the same in every log, and entries of equal index and term are equal.
    my_log, leader_log = _log([0, *mine], b"e"), _log([0, *leaders], b"e")
    previous = data.draw(st.integers(1, len(leader_log)))
    end = data.draw(st.integers(previous, len(leader_log)))
    message = {
        "type": "append_entries",
        "term": 5,
        "commit_index": data.draw(st.integers(1, 20)),
        "entries": leader_log[previous:end],
        "prevLogIdx": previous,
        "prevLogTerm": leader_log[previous - 1][2],
    }
    cut = guard.without_held(message, Entries(my_log))
    assert _as_pysyncobj_does(my_log, cut) == _as_the_paper_says(my_log, message)
    assert cut["commit_index"] == min(message["commit_index"], end)


def test_an_old_batch_does_not_delete_what_was_acknowledged_after_it() -> None:
    """Findings, S3: PySyncObj alone drops entries 3 and 4 here."""
    log = _log([0, 1, 1, 1], b"e")
    old = {**APPEND, "entries": [log[1]], "prevLogIdx": 1, "prevLogTerm": 0}
    assert _as_pysyncobj_does(log, old) == log[:2]
    assert _as_pysyncobj_does(log, guard.without_held(old, Entries(log))) == log
