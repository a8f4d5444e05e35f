"""Links between members: what keeps them up, what ends them, and who is never let in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.raft import loader
from tars_peer.adapters.raft.inbox import Incoming
from tars_peer.adapters.raft.settings import (
    LARGEST_REQUEST_BYTES,
    LINK_DEADLINE_S,
    PROTOCOL_VERSION,
    QUEUE_BYTES,
    QUEUE_MESSAGES,
)
from tars_peer.adapters.rpc.secure_port import bind
from tars_peer.model.identity import Role
from tars_peer.model.noun import PeerId
from tars_peer.wire.tars.v1 import raft_pb2, raft_pb2_grpc
from tests.fakes.certificates import Certificates
from tests.integration.raft_member import free_addresses
from tests.unit.adapters.raft.streams import MESSAGE, PAYLOAD, Addresses, End, Raw, run, run_for

Place = tuple[int, int]

REFUSED = grpc.StatusCode.FAILED_PRECONDITION
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path / "certs")


@pytest.fixture
def addresses() -> Addresses:
    return {PeerId(f"p{n}"): at for n, at in enumerate(free_addresses(3).values(), start=1)}


@pytest.fixture
def first(addresses: Addresses, certificates: Certificates) -> Iterator[End]:
    end = End("p1", addresses, certificates)
    yield end
    end.close()


@pytest.fixture
def pair(first: End, addresses: Addresses, certificates: Certificates) -> Iterator[list[End]]:
    second = End("p2", addresses, certificates, epoch=200)
    pair = [first, second]
    run(pair, lambda: first.links == ["+p2"] and second.links == ["+p1"])
    yield pair
    second.close()


def test_nothing_leaves_before_the_outbox_is_flushed(pair: list[End]) -> None:
    first, second = pair
    assert second.say("p1")
    run_for(pair, 0.1)
    assert first.heard == []
    second.transport.flush_outbox()
    run(pair, lambda: bool(first.heard))
    assert first.heard == [("p2", MESSAGE)]


def test_messages_arrive_once_and_in_order(pair: list[End]) -> None:
    first, second = pair
    said = [{"type": "response_vote", "term": number} for number in range(2_000)]
    for number, message in enumerate(said):
        second.say("p1", message)
        if number % 7 == 0:
            second.transport.flush_outbox()
    second.transport.flush_outbox()
    run(pair, lambda: len(first.heard) >= len(said))
    assert first.heard == [("p2", message) for message in said]


def test_nothing_is_sent_without_a_link(first: End) -> None:
    assert not first.say("p2")
    assert first.links == []


def test_a_link_with_nothing_to_say_is_kept_and_still_carries(pair: list[End]) -> None:
    first, second = pair
    run_for(pair, LINK_DEADLINE_S + 1)
    first.say("p2")
    first.transport.flush_outbox()
    run(pair, lambda: bool(second.heard))
    assert (first.links, second.links) == (["+p2"], ["+p1"])
    assert first.heard == [], "signs of life are nobody's message"


def test_who_is_silent_is_given_up_and_comes_back(pair: list[End]) -> None:
    first, second = pair
    run([first], lambda: first.links == ["+p2", "-p2"], within_s=LINK_DEADLINE_S + 1)
    run(pair, lambda: first.links[-1] == "+p2" and second.links[-1] == "+p1")


def test_a_member_that_ends_is_noticed_at_once_and_found_again(
    pair: list[End], addresses: Addresses, certificates: Certificates
) -> None:
    first, second = pair
    second.close()
    run([first], lambda: first.links == ["+p2", "-p2"], within_s=1.0)
    again = End("p2", addresses, certificates, epoch=201)
    try:
        run([first, again], lambda: first.links[-1] == "+p2" and again.links == ["+p1"])
        first.say("p2")
        first.transport.flush_outbox()
        run([first, again], lambda: again.heard == [("p1", MESSAGE)])
    finally:
        again.close()


def test_a_certificate_that_was_replaced_is_shown(
    pair: list[End], certificates: Certificates
) -> None:
    first, second = pair
    (certificates.folder / "p2.pem").unlink()
    certificates.of("p2")
    run(pair, lambda: len(second.links) == 3, within_s=10)
    run(pair, lambda: len(first.links) == 3)
    assert second.links == ["+p1", "-p1", "+p1"]


class _Other(raft_pb2_grpc.RaftServiceServicer):
    """The server of p2, which greets, and reads unless it is deaf; the rest the test does."""

    def __init__(self, address: str, papers: Credentials) -> None:
        self.epoch, self.is_deaf = 100, False
        self.came, self.ended = threading.Event(), threading.Event()
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        raft_pb2_grpc.add_RaftServiceServicer_to_server(self, self._server)
        bind(self._server, address, papers)
        self._server.start()

    def Exchange(self, request_iterator, context):  # noqa: N802
        self.came.set()
        context.add_callback(self.ended.set)
        yield raft_pb2.ExchangeResponse(boot_epoch=self.epoch)
        if self.is_deaf:
            self.ended.wait(30)
        for _ in request_iterator:
            pass

    def stop(self) -> None:
        self._server.stop(0).wait()


@pytest.fixture
def other(addresses: Addresses, certificates: Certificates) -> Iterator[_Other]:
    other = _Other(addresses[PeerId("p2")], certificates.of("p2"))
    yield other
    other.stop()


def _refused(
    first: End, caplog: pytest.LogCaptureFixture, stream: Raw, code: grpc.StatusCode, cause: str
) -> None:
    """Check that a stream is ended for a cause that is told and logged; it carries nothing."""
    with stream:
        stream.say(10**6, PAYLOAD)
        error = stream.end()
    assert isinstance(error, grpc.Call)
    assert (error.code(), cause in (error.details() or "")) == (code, True), error
    assert cause in caplog.text
    run_for([first], 0.1)
    assert first.heard == []
    assert "-p2" not in first.links, "nobody else's link is touched"


@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR])
def test_only_peers_speak(
    first: End, addresses: Addresses, certificates: Certificates, caplog, role: Role
) -> None:
    # Even under a member's name.
    papers = certificates.of("p2", role)
    cause = f"spiffe://c-1/{role}/p2 may not call Exchange: peer may"
    _refused(first, caplog, Raw(addresses[first.me], papers), DENIED, cause)


def test_a_peer_that_is_no_member_is_refused(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    stream = Raw(addresses[first.me], certificates.of("p9"))
    _refused(first, caplog, stream, DENIED, "spiffe://c-1/peer/p9 is no member")


def test_a_member_under_our_own_name_is_refused(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    stream = Raw(addresses[first.me], certificates.of("p1"))
    _refused(first, caplog, stream, REFUSED, "p1 is this member's own name")


def test_a_stranger_is_not_let_in(first: End, addresses: Addresses, certificates, tmp_path) -> None:
    """Of another authority, of a cluster that calls itself the same."""
    stranger = Certificates(tmp_path / "other")
    papers = Credentials(leaf=stranger.of("p2").leaf, trusted=certificates.of("p1").trusted)
    with Raw(addresses[first.me], papers) as stream:
        stream.say(1, PAYLOAD)
        error = stream.end()
    assert isinstance(error, grpc.Call)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    run_for([first], 0.1)
    assert (first.heard, first.links) == ([], [])


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ({"cluster": "c-2"}, "p2 speaks for cluster 'c-2', not c-1"),
        ({"version": PROTOCOL_VERSION + 1}, "p2 speaks version 2 of the log's protocol"),
        ({"hello": b"\xff\xff"}, "a stream whose greeting cannot be read"),
    ],
)
def test_a_greeting_that_does_not_fit_is_refused(
    first: End, addresses: Addresses, certificates: Certificates, caplog, words, cause: str
) -> None:
    stream = Raw(addresses[first.me], certificates.of("p2"), **words)
    _refused(first, caplog, stream, REFUSED, cause)


def _linked(first: End, addresses: Addresses, papers: Credentials, **words: int) -> Raw:
    """Return a stream that `first` has taken."""
    raw = Raw(addresses[first.me], papers, **words)
    assert raw.greeted() == first.epoch
    return raw


@pytest.mark.usefixtures("other")
def test_repeated_and_older_requests_are_dropped(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    with _linked(first, addresses, certificates.of("p2")) as raw:
        run([first], lambda: first.links == ["+p2"])
        for sequence in (5, 5, 4, 1, 6):
            message = {"type": "response_vote", "term": sequence}
            raw.say(sequence, loader.dumps(message))
        run([first], lambda: len(first.heard) >= 2)
        run_for([first], 0.1)
        assert [message["term"] for _, message in first.heard] == [5, 6]
    assert "dropped request 5 of stream 1 of p2 in its life 100, which comes after 5" in caplog.text
    assert caplog.text.count("dropped request") == 1, "nobody fills our disk with lines"


@pytest.mark.usefixtures("other")
def test_an_older_life_or_stream_takes_no_ones_place(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    papers = certificates.of("p2")
    with _linked(first, addresses, papers, epoch=100, stream=3) as raw:
        for epoch, stream in ((99, 9), (100, 3), (100, 2)):
            old = Raw(addresses[first.me], papers, epoch=epoch, stream=stream)
            cause = f"stream {stream} of p2 in its life {epoch} is not newer than stream 3 of p2"
            _refused(first, caplog, old, REFUSED, cause)
        run([first], lambda: first.links == ["+p2"])
        raw.say(1, PAYLOAD)
        run([first], lambda: first.heard == [("p2", MESSAGE)])


@pytest.mark.parametrize("newer", [(101, 1), (100, 2)])
def test_nothing_is_taken_from_a_stream_that_was_replaced(
    first: End, other: _Other, certificates: Certificates, caplog, newer: Place
) -> None:
    """Findings, S14; not even what was queued here already."""
    papers, addresses = certificates.of("p2"), first.addresses
    with _linked(first, addresses, papers, epoch=100, stream=1) as old:
        run([first], lambda: first.links == ["+p2"])
        old.say(1, PAYLOAD)
        queued = first.inbox._events  # noqa: SLF001
        run([], lambda: len(queued) == 1)
        other.epoch, stream = newer
        with _linked(first, addresses, papers, epoch=other.epoch, stream=stream) as new:
            newest = first.inbox._newest[PeerId("p2")]  # noqa: SLF001
            assert (newest.epoch, newest.number) == newer
            assert f"stream {stream} of p2 in its life {other.epoch} takes the place" in caplog.text
            # What it brought before it was replaced was good; what comes after is not.
            old.say(2, loader.dumps({"type": "response_vote", "term": 666}))
            old.end()
            run([first], lambda: first.links == ["+p2", "-p2", "+p2"])
            new.say(1, loader.dumps({"type": "response_vote", "term": 2}))
            run([first], lambda: bool(first.heard) and first.heard[-1][1]["term"] == 2)
    assert [message["term"] for _, message in first.heard] in ([2], [1, 2])


@pytest.mark.usefixtures("other")
def test_what_an_older_stream_queues_at_the_last_moment_is_not_taken(
    first: End, addresses: Addresses, certificates: Certificates
) -> None:
    """Its thread may be on its way to the queue while the newer one takes its place."""
    with _linked(first, addresses, certificates.of("p2")) as raw:
        run([first], lambda: first.links == ["+p2"])
        Incoming(first.inbox, PeerId("p2"), (99, 1), lambda: None).bring(1, [PAYLOAD])
        raw.say(1, loader.dumps({"type": "response_vote", "term": 2}))
        run([first], lambda: bool(first.heard))
    assert [message["term"] for _, message in first.heard] == [2]


@pytest.mark.usefixtures("other")
def test_a_request_that_is_too_large_ends_its_stream(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    with _linked(first, addresses, certificates.of("p2")) as raw:
        run([first], lambda: first.links == ["+p2"])
        raw.say(1, PAYLOAD, b"x" * LARGEST_REQUEST_BYTES)
        raw.say(2, PAYLOAD)
        error = raw.end()
    assert isinstance(error, grpc.Call)
    assert error.code() is REFUSED
    assert f"bytes at once, at most {LARGEST_REQUEST_BYTES} are taken" in caplog.text
    run_for([first], 0.1)
    assert first.heard == []
    assert first.links == ["+p2", "-p2"]


@pytest.mark.usefixtures("other")
def test_what_is_no_message_is_dropped_and_told(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    with _linked(first, addresses, certificates.of("p2")) as raw:
        run([first], lambda: first.links == ["+p2"])
        raw.say(1, b"\x80\x04\x95not a message", PAYLOAD)
        run([first], lambda: bool(first.heard))
    assert first.heard == [("p2", MESSAGE)]
    assert "dropped a message of p2" in caplog.text


@pytest.mark.parametrize("size_bytes", [0, LARGEST_REQUEST_BYTES // 2])
def test_who_brings_more_than_is_taken_loses_the_stream(
    first: End, addresses: Addresses, certificates: Certificates, caplog, size_bytes: int
) -> None:
    """The raft thread does not run meanwhile."""
    with _linked(first, addresses, certificates.of("p2")) as raw:
        for sequence in range(1, QUEUE_MESSAGES + 10 if not size_bytes else 40):
            raw.say(sequence, b"x" * size_bytes) if size_bytes else raw.say(sequence)
        assert isinstance(raw.end(), grpc.RpcError)
    assert "brings more than this member takes" in caplog.text
    queued = sum(
        len(each) for event in first.inbox.events() if isinstance(event, tuple) for each in event[1]
    )
    assert queued <= QUEUE_BYTES


def test_a_member_that_does_not_read_is_given_up_before_memory_grows(
    first: End, other: _Other, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    other.is_deaf = True
    message = {"type": "apply_command", "command": b"x" * 100_000}
    with _linked(first, addresses, certificates.of("p2")):
        run([first], lambda: first.links == ["+p2"])
        sent = 0
        while first.links == ["+p2"]:
            assert sent * 100_000 < 2 * QUEUE_BYTES, "it has taken all that?"
            first.say("p2", message)
            first.transport.flush_outbox()
            sent += 1
        assert first.links == ["+p2", "-p2"]
        assert not first.say("p2")
        assert other.ended.wait(5), "the stream is cut, not only left"
    assert "gave up the stream to p2: it does not read" in caplog.text


def test_a_server_that_is_another_member_is_told_nothing(
    first: End, addresses: Addresses, certificates: Certificates, caplog
) -> None:
    posing = _Other(addresses[PeerId("p2")], certificates.of("p3"))
    with _linked(first, addresses, certificates.of("p2")):
        run([first], lambda: "is not the peer that was asked for" in caplog.text)
        run_for([first], 0.3)
    posing.stop()
    assert first.links == []
    assert not posing.came.is_set()
