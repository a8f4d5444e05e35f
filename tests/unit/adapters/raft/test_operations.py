"""Envelopes, and who is woken when."""

from __future__ import annotations

import pytest

from tars_peer.adapters.raft.operations import (
    LARGEST_PAYLOAD_BYTES,
    REMEMBERED_ENTRIES,
    RESUBMIT_PERIOD_S,
    Operations,
    digest_of,
    open_seal,
    seal,
)
from tars_peer.errors import CorruptError, PermanentError
from tars_peer.model.noun import OperationId

DIGEST = digest_of(OperationId("one"))


@pytest.mark.parametrize("size_bytes", [0, 1, LARGEST_PAYLOAD_BYTES])
def test_what_is_sealed_opens_again(size_bytes: int) -> None:
    payload = b"\x80" * size_bytes
    assert open_seal(seal(payload, DIGEST)) == (DIGEST, payload)


def test_a_payload_too_large_is_refused() -> None:
    with pytest.raises(PermanentError, match="98305 bytes; the log takes 98304"):
        seal(b"x" * (LARGEST_PAYLOAD_BYTES + 1), DIGEST)


def test_an_empty_entry_is_nobodys() -> None:
    assert open_seal(b"\x01") is None


@pytest.mark.parametrize(
    "command",
    [
        b"",
        b"\x00",
        b"\x00\x02" + DIGEST + b"newer version",
        b"\x00\x01" + DIGEST[:-1],
        b"\x02membership",
        b"\x03version",
        b"\x01x",
        b"\x00\x01" + DIGEST + b"x" * (LARGEST_PAYLOAD_BYTES + 1),
    ],
)
def test_anything_else_is_not_opened(command: bytes) -> None:
    with pytest.raises(CorruptError):
        open_seal(command)


def test_digests_differ_and_stay() -> None:
    assert digest_of(OperationId("two")) != DIGEST
    # In every log that exists: a change of this value would deliver old operations again.
    assert DIGEST.hex() == "c88d4df74262143a08e9d190e3bd67f1"


def test_all_callers_of_an_operation_are_woken_with_its_index() -> None:
    operations = Operations()
    callers = [operations.wait_for(DIGEST, b"command") for _ in range(3)]
    operations.settle(DIGEST, 7)
    assert [caller.settled.is_set() for caller in callers] == [True] * 3
    assert {caller.index for caller in callers} == {7}
    assert operations.wait_for(DIGEST, b"command").index == 7
    assert operations.is_known(DIGEST, 8)
    assert not operations.due(0.0)


def test_an_operation_is_due_at_once_then_again_after_a_while_or_with_a_new_leader() -> None:
    operations = Operations()
    operations.wait_for(DIGEST, b"command")
    assert operations.due(10.0) == [b"command"]
    assert operations.due(10.0 + RESUBMIT_PERIOD_S / 2) == []
    assert operations.due(10.0 + RESUBMIT_PERIOD_S) == [b"command"]
    operations.make_all_due()
    assert operations.due(10.0 + RESUBMIT_PERIOD_S) == [b"command"]


def test_an_operation_is_submitted_until_its_last_caller_gives_up() -> None:
    operations = Operations()
    first, second = (operations.wait_for(DIGEST, b"command") for _ in range(2))
    operations.forget(first)
    assert operations.due(0.0) == [b"command"]
    operations.forget(second)
    operations.make_all_due()
    assert operations.due(0.0) == []


def test_closing_wakes_everybody_with_nothing() -> None:
    operations = Operations()
    waiting = operations.wait_for(DIGEST, b"command")
    operations.close()
    late = operations.wait_for(digest_of(OperationId("late")), b"command")
    for caller in (waiting, late):
        assert caller.settled.is_set()
        assert caller.index is None


def test_operations_are_forgotten_at_the_same_entry_by_all() -> None:
    whole, restored = Operations(), Operations()
    whole.settle(b"1" * 16, 10)
    restored.restore(dict(whole.remembered_at(10)), 10)
    for each in (whole, restored):
        assert each.is_known(b"1" * 16, 10 + REMEMBERED_ENTRIES)
        assert not each.is_known(b"1" * 16, 11 + REMEMBERED_ENTRIES)
        each.settle(b"2" * 16, 10 + REMEMBERED_ENTRIES)
    assert whole.remembered_at(10 + REMEMBERED_ENTRIES) == [(b"2" * 16, 10 + REMEMBERED_ENTRIES)]
