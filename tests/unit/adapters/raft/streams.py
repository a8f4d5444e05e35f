"""Members' ends of streams, driven by hand: no Raft above them, real gRPC with real TLS below."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

import grpc
from pysyncobj.poller import createPoller

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.inbox import Inbox
from tars_peer.adapters.raft.outgoing import HELLO_KEY, Dialler
from tars_peer.adapters.raft.service import ExchangeAnswers
from tars_peer.adapters.raft.settings import PROTOCOL_VERSION
from tars_peer.adapters.raft.transport import MemberNode, PeerTransport
from tars_peer.adapters.rpc.channel import open_channel
from tars_peer.adapters.rpc.server import serve_streams
from tars_peer.model.noun import PeerId
from tars_peer.wire.tars.v1 import raft_pb2, raft_pb2_grpc
from tests.fakes.certificates import Certificates

CLUSTER = "c-1"
MESSAGE = {"type": "response_vote", "term": 1}
PAYLOAD = loader.dumps(MESSAGE)
Addresses = dict[PeerId, str]


class End:
    """One member's transport and its server; the test is its raft thread."""

    def __init__(
        self, me: str, addresses: Addresses, certificates: Certificates, *, epoch: int = 100
    ) -> None:
        """Serve and dial."""
        self.me, self.epoch, self.addresses = PeerId(me), epoch, addresses
        self.heard: list[tuple[str, Any]] = []
        self.links: list[str] = []
        self._poller = createPoller("auto")
        self._on_tick: list[Callable[[], None]] = []
        others = {peer: address for peer, address in addresses.items() if peer != me}
        self.nodes = {peer: MemberNode(peer) for peer in others}
        self.inbox = Inbox()
        self.answers = ExchangeAnswers(self.inbox, others=others, cluster_id=CLUSTER, epoch=epoch)
        papers = certificates.of(me)
        dialler = Dialler(self.inbox, others, credentials=papers, cluster_id=CLUSTER, epoch=epoch)
        self.transport = PeerTransport(
            self, MemberNode(self.me), list(self.nodes.values()), inbox=self.inbox, dialler=dialler
        )
        self.transport.setOnMessageReceivedCallback(
            lambda node, message: self.heard.append((node.id, message))
        )
        self.transport.setOnNodeConnectedCallback(lambda node: self.links.append(f"+{node.id}"))
        self.transport.setOnNodeDisconnectedCallback(lambda node: self.links.append(f"-{node.id}"))
        address, names = addresses[self.me], frozenset(addresses)
        self._server = serve_streams(self, address=address, credentials=papers, members=names)
        dialler.start()

    def register(self, server: grpc.Server) -> None:
        raft_pb2_grpc.add_RaftServiceServicer_to_server(self.answers, server)

    def hang_up(self) -> None:
        self.inbox.close()

    def addOnTickCallback(self, callback: Callable[[], None]) -> None:  # noqa: N802
        self._on_tick.append(callback)

    def tick(self) -> None:
        for callback in self._on_tick:
            callback()
        self._poller.poll(0.005)

    def say(self, to: str, message: object = MESSAGE) -> bool:
        return bool(self.transport.send(self.nodes[PeerId(to)], message))

    def close(self) -> None:
        self._server.stop(0)
        self.transport.destroy()


def run(ends: Sequence[End], condition: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Tick all until the condition holds."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, [(end.links, end.heard) for end in ends]
        for end in ends:
            end.tick()


def run_for(ends: Sequence[End], seconds: float) -> None:
    end_s = time.monotonic() + seconds
    run(ends, lambda: time.monotonic() >= end_s, within_s=seconds + 5)


class Raw:
    """A stream that says whatever the test wants, dialled to p1 by whoever has a certificate."""

    def __init__(
        self,
        address: str,
        papers: Credentials,
        *,
        epoch: int = 100,
        stream: int = 1,
        cluster: str = CLUSTER,
        version: int = PROTOCOL_VERSION,
        hello: bytes | None = None,
    ) -> None:
        """Dial; nothing is waited for."""
        said = raft_pb2.Hello(
            cluster_id=cluster, protocol_version=version, boot_epoch=epoch, stream=stream
        ).SerializeToString()
        self._queue: SimpleQueue[raft_pb2.ExchangeRequest | None] = SimpleQueue()
        self._channel = open_channel(address, papers, "p1")
        self.call = raft_pb2_grpc.RaftServiceStub(self._channel).Exchange(
            self._requests(), metadata=((HELLO_KEY, said if hello is None else hello),)
        )

    def _requests(self) -> Iterator[raft_pb2.ExchangeRequest]:
        while (request := self._queue.get()) is not None:
            yield request

    def say(self, sequence: int, *payloads: bytes) -> None:
        self._queue.put(raft_pb2.ExchangeRequest(sequence=sequence, payloads=payloads))

    def greeted(self) -> int:
        """Wait for the greeting; return the boot epoch in it."""
        return int(next(self.call).boot_epoch)

    def end(self) -> grpc.RpcError:
        """Wait until the other side ends it; return how."""
        try:
            for _ in self.call:
                pass
        except grpc.RpcError as error:
            return error
        raise AssertionError("the stream ended without a reason")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up."""
        self._queue.put(None)
        self.call.cancel()
        self._channel.close()
