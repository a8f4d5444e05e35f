"""Canonical bytes of a noun (RFC 8785) and their digests. Protobuf bytes are never digested."""

from __future__ import annotations

import hashlib

import msgspec
import rfc8785

from tars_peer.model.noun import Noun


def canonical(noun: Noun) -> bytes:
    """Return ``noun`` as canonical JSON.

    Raises:
        ValueError: a string or number in it has no canonical form (a lone surrogate, say).
    """
    return rfc8785.dumps(msgspec.to_builtins(noun))


def digest(domain: str, noun: Noun) -> str:
    """Return the SHA-256 of ``noun`` in hex, kept apart from other uses by ``domain``."""
    return digest_of_bytes(domain, canonical(noun))


def digest_of_bytes(domain: str, content: bytes) -> str:
    """Return what ``digest`` does for the noun whose canonical bytes are ``content``."""
    return hashlib.sha256(f"tars.{domain}.v1\n".encode() + content).hexdigest()
