"""PySyncObj's TCP links between members, with an outbox and without its weak places.

Messages wait in the outbox until the journal is on disk; ``flush_outbox`` lets them go. Only known
members get a link: no read-only nodes, no remote commands (status, add, remove, transfer). What
messages mean must never enter here; another transport may take this one's place.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from pysyncobj.node import TCPNode
from pysyncobj.tcp_connection import CONNECTION_STATE
from pysyncobj.tcp_server import SERVER_STATE
from pysyncobj.transport import TCPTransport

from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.settings import PING_PERIOD_S
from tars_peer.model.noun import PeerId

_PING: Message = {"type": "ping"}
#: Between two looks at whether the address can be bound yet.
BIND_PAUSE_S = 0.02


class MemberNode(TCPNode):  # type: ignore[misc]  # PySyncObj is untyped
    """A member: named by its peer id, so that votes outlive a change of address."""

    def __init__(self, peer: PeerId, address: str) -> None:
        """Keep the name and the host:port it is dialled at."""
        super().__init__(address)
        self._id = peer


class PeerTransport(TCPTransport):  # type: ignore[misc]  # PySyncObj is untyped
    """Links to all other members; the one with the higher address dials."""

    def __init__(self, raft: Any, me: MemberNode, others: Sequence[MemberNode]) -> None:  # noqa: ANN401
        """Prepare the links; nothing is bound or dialled yet."""
        self._outbox: list[tuple[MemberNode, Message]] = []
        self._sent_at_s: dict[MemberNode, float] = {}
        super().__init__(raft, me, others)

    # -- sending -------------------------------------------------------------------------------

    def send(self, node: MemberNode, message: Message) -> bool:
        """Put a message into the outbox; False where there is no link, as PySyncObj asks."""
        if node not in self._sent_at_s:
            return False
        self._outbox.append((node, message))
        return True

    def flush_outbox(self) -> None:
        """Send what is in the outbox; the caller has made the journal durable first."""
        if not self._outbox:
            return
        outbox, self._outbox = self._outbox, []
        now_s = time.monotonic()
        for node, message in outbox:
            # Only over a link that has greeted: before, a message would be taken for a greeting.
            if node in self._sent_at_s:
                self._sent_at_s[node] = now_s
                super().send(node, message)

    # -- links; the names are PySyncObj's ------------------------------------------------------

    def tryGetReady(self) -> None:  # noqa: N802
        """Try to bind; PySyncObj calls this in a loop that would otherwise be a busy one.

        Raises:
            TransportNotReadyError: the address stayed taken for two seconds.
        """
        try:
            super().tryGetReady()
        finally:
            if not self._ready:
                # A failed bind leaves its socket open.
                self._server.unbind()
                time.sleep(BIND_PAUSE_S)

    def _onTick(self) -> None:  # noqa: N802
        if self._server._TcpServer__state == SERVER_STATE.UNBINDED:  # noqa: SLF001  (no other way)
            # Out of file descriptors once, and PySyncObj would stay deaf for ever.
            self._ready, self._bindAttempts = False, 0
        super()._onTick()
        now_s = time.monotonic()
        for node, sent_at_s in list(self._sent_at_s.items()):
            if now_s - sent_at_s >= PING_PERIOD_S:
                self._sent_at_s[node] = now_s
                super().send(node, _PING)

    def _onIncomingMessageReceived(self, conn: Any, message: Any) -> None:  # noqa: N802, ANN401
        """Let a member in that has shown the key and says who it is; nobody else."""
        if conn.sendRandKey:
            node = self._nodeAddrToNode.get(message) if isinstance(message, str) else None
            if node is None or self._shouldConnect(node):
                conn.disconnect()
                self._unknownConnections.discard(conn)
                return
            old = self._connections.get(node)
            if old is not None and old is not conn:
                # Two links at once would deliver out of order (findings, S14).
                old.disconnect()
        super()._onIncomingMessageReceived(conn, message)

    def _onMessageReceived(self, node: MemberNode, message: Any) -> None:  # noqa: N802, ANN401
        if message != _PING:
            super()._onMessageReceived(node, message)

    def _onNodeConnected(self, node: MemberNode) -> None:  # noqa: N802
        self._sent_at_s[node] = time.monotonic()
        super()._onNodeConnected(node)

    def _onNodeDisconnected(self, node: MemberNode) -> None:  # noqa: N802
        self._sent_at_s.pop(node, None)
        self._outbox = [each for each in self._outbox if each[0] != node]
        super()._onNodeDisconnected(node)

    def _connectIfNecessarySingle(self, node: MemberNode) -> bool:  # noqa: N802
        try:
            is_dialled = bool(super()._connectIfNecessarySingle(node))
        except OSError:
            # No descriptor or no route now; it is tried again.
            is_dialled = False
        link = self._connections.get(node)
        if not is_dialled and link is not None and link.state == CONNECTION_STATE.DISCONNECTED:
            # A refused dial leaves its socket open.
            link.disconnect()
        return is_dialled
