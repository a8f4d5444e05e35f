"""Reading a certificate: who its holder is, and until when. Trust is not decided here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

from tars_peer.errors import CorruptError
from tars_peer.model.identity import Identity, parse_identity

#: A server sees the same few certificates in call after call.
_REMEMBERED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What a certificate says; times are Unix milliseconds, ``issuer`` names its authority."""

    identity: Identity
    not_before_ms: int
    not_after_ms: int
    issuer: str


@lru_cache(maxsize=_REMEMBERED)
def read_leaf(pem: bytes) -> Leaf:
    """Return what the first certificate in ``pem`` says of its holder.

    A certificate has exactly one URI (X509-SVID, section 2).

    Raises:
        CorruptError: it cannot be read, or names nobody of a cluster.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as error:
        raise CorruptError(f"this certificate cannot be read: {error}") from error
    if len(uris) != 1:
        raise CorruptError(f"this certificate names {len(uris)} URIs, not one")
    return Leaf(
        identity=parse_identity(uris[0]),
        not_before_ms=round(certificate.not_valid_before_utc.timestamp() * 1000),
        not_after_ms=round(certificate.not_valid_after_utc.timestamp() * 1000),
        issuer=certificate.issuer.rfc4514_string(),
    )
