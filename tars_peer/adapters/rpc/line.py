"""The line to one peer: a channel and its stubs, replaced when our certificate is. No calls here.

A channel keeps the certificates it was opened with, so a rotation needs a new one; the old one is
closed when the calls on it have ended.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2_grpc

from tars_peer.adapters.identity.credentials import Credentials, Stamp
from tars_peer.adapters.rpc.channel import check_address, open_channel
from tars_peer.errors import TarsError
from tars_peer.wire.tars.v1 import (
    ballot_pb2_grpc,
    cluster_pb2_grpc,
    evolution_pb2_grpc,
    genome_pb2_grpc,
)


class Line:
    """A channel with a stub of each service; ``stamp`` tells with which papers it was opened."""

    def __init__(self, channel: grpc.Channel, stamp: Stamp) -> None:
        """Own ``channel``."""
        self.channel = channel
        self.stamp = stamp
        self.calls = 0
        self.cluster = cluster_pb2_grpc.ClusterServiceStub(channel)
        self.evolution = evolution_pb2_grpc.EvolutionServiceStub(channel)
        self.ballot = ballot_pb2_grpc.BallotServiceStub(channel)
        self.genome = genome_pb2_grpc.GenomeServiceStub(channel)
        self.health = health_pb2_grpc.HealthStub(channel)


class Lines:
    """The line that is to be used now, and older ones while calls are on them."""

    def __init__(self, address: str, credentials: Credentials, peer: str) -> None:
        """Open one to ``peer`` (any, where it is empty) at ``address``.

        Raises:
            UsageError: that is not an address, or our certificate is missing or has expired.
            CorruptError: our certificate is damaged.
        """
        check_address(address)
        self._address = address
        self._credentials = credentials
        self._peer = peer
        self._lock = threading.Lock()
        self._closed = False
        self._line = self._open()
        self._older: list[Line] = []

    @contextmanager
    def current(self) -> Iterator[Line]:
        """Hold the line that is to be used now for the time of a call."""
        with self._lock:
            if not self._closed and self._line.stamp != self._credentials.stamp():
                self._replace()
            line = self._line
            line.calls += 1
        try:
            yield line
        finally:
            with self._lock:
                line.calls -= 1
                self._hang_up_idle()

    def is_outdated(self, line: Line) -> bool:
        """Say whether our papers have changed since ``line`` was opened."""
        return line.stamp != self._credentials.stamp()

    def close(self) -> None:
        """Hang up all; calls and streams end."""
        with self._lock:
            self._closed = True
            lines, self._older = [self._line, *self._older], []
        for line in lines:
            line.channel.close()

    def _open(self) -> Line:
        stamp = self._credentials.stamp()  # first: what is read after it is at least as new
        return Line(open_channel(self._address, self._credentials, self._peer), stamp)

    def _replace(self) -> None:
        try:
            line = self._open()
        except TarsError:
            # Somebody is busy with the files: what we have may well do until they are whole.
            return
        self._older.append(self._line)
        self._line = line
        self._hang_up_idle()

    def _hang_up_idle(self) -> None:
        for line in [line for line in self._older if not line.calls]:
            self._older.remove(line)
            line.channel.close()
