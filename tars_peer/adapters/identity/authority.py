"""A cluster's certificate authority: makes itself, and issues. No file is touched here.

Keys are P-256: grpc's TLS refuses Ed25519 certificates.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tars_peer.adapters.identity.pem import certificates_of, key_of
from tars_peer.errors import CorruptError, UsageError
from tars_peer.model.identity import Identity, Role, is_label
from tars_peer.model.noun import ClusterId

AUTHORITY_DAYS = 3_650
LEAF_DAYS = 90
#: Clocks of machines differ: what is issued now is valid a little before.
_EARLIER = timedelta(minutes=10)
_SCHEME = "spiffe://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority of one cluster, with its private key."""

    cluster_id: ClusterId
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, cluster_id: ClusterId, *, now_ms: int) -> Self:
        """Make a new one.

        Raises:
            UsageError: the cluster's name cannot stand in a certificate.
        """
        if not is_label(cluster_id):
            raise UsageError(
                f"{cluster_id!r} cannot be the name of a cluster",
                hint="give up to 40 letters of a-z, 0-9 and -",
            )
        key = ec.generate_private_key(ec.SECP256R1())
        # No two authorities share a name, or a verifier would try the wrong key.
        name = f"TARS {cluster_id} {secrets.token_hex(4)}"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, subject, key.public_key(), now_ms, AUTHORITY_DAYS)
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(_names((_SCHEME + cluster_id,), ()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(cluster_id=cluster_id, certificate=certificate, key=key)

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Return the authority whose certificate and key are in ``pem``.

        Raises:
            CorruptError: one of them is missing, damaged, or not the other's.
        """
        try:
            certificate = x509.load_pem_x509_certificate(b"".join(certificates_of(pem)))
            key = load_pem_private_key(key_of(pem), password=None)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            (uri,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        except (ValueError, x509.ExtensionNotFound) as error:
            raise CorruptError(f"this is no certificate authority: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CorruptError("the key of this certificate authority is not on a curve")
        if key.public_key() != certificate.public_key():
            raise CorruptError("key and certificate of this authority are not of one pair")
        return cls(
            cluster_id=ClusterId(uri.removeprefix(_SCHEME)), certificate=certificate, key=key
        )

    @property
    def name(self) -> str:
        """What certificates it issued name as their issuer."""
        return self.certificate.subject.rfc4514_string()

    @property
    def public_pem(self) -> bytes:
        """Its certificate, for those who are to trust it."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def private_pem(self) -> bytes:
        """Its certificate and its key."""
        return self.public_pem + _key_pem(self.key)

    def issued(self, leaf_pem: bytes) -> bool:
        """Say whether this very authority signed the first certificate in ``leaf_pem``."""
        try:
            leaf = x509.load_pem_x509_certificate(leaf_pem)
            leaf.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def issue(self, identity: Identity, *, now_ms: int, days: int = LEAF_DAYS) -> bytes:
        """Return a new certificate of ``identity`` and its key, as PEM.

        Only peers serve: nobody else's certificate is good for a server.

        Raises:
            UsageError: the identity is of another cluster, or its name cannot stand in one.
        """
        if identity.cluster_id != self.cluster_id or not is_label(identity.name):
            raise UsageError(
                f"{identity.uri} cannot be issued by the authority of {self.cluster_id}",
                hint="names are up to 40 letters of a-z, 0-9 and -",
            )
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if identity.role is Role.PEER:
            uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, identity.name)])
        names = _names((identity.uri,), identity.server_names)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(subject, self.certificate.subject, key.public_key(), now_ms, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(issuer_key, critical=False)
            .add_extension(names, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM) + _key_pem(key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now_ms: int, days: int
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _names(uris: tuple[str, ...], hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [*map(x509.UniformResourceIdentifier, uris), *map(x509.DNSName, hosts)]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
