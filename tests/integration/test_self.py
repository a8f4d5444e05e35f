"""``--genome self``: the peers evolve their own source, and their own processes are swapped.

The changes are decided unproved (see ``stand_in``), for here it matters what follows from them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.cluster import Cluster
from tests.integration.genomes import ROOT, commit, git
from tests.integration.stand_in import Wish

SETTINGS = """[tool.tars]
source = ["tars_peer/errors.py"]
test = ["python", "-m", "pytest", "-q", "checks"]
benchmark = ["python", "-c", "print(0.01)"]
requirements = ["pytest>=8"]
"""
CHECK = """from tars_peer.errors import TarsError


def test_an_error_tells_how_to_go_on():
    assert TarsError("no", hint="yes").hint == "yes"
"""


def plant_self(folder: Path) -> Path:
    """Make a repository of TARS' own source, with settings under which it is proved quickly."""
    shutil.copytree(ROOT / "tars_peer", folder / "tars_peer", ignore=_unneeded)
    settings = (ROOT / "pyproject.toml").read_text()
    short = re.sub(
        r"\[tool\.tars\].*?(?=\n\[(?!tool\.tars)|\Z)", SETTINGS, settings, flags=re.DOTALL
    )
    (folder / "pyproject.toml").write_text(short)
    (folder / "checks").mkdir()
    (folder / "checks" / "test_errors.py").write_text(CHECK)
    (folder / ".gitignore").write_text("__pycache__/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    return folder


def _unneeded(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or name.endswith(".pyc")}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("self")
    source = plant_self(folder / "tars")
    with Cluster(folder / "home", "self", source=source) as cluster:
        cluster.wait_healthy()
        yield cluster


def process(cluster: Cluster, peer: str) -> psutil.Process:
    """Return the process of ``peer`` itself."""
    return psutil.Process(cluster.pids(peer)[1])


def artifact(cluster: Cluster, peer: str, tree: str) -> Path:
    """Return the folder from which ``peer`` runs ``tree``."""
    return cluster.folder(peer) / "artifacts" / tree


def test_every_peer_process_is_swapped_for_the_new_generation_and_back(cluster: Cluster) -> None:
    mark = cluster.mark()
    before = cluster.history()[-1]
    supervisors = {peer: cluster.pids(peer)[0] for peer in cluster.peers}
    made = cluster.decide_unproved(
        Wish(
            path="tars_peer/peer/run.py",
            before='f"{peer_id} serves at',
            after='f"{peer_id} (improved) serves at',
        )
    )
    cluster.wait_equal()
    assert cluster.history()[made.generation].state == "live"
    for peer in cluster.peers:
        running = process(cluster, peer)
        assert running.environ()["TARS_TREE"] == made.tree
        assert running.cwd() == str(artifact(cluster, peer, made.tree))
    greetings = {
        event["peer"] for event in cluster.events(mark, "peer-up") if "(improved)" in event["text"]
    }
    assert greetings == set(cluster.peers), "the code that runs is the new one"
    stayed = [peer for peer in cluster.peers if cluster.pids(peer)[0] == supervisors[peer]]
    assert len(stayed) == 2, "supervisors go on; one was stopped for the lie"

    cluster.decide(lambda client, name: client.rollback(0, "back again", name))
    cluster.wait_equal()
    for peer in cluster.peers:
        assert process(cluster, peer).environ()["TARS_TREE"] == before.tree
    assert cluster.json("cluster", "verify")["equal"]


def test_a_generation_of_peers_that_cannot_start_is_put_back_and_taken_back(
    cluster: Cluster,
) -> None:
    mark = cluster.mark()
    before = cluster.history()[-1]
    made = cluster.decide_unproved(
        Wish(
            path="tars_peer/peer/run.py",
            before="def run_peer(",
            after='raise SystemExit("no legs")\n\n\ndef run_peer(',
        )
    )
    rollback = cluster.wait_event("rollback", mark, beyond=before.generation)
    cluster.wait_equal()
    assert "no legs" in rollback["reason"]
    rows = cluster.history()
    assert rows[made.generation].state == "rolled_back"
    assert rows[-1].tree == before.tree
    tried = [peer for peer in cluster.peers if artifact(cluster, peer, made.tree).exists()]
    assert len(tried) == 1, "only the canary ever had it"
    for peer in cluster.peers:
        assert process(cluster, peer).environ()["TARS_TREE"] == before.tree


def test_peers_that_are_killed_while_they_are_swapped_come_out_equal(cluster: Cluster) -> None:
    mark = cluster.mark()
    made = cluster.decide_unproved(
        Wish(
            path="tars_peer/peer/run.py",
            before='f"{peer_id} serves at',
            after='f"{peer_id} (unshaken) serves at',
        )
    )
    killed: set[str] = set()
    while len(killed) < len(cluster.peers) and cluster.history()[-1].state == "rolling":
        for event in cluster.events(mark, "switch"):
            if event["peer"] not in killed and event["tree"] == made.tree:
                killed.add(event["peer"])
                cluster.kill(event["peer"])
    assert killed
    cluster.wait_equal()
    # A process that ends before it is healthy cannot tell why: that may count against it.
    row, head = cluster.history()[made.generation], cluster.history()[-1]
    assert row.state in ("live", "rolled_back")
    assert (head.tree == made.tree) == (row.state == "live")
    for peer in cluster.peers:
        assert process(cluster, peer).environ()["TARS_TREE"] == head.tree
