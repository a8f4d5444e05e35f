"""The note by which a peer asks its supervisor for another generation of itself."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "swap.json"
#: The exit code by which a peer says "read my note" (EX_TEMPFAIL of sysexits.h).
SWAP_EXIT_CODE = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Run the peer from ``artifact``, which holds ``tree``, with the interpreter ``python``."""

    tree: str
    artifact: str
    python: str


def write_swap(folder: Path, swap: Swap) -> None:
    """Leave the note, whole or not at all."""
    making = folder / f".{_FILE}.making"
    with making.open("w") as file:
        json.dump(asdict(swap), file)
        file.flush()
        os.fsync(file.fileno())
    making.replace(folder / _FILE)


def take_swap(folder: Path) -> Swap | None:
    """Return the note and remove it; None where there is none that can be read."""
    file = folder / _FILE
    try:
        return Swap(**json.loads(file.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    finally:
        file.unlink(missing_ok=True)
