"""Ed25519 over canonical nouns: the vectors of RFC 8032, and what a signature does not cover."""

from __future__ import annotations

import pytest

from tars_peer.ledger.entry import Pause, is_entry_of, sign_entry
from tars_peer.ledger.signature import is_ballot_of, is_signed, public_key, sign, sign_ballot
from tests.unit.ledger.members import (
    ballot,
    begun,
    change_on,
    entry_of,
    member,
    private_key,
)

KEY = member("p1").ballot_key
PAUSE = Pause(paused=True, reason="")
ENTRY = entry_of("p1", PAUSE)
BALLOT = ballot("p1", change_on(begun(1).head, "sum"))


def test_the_first_vector_of_rfc_8032() -> None:
    secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert public_key(bytes.fromhex(secret)) == public


def test_signing_twice_gives_the_same() -> None:
    assert sign_entry(ENTRY, private_key("p1")) == ENTRY
    assert sign_ballot(BALLOT, private_key("p1")) == BALLOT
    assert is_entry_of(ENTRY, KEY)
    assert is_ballot_of(BALLOT, KEY)


def test_another_key_another_noun_and_another_use_do_not_verify() -> None:
    other = member("p2").ballot_key
    signature = sign("entry", PAUSE, private_key("p1"))
    assert is_signed("entry", PAUSE, signature, KEY)
    assert not is_signed("entry", PAUSE, signature, other)
    assert not is_signed("ballot", PAUSE, signature, KEY)
    assert not is_signed("entry", Pause(paused=False, reason=""), signature, KEY)


@pytest.mark.parametrize("bad", ["", "0", "zz", "0" * 126, "0" * 128, "0" * 130, "f" * 128])
def test_a_damaged_signature_is_no_signature(bad: str) -> None:
    assert not is_signed("entry", PAUSE, bad, KEY)


@pytest.mark.parametrize("bad", ["", "0", "zz", "0" * 62, "0" * 64, "0" * 66, "f" * 64])
def test_a_damaged_key_verifies_nothing(bad: str) -> None:
    assert not is_signed("entry", PAUSE, sign("entry", PAUSE, private_key("p1")), bad)
