"""An authority issues, renews and is replaced; what it writes is private and never half."""

from __future__ import annotations

import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tars_peer.adapters.identity.authority import Authority
from tars_peer.adapters.identity.cabinet import Cabinet, leaf_in
from tars_peer.adapters.identity.credentials import Credentials, choose_credentials
from tars_peer.adapters.identity.leaf import read_leaf
from tars_peer.errors import CorruptError, PermanentError, RefusedError, UsageError
from tars_peer.model.identity import Identity, Role
from tars_peer.model.noun import ClusterId
from tests.fakes.certificates import DAY_MS, Certificates


@pytest.fixture
def certificates(tmp_path):
    return Certificates(tmp_path / "certs")


def certificate_in(credentials: Credentials) -> x509.Certificate:
    """Return the certificate that is shown with ``credentials``."""
    return x509.load_pem_x509_certificate(credentials.read().chain)


def test_a_leaf_says_who_until_when_and_for_what(certificates):
    peer, reader = certificates.of("p1"), certificates.reader
    leaf = peer.read().leaf
    assert leaf.identity.uri == "spiffe://c-1/peer/p1"
    assert 0 <= certificates.now_ms + 90 * DAY_MS - leaf.not_after_ms < 1000
    assert leaf.not_before_ms < certificates.now_ms
    assert leaf.issuer == certificates.cabinet.authority().name
    names = certificate_in(peer).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["p1.c-1.tars.local", "c-1.tars.local"]
    uses = [
        set(certificate_in(one).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        for one in (peer, reader)
    ]
    client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
    assert uses == [{client, server}, {client}]


def test_keys_are_p_256_and_only_their_owner_may_read_them(certificates):
    peer = certificates.of("p1")
    key = certificate_in(peer).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in certificates.folder.iterdir()
        if path.suffix == ".pem"
    }
    assert modes == {"authority.pem": 0o600, "p1.pem": 0o600, "trusted.pem": 0o600}


def test_a_second_founding_is_refused(certificates):
    before = certificates.cabinet.authority().name
    with pytest.raises(UsageError, match="holds a certificate authority already"):
        certificates.cabinet.found(ClusterId("c-2"))
    assert certificates.cabinet.authority().name == before


@pytest.mark.parametrize("name", ["", "C-1", "c.1", "c" * 41, "c/1"])
def test_a_cluster_that_cannot_be_named_is_refused(name):
    with pytest.raises(UsageError, match="cannot be the name of a cluster"):
        Authority.make(ClusterId(name), now_ms=0)


@pytest.mark.parametrize(("cluster", "name"), [("c-2", "p1"), ("c-1", "P 1"), ("c-1", "")])
def test_what_an_authority_may_not_say_it_does_not(certificates, cluster, name):
    identity = Identity(cluster_id=ClusterId(cluster), role=Role.PEER, name=name)
    with pytest.raises(UsageError, match="cannot be issued by the authority of c-1"):
        certificates.cabinet.issue(identity, certificates.folder / "x.pem")
    assert not (certificates.folder / "x.pem").exists()


def test_only_what_is_soon_to_expire_is_renewed_and_to_the_same_holder(certificates):
    early = certificates.of("p1")
    certificates.now_ms += 50 * DAY_MS
    late = certificates.of("p2")
    certificates.now_ms += 11 * DAY_MS
    before = early.read(), late.read()
    renewed = certificates.cabinet.renew([early.leaf, late.leaf], left_ms=30 * DAY_MS)
    assert renewed == [early.leaf]
    assert late.read() == before[1]
    after = early.read()
    assert after.leaf.identity == before[0].leaf.identity
    assert after.key != before[0].key
    assert after.leaf.not_after_ms - before[0].leaf.not_after_ms == 61 * DAY_MS


