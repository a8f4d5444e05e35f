"""How a ledger begins: once, by the leader, as all were started; one who differs stands apart."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import msgspec
import pytest

from tars_peer.config.home import PeerEntry
from tars_peer.errors import NoQuorumError, OvertakenError, RefusedError
from tars_peer.ledger.canon import digest
from tars_peer.ledger.entry import encode_entry
from tars_peer.ledger.signature import public_key
from tars_peer.ledger.state import EMPTY
from tars_peer.ledger.step import step
from tars_peer.peer.founding import found, founding_fault, members_of
from tests.fakes.events import FakeEvents
from tests.fakes.home import some_home
from tests.fakes.log import FakeLogHub
from tests.fakes.waiting import until
from tests.unit.gates.cases import POLICY
from tests.unit.ledger.members import entry_of, private_key


@pytest.fixture
def home(tmp_path):
    peers = tuple(
        PeerEntry(
            id=name,
            address=f"127.0.0.1:700{number}",
            service_port=7200 + number,
            ballot_key=public_key(private_key(name)),
        )
        for number, name in enumerate(("p1", "p2", "p3"))
    )
    return some_home(tmp_path, peers=peers)


class Beginning:
    """p1 founding on a thread, with a ledger behind it."""

    def __init__(self, home, *, me="p1") -> None:
        """Prepare; nothing runs yet."""
        self.home, self.me = home, me
        self.hub, self.events, self.stopped = FakeLogHub(), FakeEvents(), threading.Event()
        self.log = self.hub.join(me, lambda _index, _payload: None)
        self.state = EMPTY
        self.faults: list[Exception] = []
        self.submitted: list = []
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        """Do what the peer does."""
        found(
            self.home,
            self.me,
            POLICY,
            log=self.log,
            state=lambda: self.state,
            submit=self.submit,
            events=self.events,
            stopped=self.stopped,
        )

    def submit(self, decision) -> None:
        """Step the ledger, or raise the next fault."""
        self.submitted.append(decision)
        if self.faults:
            raise self.faults.pop(0)
        payload = encode_entry(entry_of(self.me, decision, cluster=self.home.cluster_id))
        self.state, _ = step(EMPTY, 2, payload)


def test_the_leader_begins_with_what_everybody_was_started_with(home):
    beginning = Beginning(home)
    beginning.run()
    state = beginning.state
    assert state.founded
    assert state.members == members_of(home)
    assert (state.head.commit, state.head.tree) == (home.commit, home.tree)
    assert state.policy == digest("policy", POLICY)
    assert beginning.events.texts("leader") == ["p1 leads"]
    assert founding_fault(state, home, POLICY) == ""


@pytest.mark.parametrize("fault", [OvertakenError("founded: by p2"), NoQuorumError("alone")])
def test_it_goes_on_trying_until_it_has_begun(home, fault):
    beginning = Beginning(home)
    beginning.faults = [fault]
    beginning.run()
    assert len(beginning.submitted) == 2
    assert beginning.state.founded


def test_a_ledger_that_cannot_begin_says_so_and_does_not_try_for_ever(home):
    beginning = Beginning(home)
    beginning.faults = [RefusedError("members: they must be distinct")]
    beginning.run()
    assert beginning.events.texts("fault") == [
        "the ledger cannot begin: members: they must be distinct"
    ]


def test_one_that_does_not_lead_waits_for_the_one_that_does(home):
    beginning = Beginning(home)
    beginning.hub.elect("p2")
    beginning.thread.start()
    until(lambda: beginning.events.texts("leader") == ["p2 leads"])
    assert not beginning.submitted
    beginning.hub.elect("p1")
    beginning.thread.join(5)
    assert beginning.state.founded
    assert beginning.events.texts("leader")[-1] == "p1 leads"


def test_it_can_be_stopped_before_it_has_begun(home):
    beginning = Beginning(home)
    beginning.hub.elect("p2")
    beginning.thread.start()
    beginning.stopped.set()
    beginning.thread.join(5)
    assert not beginning.thread.is_alive()
    assert not beginning.submitted


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("cluster_id", "the log is of cluster c-1, this peer of c-2"),
        ("commit", "the ledger begins with commit"),
        ("peers", "the ledger has other members than cluster.json"),
        ("policy", "the ledger began under other settings"),
    ],
)
def test_a_peer_that_was_started_otherwise_is_told_how(home, what, fault):
    beginning = Beginning(home)
    beginning.run()
    policy, other = POLICY, home
    if what == "policy":
        policy = msgspec.structs.replace(POLICY, test=("true",))
    else:
        fields = {"cluster_id": "c-2", "commit": "9" * 40, "peers": home.peers[:2]}
        other = some_home(home.path, **{"peers": home.peers, what: fields[what]})
    assert fault in founding_fault(beginning.state, other, policy)


def test_before_the_beginning_nobody_differs():
    assert founding_fault(EMPTY, SimpleNamespace(), POLICY) == ""
