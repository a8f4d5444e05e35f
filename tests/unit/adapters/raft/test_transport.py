"""Links between members, driven by hand: no Raft above them, real sockets below."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pysyncobj import SyncObjConf
from pysyncobj.encryptor import getEncryptor
from pysyncobj.poller import createPoller

from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.settings import PING_PERIOD_S
from tars_peer.adapters.raft.transport import MemberNode, PeerTransport
from tars_peer.model.noun import PeerId
from tests.integration.raft_member import free_addresses

ENCRYPTOR = getEncryptor("secret")
MESSAGE = {"type": "response_vote", "term": 1}


class _Raft:
    """What PySyncObj's transport asks of the object above it."""

    def __init__(
        self, me: MemberNode, others: list[MemberNode], bind_address: str | None = None
    ) -> None:
        # Shorter than in life, so that a silent link would be dropped while the test looks on.
        timeout_s = PING_PERIOD_S + 0.3
        self.conf = SyncObjConf(
            bindAddress=bind_address or me.address,
            connectionRetryTime=0.02,
            connectionTimeout=timeout_s,
        )
        self.encryptor = ENCRYPTOR
        self._poller = createPoller("auto")
        self._on_tick: list[Callable[[], None]] = []
        self.heard: list[tuple[str, Any]] = []
        self.links: list[str] = []
        self.transport = PeerTransport(self, me, others)
        self.transport.setOnMessageReceivedCallback(
            lambda node, message: self.heard.append((node.id, message))
        )
        self.transport.setOnNodeConnectedCallback(lambda node: self.links.append(f"+{node.id}"))
        self.transport.setOnNodeDisconnectedCallback(lambda node: self.links.append(f"-{node.id}"))
        self.transport.tryGetReady()

    def addOnTickCallback(self, callback: Callable[[], None]) -> None:  # noqa: N802
        self._on_tick.append(callback)

    def tick(self) -> None:
        for callback in self._on_tick:
            callback()
        self._poller.poll(0.005)


class _Pair:
    """Two members that know each other; the one with the higher address dials."""

    def __init__(self) -> None:
        loader.install()
        addresses = sorted(free_addresses(3).values())
        self.low, self.high, self.third = (
            MemberNode(PeerId(name), address)
            for name, address in zip(("low", "high", "third"), addresses, strict=True)
        )
        self.listener = _Raft(self.low, [self.high])
        self.dialler = _Raft(self.high, [self.low])
        self.rafts = [self.listener, self.dialler]

    def run(self, condition: Callable[[], bool], *, within_s: float = 5.0) -> None:
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, f"{[each.links for each in self.rafts]}"
            for raft in self.rafts:
                raft.tick()

    def run_for(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        self.run(lambda: time.monotonic() >= end_s, within_s=seconds + 5)

    def connect(self) -> None:
        self.run(lambda: bool(self.listener.links and self.dialler.links))


@pytest.fixture
def pair() -> Iterator[_Pair]:
    pair = _Pair()
    yield pair
    for raft in pair.rafts:
        raft.transport.destroy()


def test_nothing_leaves_before_the_outbox_is_flushed(pair: _Pair) -> None:
    pair.connect()
    assert pair.dialler.transport.send(pair.low, MESSAGE)
    pair.run_for(0.1)
    assert pair.listener.heard == []
    pair.dialler.transport.flush_outbox()
    pair.run(lambda: bool(pair.listener.heard))
    assert pair.listener.heard == [("high", MESSAGE)]


def test_nothing_is_sent_without_a_link(pair: _Pair) -> None:
    assert not pair.dialler.transport.send(pair.low, MESSAGE)
    pair.connect()
    pair.dialler.transport.flush_outbox()
    pair.run_for(0.1)
    assert pair.listener.heard == []


def test_a_link_with_nothing_to_say_is_kept_and_still_carries(pair: _Pair) -> None:
    """PySyncObj drops a silent link at the first message, the request for a vote."""
    pair.connect()
    pair.run_for(2 * PING_PERIOD_S + 0.5)
    pair.listener.transport.send(pair.high, MESSAGE)
    pair.listener.transport.flush_outbox()
    pair.run(lambda: bool(pair.dialler.heard))
    assert (pair.listener.links, pair.dialler.links) == (["+high"], ["+low"])
    assert pair.listener.heard == [], "pings are nobody's message"


def test_a_second_link_of_a_member_ends_its_first(pair: _Pair) -> None:
    """Findings, S14: both at once would deliver out of order."""
    pair.connect()
    # The same member, so the same greeting, from another place.
    twin = _Raft(pair.high, [pair.low], bind_address=pair.third.address)
    pair.rafts = [pair.listener, twin]
    pair.run(lambda: len(pair.listener.links) == 3)
    pair.dialler.transport.send(pair.low, MESSAGE)
    pair.dialler.transport.flush_outbox()
    pair.run_for(0.2)
    assert pair.listener.links == ["+high", "-high", "+high"]
    assert pair.listener.heard == []
    pair.dialler.transport.destroy()


def test_a_stranger_gets_no_link(pair: _Pair) -> None:
    pair.connect()
    pair.rafts.append(_Raft(pair.third, [pair.low]))
    pair.run_for(0.3)
    assert pair.listener.links == ["+high"]
