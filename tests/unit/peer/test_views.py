"""What people and programs read of a cluster: the very shapes that were promised to them."""

from __future__ import annotations

import json

import msgspec
import pytest

from tars_peer.evolve.engine import View
from tars_peer.ledger.entry import Promote, Rollback
from tars_peer.ledger.state import EMPTY
from tars_peer.ledger.step import step
from tars_peer.model.finding import Analysis, Finding, PlanItem, Skipped
from tars_peer.model.noun import PeerId
from tars_peer.peer.views import (
    analysis_view,
    cluster_status,
    history,
    rollout_status,
    running_generation,
    unreachable,
)
from tars_peer.ports.log import LogStatus
from tests.fakes.desk import some_peer
from tests.unit.enact.test_gap import (
    BACK,
    BEGUN,
    CANARY,
    CANARY_FAILED,
    CANARY_LIVE,
    COMPLETE,
    NEW,
    OLD,
    PARTIAL,
    ROLLING,
    SECOND,
    after,
    live,
)
from tests.unit.ledger.members import member, payload_of

LOG = LogStatus(
    leader=PeerId("p1"),
    term=4,
    commit_index=9,
    applied_index=9,
    connected=frozenset({PeerId("p2"), PeerId("p3")}),
    ready=True,
    has_quorum=True,
)
PEERS = [some_peer(1), some_peer(2), some_peer(3)]
TAKEN_BACK = after(
    after(BACK, *((peer, live(BACK, before=(), after=())) for peer in BACK.rollout.order)),
    ("p1", Promote(generation=2, target=3)),
)


def told(noun: object) -> object:
    """Return the JSON of ``noun`` as a program reads it."""
    return json.loads(msgspec.json.encode(noun))


def test_the_status_of_a_cluster_has_the_promised_shape():
    status = told(cluster_status(PARTIAL, LOG, "orchard", PEERS))
    peers = status.pop("peers")
    assert status == {
        "cluster_id": "orchard",
        "leader": "p1",
        "term": 4,
        "healthy": True,
        "head": {"generation": 1, "commit": PARTIAL.head.commit, "tree": NEW},
        "rollout": {"generation": 1, "stage": "partial", "reason": ""},
        "paused": False,
        "reason": "",
    }
    assert set(peers[0]) == {
        "id",
        "address",
        "state",
        "generation",
        "commit",
        "tree",
        "applied_index",
        "ledger_digest",
        "health",
        "sandbox",
        "service_url",  # beyond what was promised
        "reason",
    }
    assert [peer["id"] for peer in peers] == ["p1", "p2", "p3"]


def test_a_history_row_has_the_promised_shape():
    first, change, back = told(history(BACK))
    assert change == {
        "generation": 1,
        "commit": BACK.generations[1].commit,
        "tree": NEW,
        "parent_commit": BEGUN.head.commit,
        "kind": "change",
        "improvement": "hoist",
        "files": ["orchard.py"],
        "measured_ratio": 1.1,
        "ballots": ["p1", "p2"],
        "raft_index": 2,
        "state": "rolled_back",
        "summary": "make sum faster",
    }
    assert (first["kind"], first["measured_ratio"], first["parent_commit"]) == ("genesis", None, "")
    assert (back["kind"], back["measured_ratio"], back["tree"]) == ("rollback", None, OLD)
    assert history(EMPTY) == ()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (BEGUN, None),
        (ROLLING, {"generation": 1, "stage": "canary", "reason": ""}),
        (CANARY_FAILED, {"generation": 1, "stage": "canary", "reason": f"{CANARY}: it hangs"}),
        (COMPLETE, {"generation": 1, "stage": "complete", "reason": ""}),
        (BACK, {"generation": 1, "stage": "partial", "reason": "rolling back: it hangs"}),
        (TAKEN_BACK, {"generation": 1, "stage": "rolled_back", "reason": "it hangs"}),
    ],
)
def test_the_rollout_is_one_of_four_stages_of_the_generation_it_is_about(state, expected):
    assert told(rollout_status(state)) == expected


