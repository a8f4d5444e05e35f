"""When ballots are a certificate: distinct current members, valid signatures, a majority.

``tests/unit/ledger/test_quorum.py`` compares this with a deliberately simple second version.
"""

from __future__ import annotations

from collections.abc import Sequence

from tars_peer.ledger.signature import is_ballot_of
from tars_peer.model.ballot import Ballot, Certificate, Verdict
from tars_peer.model.member import Member, majority


def ballot_fault(
    ballot: Ballot, *, change_id: str, cluster_id: str, members: Sequence[Member]
) -> str:
    """Return why ``ballot`` does not count for this change in this cluster; ``""`` if it does."""
    keys = {member.id: member.ballot_key for member in members}
    if ballot.voter not in keys:
        return f"{ballot.voter} is not a member"
    if ballot.cluster_id != cluster_id:
        return f"the ballot of {ballot.voter} is for another cluster"
    if ballot.change_id != change_id:
        return f"the ballot of {ballot.voter} is for another change"
    if not is_ballot_of(ballot, keys[ballot.voter]):
        return f"the ballot of {ballot.voter} has no valid signature"
    return ""


def certificate_fault(
    certificate: Certificate, *, change_id: str, cluster_id: str, members: Sequence[Member]
) -> str:
    """Return why ``certificate`` does not carry the change; ``""`` where it does.

    One key counts once even if two members were given the same key.
    """
    if certificate.change_id != change_id:
        return "the certificate is for another change"
    keys = {member.id: member.ballot_key for member in members}
    counted: dict[str, str] = {}
    for ballot in certificate.ballots:
        fault = ballot_fault(ballot, change_id=change_id, cluster_id=cluster_id, members=members)
        if fault:
            return fault
        if ballot.verdict is not Verdict.APPROVE:
            return f"the ballot of {ballot.voter} does not approve"
        key = keys[ballot.voter]
        if key in counted:
            return f"{ballot.voter} and {counted[key]} voted with one key"
        counted[key] = ballot.voter
    needed = majority(len(members))
    if len(counted) < needed:
        return f"{len(counted)} of {len(members)} members approve, {needed} are needed"
    return ""