def test_a_new_authority_is_trusted_beside_the_old_until_the_end(certificates):
    peer, stayed = certificates.of("p1"), certificates.of("p2")
    old = certificates.cabinet.authority()
    certificates.cabinet.rotate_authority([peer.leaf])
    new = certificates.cabinet.authority()
    assert certificates.cabinet.trusted() == (old.name, new.name)
    assert new.issued(peer.leaf.read_bytes())
    assert old.issued(stayed.leaf.read_bytes())
    with pytest.raises(RefusedError, match=r"the old authority is needed: .*p2\.pem"):
        certificates.cabinet.finish([peer.leaf, stayed.leaf])
    assert certificates.cabinet.trusted() == (old.name, new.name)
    certificates.cabinet.renew([stayed.leaf])
    certificates.cabinet.finish([peer.leaf, stayed.leaf])
    assert certificates.cabinet.trusted() == (new.name,)


@pytest.mark.parametrize("writes", range(4))
def test_trust_comes_before_use(certificates, writes):
    """A crash after so many writes leaves every certificate under a trusted authority."""
    places = [certificates.of("p1").leaf, certificates.of("p2").leaf]
    left = iter(range(writes))

    def write(path, content):
        if next(left, None) is None:
            raise OSError("the power is gone")
        path.write_bytes(content)

    cabinet = Cabinet(certificates.folder, now_ms=lambda: certificates.now_ms, write=write)
    with pytest.raises(PermanentError, match="the power is gone"):
        cabinet.rotate_authority(places)
    trusted = cabinet.trusted()
    assert len(trusted) == min(writes, 1) + 1
    assert all(leaf_in(place).issuer in trusted for place in places)
    assert cabinet.authority().name in trusted


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END", b"\xff"])
def test_damage_is_named(certificates, content):
    peer = certificates.of("p1")
    (certificates.folder / "authority.pem").write_bytes(content)
    with pytest.raises(CorruptError, match=r"authority\.pem: this is no certificate authority"):
        certificates.cabinet.authority()
    peer.leaf.write_bytes(content)
    with pytest.raises(CorruptError, match=r"p1\.pem"):
        peer.read()
    with pytest.raises(CorruptError, match=r"p1\.pem"):
        leaf_in(peer.leaf)


def test_a_certificate_with_two_uris_names_nobody(certificates):
    authority = certificates.cabinet.authority()
    names = [x509.UniformResourceIdentifier(f"spiffe://c-1/peer/p{n}") for n in (1, 2)]
    pem = certificates.of("p1").read().chain
    genuine = x509.load_pem_x509_certificate(pem)
    forged = (
        x509.CertificateBuilder()
        .subject_name(genuine.subject)
        .issuer_name(genuine.issuer)
        .public_key(genuine.public_key())
        .serial_number(7)
        .not_valid_before(genuine.not_valid_before_utc)
        .not_valid_after(genuine.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority.key, genuine.signature_hash_algorithm)
    )
    with pytest.raises(CorruptError, match="names 2 URIs, not one"):
        read_leaf(forged.public_bytes(Encoding.PEM))


def test_where_there_is_nothing(tmp_path):
    lacking = Credentials(leaf=tmp_path / "a.pem", trusted=tmp_path / "trusted.pem")
    with pytest.raises(UsageError, match=r"a\.pem cannot be read: No such file"):
        lacking.read()
    with pytest.raises(UsageError, match="no certificate in") as caught:
        choose_credentials(tmp_path)
    assert "tars certs issue NAME --role reader" in caught.value.hint


def test_the_operators_come_first_then_a_readers_then_the_only_one(certificates):
    folder = certificates.folder
    only = certificates.of("anna", Role.READER)
    assert choose_credentials(folder) == only
    other = certificates.of("ben", Role.READER)
    with pytest.raises(UsageError, match=r"several certificates: anna\.pem, ben\.pem"):
        choose_credentials(folder)
    assert choose_credentials(other.leaf) == other
    reader = certificates.reader
    assert choose_credentials(folder) == reader
    operator = certificates.operator
    assert choose_credentials(folder) == operator
