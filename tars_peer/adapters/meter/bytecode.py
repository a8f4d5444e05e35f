"""Byte code of an artifact: made in the sandbox, laid next to the source from outside.

Compiling runs no genome code, but hostile source can exhaust a compiler; so even that is confined.
Neither the genome's build command nor its tests may enter here.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tars_peer.adapters.meter.result import read_result
from tars_peer.errors import TemporaryError
from tars_peer.ports.sandbox import Outcome

COMPILER: Final = Path(__file__).parent / "hook" / "compile_tree.py"
_MOST_BYTES: Final = 16 * 1024 * 1024
_SHOWN: Final = 5


def compile_command(artifact: Path, scratch: Path) -> tuple[str, ...]:
    """Return the command that compiles ``artifact`` into ``scratch``."""
    places = (artifact, scratch / "tree", scratch / "complaints.json")
    return ("python", "-I", str(COMPILER), *map(str, places))


def compile_complaint(outcome: Outcome, scratch: Path, source: Sequence[str]) -> str:
    """Return which files under ``source`` do not compile, in one line, or ``""``."""
    content = read_result(scratch / "complaints.json", most_bytes=_MOST_BYTES)
    if not outcome.ok or content is None:
        return f"the tree could not be compiled: {outcome.complaint()}"
    complaints = [
        f"{path}: {complaint}"
        for path, complaint in json.loads(content)
        if any(within(path, folder) for folder in source)
    ]
    more = f"; and {len(complaints) - _SHOWN} more" if len(complaints) > _SHOWN else ""
    return "; ".join(complaints[:_SHOWN]) + more


def within(path: str, folder: str) -> bool:
    """Say whether ``path`` is ``folder`` or lies in it."""
    plain = folder.removeprefix("./").rstrip("/")
    return plain in {"", ".", path} or path.startswith(f"{plain}/")


def lay_out(scratch: Path, artifact: Path) -> None:
    """Put the byte code from ``scratch`` next to the source in ``artifact``.

    A link that the genome has in the place of such a folder is left alone, as it may lead outside.

    Raises:
        TemporaryError: the disk does not take it.
    """
    tree = scratch / "tree"
    try:
        for made in tree.rglob("__pycache__"):
            place = artifact / made.relative_to(tree)
            if place.is_symlink():
                continue
            place.mkdir(exist_ok=True)
            for file in made.iterdir():
                # Moved in one step: somebody may import it at this moment.
                part = place / f".{file.name}.{os.getpid()}"
                shutil.copyfile(file, part)
                part.replace(place / file.name)
    except OSError as error:
        raise TemporaryError(
            f"the byte code of {artifact} cannot be written: {error.strerror}",
            hint="make room on the disk, or let this user write to the folder",
        ) from error
