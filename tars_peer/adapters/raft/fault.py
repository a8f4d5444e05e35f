"""What happens when this node can no longer keep its promises: it says why, and it ends.

A log that goes on after a failed write or a broken invariant tells lies that no restart repairs,
so there is no third way. Recovery, retries and clean-up must never enter here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

#: EX_IOERR: the disk did not take what was promised to the other members.
STORAGE_EXIT_CODE = 74
#: EX_SOFTWARE: our own bug, or a member that breaks Raft's rules.
FAULT_EXIT_CODE = 70

ExitProcess = Callable[[int], None]
OnFault = Callable[[str], None]


class StoppedError(BaseException):
    """The node must not take another step; only seen when the exit function returns (in tests).

    Not an ``Exception``, so that no handler of the library below us can swallow it.
    """


def stop_for_storage(reason: str, exit_process: ExitProcess) -> None:
    """Say that the journal could not be written and end the process with code 74.

    Raises:
        StoppedError: ``exit_process`` came back.
    """
    _say(
        f"the journal cannot be written, stopping now: {reason}. Free or repair the disk and "
        "start the peer again; nothing that was acknowledged is lost."
    )
    exit_process(STORAGE_EXIT_CODE)
    raise StoppedError(reason)


def fault_stopper(exit_process: ExitProcess) -> OnFault:
    """Make the default ``on_fault``: say what broke and end the process with code 70."""

    def stop(reason: str) -> None:
        _say(f"fault, stopping now: {reason}")
        exit_process(FAULT_EXIT_CODE)

    return stop


def _say(what: str) -> None:
    """Write to stderr itself: a logger may be set up to drop or delay it."""
    sys.stderr.write(f"tars raft: {what}\n")
    sys.stderr.flush()
