"""``ClusterService``: how things are. Reading only; nothing that decides may enter here."""

# ruff: noqa: N802  (the method names are the wire's)

from __future__ import annotations

from collections.abc import Iterator

import grpc

from tars_peer.adapters.rpc.answer import Places, answering
from tars_peer.adapters.rpc.event_hub import EventHub
from tars_peer.adapters.rpc.limits import WATCHERS
from tars_peer.adapters.rpc.translate import cluster_to_wire, event_to_wire, peer_to_wire
from tars_peer.ports.desk import Desk
from tars_peer.wire.tars.v1 import cluster_pb2


class ClusterAnswers:
    """Answers ``ClusterService`` from a desk."""

    def __init__(self, desk: Desk, hub: EventHub) -> None:
        """Answer from ``desk``; events come from ``hub``."""
        self._desk = desk
        self._hub = hub
        self._watchers = Places(WATCHERS, "watchers")

    def GetStatus(
        self, request: cluster_pb2.GetStatusRequest, context: grpc.ServicerContext
    ) -> cluster_pb2.GetStatusResponse:
        """Answer with the cluster as this peer sees it."""
        del request
        with answering(context, "GetStatus"):
            return cluster_to_wire(self._desk.cluster_status())

    def GetPeer(
        self, request: cluster_pb2.GetPeerRequest, context: grpc.ServicerContext
    ) -> cluster_pb2.GetPeerResponse:
        """Answer with this peer as it sees itself."""
        del request
        with answering(context, "GetPeer"):
            return cluster_pb2.GetPeerResponse(peer=peer_to_wire(self._desk.peer_status()))

    def WatchEvents(
        self, request: cluster_pb2.WatchEventsRequest, context: grpc.ServicerContext
    ) -> Iterator[cluster_pb2.WatchEventsResponse]:
        """Stream events until the caller hangs up or the peer stops."""
        with answering(context, "WatchEvents"), self._watchers.one():
            context.add_callback(self._hub.wake)
            # Tells the caller that it is being served, however long the first event takes.
            context.send_initial_metadata(())
            for event in self._hub.watch(replay=request.replay, alive=context.is_active):
                yield event_to_wire(event)
