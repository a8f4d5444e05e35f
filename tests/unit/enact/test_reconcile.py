"""The loop of the hands: nothing ends it but its own stop, and it never spins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

from tars_peer.enact.gap import Step
from tars_peer.enact.reconcile import Patience, Reconciler
from tars_peer.errors import OvertakenError, RefusedError
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.log import FakeLogHub
from tests.fakes.runtime import FakeRuntime
from tests.fakes.waiting import until
from tests.unit.ledger.members import begun


class Hands:
    """Stands for the deployer: ``START`` calls ``deed``."""

    def __init__(self, deed: Callable[[], None]) -> None:
        """Do ``deed`` when told to start."""
        self.deed = deed
        self.started = 0

    def verdict(self, _state: object) -> None:
        return None

    def tidy(self, _state: object) -> None:
        pass

    def start(self, _state: object) -> None:
        self.started += 1
        self.deed()


def running(deed: Callable[[], None]):
    """Return hands, events, a reconciler and the event that stops it."""
    hub, hands, events = FakeLogHub(), Hands(deed), FakeEvents()
    log = hub.join("p1", lambda _index, _payload: None)
    state = begun(1)
    always = SimpleNamespace(applied=lambda: True, is_measured=lambda _generation: False)
    reconciler = Reconciler(
        me="p1",
        state=lambda: state,
        caught_up=lambda: True,
        log=log,
        applier=always,
        deployer=hands,
        prober=always,
        runtime=FakeRuntime(),
        submit=lambda _decision: None,
        clock=FakeClock(),
        events=events,
        patience=Patience(grace_ms=1, patience_ms=1, stuck_ms=1),
    )
    return hands, events, reconciler


def run_until(reconciler: Reconciler, condition: Callable[[], bool]) -> None:
    """Run the loop on its thread until ``condition``, and stop it."""
    stopped = threading.Event()
    thread = threading.Thread(target=reconciler.run, args=(stopped,))
    thread.start()
    try:
        until(condition)
    finally:
        stopped.set()
        thread.join(5)
    assert not thread.is_alive()


def raising(error: Exception) -> Callable[[], None]:
    """Return a deed that raises ``error``."""

    def deed() -> None:
        raise error

    return deed


def test_an_error_nobody_foresaw_is_said_and_does_not_end_the_hands():
    hands, events, reconciler = running(raising(OSError("no space left on device")))
    run_until(reconciler, lambda: hands.started > 1)
    assert events.texts("fault") == ["OSError('no space left on device')"]


def test_an_error_of_ours_is_said_once_and_tried_again():
    hands, events, reconciler = running(raising(RefusedError("not now")))
    run_until(reconciler, lambda: hands.started > 1)
    assert events.texts("fault") == ["not now"]
    assert reconciler.last_error == "not now"


def test_a_step_that_changes_nothing_is_not_taken_in_a_hot_loop():
    hands, _, reconciler = running(lambda: None)
    pace = threading.Event()
    run_until(reconciler, lambda: hands.started > 1 and not pace.wait(0.3))
    assert hands.started < 5


def test_being_overtaken_does_not_fill_the_log():
    hands, events, reconciler = running(raising(OvertakenError("known: by another")))
    pace = threading.Event()
    run_until(reconciler, lambda: hands.started > 1 and not pace.wait(0.3))
    assert hands.started < 10
    assert not events.said


def test_without_its_entries_the_hands_do_nothing():
    hands, _, reconciler = running(lambda: None)
    reconciler._caught_up = lambda: False  # noqa: SLF001  (one line instead of another fake)
    assert reconciler.step() is Step.NOTHING
    assert hands.started == 0
