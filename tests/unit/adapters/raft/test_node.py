"""One node, alone or with members that are not there, in this process."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pysyncobj import SyncObj, SyncObjConf
from pysyncobj.transport import TCPTransport

from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.errors import NoQuorumError, PermanentError, TemporaryError, UsageError
from tars_peer.model.noun import OperationId, PeerId
from tars_peer.ports.log import Deliver
from tests.fakes.waiting import until

ME = PeerId("peer-a")


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class _Bench:
    """Starts nodes and closes them at the end; notes what they delivered and complained of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.delivered: list[tuple[int, bytes]] = []
        self.faults: queue.Queue[str] = queue.Queue()
        self.logs: list[RaftLog] = []

    def start(
        self,
        addresses: dict[PeerId, str] | None = None,
        deliver: Deliver | None = None,
    ) -> RaftLog:
        log = RaftLog(
            folder=self.folder,
            me=ME,
            addresses=addresses or {ME: _free_address()},
            cluster_id="c",
            secret="s",
            deliver=deliver or (lambda index, payload: self.delivered.append((index, payload))),
            on_fault=self.faults.put,
            exit_process=lambda code: self.faults.put(f"exit {code}"),
        )
        self.logs.append(log)
        return log


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[_Bench]:
    bench = _Bench(tmp_path)
    yield bench
    for log in bench.logs:
        log.close()


def _append(log: RaftLog, name: str) -> int:
    return log.append(name.encode(), operation=OperationId(name), timeout_s=10)


def test_a_cluster_of_one_decides_alone_and_remembers(bench: _Bench) -> None:
    log = bench.start()
    places = [(_append(log, name), name.encode()) for name in ("one", "two", "three")]
    assert _append(log, "two") == places[1][0]
    status = log.status()
    assert (status.leader, status.has_quorum, status.ready) == (ME, True, True)
    assert status.applied_index >= places[-1][0]
    log.close()
    assert bench.delivered == places
    bench.delivered.clear()
    again = bench.start()
    until(lambda: again.status().ready)
    assert bench.delivered == places, "a start delivers everything, once, from the first entry"
    assert again.status().term > status.term
    assert _append(again, "one") == places[0][0]


def test_closing_is_idempotent_and_ends_waiting(bench: _Bench) -> None:
    nobody = {ME: _free_address(), PeerId("b"): _free_address(), PeerId("c"): _free_address()}
    log = bench.start(nobody)
    outcomes: list[str] = []

    def wait() -> None:
        try:
            log.append(b"x", operation=OperationId("x"), timeout_s=60)
        except NoQuorumError as error:
            outcomes.append(str(error))

    waiter = threading.Thread(target=wait)
    waiter.start()
    log.close()
    log.close()
    waiter.join(10)
    assert len(outcomes) == 1
    assert "closed" in outcomes[0]
    with pytest.raises(NoQuorumError, match="closed"):
        log.append(b"y", operation=OperationId("y"), timeout_s=60)


def test_without_the_others_nothing_is_decided(bench: _Bench) -> None:
    nobody = {ME: _free_address(), PeerId("b"): _free_address(), PeerId("c"): _free_address()}
    log = bench.start(nobody)
    began_s = time.monotonic()
    with pytest.raises(NoQuorumError, match="was not seen to be decided") as caught:
        log.append(b"x", operation=OperationId("x"), timeout_s=0.3)
    assert time.monotonic() - began_s < 2.0
    assert "same operation" in caught.value.hint
    status = log.status()
    assert (status.leader, status.has_quorum, status.ready) == (None, False, False)
    assert status.connected == frozenset()


def test_a_deliver_that_fails_is_reported_and_stops_or_repeats_nothing(bench: _Bench) -> None:
    calls: list[bytes] = []

    def deliver(_index: int, payload: bytes) -> None:
        calls.append(payload)
        if payload == b"bad":
            raise ValueError("no room")

    log = bench.start(deliver=deliver)
    bad = _append(log, "bad")
    assert _append(log, "good") > bad
    assert _append(log, "bad") == bad
    assert calls == [b"bad", b"good"]
    assert (
        bench.faults.get(timeout=5) == f"entry {bad} could not be delivered: ValueError('no room')"
    )
    assert bench.faults.empty()


