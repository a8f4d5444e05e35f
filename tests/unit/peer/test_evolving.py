"""The wheel: whose turn it is, what follows from a refusal, and that nothing makes it spin."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import msgspec
import pytest

from tars_peer.decide.turn import proposing_rank
from tars_peer.errors import (
    NoQuorumError,
    OvertakenError,
    PermanentError,
    RefusedError,
    TemporaryError,
)
from tars_peer.model.ballot import Verdict
from tars_peer.peer.evolving import Evolving, Stages
from tests.fakes.clock import FakeClock
from tests.fakes.events import FakeEvents
from tests.fakes.log import FakeLogHub
from tests.fakes.waiting import until
from tests.unit.enact.test_gap import BEGUN, ROLLING
from tests.unit.gates.cases import POLICY
from tests.unit.ledger.members import ballot, change_on, some_closed

CHANGE = change_on(BEGUN.head, "sum")


@dataclass
class Wheel:
    """Stages that answer from fields, and the wheel that turns through them."""

    state: object = BEGUN
    changes: list = field(default_factory=lambda: [CHANGE])
    verdict: Verdict = Verdict.APPROVE
    outcome: object = field(default_factory=lambda: ROLLING.head)
    judged: list = field(default_factory=list)
    proposed: list = field(default_factory=list)
    without: list = field(default_factory=list)
    busy: bool = False
    head: str = ""
    place: int = 0

    def __post_init__(self) -> None:
        """Put the wheel together."""
        self.clock, self.events, self.hub = FakeClock(), FakeEvents(), FakeLogHub()
        order = sorted(self.peers(), key=lambda me: proposing_rank(BEGUN, me, self.peers()))
        self.me = order[self.place]
        for name in self.peers():
            log = self.hub.join(name, lambda _index, _payload: None)
            self.log = log if name == self.me else getattr(self, "log", log)
        self.evolving = Evolving(
            me=self.me,
            policy=POLICY,
            stages=Stages(
                engine=self,
                judge=self,
                proposer=self,
                decisions=self,
                worktree=SimpleNamespace(
                    head=lambda: self.head or self.state.head.commit, diff_trees=lambda *_: "a diff"
                ),
                log=self.log,
            ),
            events=self.events,
            clock=self.clock,
        )

    @staticmethod
    def peers() -> tuple[str, ...]:
        """Return the names of all."""
        return ("p1", "p2", "p3")

    def look(self, _state) -> None:
        """Stand for the engine's look."""

    def next_change(self, _state, *, without):
        """Stand for the engine."""
        self.without.append(without)
        for change in self.changes:
            if isinstance(change, Exception):
                raise change
            if change.fingerprint not in without:
                return change
        return None

    def ballot(self, change, *, timeout_s):
        """Stand for the judge."""
        self.judged.append((change, timeout_s))
        return ballot(self.me, change, verdict=self.verdict)

    def propose(self, change, own, *, timeout_s):
        """Stand for the proposer."""
        self.proposed.append((change, own.verdict, timeout_s))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def turns(self) -> bool:
        """Say whether the wheel begins a cycle now, on its thread, within a moment."""
        before = len(self.without)
        stopped = threading.Event()
        thread = threading.Thread(target=self.evolving.run, args=(stopped,))
        self.evolving._wake.set()  # noqa: SLF001  (``wake`` would begin the others' turn anew)
        thread.start()
        until(lambda: not self.evolving._wake.is_set())  # noqa: SLF001
        stopped.set()
        self.evolving._wake.set()  # noqa: SLF001
        thread.join(5)
        return len(self.without) > before


def test_a_change_goes_through_all_stages():
    wheel = Wheel()
    assert wheel.evolving.cycle() == "generation 1"
    ballot_s = POLICY.timeouts.ballot_ms / 1000
    assert wheel.judged == [(CHANGE, ballot_s)]
    assert wheel.proposed == [(CHANGE, Verdict.APPROVE, ballot_s)]
    assert [said.kind for said in wheel.events.said] == ["change", "ballot"]
    assert wheel.events.of("change")[0].data["diff"] == "a diff"


