"""Ed25519 signatures over canonical nouns (RFC 8032). Keys come in as bytes and are never kept."""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tars_peer.ledger.canon import canonical
from tars_peer.model.ballot import Ballot
from tars_peer.model.noun import Noun

UNSIGNED = "0" * 128


def public_key(private_key: bytes) -> str:
    """Return the public half of a 32-byte Ed25519 private key, in hex."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    return key.public_key().public_bytes_raw().hex()


def sign(domain: str, noun: Noun, private_key: bytes) -> str:
    """Sign ``noun`` (with its signature field as ``UNSIGNED``) for ``domain``; return hex."""
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    return key.sign(f"tars.{domain}.v1\n".encode() + canonical(noun)).hex()


def is_signed(domain: str, noun: Noun, signature: str, key: str) -> bool:
    """Say whether ``signature`` (hex) over ``noun`` was made by the owner of ``key`` (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), f"tars.{domain}.v1\n".encode() + canonical(noun)
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def sign_ballot(ballot: Ballot, private_key: bytes) -> Ballot:
    """Return ``ballot`` with its signature filled in."""
    unsigned = msgspec.structs.replace(ballot, signature=UNSIGNED)
    return msgspec.structs.replace(unsigned, signature=sign("ballot", unsigned, private_key))


def is_ballot_of(ballot: Ballot, key: str) -> bool:
    """Say whether ``ballot`` carries a valid signature by the owner of ``key`` (hex)."""
    unsigned = msgspec.structs.replace(ballot, signature=UNSIGNED)
    return is_signed("ballot", unsigned, ballot.signature, key)
