"""Who somebody is: a role and a name in one cluster, as a SPIFFE id says it.

The id is the URI in a certificate (SPIFFE-ID, section 2). No keys and no certificates may enter.
"""

from __future__ import annotations

import re
from enum import StrEnum

from tars_peer.errors import CorruptError
from tars_peer.model.noun import ClusterId, Noun

#: Names are labels of DNS names too, so that clients can ask for one peer and get no other.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
_URI = re.compile(rf"spiffe://(?P<cluster>{_LABEL})/(?P<role>[a-z]+)/(?P<name>{_LABEL})")
_DOMAIN = "tars.local"


class Role(StrEnum):
    """What somebody may do; each method of the wire names the roles that may call it."""

    PEER = "peer"
    OPERATOR = "operator"
    READER = "reader"


class Identity(Noun, frozen=True, kw_only=True):
    """One holder of a certificate."""

    cluster_id: ClusterId
    role: Role
    name: str

    @property
    def uri(self) -> str:
        """The SPIFFE id."""
        return f"spiffe://{self.cluster_id}/{self.role}/{self.name}"

    @property
    def server_names(self) -> tuple[str, ...]:
        """The DNS names it may answer to: a peer's own, and any peer's; nobody else serves."""
        if self.role is not Role.PEER:
            return ()
        return (server_name(self.cluster_id, self.name), server_name(self.cluster_id))


def server_name(cluster_id: ClusterId, peer: str = "") -> str:
    """Return the name to ask a server for: that of ``peer``, or of any peer where it is empty."""
    return f"{peer}.{cluster_id}.{_DOMAIN}" if peer else f"{cluster_id}.{_DOMAIN}"


def is_label(text: str) -> bool:
    """Say whether ``text`` can be the name of a cluster or of a holder."""
    return re.fullmatch(_LABEL, text) is not None


def parse_identity(uri: str) -> Identity:
    """Return the identity that ``uri`` names.

    Raises:
        CorruptError: it is none of ours, or its role is not known.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise CorruptError(f"{uri[:200]!r} is not spiffe://CLUSTER/ROLE/NAME")
    if found["role"] not in set(Role):
        raise CorruptError(f"{found['role'][:40]!r} is no role: {', '.join(Role)} are")
    return Identity(
        cluster_id=ClusterId(found["cluster"]), role=Role(found["role"]), name=found["name"]
    )
