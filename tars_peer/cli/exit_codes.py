"""What a command's exit code says. No printing may enter here."""

from __future__ import annotations

from enum import IntEnum

from tars_peer.errors import TarsError, TemporaryError, UsageError


class ExitCode(IntEnum):
    """The exit codes of every command; scripts rely on them."""

    DONE = 0
    REFUSED = 1
    WRONG_USE = 2
    UNREACHABLE = 3


def exit_code_of(error: TarsError) -> ExitCode:
    """Return the exit code that stands for ``error``."""
    match error:
        case UsageError():
            return ExitCode.WRONG_USE
        case TemporaryError():
            return ExitCode.UNREACHABLE
        case _:
            return ExitCode.REFUSED
