"""A peer, p1, that serves a fake desk with real certificates; the tests' own clients call it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import grpc
import pytest

from tars_peer.adapters.rpc.server import RpcServer, serve
from tars_peer.wire.tars.v1 import raft_pb2, raft_pb2_grpc
from tests.fakes.certificates import DAY_MS, Certificates
from tests.fakes.desk import FakeDesk


class Later:
    """The server's clock: the true time, moved by ``days``."""

    days = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.days * DAY_MS


class Greeter(raft_pb2_grpc.RaftServiceServicer):
    """A log that greets whoever the door lets in, and hears nothing."""

    def register(self, server: grpc.Server) -> None:
        raft_pb2_grpc.add_RaftServiceServicer_to_server(self, server)

    def hang_up(self) -> None:
        """Do nothing: its streams have ended."""

    def Exchange(self, _requests, _context):  # noqa: N802
        yield raft_pb2.ExchangeResponse()


@pytest.fixture
def later() -> Later:
    return Later()


@pytest.fixture
def certificates(tmp_path) -> Certificates:
    return Certificates(tmp_path / "certs")


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    desk = FakeDesk()
    yield desk
    desk.close()


@pytest.fixture
def server(desk, certificates, later) -> Iterator[RpcServer]:
    server = serve(
        desk,
        address="127.0.0.1:0",
        credentials=certificates.of("p1"),
        members=("p1", "p2"),
        streams=Greeter(),
        now_ms=later,
    )
    yield server
    server.stop(grace_s=0)
