"""The folder of an authority: founding it, issuing from it, rotating. Who may, is not asked here.

``authority.pem`` (certificate and key), ``trusted.pem`` (all authorities that are trusted now) and
certificates of people. A new authority is trusted before anything it issued is used, and the old
one until ``finish``: that is why a rotation is no outage (docs/security.md).
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509

from tars_peer.adapters.identity.authority import Authority
from tars_peer.adapters.identity.credentials import AUTHORITY_FILE, TRUSTED_FILE
from tars_peer.adapters.identity.leaf import Leaf, read_leaf
from tars_peer.adapters.identity.pem import certificates_of
from tars_peer.adapters.identity.private_file import write_private
from tars_peer.errors import CorruptError, PermanentError, RefusedError, UsageError
from tars_peer.model.identity import Identity
from tars_peer.model.noun import ClusterId

_LOCK_FILE = ".lock"
_FOLDER_MODE = 0o700


class Cabinet:
    """The authority in a folder; ``now_ms`` is the time, in Unix milliseconds.

    Each method may raise PermanentError where the folder cannot be read or written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        now_ms: Callable[[], int],
        write: Callable[[Path, bytes], None] = write_private,
    ) -> None:
        """Work in ``folder``, which need not exist yet; ``write`` replaces a file as a whole."""
        self.folder = folder
        self._write = write
        self._now_ms = now_ms

    @property
    def founded(self) -> bool:
        """Whether there is an authority."""
        return (self.folder / AUTHORITY_FILE).exists()

    def found(self, cluster_id: ClusterId) -> None:
        """Make the authority of ``cluster_id``.

        Raises:
            UsageError: there is one already.
        """
        with self._locked(make=True):
            if self.founded:
                raise UsageError(
                    f"{self.folder} holds a certificate authority already",
                    hint="renew it with `tars certs rotate --ca`, or name another folder",
                )
            self._adopt(Authority.make(cluster_id, now_ms=self._now_ms()))

    def authority(self) -> Authority:
        """Return the authority.

        Raises:
            UsageError: there is none.
            CorruptError: its file is damaged.
        """
        file = self.folder / AUTHORITY_FILE
        try:
            return Authority.from_pem(file.read_bytes())
        except FileNotFoundError as error:
            raise UsageError(
                f"no certificate authority in {self.folder}",
                hint="make one with `tars certs init`, or name its folder with --certs DIR",
            ) from error
        except OSError as error:
            raise PermanentError(f"{file} cannot be read: {error.strerror}") from error
        except CorruptError as error:
            raise CorruptError(f"{file}: {error}", hint="restore it from a backup") from error

    def trusted(self) -> tuple[str, ...]:
        """Return the names of the authorities that are trusted, newest last."""
        try:
            blocks = certificates_of((self.folder / TRUSTED_FILE).read_bytes())
            return tuple(
                x509.load_pem_x509_certificate(block).subject.rfc4514_string() for block in blocks
            )
        except (OSError, ValueError) as error:
            raise PermanentError(f"{self.folder / TRUSTED_FILE} cannot be read: {error}") from error

    def issue(self, identity: Identity, place: Path) -> None:
        """Write a new certificate of ``identity`` with its key to ``place``, which is replaced."""
        with self._locked():
            self._issue(self.authority(), identity, place)

    def renew(self, places: Iterable[Path], *, left_ms: int | None = None) -> list[Path]:
        """Issue anew what is in ``places`` to the same holders; return what was renewed.

        With ``left_ms``, only what is valid for less than that.

        Raises:
            CorruptError: one cannot be read.
        """
        with self._locked():
            return self._renew(self.authority(), places, left_ms)

    def rotate_authority(self, places: Iterable[Path]) -> list[Path]:
        """Make a new authority, trust it beside the old, then issue ``places`` anew from it."""
        with self._locked():
            authority = Authority.make(self.authority().cluster_id, now_ms=self._now_ms())
            self._adopt(authority)
            return self._renew(authority, places, None)

    def finish(self, places: Iterable[Path]) -> None:
        """Trust no authority any more but the present one.

        Raises:
            RefusedError: one of ``places`` was issued by another, and would be locked out.
        """
        with self._locked():
            authority = self.authority()
            older = [place for place in places if not authority.issued(place.read_bytes())]
            if older:
                raise RefusedError(
                    f"the old authority is needed: {', '.join(map(str, older))}",
                    hint="issue these anew first, with `tars certs rotate`",
                )
            self._write(self.folder / TRUSTED_FILE, authority.public_pem)

    def _adopt(self, authority: Authority) -> None:
        """Trust first, use then: whoever sees the new authority's work must know it."""
        file = self.folder / TRUSTED_FILE
        before = file.read_bytes() if file.exists() else b""
        self._write(file, before + authority.public_pem)
        self._write(self.folder / AUTHORITY_FILE, authority.private_pem)

    def _issue(self, authority: Authority, identity: Identity, place: Path) -> None:
        self._write(place, authority.issue(identity, now_ms=self._now_ms()))

    def _renew(
        self, authority: Authority, places: Iterable[Path], left_ms: int | None
    ) -> list[Path]:
        renewed = []
        for place in places:
            leaf = leaf_in(place)
            if left_ms is None or leaf.not_after_ms - self._now_ms() < left_ms:
                self._issue(authority, leaf.identity, place)
                renewed.append(place)
        return renewed

    @contextmanager
    def _locked(self, *, make: bool = False) -> Iterator[None]:
        """Keep others from writing here for the time of the body."""
        try:
            if make:
                self.folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            if not self.folder.is_dir():
                self.authority()  # says what is missing
            with (self.folder / _LOCK_FILE).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise PermanentError(
                f"certificates cannot be written: {error}",
                hint="see that the folder is writable and that its disk has room",
            ) from error


def leaf_in(place: Path) -> Leaf:
    """Return what the certificate in ``place`` says.

    Raises:
        CorruptError: it is missing or damaged.
    """
    try:
        return read_leaf(b"".join(certificates_of(place.read_bytes())))
    except (OSError, CorruptError) as error:
        raise CorruptError(
            f"{place}: {error}", hint="delete it, and issue it anew or run `tars cluster up`"
        ) from error
