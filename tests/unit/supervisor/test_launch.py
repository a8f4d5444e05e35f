"""What a launch refuses before anything is made, and what a home does to its surroundings."""

from __future__ import annotations

import pygit2
import pytest

from tars_peer.errors import PermanentError, UsageError
from tars_peer.supervisor.launch import LaunchPlan, is_supervised, last_words, launch
from tests.fakes.home import some_home
from tests.unit.adapters.git.repositories import commit_all, make_genome


def plan(home, *, peers=2, genome=None, runtime="process") -> LaunchPlan:
    """Return a plan for ``home``."""
    return LaunchPlan(peers=peers, genome=genome, home=home, runtime=runtime)


def refused(what: LaunchPlan, error=UsageError) -> str:
    """Return why ``what`` is refused."""
    with pytest.raises(error) as caught:
        launch(what, lambda _line: None)
    return f"{caught.value}"


@pytest.mark.parametrize("peers", [0, -1, 65])
def test_a_number_of_peers_that_is_not_allowed(tmp_path, peers):
    assert refused(plan(tmp_path, peers=peers)) == f"{peers} peers: 1 to 64 are allowed"


def test_a_runtime_that_is_not_known(tmp_path):
    assert "runtime 'tractor' is not known" in refused(plan(tmp_path, runtime="tractor"))


def test_a_home_of_another_cluster(tmp_path):
    some_home(tmp_path, genome="self").save()
    assert "holds a cluster of 2 peers, not 3" in refused(plan(tmp_path, peers=3))
    assert "evolves self, not /elsewhere" in refused(plan(tmp_path, genome="/elsewhere"))


def test_a_home_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be used as a home" in refused(plan(tmp_path / "file" / "home"), PermanentError)


def test_a_home_inside_the_genome_does_not_make_it_dirty(tmp_path):
    make_genome(tmp_path / "genome")
    (tmp_path / "genome" / "pyproject.toml").write_text("[tool.tars]\nsauce = []\n")
    commit_all(pygit2.Repository(str(tmp_path / "genome")), "settings\n")
    home = tmp_path / "genome" / ".tars"
    for _ in range(2):
        words = refused(plan(home, genome=f"{tmp_path / 'genome'}"))
        assert "not committed" not in words
        assert "tool.tars." in words


def test_a_folder_that_was_there_gets_no_ignore_file(tmp_path):
    assert refused(plan(tmp_path, genome=f"{tmp_path}"))
    assert not (tmp_path / ".gitignore").exists()


def test_a_peer_nobody_ever_started_is_not_supervised(tmp_path):
    home = some_home(tmp_path)
    assert not is_supervised(home, "p1")
    assert last_words(home, "p1") == ""
