"""The ledger's state for the log: given when it may be, and taken only when it is right."""

from __future__ import annotations

import msgspec
import pytest

from tars_peer.decide.decisions import Decisions
from tars_peer.errors import NoQuorumError
from tars_peer.ledger.canon import digest_of_bytes
from tars_peer.ledger.entry import Pause
from tars_peer.ledger.keeping import decode_state, encode_state
from tars_peer.ledger.state import EMPTY, state_digest
from tars_peer.ledger.step import step
from tars_peer.model.noun import ClusterId, OperationId, PeerId
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.keeper import Prompt
from tests.fakes.log import FakeLogHub
from tests.fakes.waiting import until
from tests.unit.ledger.members import CLUSTER, founding, members, payload_of, private_key

FOUNDING = payload_of("p1", founding(members(3)))
PAUSE = payload_of("p1", Pause(paused=True, reason="for a while"))


@pytest.fixture
def state():
    state, _ = step(EMPTY, 2, FOUNDING)
    state, _ = step(state, 5, PAUSE)
    assert state.paused
    return state


def _decisions() -> Decisions:
    return Decisions(
        me=PeerId("p1"),
        cluster_id=ClusterId(CLUSTER),
        private_key=private_key("p1"),
        clock=FakeClock(),
        events=FakeEvents(),
    )


def test_a_state_comes_back_as_it_was(state):
    raw = encode_state(state)
    assert raw[:64].decode() == state_digest(state)
    assert decode_state(raw, 5) == state
    assert encode_state(decode_state(raw, 5)) == raw


def _with_digest(content: bytes) -> bytes:
    return digest_of_bytes("state", content).encode() + b"\n" + content


def _bad(raw: bytes) -> dict[str, tuple[bytes, str]]:
    content = raw[65:]
    return {
        "nothing": (b"", "does not match its digest"),
        "cut": (raw[:-1], "does not match its digest"),
        "flipped": (raw.replace(b'"paused":true', b'"paused":tru3'), "does not match its digest"),
        "other digest": (b"0" * 64 + raw[64:], "does not match its digest"),
        "no JSON": (_with_digest(b"\xff"), "unknown form"),
        "deep": (_with_digest(b"[" * 50_000), "unknown form"),
        "newer": (_with_digest(content[:-1] + b',"zeal":1}'), "unknown form"),
        "lone surrogate": (
            _with_digest(content.replace(b"for a while", b"\\ud800")),
            "unknown form",
        ),
        "negative": (_with_digest(content.replace(b'"index":5', b'"index":-5')), "unknown form"),
        "spaced": (_with_digest(b" " + content), "canonical"),
        "later": (_with_digest(content.replace(b'"index":5', b'"index":6')), "after entry 6"),
    }


@pytest.mark.parametrize("kind", _bad(b""))
def test_a_state_that_is_wrong_is_not_taken_and_the_reason_is_said(state, kind):
    raw, reason = _bad(encode_state(state))[kind]
    decisions = _decisions()
    assert reason in Prompt(decisions).restore(5, raw)
    assert decisions.state == EMPTY
    assert decisions.caught_up


def test_a_restored_ledger_goes_on_as_if_it_had_stepped(state):
    decisions = _decisions()
    heard = []
    decisions.listen(lambda *heard_of: heard.append(heard_of))
    assert decisions.restore(5, encode_state(state)) == ""
    assert not decisions.caught_up
    decisions.deliver(6, payload_of("p1", Pause(paused=False, reason="")))
    decisions.start()
    until(lambda: decisions.caught_up)
    assert decisions.state == step(state, 6, payload_of("p1", Pause(paused=False, reason="")))[0]
    assert [index for index, _, _ in heard] == [6]
    decisions.close()


def test_an_older_state_is_left(state):
    decisions = _decisions()
    decisions.step_over(2, FOUNDING)
    decisions.step_over(9, PAUSE)
    ahead = decisions.state
    assert Prompt(decisions).restore(5, encode_state(state)) == ""
    assert decisions.state == ahead


def test_a_state_is_given_once_and_only_when_its_generations_are_enacted():
    decisions = _decisions()
    keeper = Prompt(decisions)
    assert keeper.captured() is None
    decisions.step_over(2, FOUNDING)
    keeper.capture(2)
    assert keeper.captured() is None
    decisions.note_enacted(0)
    captured = keeper.captured()
    assert captured is not None
    assert decode_state(captured[1], captured[0]) == decisions.state
    assert keeper.captured() is None


def test_a_state_that_has_moved_on_is_not_captured(state):
    decisions = _decisions()
    keeper = Prompt(decisions)
    keeper.restore(5, encode_state(state))
    decisions.note_enacted(0)
    keeper.capture(4)
    assert keeper.captured() is None


def test_who_waits_past_an_index_is_woken_by_a_restored_state(state):
    decisions = _decisions()
    Prompt(decisions).restore(5, encode_state(state))
    assert decisions.wait_past(4, 0.0)


def test_the_outcome_of_a_decision_in_the_snapshot_is_said_to_be_unknown():
    hub, first = FakeLogHub(), _decisions()
    first.start()
    log = hub.join(PeerId("p1"), first.deliver, first)
    log.append(FOUNDING, operation=OperationId("begin"), timeout_s=1)
    first.note_enacted(0)
    until(lambda: first.caught_up)
    until(lambda: hub.compact(PeerId("p1")))
    first.close()
    again = _decisions()
    again.start()
    log = hub.join(PeerId("p1"), again.deliver, again)
    with pytest.raises(NoQuorumError, match="outcome is not known"):
        again.submit(log, founding(members(3)), timeout_s=1.0, operation="begin")
    assert msgspec.structs.replace(again.state) == first.state
    again.close()
