"""Other peers are asked by real calls; whatever fails is that peer's silence, never a crash."""

import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import msgspec
import pytest

from tars_peer.adapters.rpc.secure_port import bind
from tars_peer.adapters.rpc.server import RpcServer, serve
from tars_peer.adapters.rpc.voters import RpcVoters
from tars_peer.errors import TemporaryError, UnreachableError
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId
from tars_peer.wire.tars.v1 import ballot_pb2, ballot_pb2_grpc
from tests.fakes.certificates import Certificates
from tests.fakes.desk import CHANGE_ID, COMMITS, FakeDesk, some_ballot, some_change


class _QuickClock:
    """Time that only waiting moves, so that patience costs nothing; ``waited`` wakes a test."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []
        self.on_sleep = lambda: None

    def now_ms(self) -> int:
        return int(self.now_s * 1000)

    def monotonic_s(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.waits.append(seconds)
        self.on_sleep()


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    desk = FakeDesk()
    yield desk
    desk.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def serve_p2(desk: FakeDesk, certificates: Certificates, address: str = "127.0.0.1:0") -> RpcServer:
    """Serve ``desk`` as p2."""
    credentials = certificates.of("p2")
    return serve(desk, address=address, credentials=credentials, members=("p1", "p2"))


@pytest.fixture
def server(desk: FakeDesk, certificates: Certificates) -> Iterator[RpcServer]:
    server = serve_p2(desk, certificates)
    yield server
    server.stop(grace_s=0)


@pytest.fixture
def clock() -> _QuickClock:
    return _QuickClock()


@pytest.fixture
def voters(clock: _QuickClock, certificates: Certificates) -> Iterator[RpcVoters]:
    voters = RpcVoters(clock, certificates.of("p1"))
    yield voters
    voters.close()


def member_at(address: str) -> Member:
    return Member(id="p2", address=address, ballot_key="0" * 64)


def test_a_ballot_is_asked_for_and_called_off(
    desk: FakeDesk, server: RpcServer, voters: RpcVoters
) -> None:
    member = member_at(server.address)
    assert voters.ask(member, some_change(), timeout_s=9.0) == some_ballot()
    voters.dismiss(member, CHANGE_ID)
    assert ("dismiss", CHANGE_ID) in desk.asked
    assert voters.status(member) == desk.peer


def test_objects_are_fetched(desk: FakeDesk, server: RpcServer, voters: RpcVoters) -> None:
    desk.git_objects = ((1, b"commit"), (3, b"blob"))
    fetched = voters.fetch(member_at(server.address), CommitId(COMMITS[2]), CommitId(COMMITS[1]))
    assert tuple(fetched) == desk.git_objects
    assert ("objects", COMMITS[2], COMMITS[1]) in desk.asked


def test_who_cannot_judge_now_is_not_asked_again(
    desk: FakeDesk, server: RpcServer, voters: RpcVoters, clock: _QuickClock
) -> None:
    desk.faults["ballot"] = TemporaryError("behind the base", hint="wait")
    with pytest.raises(UnreachableError, match="p2: behind the base"):
        voters.ask(member_at(server.address), some_change(), timeout_s=9.0)
    assert clock.waits == []
    assert [call[0] for call in desk.asked].count("ballot") == 1


def test_who_is_not_there_is_given_three_seconds(
    voters: RpcVoters, clock: _QuickClock, certificates: Certificates
) -> None:
    gone = serve_p2(FakeDesk(), certificates)
    gone.stop(grace_s=0)
    with pytest.raises(UnreachableError, match="p2"):
        voters.ask(member_at(gone.address), some_change(), timeout_s=600.0)
    assert 2.0 < clock.now_s <= 3.0
    voters.dismiss(member_at(gone.address), CHANGE_ID)
    with pytest.raises(UnreachableError):
        tuple(voters.fetch(member_at(gone.address), CommitId(COMMITS[2]), CommitId("")))


def test_who_restarts_within_that_time_is_heard(
    desk: FakeDesk, voters: RpcVoters, clock: _QuickClock, certificates: Certificates
) -> None:
    first = serve_p2(desk, certificates)
    member = member_at(first.address)
    assert voters.status(member) == desk.peer
    first.stop(grace_s=0)
    started: list[RpcServer] = []

    def restart() -> None:
        if not started:
            started.append(serve_p2(desk, certificates, first.address))
        # The channel reconnects on its own time, of which this clock knows nothing.
        threading.Event().wait(0.05)

    clock.on_sleep = restart
    assert voters.ask(member, some_change(), timeout_s=60.0) == some_ballot()
    assert len(started) == 1
    started[0].stop(grace_s=0)


def test_a_ballot_that_cannot_be_read_is_silence(
    voters: RpcVoters, certificates: Certificates
) -> None:
    answer = msgspec.json.encode({"voter": "p2", "verdict": "approve"})
    server, address = _server_that_answers(answer, certificates)
    with pytest.raises(UnreachableError, match="this ballot cannot be read"):
        voters.ask(member_at(address), some_change(), timeout_s=5.0)
    server.stop(0).wait()


def test_a_ballot_that_is_too_large_is_silence(
    voters: RpcVoters, certificates: Certificates
) -> None:
    server, address = _server_that_answers(b" " * 300_000, certificates)
    with pytest.raises(UnreachableError, match="300000 bytes"):
        voters.ask(member_at(address), some_change(), timeout_s=5.0)
    server.stop(0).wait()


def _server_that_answers(ballot_json: bytes, certificates: Certificates) -> tuple[grpc.Server, str]:
    """Start a server whose every ballot is ``ballot_json``."""

    class Liar(ballot_pb2_grpc.BallotServiceServicer):
        def RequestBallot(self, request: object, context: object) -> object:  # noqa: N802
            del request, context
            return ballot_pb2.RequestBallotResponse(ballot_json=ballot_json)

    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    ballot_pb2_grpc.add_BallotServiceServicer_to_server(Liar(), server)
    port = bind(server, "127.0.0.1:0", certificates.of("p2"))
    server.start()
    return server, f"127.0.0.1:{port}"