def test_without_a_leader_or_a_beginning_it_says_why():
    lost = LogStatus(
        leader=None,
        term=4,
        commit_index=9,
        applied_index=9,
        connected=frozenset(),
        ready=True,
        has_quorum=False,
    )
    status = told(cluster_status(BEGUN, lost, "orchard", PEERS))
    assert (status["healthy"], status["leader"]) == (False, None)
    assert "no quorum" in status["reason"]
    begin = told(cluster_status(EMPTY, LOG, "orchard", PEERS))
    assert begin["head"] == {"generation": 0, "commit": "", "tree": ""}
    assert (begin["rollout"], begin["healthy"]) == (None, False)
    assert "has not begun" in begin["reason"]


def test_a_peer_that_does_not_answer_is_there_and_named():
    gone = unreachable(member("p2"), "no answer in 2 s")
    status = cluster_status(COMPLETE, LOG, "orchard", [PEERS[0], gone, PEERS[2]])
    assert not status.healthy
    assert status.reason == "p2 is unreachable: no answer in 2 s"
    row = told(status.peers[1])
    assert (row["state"], row["health"], row["address"]) == (
        "unreachable",
        "unknown",
        "p2.example:7400",
    )


def test_a_pause_is_shown():
    paused = msgspec.structs.replace(BEGUN, paused=True)
    assert cluster_status(paused, LOG, "orchard", PEERS).paused


REVERTED = after(COMPLETE, ("p1", Rollback(generation=1, to=0, automatic=False, reason="by hand")))


@pytest.mark.parametrize(
    ("state", "me", "tree", "number"),
    [
        (EMPTY, "p1", OLD, None),
        (BEGUN, "p1", None, None),
        (BEGUN, "p1", OLD, 0),
        (ROLLING, CANARY, OLD, 0),
        (ROLLING, CANARY, NEW, 1),
        (CANARY_LIVE, CANARY, NEW, 1),
        (PARTIAL, SECOND, OLD, 0),
        (REVERTED, "p1", NEW, 1),
        (REVERTED, "p1", OLD, 0),
        (after(REVERTED, ("p1", live(REVERTED))), "p1", OLD, 2),
        (BEGUN, "p1", "e" * 40, None),
    ],
)
def test_what_runs_is_a_generation(state, me, tree, number):
    found = running_generation(state, me, tree)
    assert (found and found.number) == number


def finding(line: int) -> Finding:
    """Return a finding at ``line``."""
    return Finding(
        improvement="hoist",
        path="orchard.py",
        function="pick",
        line=line,
        message="hoist it",
        evidence="in a loop",
        edits=(),
        fingerprint=f"{line}",
        expected_gain=0.5,
        risk=1.0,
        share=0.25,
    )


def test_findings_come_by_rank_and_what_is_left_out_last():
    findings = tuple(map(finding, (1, 2, 3)))
    items = tuple(
        PlanItem(
            rank=rank,
            finding=findings[place],
            gain=0.1,
            confidence=1.0,
            risk=1.0,
            score=0.1,
            why="because",
        )
        for rank, place in ((1, 2), (2, 0))
    )
    skipped = (Skipped(path="broken.py", reason="line 3: invalid syntax"),)
    view = analysis_view(
        ROLLING,
        View(
            analysis=Analysis(tree=OLD, findings=findings, hotspots=(), skipped=skipped),
            items=items,
        ),
    )
    assert [(row.rank, row.line) for row in view.findings] == [(1, 3), (2, 1), (0, 2)]
    assert view.findings[2].score == 0.0
    assert view.findings[2].why
    assert view.skipped == (("broken.py", "line 3: invalid syntax"),)
    assert view.generation == 1


def test_the_states_used_here_are_what_they_are_called():
    state, effects = step(BEGUN, 99, payload_of("p1", Promote(generation=0, target=1)))
    assert (state.index, type(effects[0]).__name__) == (99, "Refused")
    assert TAKEN_BACK.settled
    assert not BACK.settled
