"""The door of the ledger: what goes in comes out at its own index, and nothing stops the thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tars_peer.decide.decisions import Decisions
from tars_peer.errors import NoQuorumError, OvertakenError, RefusedError
from tars_peer.ledger.effect import Founded, PauseChanged
from tars_peer.ledger.entry import Clear, Pause, Report
from tars_peer.ledger.state import state_digest
from tars_peer.model.noun import ClusterId, PeerId
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.log import FakeLogHub
from tests.fakes.waiting import until
from tests.unit.ledger.members import (
    CLUSTER,
    founding,
    git_id,
    members,
    payload_of,
    private_key,
)

PAUSE = Pause(paused=True, reason="for a while")
GO_ON = Pause(paused=False, reason="")


class Door:
    """One peer's ledger on its thread, at a fake log."""

    def __init__(self, hub: FakeLogHub, name: str) -> None:
        """Join ``hub`` as ``name``."""
        self.events, self.clock = FakeEvents(), FakeClock()
        self.decisions = Decisions(
            me=PeerId(name),
            cluster_id=ClusterId(CLUSTER),
            private_key=private_key(name),
            clock=self.clock,
            events=self.events,
        )
        self.log = hub.join(PeerId(name), self.decisions.deliver)
        self.decisions.start()

    def submit(self, decision, operation=None):
        """Put ``decision`` to the log."""
        return self.decisions.submit(self.log, decision, timeout_s=5.0, operation=operation)


@pytest.fixture
def hub() -> FakeLogHub:
    return FakeLogHub()


@pytest.fixture
def door(hub) -> Iterator[Door]:
    door = Door(hub, "p1")
    yield door
    door.decisions.close()
    assert not door.decisions._thread.is_alive()  # noqa: SLF001  (a thread left over is a leak)


@pytest.fixture
def founded(door) -> Door:
    assert isinstance(door.submit(founding(members(3))), Founded)
    return door


def test_a_decision_is_answered_with_what_it_led_to(founded):
    effect = founded.submit(PAUSE)
    assert effect == PauseChanged(paused=True, reason="for a while")
    assert founded.decisions.state.paused
    assert founded.decisions.caught_up


def test_a_retry_is_answered_with_the_first_outcome_and_decides_nothing(founded, hub):
    first = founded.submit(PAUSE, "once")
    founded.submit(GO_ON)
    entries = len(hub.entries)
    assert founded.submit(PAUSE, "once") == first
    assert len(hub.entries) == entries
    assert not founded.decisions.state.paused


def test_an_operation_that_is_tried_again_after_a_lost_answer_counts_once(founded, hub):
    hub.has_quorum, hub.decides_late = False, True
    with pytest.raises(NoQuorumError):
        founded.submit(PAUSE, "once")
    hub.has_quorum, hub.decides_late = True, False
    assert founded.submit(PAUSE, "once") == PauseChanged(paused=True, reason="for a while")


def test_without_a_majority_it_says_so_and_nothing_changes(founded, hub):
    before = state_digest(founded.decisions.state)
    hub.has_quorum = False
    with pytest.raises(NoQuorumError):
        founded.submit(PAUSE)
    assert state_digest(founded.decisions.state) == before


def test_an_outcome_that_is_too_old_to_be_remembered_is_said_to_be_unknown(founded, hub):
    founded.submit(PAUSE, "old")
    for number in range(1_030):
        hub.append(PeerId("p1"), b"filler", f"filler {number}")
    until(lambda: founded.decisions.caught_up)
    with pytest.raises(NoQuorumError, match="outcome is not known") as caught:
        founded.submit(PAUSE, "old")
    assert "history" in caught.value.hint


def test_a_refusal_tells_somebody_was_quicker_from_somebody_said_no(founded):
    founded.submit(PAUSE)
    with pytest.raises(OvertakenError, match="known"):
        founded.submit(PAUSE)
    with pytest.raises(OvertakenError, match="founded"):
        founded.submit(founding(members(3)))
    with pytest.raises(RefusedError, match="unknown: 7 is not denied") as caught:
        founded.submit(Clear(generation=7))
    assert not isinstance(caught.value, OvertakenError)


def test_what_is_too_large_for_an_entry_never_reaches_the_log(founded, hub):
    runs = tuple(range(20_000))
    report = Report(
        generation=1,
        commit=git_id("c"),
        tree=git_id("t"),
        live=True,
        reason="",
        before_ns=runs,
        after_ns=runs,
    )
    entries = len(hub.entries)
    with pytest.raises(RefusedError, match="at most"):
        founded.submit(report)
    assert len(hub.entries) == entries


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff" * 100, b"{}", b"[" * 40_000, b'{"a":"\\ud800"}']
)
def test_garbage_in_the_log_does_not_stop_the_ledger(founded, hub, garbage):
    before = founded.decisions.state
    hub.append(PeerId("p1"), garbage, "garbage")
    founded.submit(PAUSE)
    assert founded.decisions.state.paused
    assert founded.decisions.state.generations == before.generations


def test_an_entry_signed_by_another_does_not_count(founded, hub):
    forged = payload_of("p2", PAUSE).replace(b'"author":"p2"', b'"author":"p3"')
    hub.append(PeerId("p1"), forged, "forged")
    until(lambda: founded.decisions.caught_up)
    assert not founded.decisions.state.paused


def test_listeners_hear_every_effect_in_order_with_its_index(door):
    heard = []
    door.decisions.listen(
        lambda index, state, effect: heard.append((index, state.index, type(effect).__name__))
    )
    door.submit(founding(members(3)))
    door.submit(PAUSE)
    until(lambda: len(heard) == 2)
    assert heard == [(2, 2, "Founded"), (3, 3, "PauseChanged")]


def test_a_listener_that_raises_is_told_of_and_stops_nobody(door):
    heard = []

    def broken(_index, _state, _effect):
        raise ZeroDivisionError("in a listener")

    door.decisions.listen(broken)
    door.decisions.listen(lambda index, _state, _effect: heard.append(index))
    door.submit(founding(members(3)))
    door.submit(PAUSE)
    until(lambda: heard == [2, 3])
    faults = door.events.of("fault")
    assert [fault.index for fault in faults] == [2, 3]
    assert "entry 2" in faults[0].text
    assert "in a listener" in faults[0].text


def test_two_ledgers_of_one_log_are_equal(founded, hub):
    founded.submit(PAUSE)
    late = Door(hub, "p2")
    until(lambda: late.decisions.state.index == founded.decisions.state.index)
    assert state_digest(late.decisions.state) == state_digest(founded.decisions.state)
    late.decisions.close()


def test_one_can_wait_for_the_ledger_to_move(founded):
    index = founded.decisions.state.index
    assert not founded.decisions.wait_past(index, 0.01)
    founded.submit(PAUSE)
    assert founded.decisions.wait_past(index, 0.0)


def test_it_is_caught_up_only_when_all_that_was_delivered_is_stepped_over():
    decisions = Decisions(
        me=PeerId("p1"),
        cluster_id=ClusterId(CLUSTER),
        private_key=private_key("p1"),
        clock=FakeClock(),
        events=FakeEvents(),
    )
    assert decisions.caught_up
    decisions.deliver(2, payload_of("p1", founding(members(3))))
    assert not decisions.caught_up
    decisions.start()
    until(lambda: decisions.caught_up)
    assert decisions.state.founded
    decisions.close()
