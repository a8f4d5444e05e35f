"""The streams that this member dials: one to each other member, again and again until closed.

Each has a thread of its own that waits for its end. Nothing is decided about messages here, and
nothing is received but the greeting.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from queue import SimpleQueue

import grpc

from tars_peer.adapters.identity.credentials import Credentials, Stamp
from tars_peer.adapters.raft.inbox import Down, Inbox, Up
from tars_peer.adapters.raft.settings import (
    BATCH_BYTES,
    PROTOCOL_VERSION,
    QUEUE_BYTES,
    QUEUE_MESSAGES,
    REDIAL_PERIOD_S,
)
from tars_peer.adapters.rpc.channel import open_channel
from tars_peer.adapters.rpc.faults import error_of
from tars_peer.errors import CorruptError, TarsError
from tars_peer.model.noun import PeerId
from tars_peer.wire.tars.v1 import raft_pb2, raft_pb2_grpc

_logger = logging.getLogger(__name__)

HELLO_KEY = "tars-hello-bin"
#: A channel lives for one stream, so grpc never gets to try longer than the first time.
_OPTIONS = (("grpc.min_reconnect_backoff_ms", 2_000),)


class Outgoing:
    """One stream to another member; what is put in waits here until grpc takes it."""

    def __init__(self, peer: PeerId, stamp: Stamp) -> None:
        """Begin with nothing to say; ``stamp`` is that of the certificate it is dialled with."""
        self.peer = peer
        self.stamp = stamp
        self.began_at_s = time.monotonic()
        #: The life of the other side, as its greeting says; 0 before.
        self.epoch = 0
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        # Counted apart by the two threads, so that neither needs a lock.
        self._put_bytes = self._taken_bytes = 0
        self._call: grpc.Call | None = None
        self._is_over = False

    def put(self, payload: bytes) -> bool:
        """Queue a message; False where the other side does not read and this stream must end."""
        self._put_bytes += len(payload)
        if (
            self._queue.qsize() >= QUEUE_MESSAGES
            or self._put_bytes - self._taken_bytes > QUEUE_BYTES
        ):
            return False
        self._queue.put(payload)
        return True

    def carry(self, call: grpc.Call) -> None:
        """Know the call that carries this stream."""
        self._call = call
        if self._is_over:
            call.cancel()

    def end(self) -> None:
        """See ``inbox.Ending``."""
        self._is_over = True
        # Lets grpc's thread go that waits for the next message.
        self._queue.put(None)
        if self._call is not None:
            self._call.cancel()

    def __iter__(self) -> Iterator[raft_pb2.ExchangeRequest]:
        """Yield what was put, numbered, as grpc asks for it; what waits by then goes together."""
        for sequence in itertools.count(1):
            payload = self._queue.get()
            payloads, size_bytes = [], 0
            while payload is not None:
                size_bytes += len(payload)
                payloads.append(payload)
                if size_bytes >= BATCH_BYTES or self._queue.empty():
                    break
                payload = self._queue.get()
            if payload is None or self._is_over:
                return
            self._taken_bytes += size_bytes
            yield raft_pb2.ExchangeRequest(sequence=sequence, payloads=filter(None, payloads))


class Dialler:
    """Keeps a stream to every other member."""

    def __init__(
        self,
        inbox: Inbox,
        others: Mapping[PeerId, str],
        *,
        credentials: Credentials,
        cluster_id: str,
        epoch: int,
    ) -> None:
        """Prepare to dial ``others`` (host:port); what happens to the streams goes to ``inbox``."""
        self._inbox = inbox
        self._credentials = credentials
        self._cluster_id = cluster_id
        self._epoch = epoch
        self._again = {peer: threading.Event() for peer in others}
        self._streams: dict[PeerId, Outgoing] = {}
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._keep, args=each, name=f"raft-to-{each[0]}", daemon=True)
            for each in others.items()
        ]

    def start(self) -> None:
        """Begin to dial."""
        for thread in self._threads:
            thread.start()

    def hurry(self, peer: PeerId) -> None:
        """Dial ``peer`` at once, should there be no stream to it: it is there."""
        self._again[peer].set()

    def is_outdated(self, stream: Outgoing) -> bool:
        """Say whether our certificate was replaced since ``stream`` was dialled."""
        return stream.stamp != self._credentials.stamp()

    def close(self, timeout_s: float) -> None:
        """End all streams and dial no more."""
        self._is_closed = True
        for stream in list(self._streams.values()):
            stream.end()
        for again in self._again.values():
            again.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout_s)

    def _keep(self, peer: PeerId, address: str) -> None:
        """Dial until closed; say each cause of failure once."""
        number, told = 0, ""
        while not self._is_closed:
            number += 1
            again = self._again[peer]
            again.clear()
            # The stamp first: what is read after it is at least as new.
            stream = self._streams[peer] = Outgoing(peer, self._credentials.stamp())
            if self._is_closed:
                return
            try:
                self._hold(stream, address, number)
                told = ""
            except TarsError as error:
                if str(error) != told and not self._is_closed:
                    _logger.warning("no stream to %s: %s", peer, error)
                told = str(error)
            left_s = stream.began_at_s + REDIAL_PERIOD_S - time.monotonic()
            if left_s > 0 and not self._is_closed:
                again.wait(left_s)

    def _hold(self, stream: Outgoing, address: str, number: int) -> None:
        """Dial once; return when the stream has ended.

        Raises:
            TarsError: it was not taken, or it broke.
        """
        hello = raft_pb2.Hello(
            cluster_id=self._cluster_id,
            protocol_version=PROTOCOL_VERSION,
            boot_epoch=self._epoch,
            stream=number,
        )
        channel = open_channel(address, self._credentials, stream.peer, _OPTIONS)
        try:
            call = raft_pb2_grpc.RaftServiceStub(channel).Exchange(
                iter(stream), metadata=((HELLO_KEY, hello.SerializeToString()),)
            )
            stream.carry(call)
            self._inbox.post(Up(stream))
            stream.epoch = next(call).boot_epoch
            self._inbox.post(Up(stream))
            for _ in call:
                raise CorruptError(f"{stream.peer} says more than its greeting: mixed versions?")
        except StopIteration:
            raise CorruptError(f"{stream.peer} did not greet: mixed versions?") from None
        except grpc.RpcError as error:
            raise error_of(error, address=address) from error
        finally:
            stream.end()
            self._inbox.post(Down(stream))
            channel.close()