def test_append_from_inside_deliver_is_a_fault_not_a_deadlock(bench: _Bench) -> None:
    logs: list[RaftLog] = []
    log = bench.start(
        deliver=lambda _index, payload: _append(logs[0], payload.decode() + "!") and None
    )
    logs.append(log)
    _append(log, "one")
    assert "deliver may only enqueue" in bench.faults.get(timeout=5)


def test_a_payload_too_large_is_refused_before_anything_is_sent(bench: _Bench) -> None:
    with pytest.raises(PermanentError, match="98305 bytes"):
        bench.start().append(b"x" * 98_305, operation=OperationId("x"), timeout_s=5)


def test_an_address_in_use_is_said_and_leaves_nothing_open(bench: _Bench) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(TemporaryError, match="cannot be bound"):
            bench.start({ME: address})
    _append(bench.start({ME: address}), "now it can")


@pytest.mark.parametrize(
    ("addresses", "complaint"),
    [
        ({PeerId("b"): "127.0.0.1:7401"}, "peer-a is not among the members"),
        ({ME: "127.0.0.1"}, "is no host:port"),
        ({ME: "127.0.0.1:0"}, "is no host:port"),
        ({ME: "127.0.0.1:7401", PeerId("b"): "127.0.0.1:7401"}, "the same raft address"),
        ({ME: "no-such-host.invalid:7401"}, "has no address"),
    ],
)
def test_wrong_addresses_are_named(
    bench: _Bench, addresses: dict[PeerId, str], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        bench.start(addresses)


def test_only_the_given_host_is_bound(bench: _Bench) -> None:
    address = _free_address()
    _append(bench.start({ME: address}), "one")
    port = int(address.rpartition(":")[2])
    with socket.socket() as elsewhere:
        # Taken, were the node bound to 0.0.0.0 as PySyncObj does by itself (findings, security).
        elsewhere.bind(("127.0.0.2", port))


class _Injector(SyncObj):  # type: ignore[misc]  # PySyncObj is untyped
    """A read-only node, as PySyncObj lets anyone be, that claims to lead a term of its own."""

    def _SyncObj__onNodeConnected(self, node: object) -> None:  # noqa: N802
        forged = {"type": "append_entries", "term": 10**6, "commit_index": 3, "entries": []}
        transport: TCPTransport = self._SyncObj__transport
        transport.send(node, {**forged, "prevLogIdx": 1, "prevLogTerm": 0})


@pytest.mark.parametrize("secret", ["c\ns", "another secret"])
def test_a_stranger_cannot_say_anything(bench: _Bench, secret: str) -> None:
    address = _free_address()
    log = bench.start({ME: address})
    _append(log, "one")
    term = log.status().term
    journal = SqliteJournal(bench.folder / "stranger", cluster_id="c", me=PeerId("stranger"))
    conf = SyncObjConf(autoTick=False, password=secret, connectionRetryTime=0.05)
    conf.journalFile = journal
    stranger = _Injector(None, [address], conf=conf)
    deadline_s = time.monotonic() + 0.5
    while time.monotonic() < deadline_s:
        stranger.doTick(0.02)
    stranger.destroy()
    journal.close()
    assert log.status().term == term
    assert _append(log, "two") > 0
    assert bench.faults.empty()


def test_garbage_on_the_port_is_dropped(bench: _Bench) -> None:
    address = _free_address()
    log = bench.start({ME: address})
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port))) as link:
        link.sendall(b"\x10\x00\x00\x00" + b"not a message!!!")
        link.settimeout(5)
        assert link.recv(1) == b"", "the node hangs up"
    _append(log, "one")
    assert bench.faults.empty()


def test_a_disk_that_fails_stops_the_node(bench: _Bench) -> None:
    """The exit function comes back here, as it never does in a peer; nothing may go on."""
    log = bench.start()
    _append(log, "one")
    # Its own file handle closed under it is the nearest to a dead disk that needs no privileges.
    log._journal.close()  # noqa: SLF001
    with pytest.raises(NoQuorumError):
        log.append(b"two", operation=OperationId("two"), timeout_s=10)
    assert bench.faults.get(timeout=5) == "exit 74"
    assert [payload for _, payload in bench.delivered] == [b"one"]
