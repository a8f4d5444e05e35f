"""A home with two peers, as data: nothing is made on disk until a test saves it."""

from __future__ import annotations

from pathlib import Path

from tars_peer.config.home import ClusterHome, PeerEntry
from tars_peer.model.noun import ClusterId, CommitId, PeerId, TreeId


def some_home(path: Path, **fields: object) -> ClusterHome:
    """Return a home of two peers in ``path``."""
    peers = tuple(
        PeerEntry(
            id=PeerId(f"p{number}"),
            address=f"127.0.0.1:{7000 + number}",
            service_port=7200 + number,
            ballot_key="ab" * 32,
        )
        for number in (1, 2)
    )
    plain: dict[str, object] = {
        "path": path,
        "cluster_id": ClusterId("c-1"),
        "genome": "example",
        "genome_folder": path / "genome",
        "commit": CommitId("1" * 40),
        "tree": TreeId("2" * 40),
        "runtime": "process",
        "peers": peers,
    }
    return ClusterHome(**{**plain, **fields})  # type: ignore[arg-type]
