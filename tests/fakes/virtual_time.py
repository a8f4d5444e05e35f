"""A clock that tests move by hand, in the place of the one the Raft engine and PySyncObj read.

Chance is seeded along with it: the same seed, the same election timeouts. No waiting in here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pysyncobj.syncobj

from tars_peer.adapters.raft import elections, engine, leading


class VirtualTime:
    """Seconds since nothing in particular."""

    def __init__(self, seed: int) -> None:
        """Begin at a time that no timer of a fresh node has passed."""
        self.now_s = 1000.0
        self.chance = random.Random(seed)

    def __call__(self) -> float:
        """Return the time, as ``monotonic()`` does."""
        return self.now_s

    @contextmanager
    def installed(self) -> Iterator[VirtualTime]:
        """Have everybody read this clock and throw these dice."""
        with (
            mock.patch.object(pysyncobj.syncobj, "monotonicTime", self),
            mock.patch.object(pysyncobj.syncobj, "random", self.chance),
            mock.patch.object(elections, "monotonic", self),
            mock.patch.object(engine, "monotonic", self),
            mock.patch.object(leading, "monotonic", self),
        ):
            yield self
