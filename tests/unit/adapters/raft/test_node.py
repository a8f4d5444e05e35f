"""One node, alone or with members that are not there, in this process."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tars_peer.adapters.raft import boot
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.errors import NoQuorumError, PermanentError, UsageError
from tars_peer.model.noun import OperationId, PeerId
from tars_peer.ports.log import Deliver
from tests.fakes.certificates import Certificates
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
        self.certificates = Certificates(folder / "certs", "c")
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
            credentials=self.certificates.of(ME),
            deliver=deliver or (lambda index, payload: self.delivered.append((index, payload))),
            on_fault=self.faults.put,
            exit_process=lambda code: self.faults.put(f"exit {code}"),
        )
        self.logs.append(log)
        log.start()
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


@pytest.mark.parametrize(
    ("addresses", "complaint"),
    [
        ({PeerId("b"): "127.0.0.1:7401"}, "peer-a is not among the members"),
        ({ME: "127.0.0.1"}, "is not the address of a peer"),
        ({ME: "127.0.0.1:0"}, "is not the address of a peer"),
        ({ME: "127.0.0.1:7401", PeerId("b"): "127.0.0.1:7401"}, "the same address"),
    ],
)
def test_wrong_addresses_are_named(
    bench: _Bench, addresses: dict[PeerId, str], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        bench.start(addresses)


def test_a_node_that_never_ran_closes_as_cleanly(bench: _Bench) -> None:
    """The server's port may be taken: then nothing was said or delivered."""
    log = RaftLog(
        folder=bench.folder,
        me=ME,
        addresses={ME: _free_address(), PeerId("b"): _free_address()},
        cluster_id="c",
        credentials=bench.certificates.of(ME),
        deliver=lambda *_: bench.faults.put("delivered"),
        on_fault=bench.faults.put,
    )
    log.close()
    log.close()
    assert bench.faults.empty()
    _append(bench.start(), "the journal is free")


def test_each_life_has_a_greater_number_though_the_clock_is_set_back(tmp_path: Path) -> None:
    first = boot.next_epoch(tmp_path)
    (tmp_path / boot.FILE).write_bytes(b"%d" % (first + 10**9))
    assert boot.next_epoch(tmp_path) == first + 10**9 + 1
    (tmp_path / boot.FILE).write_bytes(b"torn\x00")
    assert boot.next_epoch(tmp_path) >= first


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
