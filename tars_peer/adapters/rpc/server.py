"""The gRPC server of a peer: all services on one port. No service's own rules may enter here."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from concurrent import futures
from typing import Protocol

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.rpc.answer import Places
from tars_peer.adapters.rpc.ballot_service import BallotAnswers
from tars_peer.adapters.rpc.cluster_service import ClusterAnswers
from tars_peer.adapters.rpc.door import Door
from tars_peer.adapters.rpc.event_hub import EventHub
from tars_peer.adapters.rpc.evolution_service import EvolutionAnswers
from tars_peer.adapters.rpc.genome_service import GenomeAnswers
from tars_peer.adapters.rpc.health import HealthAnswers
from tars_peer.adapters.rpc.limits import (
    CONNECTION_AGE_MS,
    CONNECTION_GRACE_MS,
    MESSAGE_BYTES,
    SERVER_THREADS,
    SLOW_CALLS,
)
from tars_peer.adapters.rpc.secure_port import bind
from tars_peer.ports.desk import Desk
from tars_peer.wire.tars.v1 import (
    ballot_pb2,
    ballot_pb2_grpc,
    cluster_pb2,
    cluster_pb2_grpc,
    evolution_pb2,
    evolution_pb2_grpc,
    genome_pb2,
    genome_pb2_grpc,
    raft_pb2,
)

SERVICES: tuple[str, ...] = tuple(
    service.full_name
    for file in (ballot_pb2, cluster_pb2, evolution_pb2, genome_pb2, raft_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
)

Closing = Sequence[Callable[[], None]]

_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Two peers on one port would each get half of the calls: the second must be told no.
    ("grpc.so_reuseport", 0),
    # Callers ping so that they notice a peer that vanished in the middle of a long call.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    # Connections end long before certificates do; callers connect again without noticing.
    ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
    ("grpc.max_connection_age_grace_ms", CONNECTION_GRACE_MS),
)


class Streams(Protocol):
    """A service that is not the desk's, whose streams end only when it ends them."""

    def register(self, server: grpc.Server) -> None:
        """Add it to ``server``, which does not run yet."""
        ...

    def hang_up(self) -> None:
        """End its streams, for the server stops."""
        ...


class RpcServer:
    """A server that runs; ``address`` is where, as ``host:port`` with the port that it got."""

    def __init__(
        self, server: grpc.Server, address: str, *, before: Closing = (), after: Closing = ()
    ) -> None:
        """Own what was started; ``before`` is called as it begins to stop, ``after`` once it has.

        ``after`` ends what its calls wait for, so they need no grace.
        """
        self.address = address
        self._server = server
        self._before = before
        self._after = after

    def stop(self, grace_s: float = 2.0) -> None:
        """Take no more calls, give those that run ``grace_s`` seconds, and free the port."""
        for close in self._before:
            close()
        stopped = self._server.stop(grace_s)
        for close in self._after:
            close()
        stopped.wait()


def open_server(
    address: str,
    *,
    credentials: Credentials,
    members: Container[str],
    threads: int = SERVER_THREADS,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> tuple[grpc.Server, str]:
    """Return a server at ``address`` with a door and without services, and the address it got.

    ``address``, ``members`` and what is raised are those of ``serve``.
    """
    pool = futures.ThreadPoolExecutor(max_workers=threads, thread_name_prefix="rpc")
    cluster_id = credentials.read().leaf.identity.cluster_id
    door = Door(cluster_id=cluster_id, members=members, now_ms=now_ms)
    server = grpc.server(pool, interceptors=(door,), options=_OPTIONS)
    port = bind(server, address, credentials)
    return server, f"{address.rpartition(':')[0]}:{port}"


def serve_streams(
    streams: Streams, *, address: str, credentials: Credentials, members: Container[str]
) -> RpcServer:
    """Serve nothing but ``streams``; the rest is as with ``serve``."""
    server, got = open_server(address, credentials=credentials, members=members)
    streams.register(server)
    server.start()
    return RpcServer(server, got, after=(streams.hang_up,))


def serve(
    desk: Desk,
    *,
    address: str,
    credentials: Credentials,
    members: Container[str],
    streams: Streams | None = None,
    threads: int = SERVER_THREADS,
    look_s: float = 0.25,
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> RpcServer:
    """Serve ``desk`` at ``address`` (``host:port``; port 0 takes a free one) to ``members``.

    Operators and readers of the cluster that ``credentials`` belong to are served too, each as
    ``roles`` allows; ``streams`` are on the same port. ``look_s`` is how often, in seconds,
    watchers' idea of its health is brought up to date; ``now_ms`` the time by which certificates
    expire, in Unix milliseconds.

    Raises:
        UsageError: the port is taken, the address is none of this machine, or there is no
            certificate.
        CorruptError: a certificate is damaged.
    """
    server, got = open_server(
        address, credentials=credentials, members=members, threads=threads, now_ms=now_ms
    )
    hub = EventHub(lambda: desk.events(replay=True))
    health = HealthAnswers(desk, SERVICES, look_s=look_s)
    slow = Places(min(SLOW_CALLS, max(1, threads // 2)), "calls that take long")
    cluster_pb2_grpc.add_ClusterServiceServicer_to_server(ClusterAnswers(desk, hub), server)
    evolution_pb2_grpc.add_EvolutionServiceServicer_to_server(EvolutionAnswers(desk, slow), server)
    ballot_pb2_grpc.add_BallotServiceServicer_to_server(BallotAnswers(desk, slow), server)
    genome_pb2_grpc.add_GenomeServiceServicer_to_server(GenomeAnswers(desk, slow), server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection(
        (*SERVICES, "grpc.health.v1.Health", reflection.SERVICE_NAME), server
    )
    if streams is not None:
        streams.register(server)
    server.start()
    hang_up = () if streams is None else (streams.hang_up,)
    return RpcServer(server, got, before=(health.close,), after=(hub.close, *hang_up))
