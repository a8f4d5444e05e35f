"""How a service answers when something goes wrong, and how many it answers at a time.

Every method of every service runs inside ``answering``. No rules of a service may enter here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from tars_peer.adapters.rpc.faults import details_of, metadata_of, status_of
from tars_peer.errors import TarsError, TemporaryError

_LOG = logging.getLogger(__name__)


@contextmanager
def answering(context: grpc.ServicerContext, method: str) -> Iterator[None]:
    """Turn what the body raises into the status of this call.

    An error of the house is told as it is; any other is our own fault: it goes to the log with
    its traceback, and the caller learns only that it happened.
    """
    try:
        yield
    except TarsError as error:
        context.set_trailing_metadata(metadata_of(error))
        context.abort(status_of(error), details_of(error))
    except Exception:  # noqa: BLE001  (the boundary: a fault of ours must end here)
        _LOG.exception("%s failed", method)
        context.abort(grpc.StatusCode.INTERNAL, f"an internal fault in {method}; it is logged")


class Places:
    """So many calls of one sort at a time, so that they leave threads for all the others."""

    def __init__(self, count: int, what: str) -> None:
        """Offer ``count`` places; ``what`` names those who take them, in the plural."""
        self._free = threading.BoundedSemaphore(count)
        self._count = count
        self._what = what

    @contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place for the time of the body.

        Raises:
            TemporaryError: all places are taken.
        """
        if not self._free.acquire(blocking=False):
            raise TemporaryError(
                f"this peer has {self._count} {self._what} already",
                hint="try again later, or ask another peer",
            )
        try:
            yield
        finally:
            self._free.release()
