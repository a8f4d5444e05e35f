"""The mark of an artifact that was built: it lies beside it, and holds for this very folder.

Candidates cannot write there, and a folder that was made anew is another one. Building itself may
not enter here.
"""

from __future__ import annotations

import os
from pathlib import Path


def is_built(artifact: Path) -> bool:
    """Say whether this very folder was built, and nothing was added to it or taken away since."""
    try:
        return _mark_of(artifact).read_text() == _identity(artifact)
    except (OSError, ValueError):
        return False


def mark_built(artifact: Path) -> None:
    """Note that the folder is built, in one step; a disk that does not take it costs a build."""
    mark = _mark_of(artifact)
    part = mark.with_name(f"{mark.name}.{os.getpid()}")
    try:
        part.write_text(_identity(artifact))
        part.replace(mark)
    except OSError:
        part.unlink(missing_ok=True)


def _mark_of(artifact: Path) -> Path:
    return artifact.with_name(f".{artifact.name}.built")


def _identity(artifact: Path) -> str:
    folder = artifact.stat()
    return f"{folder.st_dev} {folder.st_ino} {folder.st_mtime_ns}"
