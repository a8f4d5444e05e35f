"""Reading what a job left in its scratch folder: nothing in there is to be trusted.

Only bytes leave here; what they mean is for the callers.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_result(path: Path, *, most_bytes: int) -> bytes | None:
    """Return the content of a plain file; None where there is none, or it is too large.

    A link is not followed and a pipe is not waited for: the job may have made either.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(most_bytes + 1)
    finally:
        os.close(descriptor)
    return content if len(content) <= most_bytes else None
