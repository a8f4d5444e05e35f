"""The certificates of a home: made at its first start, renewed before they expire.

Whoever holds the home is its operator, so its authority lies in it. Issuing to others is
``tars certs``.
"""

from __future__ import annotations

import time

from tars_peer.adapters.identity.cabinet import Cabinet
from tars_peer.config.home import LEAF_FILE, ClusterHome
from tars_peer.model.identity import Identity, Role

_DAY_MS = 86_400_000
#: Renewed when less than this is left: a third of what a new one has.
RENEW_MS = 30 * _DAY_MS
PEOPLE = (Role.OPERATOR, Role.READER)


def now_ms() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def ensure_certificates(home: ClusterHome) -> list[str]:
    """Make what ``home`` lacks, renew what is soon to expire; return what was done, a line each.

    A home whose authority was taken away (to keep it elsewhere) is left as it is.

    Raises:
        UsageError: a certificate is missing, and so is the authority to issue it.
        CorruptError: a certificate cannot be read.
        PermanentError: the home cannot be written.
    """
    cabinet = Cabinet(home.certificates, now_ms=now_ms)
    done = []
    if not cabinet.founded:
        there = [home.credentials(peer.id).leaf.exists() for peer in home.peers]
        if all(there):
            return []
        if any(there):
            cabinet.authority()  # says that it is missing: a second one would divide the peers
        cabinet.found(home.cluster_id)
        done.append(f"a certificate authority is made in {home.certificates}")
    wanted = {
        home.certificates / f"{role}.pem": Identity(
            cluster_id=home.cluster_id, role=role, name=str(role)
        )
        for role in PEOPLE
    }
    for peer in home.peers:
        wanted[home.folder(peer.id) / LEAF_FILE] = Identity(
            cluster_id=home.cluster_id, role=Role.PEER, name=peer.id
        )
    for place, identity in wanted.items():
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            cabinet.issue(identity, place)
    renewed = cabinet.renew(wanted, left_ms=RENEW_MS)
    return done + [f"the certificate {place} is renewed" for place in renewed]
