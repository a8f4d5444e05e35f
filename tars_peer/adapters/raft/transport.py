"""PySyncObj's links between members, made of the streams on the peers' gRPC port.

A link to a member is up while both directions are: the stream we dialled is greeted and the one it
dialled is here, both by the same life of it. Messages wait in the outbox until the journal is on
disk; ``flush_outbox`` lets them go. Runs on the raft thread only. What messages mean must never
enter here; another transport may take this one's place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pysyncobj.node import Node
from pysyncobj.transport import Transport

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.inbox import Down, Ending, Inbox, Incoming, Up
from tars_peer.adapters.raft.outgoing import Dialler, Outgoing
from tars_peer.adapters.raft.settings import (
    LARGEST_MESSAGE_BYTES,
    LINK_DEADLINE_S,
    LOOK_PERIOD_S,
    PING_PERIOD_S,
)
from tars_peer.adapters.raft.wake import Wake
from tars_peer.errors import CorruptError
from tars_peer.model.noun import PeerId

_logger = logging.getLogger(__name__)

#: Nothing to say: it travels as a request without messages.
_PING = b""
_CLOSE_DEADLINE_S = 5.0


class MemberNode(Node):  # type: ignore[misc]  # PySyncObj is untyped
    """A member, as PySyncObj knows it: by its peer id, which its certificate proves."""

    def __init__(self, peer: PeerId) -> None:
        """Keep the name."""
        super().__init__(peer)


@dataclass(slots=True, kw_only=True)
class Link:
    """The two streams with one member; ``is_up`` is what PySyncObj was told.

    ``held`` came before the other direction was up: who spoke knows that the link is there, and
    would wait for an answer for long were it lost.
    """

    node: MemberNode
    incoming: Incoming | None = None
    outgoing: Outgoing | None = None
    is_up: bool = False
    heard_at_s: float = 0.0
    sent_at_s: float = 0.0
    held: list[Sequence[bytes]] = field(default_factory=list)

    def is_whole(self) -> bool:
        """Say whether both directions are there, with one and the same life of the member."""
        incoming, outgoing = self.incoming, self.outgoing
        return bool(incoming and outgoing and outgoing.epoch == incoming.epoch)


class PeerTransport(Transport):  # type: ignore[misc]  # PySyncObj is untyped
    """Links to all other members."""

    def __init__(
        self,
        raft: Any,  # noqa: ANN401  (PySyncObj is untyped)
        _me: MemberNode,
        others: Sequence[MemberNode],
        *,
        inbox: Inbox,
        dialler: Dialler,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare the links; nothing is dialled yet."""
        super().__init__(raft, None, [])
        self._inbox = inbox
        self._dialler = dialler
        self._clock_s = clock_s
        self._looked_at_s = 0.0
        self._outbox: list[tuple[Link, Message]] = []
        self._links = {PeerId(node.id): Link(node=node) for node in others}
        self._wake = Wake(raft._poller, self.take)  # noqa: SLF001  (no other way)
        inbox.ring_with(self._wake.ring)
        raft.addOnTickCallback(self.look)

    # -- sending -------------------------------------------------------------------------------

    def send(self, node: MemberNode, message: Message) -> bool:
        """Put a message into the outbox; False where there is no link, as PySyncObj asks."""
        link = self._links[node.id]
        if link.is_up:
            self._outbox.append((link, message))
        return link.is_up

    def flush_outbox(self) -> None:
        """Send what is in the outbox; the caller has made the journal durable first."""
        if not self._outbox:
            return
        outbox, self._outbox = self._outbox, []
        for link, message in outbox:
            if link.is_up:
                self._put(link, loader.dumps(message))

    def _put(self, link: Link, payload: bytes) -> None:
        assert link.outgoing is not None
        link.sent_at_s = self._clock_s()
        if len(payload) > LARGEST_MESSAGE_BYTES:
            raise AssertionError(f"a message of {len(payload)} bytes for {link.node} is too large")
        if not link.outgoing.put(payload):
            _logger.warning("gave up the stream to %s: it does not read", link.node)
            self._lose(link, link.outgoing)

    # -- receiving -----------------------------------------------------------------------------

    def take(self) -> None:
        """Hand over what the streams have brought, and what became of them, in order."""
        for event in self._inbox.events():
            match event:
                case Up(stream):
                    self._gain(self._links[stream.peer], stream)
                case Down(stream):
                    self._lose(self._links[stream.peer], stream)
                case (incoming, payloads):
                    self._hear(self._links[incoming.peer], incoming, payloads)

    def _hear(self, link: Link, incoming: Incoming, payloads: Sequence[bytes]) -> None:
        if incoming is not link.incoming:
            # It was queued when a newer stream took this one's place (findings, S14).
            return
        link.heard_at_s = self._clock_s()
        if link.is_up:
            self._hand_over(link, incoming, payloads)
        else:
            # Not counted as taken: the stream ends when it brings too much (see ``inbox``).
            link.held.append(payloads)

    def _hand_over(self, link: Link, incoming: Incoming, payloads: Sequence[bytes]) -> None:
        incoming.took(payloads)
        for payload in payloads:
            self._read(link, payload)

    def _read(self, link: Link, payload: bytes) -> None:
        try:
            message = loader.loads(payload)
        except CorruptError as error:
            _logger.warning("dropped a message of %s: %s (%s)", link.node, error, error.hint)
            return
        self._onMessageReceived(link.node, message)

    # -- links; `_on...` are PySyncObj's names -------------------------------------------------

    def _gain(self, link: Link, stream: Ending) -> None:
        """Take a new stream, or the greeting of the one that was dialled."""
        if isinstance(stream, Incoming):
            self._cut_off(link)
            link.incoming, link.held = stream, []
            link.heard_at_s = self._clock_s()
            if link.outgoing is None:
                self._dialler.hurry(stream.peer)
            elif 0 < link.outgoing.epoch < stream.epoch:
                # It leads to a life of the member that is over, though nobody told us.
                link.outgoing.end()
        elif isinstance(stream, Outgoing):
            link.outgoing, link.heard_at_s = stream, self._clock_s()
        if link.is_whole() and not link.is_up:
            link.is_up = True
            self._put(link, _PING)
            self._onNodeConnected(link.node)
            held, link.held = link.held, []
            for payloads in held:
                assert link.incoming is not None
                self._hand_over(link, link.incoming, payloads)

    def _lose(self, link: Link, stream: Ending) -> None:
        """Do without a stream, which may be over already."""
        stream.end()
        if stream is link.incoming:
            link.incoming, link.held = None, []
        elif stream is link.outgoing:
            link.outgoing = None
        else:
            return
        self._cut_off(link)

    def _cut_off(self, link: Link) -> None:
        if link.is_up:
            link.is_up = False
            self._outbox = [each for each in self._outbox if each[0] is not link]
            self._onNodeDisconnected(link.node)

    def look(self) -> None:
        """Give signs of life, and give up who gives none; PySyncObj calls this in each round."""
        now_s = self._clock_s()
        is_time = now_s - self._looked_at_s >= LOOK_PERIOD_S
        self._looked_at_s = now_s if is_time else self._looked_at_s
        for link in self._links.values():
            incoming, outgoing = link.incoming, link.outgoing
            if now_s - link.heard_at_s > LINK_DEADLINE_S and (incoming or outgoing):
                if link.is_up:
                    _logger.warning("nothing was heard of %s for %s s", link.node, LINK_DEADLINE_S)
                if incoming:
                    self._lose(link, incoming)
                if outgoing:
                    self._lose(link, outgoing)
            elif outgoing and is_time and self._dialler.is_outdated(outgoing):
                self._lose(link, outgoing)
            elif outgoing and outgoing.epoch and now_s - link.sent_at_s >= PING_PERIOD_S:
                self._put(link, _PING)

    def destroy(self) -> None:
        """End all streams; PySyncObj hears of nothing any more."""
        self.setOnMessageReceivedCallback(None)
        self.setOnNodeConnectedCallback(None)
        self.setOnNodeDisconnectedCallback(None)
        self._inbox.close()
        self._dialler.close(_CLOSE_DEADLINE_S)
        self._wake.close()
