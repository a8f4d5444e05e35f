"""Base errors of the house. Nothing but exceptions may enter here.

Two questions are answered by the type: is it worth trying again (Temporary) or not (Permanent),
and, by the subclass, whose fault it is. Every error carries a ``hint``: what to do next. The
command line prints it; nobody else does.
"""

from __future__ import annotations


class TarsError(Exception):
    """Anything TARS raises on purpose."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep what was wrong (``message``) and how to go on (``hint``)."""
        super().__init__(message)
        self.hint = hint


class TemporaryError(TarsError):
    """The same call may succeed later: no leader yet, a peer out of reach, a deadline passed."""


class PermanentError(TarsError):
    """The same call will fail again until something is changed."""


class UsageError(PermanentError):
    """The person's input is wrong: a setting, an argument, a path."""


class UnreachableError(TemporaryError):
    """Another peer did not answer in time."""


class UntrustedError(UnreachableError):
    """Another peer could not prove who it is, or took no word from us, for want of trust."""


class NoQuorumError(TemporaryError):
    """A majority of the members is not there, so nothing can be decided now."""


class RefusedError(PermanentError):
    """The ledger, a gate or a voter said no; the message gives its reason."""


class OvertakenError(RefusedError):
    """The ledger has moved on, or somebody else did it first: nothing is wrong."""


class CorruptError(PermanentError):
    """Something on disk or on the wire is not what it must be."""
