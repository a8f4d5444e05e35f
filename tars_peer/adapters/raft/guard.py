"""What a message from another member must look like, and the part of it that may be acted on.

PySyncObj believes every message and truncates its log without need (findings, S1, S3, S4). Pure
functions: a message and a view of the log in, values out. No state, no sending, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from tars_peer.adapters.raft.journal_file import Entry
from tars_peer.adapters.raft.operations import open_seal
from tars_peer.adapters.raft.snapshot import CHECKSUM_BYTES, LARGEST_SNAPSHOT_BYTES
from tars_peer.adapters.raft.transfer import CHUNK_BYTES
from tars_peer.errors import CorruptError

Message = dict[str, Any]

#: Fields of each kind of message that members exchange, apart from ``type``. What is not listed
#: here is not spoken: none of PySyncObj's snapshots (``snapshot_chunk`` is ours and carries no
#: commit index: findings, S1), no membership, no transfer of leadership, no answers to forwarded
#: commands (operations confirm themselves).
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "append_entries": {
        "term": int,
        "commit_index": int,
        "entries": list,
        "prevLogIdx": int,
        "prevLogTerm": int,
    },
    "next_node_idx": {"term": int, "next_node_idx": int, "reset": bool, "success": bool},
    "request_vote": {"term": int, "last_log_index": int, "last_log_term": int},
    "response_vote": {"term": int},
    "pre_vote": {"round": int, "last_log_index": int, "last_log_term": int},
    "pre_vote_answer": {"round": int, "term": int, "granted": bool},
    "apply_command": {"command": bytes},
    "snapshot_chunk": {
        "term": int,
        "index": int,
        "size_bytes": int,
        "checksum": bytes,
        "offset": int,
        "data": bytes,
        "data_checksum": int,
    },
    "snapshot_wish": {"term": int, "index": int, "checksum": bytes, "offset": int},
}


class LogView(Protocol):
    """The entries this node holds, by index."""

    @property
    def first_index(self) -> int:
        """The index of the first entry that is not only in a snapshot."""
        ...

    @property
    def last_index(self) -> int:
        """The index of the last entry."""
        ...

    def term_at(self, index: int) -> int:
        """Return the term of one entry between those two."""
        ...


def check(message: object) -> Message:
    """Return a message of exactly the known form, its entries as consecutive tuples.

    Raises:
        CorruptError: it is of another form; says which part.
    """
    kind = message.get("type") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(kind, str) or kind not in _FIELDS:
        raise CorruptError(f"a message of unknown kind {kind!r}", hint="are versions mixed?")
    fields = _FIELDS[kind]
    if message.keys() != {"type", *fields}:
        raise CorruptError(f"{kind} with fields {sorted(message)}", hint="are versions mixed?")
    for name, expected in fields.items():
        value = message[name]
        # `type is`, for bool is an int to isinstance; no number in this protocol is negative.
        if type(value) is not expected or (isinstance(value, int) and value < 0):
            raise CorruptError(f"{kind} with {name}={value!r:.80}", hint="are versions mixed?")
    if kind == "append_entries":
        return {**message, "entries": _check_entries(message)}
    if kind == "apply_command" and open_seal(message["command"]) is None:
        raise CorruptError("an empty command was forwarded", hint="are versions mixed?")
    if kind in {"snapshot_chunk", "snapshot_wish"}:
        _check_snapshot(message)
    return message


def _check_snapshot(message: Message) -> None:
    """Refuse sizes that do not fit together, before memory is given away for them."""
    size_bytes = message.get("size_bytes", LARGEST_SNAPSHOT_BYTES)
    data = message.get("data", b"")
    if (
        len(message["checksum"]) != CHECKSUM_BYTES
        or not 0 < size_bytes <= LARGEST_SNAPSHOT_BYTES
        or len(data) > CHUNK_BYTES
        or message["offset"] + len(data) > size_bytes
    ):
        raise CorruptError(
            f"{message['type']} with {len(data)} bytes at {message['offset']} of {size_bytes}",
            hint="are versions mixed?",
        )


def _check_entries(message: Message) -> list[Entry]:
    try:
        entries = msgspec.convert(message["entries"], list[Entry])
    except msgspec.ValidationError as error:
        raise CorruptError(f"entries of a wrong form: {error}", hint="mixed versions?") from error
    index, term = message["prevLogIdx"], message["prevLogTerm"]
    for entry in entries:
        if entry[1] != index + 1 or not term <= entry[2] <= message["term"]:
            raise CorruptError(
                f"entry {entry[1]} of term {entry[2]} after {index} of term {term}",
                hint="the sender breaks Raft's rules; look at its log",
            )
        index, term = entry[1], entry[2]
    return entries


def without_held(message: Message, log: LogView) -> Message:
    """Cut ``append_entries`` down so that PySyncObj truncates only at a real conflict.

    PySyncObj drops everything behind ``prevLogIdx`` before it adds; here entries already held
    are taken off the front, and where nothing is left, ``prevLogIdx`` is moved to our own end. The
    commit index is limited to what the message vouches for. Raft, section 5.3, step 3 and 5.
    """
    previous, entries = message["prevLogIdx"], message["entries"]
    end = previous + len(entries)
    limited = {**message, "commit_index": min(message["commit_index"], end)}
    if not log.first_index <= previous <= log.last_index:
        return limited
    if log.term_at(previous) != message["prevLogTerm"]:
        return limited
    held = 0
    while held < len(entries) and previous + held < log.last_index:
        if log.term_at(previous + held + 1) != entries[held][2]:
            break
        held += 1
    anchor = previous + held if held < len(entries) else log.last_index
    return {
        **limited,
        "prevLogIdx": anchor,
        "prevLogTerm": log.term_at(anchor),
        "entries": entries[held:],
    }
