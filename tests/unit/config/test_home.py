"""The home of a cluster: written whole or not at all, read strictly, for its owner's eyes only."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from tars_peer.adapters.identity.private_file import write_private
from tars_peer.config.home import ClusterHome
from tars_peer.errors import UsageError
from tests.fakes.home import some_home


def test_what_is_saved_is_loaded(tmp_path):
    home = some_home(tmp_path)
    home.save()
    assert ClusterHome.load(tmp_path) == home


def test_a_home_that_was_moved_is_where_it_is_now(tmp_path):
    (tmp_path / "old").mkdir()
    some_home(tmp_path / "old").save()
    (tmp_path / "old").rename(tmp_path / "new")
    assert ClusterHome.load(tmp_path / "new").path == tmp_path / "new"


def test_only_its_owner_may_read_the_secret(tmp_path):
    before = os.umask(0)
    try:
        some_home(tmp_path).save()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "cluster.json").stat().st_mode) == 0o600


def test_places_and_peers(tmp_path):
    home = some_home(tmp_path)
    assert home.peer("p2").address == "127.0.0.1:7002"
    assert home.folder("p2") == tmp_path / "peers" / "p2"
    assert home.environments == tmp_path / "environments"
    with pytest.raises(UsageError, match="no peer 'p3'") as caught:
        home.peer("p3")
    assert "p1, p2" in caught.value.hint


def test_where_no_cluster_is(tmp_path):
    with pytest.raises(UsageError, match="no cluster in") as caught:
        ClusterHome.load(tmp_path)
    assert "tars cluster up" in caught.value.hint


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"5",
        b"{}",
        b'{"version": 1}',
        b'{"version": 1, "peers": 5}',
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage):
    (tmp_path / "cluster.json").write_bytes(damage)
    with pytest.raises(UsageError, match=r"cluster\.json cannot be read as a cluster") as caught:
        ClusterHome.load(tmp_path)
    assert "restore" in caught.value.hint


@pytest.mark.parametrize("key", ["id", "address", "service_port", "ballot_key"])
def test_a_peer_that_lacks_something_is_damage(tmp_path, key):
    some_home(tmp_path).save()
    content = json.loads((tmp_path / "cluster.json").read_text())
    del content["peers"][0][key]
    (tmp_path / "cluster.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match=key):
        ClusterHome.load(tmp_path)


def test_a_home_from_when_the_log_had_a_port_of_its_own_is_read(tmp_path):
    home = some_home(tmp_path)
    home.save()
    content = json.loads((tmp_path / "cluster.json").read_text())
    for number, peer in enumerate(content["peers"]):
        peer["raft_address"] = f"127.0.0.1:{7100 + number}"
    (tmp_path / "cluster.json").write_text(json.dumps(content | {"secret": "not needed now"}))
    assert ClusterHome.load(tmp_path) == home


def test_a_home_of_another_version_is_left_alone(tmp_path):
    some_home(tmp_path).save()
    content = json.loads((tmp_path / "cluster.json").read_text())
    (tmp_path / "cluster.json").write_text(json.dumps(content | {"version": 2}))
    with pytest.raises(UsageError, match="of version 2, this TARS reads 1"):
        ClusterHome.load(tmp_path)


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(UsageError, match="cannot be read as a cluster"):
        ClusterHome.load(tmp_path / "home")


def test_a_write_that_fails_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path):
    place = tmp_path / "secret"
    write_private(place, b"old")
    with pytest.raises(TypeError):
        write_private(place, "no bytes")  # type: ignore[arg-type]
    assert place.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


DIES_WRITING = """
import resource, signal, sys
from pathlib import Path
from tars_peer.adapters.identity.private_file import write_private
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_private(Path(sys.argv[1]), b"n" * 5000)
"""


def test_a_crash_in_the_middle_leaves_the_old_file(tmp_path):
    place = tmp_path / "secret"
    write_private(place, b"old")
    done = subprocess.run([sys.executable, "-c", DIES_WRITING, place], check=False)
    assert done.returncode == -signal.SIGXFSZ
    assert place.read_bytes() == b"old"
    write_private(place, b"new")
    assert place.read_bytes() == b"new"
