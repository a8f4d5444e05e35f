"""Certificates against a second, deliberately simple implementation.

The second one tries every group of more than half of the members and looks whether each of them
said yes, with signatures checked by the cryptography package and JSON written by ``json``. It is
slow, and has nothing in common with the first but the definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

import msgspec
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tars_peer.ledger.quorum import ballot_fault, certificate_fault
from tars_peer.model.ballot import Ballot, Certificate, Verdict
from tars_peer.model.change import Change
from tars_peer.model.member import Member
from tests.unit.ledger.invariants import plain_change_id, plain_is_signed
from tests.unit.ledger.members import (
    CLUSTER,
    ballot,
    begun,
    certificate,
    change_on,
    member,
    members,
    names,
)

HEAD = begun(1).head
CHANGE = change_on(HEAD, "sum")
OTHER = change_on(HEAD, "product")
#: What may be odd about a certificate.
ODD = ("twice", "stranger", "forged", "refuse", "cluster", "change", "touched", "named")


@cache
def says_yes(one: Ballot, who: Member, change: Change) -> bool:
    return (
        one.voter == who.id
        and one.verdict.value == "approve"
        and one.cluster_id == CLUSTER
        and one.change_id == plain_change_id(change)
        and plain_is_signed(one, who.ballot_key)
    )


def carried(proof: Certificate, change: Change, who: Sequence[Member]) -> bool:
    """Try every group that is a majority; a certificate with one odd ballot is no certificate."""
    if proof.change_id != plain_change_id(change):
        return False
    owners = []
    for one in proof.ballots:
        owner = [each for each in who if says_yes(one, each, change)]
        if not owner:
            return False
        owners.append(owner[0].ballot_key)
    if len(set(owners)) != len(owners):
        return False
    for size in range(len(who) + 1):
        for group in combinations(who, size):
            willing = all(
                any(says_yes(one, each, change) for one in proof.ballots) for each in group
            )
            if willing and 2 * size > len(who):
                return True
    return False


def fault(proof: Certificate, change: Change, who: Sequence[Member]) -> str:
    return certificate_fault(
        proof, change_id=plain_change_id(change), cluster_id=CLUSTER, members=who
    )


def cluster_of(keys: list[str]) -> tuple[Member, ...]:
    """Return as many members as there are ``keys``; each names whose key it is, "" its own."""
    who = zip(names(len(keys)), keys, strict=True)
    return tuple(member(name, key_of=key) for name, key in who)


own_keys = st.integers(min_value=1, max_value=7).map(lambda count: [""] * count)
shared_keys = st.lists(st.sampled_from(["", "", "", "p1", "p2"]), min_size=1, max_size=7)
clusters = st.one_of(own_keys, own_keys, shared_keys).map(cluster_of)


@st.composite
def proofs(draw: st.DrawFn, who: Sequence[Member]) -> Certificate:
    """Mostly right: ballots of some members, now and then with something odd."""
    order = draw(st.permutations([each.id for each in who]))
    voters = order[: draw(st.integers(min_value=len(who) // 2, max_value=len(who)))]
    odd = draw(st.sampled_from([*[""] * len(ODD), *ODD]))
    keys = {each.id: each.ballot_key for each in who}
    signer = {name: name for name in keys}
    for name, key in keys.items():
        signer[name] = next(other for other in names(7) if member(other).ballot_key == key)
    ballots = [ballot(voter, CHANGE, key_of=signer[voter]) for voter in voters]
    if odd:
        voter = draw(st.sampled_from(sorted(keys)))
        key_of = signer[voter]
        match odd:
            case "twice":
                ballots += ballots[:1]
            case "stranger":
                ballots.append(ballot("p9", CHANGE))
            case "forged":
                ballots.append(ballot(voter, CHANGE, key_of="p8"))
            case "refuse":
                verdict = draw(st.sampled_from([Verdict.REFUSE, Verdict.ABSTAIN]))
                ballots.append(ballot(voter, CHANGE, verdict=verdict, key_of=key_of))
            case "cluster":
                ballots.append(ballot(voter, CHANGE, cluster="vineyard", key_of=key_of))
            case "change":
                ballots.append(ballot(voter, OTHER, key_of=key_of))
            case "touched":
                one = ballot(voter, CHANGE, key_of=key_of)
                ballots.append(msgspec.structs.replace(one, tests_passed=one.tests_passed + 1))
    return Certificate(
        change_id=plain_change_id(OTHER if odd == "named" else CHANGE),
        ballots=tuple(draw(st.permutations(ballots))),
    )


@settings(max_examples=100)
@given(st.data(), clusters)
def test_it_agrees_with_trying_every_group(data: st.DataObject, who: tuple[Member, ...]) -> None:
    proof = data.draw(proofs(who))
    event("carried" if carried(proof, CHANGE, who) else "not carried")
    assert (fault(proof, CHANGE, who) == "") == carried(proof, CHANGE, who)


@given(st.permutations(names(5)), st.integers(min_value=0, max_value=5))
def test_the_order_of_ballots_and_of_members_does_not_matter(voters: list[str], count: int) -> None:
    who = members(5)
    proof = certificate(CHANGE, [ballot(voter, CHANGE) for voter in voters[:count]])
    assert (fault(proof, CHANGE, who) == "") == (count >= 3)
    assert fault(proof, CHANGE, who) == fault(proof, CHANGE, tuple(reversed(who)))


@pytest.mark.parametrize("count", range(1, 8))
def test_one_vote_short_is_short(count: int) -> None:
    who = members(count)
    needed = len(who) // 2 + 1
    for given_votes in range(count + 1):
        proof = certificate(CHANGE, [ballot(name, CHANGE) for name in names(given_votes)])
        assert (fault(proof, CHANGE, who) == "") == (given_votes >= needed)


def test_two_members_with_one_key_are_one_voice() -> None:
    who = (member("p1"), member("p2", key_of="p1"), member("p3"))
    both = certificate(CHANGE, [ballot("p1", CHANGE), ballot("p2", CHANGE, key_of="p1")])
    assert fault(both, CHANGE, who) == "p2 and p1 voted with one key"
    honest = certificate(CHANGE, [ballot("p1", CHANGE), ballot("p3", CHANGE)])
    assert fault(honest, CHANGE, who) == ""


@pytest.mark.parametrize(
    "field",
    [
        "cluster_id",
        "change_id",
        "voter",
        "verdict",
        "gates",
        "tests_passed",
        "measurement",
        "sandbox",
    ],
)
def test_every_field_of_a_ballot_is_signed(field: str) -> None:
    one, two = ballot("p1", CHANGE), ballot("p2", OTHER, cluster="x", verdict=Verdict.REFUSE)
    two = msgspec.structs.replace(two, tests_passed=1, measurement=None, sandbox="limits")
    swapped = msgspec.structs.replace(one, **{field: getattr(two, field)})
    assert swapped != one
    fault_of_swapped = ballot_fault(
        swapped,
        change_id=swapped.change_id,
        cluster_id=swapped.cluster_id,
        members=members(3),
    )
    assert fault_of_swapped.endswith("has no valid signature")


@pytest.mark.parametrize("key", ["0" * 64, "f" * 64, "01" + "0" * 62])
def test_a_key_that_is_no_key_signs_nothing(key: str) -> None:
    who = (Member(id="p1", address="h:1", ballot_key=key),)
    assert fault(certificate(CHANGE, [ballot("p1", CHANGE)]), CHANGE, who)
