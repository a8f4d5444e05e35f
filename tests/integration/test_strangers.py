"""A real cluster lets in whom it should, says why it does not, and is rotated while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.errors import UnreachableError
from tests.fakes.certificates import Certificates
from tests.integration.cluster import Cluster, tars
from tests.integration.genomes import QUIET, TOY, plant


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("strangers")
    with Cluster(folder / "home", plant(TOY, folder / "toy", QUIET)) as cluster:
        cluster.wait_healthy()
        yield cluster


def peer_log(cluster: Cluster, peer: str) -> str:
    """Return what ``peer`` wrote to its terminal."""
    return (cluster.folder(peer) / "peer.log").read_text(errors="replace")


def is_let_in(cluster: Cluster, credentials: Credentials) -> bool:
    """Say whether p1 answers to ``credentials``."""
    try:
        with PeerClient(cluster.home.peer("p1").address, credentials, peer="p1") as client:
            client.peer_status()
    except UnreachableError:
        return False
    return True


def test_who_shows_nothing_is_turned_away_and_the_log_says_why(cluster: Cluster) -> None:
    with grpc.insecure_channel(cluster.home.peer("p1").address) as channel:
        plain = channel.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.RpcError):
            plain(b"", timeout=5)
    cluster.wait(lambda: "WRONG_VERSION_NUMBER" in peer_log(cluster, "p1"), "plain text is logged")
    roots = cluster.home.credentials().read().roots
    name = f"p1.{cluster.home.cluster_id}.tars.local"
    with grpc.secure_channel(
        cluster.home.peer("p1").address,
        grpc.ssl_channel_credentials(roots),
        options=(("grpc.ssl_target_name_override", name),),
    ) as channel:
        bare = channel.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.RpcError):
            bare(b"", timeout=5)
    cluster.wait(
        lambda: "PEER_DID_NOT_RETURN_A_CERTIFICATE" in peer_log(cluster, "p1"), "it is logged"
    )


def test_another_authority_is_turned_away_and_the_log_says_why(
    cluster: Cluster, tmp_path: Path
) -> None:
    stranger = Certificates(tmp_path / "certs", cluster.home.cluster_id)
    mixed = Credentials(leaf=stranger.operator.leaf, trusted=cluster.home.credentials().trusted)
    assert not is_let_in(cluster, mixed)
    cluster.wait(lambda: "CERTIFICATE_VERIFY_FAILED" in peer_log(cluster, "p1"), "it is logged")


def test_a_reader_sees_and_cannot_decide(cluster: Cluster) -> None:
    address = cluster.home.peer("p2").address
    words = ("--endpoint", address, "--certs", cluster.home.certificates / "reader.pem")
    assert tars("cluster", "status", *words).returncode == 0
    refused = tars("evolve", "pause", *words)
    assert refused.returncode == 1
    assert "may not call Pause: operator may" in refused.stderr
    cluster.wait(lambda: "may not call Pause" in peer_log(cluster, "p2"), "it is logged")
    nobody = tars("cluster", "status", "--endpoint", address, "--home", cluster.path / "none")
    assert nobody.returncode == 2
    assert "tars certs issue NAME --role reader" in nobody.stderr


def test_leaves_and_authority_are_rotated_while_the_peers_run(cluster: Cluster) -> None:
    pids = [cluster.pids(peer) for peer in cluster.peers]
    old = cluster.home.credentials("p2").read()
    for words in ((), ("--ca",), ("--finish",)):
        done = cluster.tars("certs", "rotate", *words)
        assert done.returncode == 0, done.stderr
        for peer in cluster.peers:
            assert cluster.peer(peer), f"{peer} answers after {words}"
        paused = cluster.tars("evolve", "pause")  # a decision, seen by all
        assert paused.returncode == 0, paused.stderr
        assert cluster.tars("evolve", "resume").returncode == 0
        cluster.wait_equal()
    new = cluster.home.credentials("p2").read()
    assert (new.leaf.identity, new.leaf.issuer != old.leaf.issuer) == (old.leaf.identity, True)
    assert old.roots not in new.roots
    assert [cluster.pids(peer) for peer in cluster.peers] == pids
    verified = cluster.tars("cluster", "verify")
    assert verified.returncode == 0, verified.stderr
