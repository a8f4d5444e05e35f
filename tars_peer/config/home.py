"""The folder of a cluster on this machine: who its peers are and where each keeps its things.

``cluster.json`` is written once, whole, when the cluster is made; the peers' keys are
for the owner's eyes only. No process control may enter here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tars_peer.adapters.identity.credentials import TRUSTED_FILE, Credentials
from tars_peer.adapters.identity.private_file import write_private
from tars_peer.errors import UsageError
from tars_peer.model.noun import ClusterId, CommitId, PeerId, TreeId

FILE = "cluster.json"
ENVIRONMENTS = "environments"
CERTIFICATES = "certs"
LEAF_FILE = "identity.pem"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEntry:
    """One peer: ``address`` is its gRPC server, as ``host:port``; its log speaks there too."""

    id: PeerId
    address: str
    service_port: int
    ballot_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterHome:
    """A cluster: its folder, its genome (where it was given and from which commit), its peers."""

    path: Path
    cluster_id: ClusterId
    genome: str
    genome_folder: Path
    commit: CommitId
    tree: TreeId
    runtime: str
    peers: tuple[PeerEntry, ...]

    @classmethod
    def load(cls, path: Path) -> ClusterHome:
        """Return the cluster that lives in ``path``.

        Raises:
            UsageError: there is none, or its file is damaged or of another version.
        """
        file = path / FILE
        try:
            content = json.loads(file.read_bytes())
            if content["version"] != VERSION:
                raise UsageError(
                    f"{file} is of version {content['version']}, this TARS reads {VERSION}",
                    hint="use the TARS that made it, or another --home",
                )
            return cls(
                path=path.resolve(),
                cluster_id=content["cluster_id"],
                genome=content["genome"],
                genome_folder=Path(content["genome_folder"]),
                commit=content["commit"],
                tree=content["tree"],
                runtime=content["runtime"],
                peers=tuple(_entry(peer) for peer in content["peers"]),
            )
        except FileNotFoundError as error:
            raise UsageError(
                f"no cluster in {path}",
                hint="start one with `tars cluster up`, or name its folder with --home DIR",
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{file} cannot be read as a cluster: {error}",
                hint="restore the file, or start anew in another --home",
            ) from error

    def save(self) -> None:
        """Write ``cluster.json``, whole or not at all."""
        content = asdict(self) | {"version": VERSION, "genome_folder": str(self.genome_folder)}
        del content["path"]
        write_private(self.path / FILE, json.dumps(content, indent=2).encode())

    def peer(self, peer_id: str) -> PeerEntry:
        """Return the entry of ``peer_id``.

        Raises:
            UsageError: there is no such peer.
        """
        for peer in self.peers:
            if peer.id == peer_id:
                return peer
        names = ", ".join(peer.id for peer in self.peers)
        raise UsageError(f"no peer {peer_id!r} in {self.path}", hint=f"its peers are {names}")

    def folder(self, peer_id: str) -> Path:
        """Return the folder of one peer."""
        return self.path / "peers" / peer_id

    @property
    def environments(self) -> Path:
        """Where the genome's environments are kept, shared by the peers of this machine."""
        return self.path / ENVIRONMENTS

    @property
    def certificates(self) -> Path:
        """Where the cluster's authority and the certificates of people are."""
        return self.path / CERTIFICATES

    def credentials(self, peer_id: str = "") -> Credentials:
        """Return what ``peer_id`` shows to others; where it is empty, what the operator does."""
        folder, name = self.certificates, "operator.pem"
        if peer_id:
            folder, name = self.folder(peer_id), LEAF_FILE
        return Credentials(leaf=folder / name, trusted=self.certificates / TRUSTED_FILE)


def _entry(content: dict[str, Any]) -> PeerEntry:
    """Return a peer from a file, which may be from when the log had a port of its own."""
    return PeerEntry(**{key: value for key, value in content.items() if key != "raft_address"})
