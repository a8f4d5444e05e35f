"""``RaftService``: the streams that other members dial. What messages mean may not enter here.

The door of the port (``rpc.door``) has made sure that a member calls; which one, its certificate
says and nothing else.
"""

# ruff: noqa: N802  (the method names are the wire's)

from __future__ import annotations

import logging
from collections.abc import Container, Iterator

import grpc
from google.protobuf.message import DecodeError

from tars_peer.adapters.raft.inbox import Down, Inbox, Incoming
from tars_peer.adapters.raft.outgoing import HELLO_KEY
from tars_peer.adapters.raft.settings import PROTOCOL_VERSION
from tars_peer.adapters.rpc.answer import answering
from tars_peer.adapters.rpc.door import leaf_of
from tars_peer.errors import RefusedError, UsageError
from tars_peer.model.noun import PeerId
from tars_peer.wire.tars.v1 import raft_pb2

_logger = logging.getLogger(__name__)


class ExchangeAnswers:
    """Answers ``RaftService`` by filling an inbox."""

    def __init__(
        self, inbox: Inbox, *, others: Container[PeerId], cluster_id: str, epoch: int
    ) -> None:
        """Take from ``others`` of the cluster; ``epoch`` is this member's own."""
        self._inbox = inbox
        self._others = others
        self._cluster_id = cluster_id
        self._epoch = epoch

    def Exchange(
        self, requests: Iterator[raft_pb2.ExchangeRequest], context: grpc.ServicerContext
    ) -> Iterator[raft_pb2.ExchangeResponse]:
        """Greet, then queue what comes until one side ends it."""
        peer = PeerId(leaf_of(context).identity.name)
        with answering(context, "Exchange"):
            incoming = None
            try:
                incoming = self._admit(peer, context)
                yield raft_pb2.ExchangeResponse(boot_epoch=self._epoch)
                for request in requests:
                    incoming.bring(request.sequence, request.payloads)
            except RefusedError as error:
                _logger.warning("a stream of %s is refused: %s", peer, error)
                raise
            except grpc.RpcError:
                # How a stream ends when the other side, or the line to it, is gone.
                return
            finally:
                if incoming is not None:
                    incoming.is_over = True
                    self._inbox.post(Down(incoming))

    def _admit(self, peer: PeerId, context: grpc.ServicerContext) -> Incoming:
        """Check how the stream begins.

        Raises:
            RefusedError: nothing may be taken from it.
        """
        if peer not in self._others:
            raise RefusedError(f"{peer} is this member's own name", hint="look at the addresses")
        try:
            hello = _hello_of(context)
        except UsageError as error:
            raise RefusedError(f"{error}", hint="are versions mixed?") from error
        if hello.cluster_id != self._cluster_id:
            raise RefusedError(
                f"{peer} speaks for cluster {hello.cluster_id[:80]!r}, not {self._cluster_id}",
                hint="do two clusters share an address?",
            )
        if hello.protocol_version != PROTOCOL_VERSION:
            raise RefusedError(
                f"{peer} speaks version {hello.protocol_version} of the log's protocol, "
                f"this member {PROTOCOL_VERSION}",
                hint="run the same version of TARS on all members",
            )
        return self._inbox.admit(peer, (hello.boot_epoch, hello.stream), context.cancel)


def _hello_of(context: grpc.ServicerContext) -> raft_pb2.Hello:
    """Return what the caller's metadata says of its stream.

    Raises:
        UsageError: nothing, or nothing that can be read.
    """
    found = [value for key, value in context.invocation_metadata() if key == HELLO_KEY]
    if len(found) != 1:
        raise UsageError(f"a stream with {len(found)} greetings")
    try:
        return raft_pb2.Hello.FromString(found[0])
    except DecodeError as error:
        raise UsageError(f"a stream whose greeting cannot be read: {error}") from error
