"""The desk: what each question is answered with, and what it says where it cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from tars_peer.decide.decisions import Decisions
from tars_peer.errors import (
    NoQuorumError,
    RefusedError,
    TemporaryError,
    UnreachableError,
    UsageError,
)
from tars_peer.evolve.engine import View
from tars_peer.ledger.entry import Pause
from tars_peer.ledger.parcel import change_id
from tars_peer.ledger.state import state_digest
from tars_peer.model.finding import Analysis, PlanItem
from tars_peer.model.noun import ClusterId, PeerId
from tars_peer.peer.desk import PeerDesk, Rooms
from tests.fakes.clock import FakeClock
from tests.fakes.desk import some_peer
from tests.fakes.events import FakeEvents
from tests.fakes.log import FakeLogHub
from tests.fakes.runtime import FakeRuntime
from tests.fakes.worktree import FakeWorktree, tree_id
from tests.unit.enact.cluster import Cluster
from tests.unit.ledger.members import CLUSTER, ballot, change_on, members, private_key
from tests.unit.peer.test_views import finding


@dataclass
class Office:
    """A desk over a real ledger of three, all other rooms answering from fields."""

    cluster: Cluster = field(default_factory=lambda: Cluster(3))
    trouble: str = ""
    gone: set[str] = field(default_factory=set)
    dismissed: list[str] = field(default_factory=list)
    woken: list[str] = field(default_factory=list)
    fault: str = ""
    here: bool = True

    def __post_init__(self) -> None:
        """Seat p1 at the desk."""
        self.cluster.settle()
        peer = self.cluster.peers["p1"]
        self.worktree, self.runtime = peer.worktree, peer.runtime
        self.decisions = peer.process.decisions
        who = members(3)
        self.desk = PeerDesk(
            Rooms(
                member=who[0],
                members=who,
                cluster_id=CLUSTER,
                sandbox="bubblewrap",
                log=peer.process.log,
                decisions=self.decisions,
                judge=self,
                engine=self,
                evolving=self,
                applier=self,
                worktree=self.worktree,
                runtime=self.runtime,
                neighbours=self,
                voice=self,
                wake=lambda: self.woken.append("hands"),
                trouble=lambda: self.trouble,
            )
        )

    def look(self, state):
        """Stand for the engine: two findings, one of them planned."""
        findings = (finding(1), finding(2))
        item = PlanItem(
            rank=1, finding=findings[0], gain=0.1, confidence=1.0, risk=1.0, score=0.1, why=""
        )
        analysis = Analysis(tree=state.head.tree, findings=findings, hotspots=(), skipped=())
        return View(analysis=analysis, items=(item,))

    def write(self, state, item):
        """Stand for the engine: the change of the one item."""
        tree = self.worktree.tree_with(state.head.tree, {"orchard.py": b"new"})
        assert item.rank == 1
        return self.change(state, tree)

    @staticmethod
    def change(state, tree):
        """Return a change on the head."""
        return msgspec.structs.replace(change_on(state.head, "sum"), tree=tree)

    def ballot(self, change, *, timeout_s):
        """Stand for the judge."""
        assert timeout_s > 0
        return ballot("p1", change)

    def dismiss(self, identity):
        """Stand for the judge."""
        self.dismissed.append(identity)

    def wake(self):
        """Stand for the wheel."""
        self.woken.append("wheel")

    def cycle(self):
        """Stand for the wheel."""
        return "generation 1"

    def propose(self, state, change):
        """Stand for the wheel: it is accepted."""
        assert change.base_commit == state.head.commit
        return msgspec.structs.replace(state.head, number=state.head.number + 1)

    def catch_up(self):
        """Stand for the applier."""
        return self.here

    def status(self, member):
        """Stand for the neighbours."""
        if member.id in self.gone:
            raise UnreachableError(f"{member.id} does not answer", hint="")
        return some_peer(int(member.id[1:]))

    def watch(self, *, replay):
        """Stand for the voice."""
        return iter([replay])


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def grown(office) -> Office:
    """Return the office with generation 1 live on all."""
    office.cluster.propose()
    office.cluster.settle()
    return office


def test_a_peer_sees_itself_as_it_is(office):
    state = office.decisions.state
    status = office.desk.peer_status()
    assert msgspec.structs.asdict(status) == {
        "id": "p1",
        "address": "p1.example:7400",
        "state": "leader",
        "generation": 0,
        "commit": state.head.commit,
        "tree": state.head.tree,
        "applied_index": state.index,
        "ledger_digest": state_digest(state),
        "health": "healthy",
        "sandbox": "bubblewrap",
        "service_url": "",
        "reason": "",
    }
    assert office.desk.healthy()


@pytest.mark.parametrize("what", ["follower", "no-quorum", "starting", "stopped-by-fault"])
def test_a_peer_says_what_state_it_is_in(office, what):
    hub = office.cluster.hub
    if what == "follower":
        hub.elect(PeerId("p2"))
    elif what == "no-quorum":
        hub.has_quorum = False
    elif what == "starting":
        hub.hold(PeerId("p1"))
    else:
        office.trouble = "another tree came out"
    status = office.desk.peer_status()
    assert status.state == what
    assert bool(status.reason) is (what != "follower")
    assert status.health == ("unhealthy" if what == "stopped-by-fault" else "healthy")
    assert office.desk.healthy() is (what != "starting")


def test_a_peer_with_nothing_running_is_starting(office):
    office.runtime.tree = None
    status = office.desk.peer_status()
    assert (status.health, status.tree, status.generation) == ("starting", "", 0)


def test_a_cluster_is_seen_with_all_its_peers_even_those_that_do_not_answer(office):
    status = office.desk.cluster_status()
    assert (status.healthy, [peer.id for peer in status.peers]) == (True, ["p1", "p2", "p3"])
    office.gone = {"p3"}
    status = office.desk.cluster_status()
    assert not status.healthy
    assert status.peers[2].state == "unreachable"
    assert "p3 does not answer" in status.reason


def test_the_plan_can_be_read_written_judged_and_deployed(office):
    assert [row.rank for row in office.desk.analysis().findings] == [1, 0]
    view = office.desk.generate(1)
    assert (view.base_generation, view.diff) == (0, "orchard.py differs\n")
    assert view.tree == tree_id({"orchard.py": b"new"})
    assert office.desk.validate(1).change_id == view.change_id
    assert office.desk.deploy(1) == 1


@pytest.mark.parametrize("rank", [0, 2, -1])
@pytest.mark.parametrize("question", ["generate", "validate", "deploy"])
def test_a_rank_that_the_plan_does_not_have(office, rank, question):
    with pytest.raises(UsageError, match=f"no rank {rank}") as caught:
        getattr(office.desk, question)(rank)
    assert "1 to 1" in caught.value.hint


def test_a_diff_between_two_generations(grown):
    assert grown.desk.diff(0, 1) == "orchard.py differs\n"
    with pytest.raises(UsageError, match="no generation 2") as caught:
        grown.desk.diff(0, 2)
    assert "0 to 1" in caught.value.hint


@pytest.mark.parametrize("to", [None, 0])
def test_a_rollback_goes_to_the_one_before_or_to_the_named_one(grown, to):
    assert grown.desk.rollback(to, "", "op-1") == 2
    assert grown.decisions.state.head.summary == "asked for by a person"
    grown.cluster.settle()
    assert [row.kind for row in grown.desk.history()] == ["genesis", "change", "rollback"]


def test_a_rollback_to_what_is_not_there_or_the_same(grown):
    for to in (7, -1):
        with pytest.raises(UsageError, match=f"no generation {to}"):
            grown.desk.rollback(to, "", "")
    with pytest.raises(UsageError, match="same tree as the head"):
        grown.desk.rollback(1, "", "")
    assert len(grown.desk.history()) == 2


def test_a_rollback_with_nothing_to_go_back_to(office):
    with pytest.raises(UsageError, match="nothing to go back to") as caught:
        office.desk.rollback(None, "", "")
    assert "history" in caught.value.hint


@pytest.mark.parametrize("to", [None, 0])
def test_a_rollback_whose_answer_was_lost_can_be_asked_for_again(grown, to):
    assert [grown.desk.rollback(to, "", "op-1") for _ in range(3)] == [2, 2, 2]
    with pytest.raises(UsageError, match=r"same tree|nothing to go back to"):
        grown.desk.rollback(to, "", "op-2")
    assert len(grown.desk.history()) == 3


def test_a_peer_that_is_behind_does_not_say_paused_from_memory(office):
    office.desk.pause(paused=True, reason="lunch", operation="")
    office.cluster.hold("p1")
    office.cluster.submit("p2", Pause(paused=False, reason=""))
    with pytest.raises(NoQuorumError):
        office.desk.pause(paused=True, reason="lunch", operation="op-1")
    office.cluster.release("p1")
    assert office.decisions.state.paused


def test_asking_twice_for_a_pause_changes_nothing_twice(office):
    for _ in range(2):
        office.desk.pause(paused=True, reason="lunch", operation="")
    assert office.decisions.state.paused
    with pytest.raises(RefusedError, match="paused"):
        office.desk.run_once()
    office.desk.pause(paused=False, reason="", operation="")
    assert office.desk.run_once() == "generation 1"


def test_what_was_taken_back_can_be_cleared_once(grown):
    with pytest.raises(UsageError, match="not on the deny-list") as caught:
        grown.desk.clear(1, "")
    assert "none" in caught.value.hint
    grown.desk.rollback(0, "", "")
    grown.desk.clear(1, "")
    assert not grown.decisions.state.denied
    with pytest.raises(UsageError, match="not on the deny-list"):
        grown.desk.clear(1, "")


def test_nothing_is_begun_while_a_rollout_is_under_way(office):
    office.cluster.propose()
    with pytest.raises(TemporaryError, match="still rolled out"):
        office.desk.run_once()


def test_sync_says_what_was_done_or_is_missing(office):
    assert office.desk.sync().endswith("(already in step)")
    assert office.woken == ["hands"]
    office.here, office.fault = False, "a tree differs"
    with pytest.raises(TemporaryError, match="still missing here: a tree differs"):
        office.desk.sync()


def test_a_ballot_wakes_the_wheel_before_and_after(office):
    change = office.change(office.decisions.state, "e" * 40)
    assert office.desk.ballot(change, timeout_s=5).voter == "p1"
    assert office.woken == ["wheel", "wheel"]
    office.desk.dismiss(change_id(change))
    assert office.dismissed == [change_id(change)]


def test_objects_are_given_of_what_is_here(office):
    head = office.decisions.state.head.commit
    assert list(office.desk.objects(head, None)) == list(office.worktree.objects(head, None))
    with pytest.raises(UsageError, match="is not on p1"):
        office.desk.objects("e" * 40, None)


def test_events_are_those_of_the_voice(office):
    assert list(office.desk.events(replay=True)) == [True]


def unfounded() -> PeerDesk:
    """Return a desk of a peer that has heard nothing yet."""
    hub = FakeLogHub()
    decisions = Decisions(
        me=PeerId("p1"),
        cluster_id=ClusterId(CLUSTER),
        private_key=private_key("p1"),
        clock=FakeClock(),
        events=FakeEvents(),
    )
    nobody = None
    return PeerDesk(
        Rooms(
            member=members(1)[0],
            members=members(1),
            cluster_id=CLUSTER,
            sandbox="limits",
            log=hub.join(PeerId("p1"), decisions.step_over),
            decisions=decisions,
            judge=nobody,
            engine=nobody,
            evolving=nobody,
            applier=nobody,
            worktree=FakeWorktree(),
            runtime=FakeRuntime(),
            neighbours=nobody,
            voice=nobody,
            wake=lambda: None,
            trouble=lambda: "",
        )
    )


@pytest.mark.parametrize(
    "question",
    [
        lambda desk: desk.analysis(),
        lambda desk: desk.generate(1),
        lambda desk: desk.deploy(1),
        lambda desk: desk.diff(0, 0),
        lambda desk: desk.rollback(None, "", ""),
        lambda desk: desk.pause(paused=True, reason="", operation=""),
        lambda desk: desk.clear(0, ""),
        lambda desk: desk.sync(),
        lambda desk: desk.run_once(),
    ],
)
def test_before_the_beginning_every_question_is_answered_with_the_way_there(question):
    desk = unfounded()
    assert not desk.healthy()
    assert desk.peer_status().state == "starting"
    assert desk.cluster_status().head.generation == 0
    assert desk.history() == ()
    with pytest.raises(NoQuorumError, match="not caught up") as caught:
        question(desk)
    assert "tars cluster status" in caught.value.hint
