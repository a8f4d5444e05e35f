"""A disk that takes no more: a peer ends rather than promise what it cannot keep, and comes back.

The limit on the size of files stands for the disk: it needs no rights, and the journal meets it
first. The supervisor starts the peer again without it, as when somebody has made room.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator

import psutil
import pytest

from tests.integration.cluster import Cluster
from tests.integration.genomes import QUIET, TOY, plant

pytestmark = pytest.mark.chaos

#: Less than the journal has already, more than what a peer says when it ends.
_FULL_BYTES = 16 * 1024


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("disk")
    with Cluster(folder / "home", plant(TOY, folder / "toy", QUIET)) as cluster:
        cluster.wait_healthy()
        yield cluster


def test_peers_whose_disks_are_full_end_say_why_and_lose_nothing(cluster: Cluster) -> None:
    cluster.decide(lambda client, name: client.pause(paused=True, reason="one", operation=name))
    pids = {peer: cluster.pids(peer)[1] for peer in cluster.peers}
    for pid in pids.values():
        psutil.Process(pid).rlimit(resource.RLIMIT_FSIZE, (_FULL_BYTES, _FULL_BYTES))
    cluster.decide(lambda client, name: client.pause(paused=False, reason="two", operation=name))
    cluster.wait(
        lambda: all(cluster.pids(peer)[1] not in (0, pid) for peer, pid in pids.items()),
        "each ended and was started again",
    )
    for peer in cluster.peers:
        log = (cluster.folder(peer) / "peer.log").read_text()
        assert "the journal cannot be written, stopping now" in log
        assert "nothing that was acknowledged is lost" in log
    cluster.wait_healthy()
    cluster.wait_equal()
    status = cluster.status()
    assert status is not None
    assert not status.paused, "the second decision stands"
