"""PEM files, taken apart (RFC 7468). What the blocks mean may not be known here."""

from __future__ import annotations

import re

_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----\n?", re.DOTALL)


def certificates_of(pem: bytes) -> tuple[bytes, ...]:
    """Return each certificate in ``pem``, as PEM, in order."""
    return tuple(block[0] for block in _BLOCK.finditer(pem) if block[1] == b"CERTIFICATE")


def key_of(pem: bytes) -> bytes:
    """Return the private key in ``pem``, as PEM; empty where there is none."""
    keys = [block[0] for block in _BLOCK.finditer(pem) if block[1].endswith(b"PRIVATE KEY")]
    return keys[0] if keys else b""
