"""A tree checked out into a folder: written beside its place, flushed, then moved there."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

Entry = tuple[str, pygit2.Oid, int]


def check_out(repository: pygit2.Repository, files: Sequence[Entry], folder: Path) -> None:
    """Write ``files`` (path, blob, mode) as ``folder``, all or nothing."""
    making = folder.with_name(f".making-{folder.name}-{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for path, oid, mode in files:
        place = making / path
        place.parent.mkdir(parents=True, exist_ok=True)
        content = repository.odb.read(oid)[1]
        if mode == FileMode.LINK:
            place.symlink_to(content.decode())
            continue
        place.write_bytes(content)
        place.chmod(0o755 if mode == FileMode.BLOB_EXECUTABLE else 0o644)
    making.rename(folder)


def is_intact(folder: Path, files: Sequence[Entry]) -> bool:
    """Say whether every file of the tree is in ``folder`` with its very content."""
    for path, oid, mode in files:
        place = folder / path
        try:
            is_link = mode == FileMode.LINK
            # A Path would tidy the link's text.
            content = os.readlink(place).encode() if is_link else place.read_bytes()  # noqa: PTH115
        except OSError:
            return False
        header = f"blob {len(content)}\0".encode()
        if hashlib.sha1(header + content, usedforsecurity=False).hexdigest() != str(oid):
            return False
    return True
