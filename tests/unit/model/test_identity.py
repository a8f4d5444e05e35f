"""Who somebody is, read from a URI: exactly, or not at all."""

from __future__ import annotations

import pytest

from tars_peer.errors import CorruptError
from tars_peer.model.identity import Identity, Role, parse_identity, server_name
from tars_peer.model.noun import ClusterId


@pytest.mark.parametrize("role", Role)
def test_an_identity_is_its_uri(role):
    one = Identity(cluster_id=ClusterId("c-12ab"), role=role, name="p-1")
    assert one.uri == f"spiffe://c-12ab/{role}/p-1"
    assert parse_identity(one.uri) == one


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://c-1/peer",
        "spiffe://c-1/peer/",
        "spiffe://c-1/peer/p1/",
        "spiffe://c-1/peer/p1\n",
        "spiffe://c-1/peer/P1",
        "spiffe://c-1/peer/p1?x=1",
        "spiffe://c-1/peer/p%31",
        "spiffe://c-1/peer/-p1",
        f"spiffe://c-1/peer/{'p' * 41}",
        "spiffe:///peer/p1",
        "spiffe://c.1/peer/p1",
        "https://c-1/peer/p1",
        " spiffe://c-1/peer/p1",
    ],
)
def test_what_is_no_identity_is_refused(uri):
    with pytest.raises(CorruptError, match="is not spiffe://CLUSTER/ROLE/NAME"):
        parse_identity(uri)


def test_a_role_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(CorruptError, match="'root' is no role: peer, operator, reader are"):
        parse_identity("spiffe://c-1/root/p1")


def test_only_peers_answer_to_names():
    cluster = ClusterId("c-1")
    names = {role: Identity(cluster_id=cluster, role=role, name="p1").server_names for role in Role}
    assert names == {
        Role.PEER: ("p1.c-1.tars.local", "c-1.tars.local"),
        Role.OPERATOR: (),
        Role.READER: (),
    }
    assert server_name(cluster, "p1") in names[Role.PEER]
    assert server_name(cluster) in names[Role.PEER]
