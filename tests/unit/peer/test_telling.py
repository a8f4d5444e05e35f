"""What watchers hear: one event for each effect, and of the leader only what changes."""

from __future__ import annotations

import threading

import pytest

from tars_peer.ledger.effect import Cleared, Learned, PauseChanged, Refused
from tars_peer.ledger.entry import Pause, Promote, Rollback
from tars_peer.ledger.state import EMPTY
from tars_peer.ledger.step import step
from tars_peer.peer.telling import tell_effect, watch_leader
from tests.fakes.events import FakeEvents
from tests.fakes.log import FakeLogHub
from tests.fakes.waiting import until
from tests.unit.enact.test_gap import (
    ALL_LIVE,
    BEGUN,
    CANARY,
    CANARY_FAILED,
    COMPARED,
    PARTIAL,
    ROLLING,
    live,
)
from tests.unit.ledger.members import acceptance, change_on, founding, members, payload_of


def heard(state, author, decision):
    """Return what is said when ``decision`` is stepped over."""
    events = FakeEvents()
    index = state.index + 1
    after, effects = step(state, index, payload_of(author, decision))
    for effect in effects:
        tell_effect(events, index, after, effect)
    assert {said.index for said in events.said} == {index}
    return [(said.kind, said.text, said.data) for said in events.said]


def test_the_beginning():
    ((kind, _, data),) = heard(EMPTY, "p1", founding(members(3)))
    assert (kind, data) == ("founded", {"commit": BEGUN.head.commit})


def test_a_decision_and_the_first_step_of_its_rollout():
    change = change_on(BEGUN.head, "sum")
    first, second = heard(BEGUN, "p1", acceptance(change, ["p1", "p2"]))
    assert first == (
        "decision",
        "generation 1: hoist at orchard.py:sum",
        {"approvals": ["p1", "p2"], "ratio_ppm": 1_100_000},
    )
    assert second == (
        "rollout",
        "canary: 1 of 3 may switch",
        {"stage": "canary", "target": 1, "order": list(ROLLING.rollout.order)},
    )


def test_a_report():
    ((kind, text, data),) = heard(ROLLING, CANARY, live(ROLLING))
    assert (kind, text, data) == ("report", f"{CANARY}: live", {"reporter": CANARY})


def test_a_comparison_and_the_next_step():
    compared, rollout = heard(COMPARED, "p1", Promote(generation=1, target=1))
    assert compared == (
        "compared",
        "live, the new generation is 1.000x as fast: not worse",
        {"ratio_ppm": 1_000_000, "verdict": "not worse"},
    )
    assert rollout[:2] == ("rollout", "partial: 2 of 3 may switch")


def test_the_end_of_a_rollout():
    _, (kind, text, data) = heard(ALL_LIVE, "p1", Promote(generation=1, target=3))
    assert kind == "complete"
    assert text.startswith("generation 1 is live on ")
    assert data == {"stage": "complete", "kind_of": "change", "ratio_ppm": 1_100_000}


def test_a_rollback():
    back = Rollback(generation=1, to=0, automatic=True, reason="it hangs")
    ((kind, text, data),) = heard(CANARY_FAILED, "p1", back)
    assert (kind, text) == ("rollback", "generation 1 is taken back: it hangs")
    assert data == {"to": BEGUN.head.tree, "reason": "it hangs"}


def test_a_pause_and_what_was_not_followed():
    ((kind, text, _),) = heard(BEGUN, "p1", Pause(paused=True, reason="lunch"))
    assert (kind, text) == ("paused", "lunch")
    ((kind, text, _),) = heard(BEGUN, "p1", Pause(paused=False, reason=""))
    assert (kind, text) == ("not-followed", "known: nothing changes by that")


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (PauseChanged(paused=False, reason=""), "resumed"),
        (Cleared(generation=3), "cleared"),
        (Learned(improvement="hoist", fingerprint="f", reason="p2: no"), "refusal"),
        (Refused(code="malformed", reason="not an entry"), "not-followed"),
    ],
)
def test_every_other_effect_has_its_word(effect, kind):
    events = FakeEvents()
    for state in (EMPTY, PARTIAL):
        tell_effect(events, 7, state, effect)
    assert [said.kind for said in events.said] == [kind, kind]


def test_the_leader_and_the_quorum_are_told_when_they_change():
    hub, events, stopped = FakeLogHub(), FakeEvents(), threading.Event()
    log = hub.join("p1", lambda _index, _payload: None)
    thread = threading.Thread(target=watch_leader, args=(events, log, stopped))
    thread.start()
    until(lambda: events.texts("leader") == ["p1 leads"])
    hub.has_quorum = False
    until(lambda: len(events.of("no-quorum")) == 1)
    hub.has_quorum = True
    until(lambda: len(events.of("quorum")) == 1)
    hub.elect("p2")
    until(lambda: events.texts("leader") == ["p1 leads", "p2 leads"])
    stopped.set()
    thread.join(5)
    assert len(events.said) == 4
