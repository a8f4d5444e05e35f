"""What one holder shows and whom it trusts, as files that a rotation may replace at any time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tars_peer.adapters.identity.leaf import Leaf, read_leaf
from tars_peer.adapters.identity.pem import certificates_of, key_of
from tars_peer.errors import CorruptError, UsageError

TRUSTED_FILE = "trusted.pem"
AUTHORITY_FILE = "authority.pem"

Stamp = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """The files' content at one moment: PEM, and what our own certificate says."""

    key: bytes
    chain: bytes
    roots: bytes
    leaf: Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Where they are: ``leaf`` holds a certificate and its key, ``trusted`` the authorities.

    Key and certificate share a file, so that a rotation is never seen half.
    """

    leaf: Path
    trusted: Path

    def stamp(self) -> Stamp:
        """Return what changes when one of the files is replaced."""
        found: list[int] = []
        for path in (self.trusted, self.leaf):
            try:
                status = path.stat()
            except OSError:
                found.append(0)
            else:
                found += (status.st_ino, status.st_mtime_ns, status.st_size)
        return tuple(found)

    def read(self) -> Papers:
        """Return what is in the files now.

        Raises:
            UsageError: one is not there or cannot be read.
            CorruptError: one is damaged.
        """
        # The leaf first: a rotation writes it last, so what is trusted is never older than it.
        leaf, trusted = _content(self.leaf), _content(self.trusted)
        key, chain = key_of(leaf), b"".join(certificates_of(leaf))
        roots = b"".join(certificates_of(trusted))
        hint = "issue it anew with `tars certs issue`, or restore it from a backup"
        if not (key and chain):
            raise CorruptError(f"{self.leaf} holds no certificate with its key", hint=hint)
        if not roots:
            raise CorruptError(f"{self.trusted} holds no certificate", hint=hint)
        try:
            said = read_leaf(chain)
        except CorruptError as error:
            raise CorruptError(f"{self.leaf}: {error}", hint=hint) from error
        return Papers(key=key, chain=chain, roots=roots, leaf=said)


def choose_credentials(place: Path) -> Credentials:
    """Return the credentials in ``place``: a certificate's file, or a folder with certificates.

    In a folder the operator's come first, then a reader's, then the only one there.

    Raises:
        UsageError: there are none, or several and none of those names.
    """
    if place.is_file():
        return Credentials(leaf=place, trusted=place.with_name(TRUSTED_FILE))
    leaves = leaf_files(place)
    names = {leaf.name: leaf for leaf in leaves}
    first = names.get("operator.pem") or names.get("reader.pem")
    if first is None and len(leaves) == 1:
        first = leaves[0]
    if first is not None:
        return Credentials(leaf=first, trusted=place / TRUSTED_FILE)
    if leaves:
        raise UsageError(
            f"{place} holds several certificates: {', '.join(sorted(names))}",
            hint=f"name one, for example --certs {leaves[0]}",
        )
    raise UsageError(
        f"no certificate in {place}: peers talk only to those who show one",
        hint="`tars cluster up` makes those of a home; to ask a cluster elsewhere, have its "
        "operator run `tars certs issue NAME --role reader --out DIR`, and use --certs DIR",
    )


def leaf_files(folder: Path) -> list[Path]:
    """Return the files in ``folder`` that hold a certificate and its key, by name."""
    apart = (TRUSTED_FILE, AUTHORITY_FILE)
    return sorted(
        path
        for path in folder.glob("*.pem")
        if path.name not in apart and not path.name.startswith(".")
    )


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the certificate {path} cannot be read: {error.strerror}",
            hint="`tars cluster up` makes what a home lacks; elsewhere use --certs DIR",
        ) from error
