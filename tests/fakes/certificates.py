"""An authority of a cluster in a folder, and what it issues: real certificates, made at once."""

from __future__ import annotations

import time
from pathlib import Path

from tars_peer.adapters.identity.cabinet import Cabinet
from tars_peer.adapters.identity.credentials import TRUSTED_FILE, Credentials
from tars_peer.model.identity import Identity, Role
from tars_peer.model.noun import ClusterId

DAY_MS = 86_400_000


class Certificates:
    """Issues by ``now_ms`` (Unix milliseconds), which a test may move."""

    def __init__(self, folder: Path, cluster_id: str = "c-1") -> None:
        """Found an authority in ``folder``, or use that which is there."""
        self.now_ms = time.time_ns() // 1_000_000
        self.folder = folder
        self.cluster_id = ClusterId(cluster_id)
        self.cabinet = Cabinet(folder, now_ms=lambda: self.now_ms)
        if not self.cabinet.founded:
            self.cabinet.found(self.cluster_id)

    def of(self, name: str, role: Role = Role.PEER) -> Credentials:
        """Return the credentials of ``name``, issued now if they are not there."""
        place = self.folder / f"{name}.pem"
        if not place.exists():
            identity = Identity(cluster_id=self.cluster_id, role=role, name=name)
            self.cabinet.issue(identity, place)
        return Credentials(leaf=place, trusted=self.folder / TRUSTED_FILE)

    @property
    def operator(self) -> Credentials:
        """The credentials of an operator."""
        return self.of("operator", Role.OPERATOR)

    @property
    def reader(self) -> Credentials:
        """The credentials of a reader."""
        return self.of("reader", Role.READER)
