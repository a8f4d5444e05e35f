"""The seven stages with three real peers, as a person sees them: by the commands."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tars_peer.errors import RefusedError
from tars_peer.model.status import FindingRow
from tests.integration.cluster import Cluster, tars
from tests.integration.genomes import TOY, git, plant
from tests.integration.processes import kill_all, until_gone

Run = subprocess.CompletedProcess[str]

_STATUS = {"cluster_id", "leader", "term", "healthy", "head", "rollout", "paused", "peers"}
_PEER = {"id", "address", "state", "generation", "commit", "tree", "applied_index"} | {
    "ledger_digest",
    "health",
    "sandbox",
}
_ROW = {"generation", "commit", "tree", "parent_commit", "kind", "improvement", "files"} | {
    "measured_ratio",
    "ballots",
    "raft_index",
    "state",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loop") / "home"


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(TOY, tmp_path_factory.mktemp("genome") / "toy")


@pytest.fixture(scope="module")
def once(home: Path, genome: Path) -> Iterator[Run]:
    """What ``cluster up --once`` did; whatever it left is killed after the tests have seen it."""
    try:
        words = ("--peers", 3, "--genome", genome, "--home", home, "--once", "--json-events")
        yield tars("cluster", "up", *words, timeout_s=240)
    finally:
        kill_all(home)


@pytest.fixture(scope="module")
def cluster(once: Run, home: Path, genome: Path) -> Iterator[Cluster]:
    """The same cluster, gone on with, and told to leave the code as it is."""
    assert once.returncode == 0, once.stderr
    with Cluster(home, genome) as cluster:
        cluster.wait_healthy()
        assert cluster.tars("evolve", "pause").returncode == 0
        cluster.wait_equal()
        yield cluster


def test_once_ends_well_when_a_change_is_live_on_all_peers(once: Run, home: Path) -> None:
    assert once.returncode == 0, once.stderr
    events = [json.loads(line) for line in once.stdout.splitlines()]
    kinds = [event["kind"] for event in events]
    order = ("baseline", "analysis", "plan", "change", "ballot", "decision", "complete")
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places), list(zip(order, places, strict=True))
    for peer in ("p1", "p2", "p3"):
        assert any(e["kind"] == "commit" and e["peer"] == peer for e in events), peer
        assert any(e["kind"] == "switch" and e["generation"] and e["peer"] == peer for e in events)
    decision = next(event for event in events if event["kind"] == "decision")
    assert len(set(decision["data"]["approvals"])) == 2, decision
    until_gone(home)


def test_the_three_repositories_have_the_same_commit(once: Run, home: Path, genome: Path) -> None:
    assert once.returncode == 0, once.stderr
    repositories = sorted(home.glob("peers/*/genome.git"))
    heads = {git(repository, "rev-parse", "tars") for repository in repositories}
    trees = {git(repository, "rev-parse", "tars^{tree}") for repository in repositories}
    assert len(repositories) == 3
    assert len(heads) == len(trees) == 1
    base = git(genome, "rev-parse", "HEAD")
    assert heads != {base}
    assert base in git(repositories[0], "rev-list", "tars"), "it grew out of the genome"
    for repository in repositories:
        git(repository, "fsck", "--strict")
        assert "Approved-by: p" in git(repository, "log", "-1", "--format=%B", "tars")
    assert git(genome, "status", "--porcelain") == "", "the genome itself is never written to"


def test_the_same_command_goes_on_where_it_was(cluster: Cluster, once: Run) -> None:
    decided = [json.loads(line) for line in once.stdout.splitlines()]
    commits = {event["data"]["commit"] for event in decided if event["kind"] == "commit"}
    assert commits <= {row.commit for row in cluster.history()}


def test_status_keeps_its_contract(cluster: Cluster) -> None:
    status = cluster.json("cluster", "status")
    assert status.keys() >= _STATUS
    assert status["leader"] in cluster.peers
    assert status["healthy"]
    assert status["paused"]
    assert status["rollout"]["stage"] == "complete"
    assert status["rollout"]["generation"] == status["head"]["generation"]
    assert len(status["peers"]) == 3
    for peer in status["peers"]:
        assert peer.keys() >= _PEER
        assert peer["commit"] == status["head"]["commit"]
        assert peer["health"] == "healthy"
        assert peer["sandbox"]


def test_history_keeps_its_contract(cluster: Cluster) -> None:
    rows = cluster.json("evolve", "history")
    assert [row["generation"] for row in rows] == list(range(len(rows)))
    assert all(row.keys() >= _ROW for row in rows)
    changes = [row for row in rows if row["kind"] == "change"]
    assert changes
    for row in changes:
        assert row["measured_ratio"] > 1.01
        assert len(row["ballots"]) == 2
        assert row["files"] == ["toy/words.py"]
        assert row["parent_commit"] == rows[row["generation"] - 1]["commit"]
    indexes = [row["raft_index"] for row in rows]
    assert indexes == sorted(set(indexes))


def test_verify_show_and_diff(cluster: Cluster) -> None:
    verified = cluster.json("cluster", "verify")
    assert verified["equal"]
    assert verified["differences"] == []
    shown = cluster.json("evolve", "show", 1)
    assert shown["kind"] == "change"
    assert shown["diff"] == cluster.json("evolve", "diff", 0, 1)["diff"]
    assert "+++ b/toy/words.py" in shown["diff"]


def test_paused_means_that_nothing_is_proposed(cluster: Cluster) -> None:
    with cluster.client() as client, pytest.raises(RefusedError, match="paused"):
        client.run_once()
    done = cluster.tars("evolve", "deploy")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "paused" in done.stderr


def test_a_rollback_by_hand_is_served_everywhere_and_denied_until_cleared(cluster: Cluster) -> None:
    old, head = cluster.history()[-2:]
    mark = cluster.mark()
    answer = cluster.json("evolve", "rollback", "--wait", "--reason", "to see that it can")
    assert answer["live"]
    cluster.wait_equal()
    status = cluster.status()
    assert status is not None
    assert {peer.tree for peer in status.peers} == {old.tree}
    assert status.rollout is not None
    assert status.rollout.stage == "rolled_back"
    rows = cluster.history()
    assert rows[-1].kind == "rollback"
    assert rows[-1].generation == answer["generation"]
    assert rows[head.generation].state == "rolled_back"
    assert {event["peer"] for event in cluster.events(mark, "rollback")} == {"p1", "p2", "p3"}

    with cluster.client() as client:
        findings = client.analysis().findings
    denied = {_idea(one) for one in findings if one.rank == 0}
    assert head.improvement in {improvement for improvement, _ in denied}, "found, not planned"
    assert cluster.tars("evolve", "clear", head.generation).returncode == 0
    with cluster.client() as client:
        findings = client.analysis().findings
    assert denied <= {_idea(one) for one in findings if one.rank}, "cleared, it is planned again"


def test_resume_lets_evolution_go_on(cluster: Cluster) -> None:
    before = len(cluster.history())
    assert cluster.tars("evolve", "resume").returncode == 0
    cluster.wait(lambda: len(cluster.history()) > before, "the next generation")
    assert cluster.tars("evolve", "pause").returncode == 0
    cluster.wait_equal()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("evolve", "rollback", "--to", 99), "generation 99"),
        (("evolve", "clear", 99), "generation 99"),
        (("cluster", "kill", "p9"), "p9"),
    ],
)
def test_what_is_not_there_is_named(
    cluster: Cluster, words: tuple[object, ...], named: str
) -> None:
    before = cluster.history()
    done = cluster.tars(*words)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert "hint:" in done.stderr
    assert cluster.history() == before


def _idea(finding: FindingRow) -> tuple[str, str]:
    return finding.improvement, finding.function
