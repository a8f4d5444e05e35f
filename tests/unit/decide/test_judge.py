"""Our own ballot: made once a change, remembered, and never made on another base than the head."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tars_peer.decide.judge import Judge
from tars_peer.errors import CorruptError, TemporaryError
from tars_peer.gates.ladder import Report
from tars_peer.ledger.parcel import change_id
from tars_peer.ledger.signature import is_ballot_of
from tars_peer.ledger.step import step
from tars_peer.model.ballot import GateResult, Verdict
from tars_peer.model.noun import PeerId
from tests.fakes.store import FakeStore
from tests.fakes.waiting import until
from tests.unit.ledger.members import (
    acceptance,
    begun,
    change_on,
    measured,
    member,
    payload_of,
    private_key,
    some_closed,
)

BEGUN = begun(3)
CHANGE = change_on(BEGUN.head, "sum")
GATES = tuple(
    GateResult(gate=f"g{number}", passed=True, reason="") for number in (10, 20, 30, 40, 50, 60, 70)
)
GOOD = Report(gates=GATES, tests_passed=12, measurement=measured())
BAD = Report(
    gates=(*GATES[:4], GateResult(gate="g50", passed=False, reason="test_sum fails")),
    tests_passed=11,
    measurement=None,
)


class Court:
    """A judge with an examination that a test holds up and answers."""

    def __init__(self, *, store=None, state=BEGUN, key_of="p1", report=GOOD) -> None:
        """Judge as p1."""
        self.state, self.report = state, report
        self.store = store or FakeStore()
        self.examined: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.arrived = threading.Event()
        self.moves: list = []
        self.judge = Judge(
            me=PeerId("p1"),
            private_key=private_key(key_of),
            examine=self.examine,
            state=lambda: self.state,
            wait_past=self.wait_past,
            store=self.store,
            sandbox="bubblewrap",
        )

    def examine(self, change, cancelled):
        """Wait until the test says so, or until it is cancelled."""
        self.examined.append(change_id(change))
        self.arrived.set()
        until(lambda: self.go_on.is_set() or cancelled())
        if cancelled():
            raise TemporaryError("dismissed")
        if isinstance(self.report, Exception):
            raise self.report
        return self.report

    def wait_past(self, index, _timeout_s):
        """Let the next of ``moves`` happen; time out where there is none."""
        if self.moves:
            self.state = self.moves.pop(0)
        return self.state.index > index


def test_an_approval_carries_all_that_was_seen_and_our_signature():
    court = Court()
    ballot = court.judge.ballot(CHANGE, timeout_s=1)
    assert ballot.verdict is Verdict.APPROVE
    assert (ballot.voter, ballot.cluster_id, ballot.sandbox) == ("p1", "orchard", "bubblewrap")
    assert (ballot.gates, ballot.tests_passed, ballot.measurement) == (GATES, 12, measured())
    assert ballot.change_id == change_id(CHANGE)
    assert is_ballot_of(ballot, member("p1").ballot_key)
    assert not court.judge.busy


def test_a_refusal_names_the_gate():
    ballot = Court(report=BAD).judge.ballot(CHANGE, timeout_s=1)
    assert ballot.verdict is Verdict.REFUSE
    assert ballot.reason == "g50: test_sum fails"


def test_two_who_ask_for_the_same_change_share_one_examination():
    court = Court()
    court.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(court.judge.ballot, CHANGE, timeout_s=10)
        assert court.arrived.wait(10)
        assert court.judge.busy
        second = pool.submit(court.judge.ballot, CHANGE, timeout_s=10)
        court.go_on.set()
        assert first.result(10) == second.result(10)
    assert len(court.examined) == 1


def test_who_asks_twice_in_turn_gets_the_same_ballot():
    court = Court()
    first = court.judge.ballot(CHANGE, timeout_s=1)
    court.report = BAD
    assert court.judge.ballot(CHANGE, timeout_s=1) == first
    assert len(court.examined) == 1


def test_one_who_waits_too_long_is_told_that_it_is_still_examined():
    court = Court()
    court.go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(court.judge.ballot, CHANGE, timeout_s=10)
        assert court.arrived.wait(10)
        with pytest.raises(TemporaryError, match="still examining"):
            court.judge.ballot(CHANGE, timeout_s=0.05)
        court.go_on.set()
        assert first.result(10).verdict is Verdict.APPROVE


def test_a_dismissed_examination_ends_and_can_be_asked_for_again():
    court = Court()
    court.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(court.judge.ballot, CHANGE, timeout_s=10) for _ in range(2)]
        assert court.arrived.wait(10)
        court.judge.dismiss(change_id(CHANGE))
        for each in asked:
            assert isinstance(each.exception(10), TemporaryError)
    court.go_on.set()
    assert not court.judge.busy
    assert not court.store.kept
    assert court.judge.ballot(CHANGE, timeout_s=1).verdict is Verdict.APPROVE


def test_dismissing_what_is_done_or_unknown_changes_nothing():
    court = Court()
    ballot = court.judge.ballot(CHANGE, timeout_s=1)
    court.judge.dismiss(change_id(CHANGE))
    court.judge.dismiss("0" * 64)
    assert court.judge.ballot(CHANGE, timeout_s=1) == ballot
    assert len(court.examined) == 1


@pytest.mark.parametrize("error", [CorruptError("a blob is missing"), ZeroDivisionError("ours")])
def test_an_examination_that_fails_is_no_verdict_and_is_tried_again(error):
    court = Court(report=error)
    for _ in range(2):
        with pytest.raises(type(error)):
            court.judge.ballot(CHANGE, timeout_s=1)
    assert len(court.examined) == 2
    assert not court.store.kept
    assert not court.judge.busy


def test_a_ballot_is_remembered_over_a_restart():
    store = FakeStore()
    ballot = Court(store=store).judge.ballot(CHANGE, timeout_s=1)
    again = Court(store=store, report=BAD)
    assert again.judge.ballot(CHANGE, timeout_s=1) == ballot
    assert not again.examined


def test_a_disk_that_keeps_nothing_does_not_cost_the_ballot():
    def full():
        raise TemporaryError("the disk is full")

    court = Court(store=FakeStore(fuse=full))
    assert court.judge.ballot(CHANGE, timeout_s=1).verdict is Verdict.APPROVE


def test_an_idea_that_may_be_tried_again_is_examined_anew_once_a_try():
    court = Court()
    for tries in (0, 0, 1, 1, 2):
        doubted = some_closed(CHANGE.fingerprint, tries=tries, final=False)
        court.state = msgspec.structs.replace(BEGUN, closed=(doubted,) if tries else ())
        court.judge.ballot(CHANGE, timeout_s=1)
        assert len(court.examined) == tries + 1
    again = Court(store=court.store, state=court.state)
    again.judge.ballot(CHANGE, timeout_s=1)
    assert not again.examined


@pytest.mark.parametrize("what", ["key", "cluster", "change", "damage"])
def test_a_remembered_ballot_that_is_not_ours_on_this_is_made_anew(what):
    store = FakeStore()
    Court(store=store).judge.ballot(CHANGE, timeout_s=1)
    (kept,) = store.kept
    state, key_of = BEGUN, "p1"
    if what == "key":
        key_of = "p9"
    elif what == "cluster":
        state = msgspec.structs.replace(BEGUN, cluster_id="meadow")
    elif what == "change":
        other = Court(report=BAD)
        elsewhere = change_on(BEGUN.head, "other")
        other.judge.ballot(elsewhere, timeout_s=1)
        store.kept[kept] = other.store.kept["ballot", f"{change_id(elsewhere)}.0"]
    else:
        store.kept[kept] = b"{"
    court = Court(store=store, state=state, key_of=key_of)
    ballot = court.judge.ballot(CHANGE, timeout_s=1)
    assert court.examined == [change_id(CHANGE)]
    assert (ballot.change_id, ballot.cluster_id) == (change_id(CHANGE), state.cluster_id)
    assert is_ballot_of(ballot, member("p1", key_of=key_of).ballot_key)


def grown():
    """Return the state with CHANGE as its head."""
    payload = payload_of("p1", acceptance(CHANGE, ["p1", "p2"]))
    state, _ = step(BEGUN, BEGUN.index + 1, payload)
    assert state.head.number == 1
    return state


def test_a_change_on_an_older_head_is_stale():
    court = Court(state=grown())
    with pytest.raises(TemporaryError, match="stale: made on generation 0, the head is 1"):
        court.judge.ballot(CHANGE, timeout_s=1)
    assert not court.examined


@pytest.mark.parametrize("field", ["base_commit", "base_tree"])
def test_a_change_that_lies_about_its_base_is_not_examined(field):
    court = Court()
    lie = msgspec.structs.replace(CHANGE, **{field: "e" * 40})
    with pytest.raises(TemporaryError, match="stale"):
        court.judge.ballot(lie, timeout_s=1)
    assert not court.examined


def test_a_peer_that_is_behind_waits_for_its_base_through_other_entries():
    after = grown()
    change = change_on(after.head, "next")
    between = msgspec.structs.replace(BEGUN, index=BEGUN.index + 1)
    court = Court()
    court.moves = [between, msgspec.structs.replace(after, index=BEGUN.index + 2)]
    assert court.judge.ballot(change, timeout_s=1).verdict is Verdict.APPROVE


def test_a_peer_that_stays_behind_says_which_generation_it_lacks():
    court = Court()
    with pytest.raises(TemporaryError, match="p1 has not got generation 1 yet"):
        court.judge.ballot(change_on(grown().head, "next"), timeout_s=1)
    assert not court.examined
