"""Which life of a member this is: a number that grows at each start. Nothing else may enter here.

Whoever hears of a greater one takes nothing from the lives before it. The time alone would not do:
a clock that was set back would make a new life look old.
"""

from __future__ import annotations

import time
from pathlib import Path

from tars_peer.adapters.identity.private_file import write_private
from tars_peer.errors import TemporaryError

FILE = "boot.epoch"


def next_epoch(folder: Path) -> int:
    """Return the number of the life that begins now, and keep it in ``folder``.

    Raises:
        TemporaryError: it cannot be written.
    """
    place = folder / FILE
    try:
        kept = place.read_bytes()
    except OSError:
        kept = b""
    # Should the file be lost or torn, the time keeps the numbers growing.
    last = int(kept) if kept.isdigit() else 0
    epoch = max(last + 1, time.time_ns() // 1_000_000)
    try:
        write_private(place, b"%d" % epoch)
    except OSError as error:
        raise TemporaryError(
            f"{place} cannot be written: {error.strerror}",
            hint="is the disk full, or the folder somebody else's?",
        ) from error
    return epoch