def test_our_own_refusal_is_said_and_taken_to_the_ledger():
    wheel = Wheel(verdict=Verdict.REFUSE, outcome=RefusedError("tests: 2 tests fail"))
    assert wheel.evolving.cycle() == "refused: tests: 2 tests fail"
    assert wheel.proposed[0][1] is Verdict.REFUSE
    assert wheel.events.of("refusal")[0].data["reason"] == "tests: 2 tests fail"


@pytest.mark.parametrize("fault", [RefusedError("no"), PermanentError("the entry is too large")])
def test_what_was_refused_is_not_tried_again_and_the_next_idea_is(fault):
    other = change_on(BEGUN.head, "other")
    wheel = Wheel(changes=[CHANGE, other], outcome=fault)
    for _ in range(2):
        assert wheel.evolving.cycle().startswith("refused")
    assert wheel.evolving.cycle() == "nothing left to gain"
    assert [change for change, *_ in wheel.proposed] == [CHANGE, other]


def test_what_the_ledger_lets_try_again_is_tried_again():
    wheel = Wheel(outcome=RefusedError("not proved"))
    wheel.state = msgspec.structs.replace(
        BEGUN, closed=(some_closed(CHANGE.fingerprint, final=False),)
    )
    for _ in range(2):
        assert wheel.evolving.cycle() == "refused: not proved"
    assert [change for change, *_ in wheel.proposed] == [CHANGE, CHANGE]


@pytest.mark.parametrize(
    "fault", [OvertakenError("stale: others"), TemporaryError("stale: made on")]
)
def test_being_overtaken_is_no_failure(fault):
    wheel = Wheel(outcome=fault)
    for _ in range(2):
        assert wheel.evolving.cycle().startswith("overtaken")
    assert len(wheel.proposed) == 2


def test_no_majority_is_no_refusal():
    wheel = Wheel(outcome=NoQuorumError("1 of 3 peers approve"))
    for _ in range(2):
        with pytest.raises(NoQuorumError):
            wheel.evolving.cycle()
    assert len(wheel.proposed) == 2


def test_idleness_is_said_once_a_head():
    wheel = Wheel(changes=[])
    for _ in range(3):
        assert wheel.evolving.cycle() == "nothing left to gain"
    assert len(wheel.events.of("idle")) == 1
    assert not wheel.turns()
    wheel.state = msgspec.structs.replace(BEGUN, generations=ROLLING.generations)
    wheel.evolving.cycle()
    assert len(wheel.events.of("idle")) == 2


def test_a_head_that_moved_while_we_looked_is_not_proposed_on():
    wheel = Wheel(state=ROLLING)
    assert "being rolled out" in wheel.evolving.cycle()
    assert not wheel.proposed


def test_the_one_whose_turn_it_is_begins():
    assert Wheel().turns()


@pytest.mark.parametrize("why", ["rolling", "paused", "busy", "behind", "no quorum", "not ready"])
def test_it_does_not_begin_while(why):
    wheel = Wheel()
    if why == "rolling":
        wheel.state = ROLLING
    elif why == "paused":
        wheel.state = msgspec.structs.replace(BEGUN, paused=True)
    elif why == "busy":
        wheel.busy = True
    elif why == "behind":
        wheel.head = "0" * 40
    elif why == "no quorum":
        wheel.hub.has_quorum = False
    else:
        wheel.hub.hold(wheel.me)
    assert not wheel.turns()


def test_one_whose_turn_it_is_not_waits_its_time_and_no_longer():
    wheel = Wheel(place=2)
    assert not wheel.turns()
    wheel.clock.sleep(89)
    assert not wheel.turns()
    wheel.clock.sleep(2)
    assert wheel.turns()
    wheel.evolving.wake()
    assert not wheel.turns()


@pytest.mark.parametrize("fault", [NoQuorumError("alone"), ZeroDivisionError("in a rule")])
def test_no_fault_ends_the_wheel_or_makes_it_spin(fault):
    wheel = Wheel(changes=[fault])
    stopped, pace = threading.Event(), threading.Event()
    thread = threading.Thread(target=wheel.evolving.run, args=(stopped,))
    thread.start()
    until(lambda: bool(wheel.events.of("fault")))
    wheel.evolving.wake()
    pace.wait(0.3)
    assert len(wheel.events.of("fault")) == 1
    assert str(fault) in wheel.events.texts("fault")[0]
    assert thread.is_alive()
    stopped.set()
    thread.join(5)
    assert not thread.is_alive()
