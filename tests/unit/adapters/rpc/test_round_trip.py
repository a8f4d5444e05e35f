"""A client against a real server on loopback gets what the desk says."""

import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tars_peer.adapters.rpc.channel import open_channel
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.adapters.rpc.limits import WATCHERS
from tars_peer.adapters.rpc.server import SERVICES, RpcServer, serve
from tars_peer.errors import (
    CorruptError,
    NoQuorumError,
    PermanentError,
    RefusedError,
    TarsError,
    TemporaryError,
    UnreachableError,
    UsageError,
)
from tars_peer.model.ballot import Verdict
from tars_peer.model.noun import CommitId
from tars_peer.wire.tars.v1 import cluster_pb2, cluster_pb2_grpc
from tests.fakes.certificates import Certificates
from tests.fakes.desk import (
    CHANGE_ID,
    COMMITS,
    DIFF,
    FakeDesk,
    some_ballot,
    some_change,
    some_cluster,
    some_event,
    some_peer,
    some_row,
)
from tests.fakes.waiting import until


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    desk = FakeDesk()
    yield desk
    desk.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def served(desk: FakeDesk, certificates: Certificates, address: str = "127.0.0.1:0") -> RpcServer:
    """Serve ``desk`` as p1."""
    credentials = certificates.of("p1")
    return serve(desk, address=address, credentials=credentials, members=("p1", "p2"), look_s=0.02)


@pytest.fixture
def server(desk: FakeDesk, certificates: Certificates) -> Iterator[RpcServer]:
    server = served(desk, certificates)
    yield server
    server.stop(grace_s=0)


@pytest.fixture
def client(server: RpcServer, certificates: Certificates) -> Iterator[PeerClient]:
    with PeerClient(server.address, certificates.operator, peer="p1") as client:
        yield client


@pytest.fixture
def neighbour(server: RpcServer, certificates: Certificates) -> Iterator[PeerClient]:
    with PeerClient(server.address, certificates.of("p2"), peer="p1") as client:
        yield client


def test_every_view_arrives_as_it_was(desk: FakeDesk, client: PeerClient) -> None:
    assert client.peer_status() == desk.peer
    assert client.cluster_status() == desk.cluster
    assert client.history() == desk.rows
    assert client.analysis() == desk.found
    assert client.generate(1).diff == DIFF
    assert client.diff(0, 1) == DIFF
    assert client.healthy()


def test_a_cluster_without_leader_and_rollout_arrives(desk: FakeDesk, client: PeerClient) -> None:
    lost = some_peer(2, state="unreachable", health="unknown", reason="no answer")
    faulty = some_peer(3, state="stopped-by-fault", health="unhealthy")
    desk.cluster = some_cluster(
        leader=None, rollout=None, healthy=False, peers=(some_peer(1), lost, faulty)
    )
    assert client.cluster_status() == desk.cluster


def test_deeds_reach_the_desk_with_their_arguments(
    desk: FakeDesk, client: PeerClient, neighbour: PeerClient
) -> None:
    assert client.deploy(3) == 2
    assert client.rollback(0, "slower", "op-1") == 2
    assert client.rollback(None, "", "op-2") == 2
    client.pause(paused=True, reason="lunch", operation="op-3")
    client.pause(paused=False, reason="", operation="op-4")
    client.clear(7, "op-5")
    assert client.sync() == "nothing was missing"
    assert client.run_once() == "looking at generation 1"
    neighbour.dismiss(CHANGE_ID)
    deeds = [call for call in desk.asked if call[0] not in {"healthy", "events"}]
    assert deeds == [
        ("deploy", 3),
        ("rollback", 0, "slower", "op-1"),
        ("rollback", None, "", "op-2"),
        ("pause", True, "lunch", "op-3"),
        ("pause", False, "", "op-4"),
        ("clear", 7, "op-5"),
        ("sync",),
        ("run_once",),
        ("dismiss", CHANGE_ID),
    ]


def test_a_ballot_goes_there_and_back(
    desk: FakeDesk, client: PeerClient, neighbour: PeerClient
) -> None:
    desk.verdict = Verdict.REFUSE
    assert neighbour.ballot(some_change(), timeout_s=5.0) == some_ballot(Verdict.REFUSE)
    assert client.validate(1).reason == "5-tests: test_day fails"
    name, change, timeout_s = next(call for call in desk.asked if call[0] == "ballot")
    assert (name, change) == ("ballot", some_change())
    assert isinstance(timeout_s, float)
    assert 0 < timeout_s <= 5.0


def test_a_long_history_comes_in_pages(desk: FakeDesk, client: PeerClient) -> None:
    desk.rows = tuple(some_row(number) for number in range(1_203))
    assert client.history() == desk.rows
    assert desk.asked.count(("history",)) == 3


def test_objects_come_whole_even_when_larger_than_a_message(
    desk: FakeDesk, neighbour: PeerClient
) -> None:
    large = bytes(range(256)) * 4096 * 6
    desk.git_objects = ((3, b""), (1, b"commit"), (3, large), (2, b"tree"), (3, b"tail"))
    assert tuple(neighbour.objects(CommitId(COMMITS[1]), None)) == desk.git_objects
    assert ("objects", COMMITS[1], None) in desk.asked


@pytest.mark.parametrize(
    "error",
    [
        UsageError("there is no generation 9", hint="see `tars evolve history`"),
        RefusedError("the tests fail: test_tag – größer als 3 %", hint="naïve 100 % hint\nline 2"),
        NoQuorumError("2 of 3 peers are gone"),
        UnreachableError("p2 does not answer"),
        CorruptError("a torn entry"),
        PermanentError("no"),
        TemporaryError("later"),
    ],
)
def test_an_error_arrives_with_class_message_and_hint(
    desk: FakeDesk, client: PeerClient, error: TarsError
) -> None:
    desk.faults["rollback"] = error
    with pytest.raises(TarsError) as caught:
        client.rollback(9, "", "op")
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert caught.value.hint == error.hint


def test_an_endless_message_is_cut_and_still_arrives(desk: FakeDesk, client: PeerClient) -> None:
    desk.faults["deploy"] = RefusedError("ä" * 100_000, hint="%" * 100_000)
    with pytest.raises(RefusedError, match=r"^ä+\.\.\.$"):
        client.deploy(1)


def test_a_fault_of_ours_tells_no_secrets_and_is_logged(
    desk: FakeDesk, client: PeerClient, caplog: pytest.LogCaptureFixture
) -> None:
    desk.faults["deploy"] = ZeroDivisionError("password: swordfish")
    with pytest.raises(PermanentError) as caught:
        client.deploy(1)
    assert "swordfish" not in str(caught.value)
    assert "internal fault in Deploy" in str(caught.value)
    assert "swordfish" in caplog.text


def test_what_callers_send_is_judged(client: PeerClient, neighbour: PeerClient) -> None:
    with pytest.raises(UsageError, match="counts from 1"):
        client.deploy(0)
    with pytest.raises(UsageError, match="operation_id has 0 letters"):
        client.rollback(1, "", "")
    with pytest.raises(UsageError, match="reason has 2000 letters"):
        client.pause(paused=True, reason="x" * 2000, operation="op")
    with pytest.raises(UsageError, match="no generation"):
        client.clear(2**63, "op")
    with pytest.raises(UsageError, match="is not a commit id"):
        tuple(neighbour.objects(CommitId("HEAD"), None))
    with pytest.raises(UsageError, match="is not a SHA-256"):
        neighbour.dismiss("abc")


def test_a_state_outside_the_contract_is_refused_loudly(desk: FakeDesk, client: PeerClient) -> None:
    desk.peer = some_peer(1, state="dancing")
    with pytest.raises(CorruptError, match="'dancing' is no PEER_STATE"):
        client.peer_status()


def test_a_diff_larger_than_a_message_is_refused_with_a_way_on(
    desk: FakeDesk, client: PeerClient
) -> None:
    desk.diff_text = "x" * (3 * 1024 * 1024 + 1)
    with pytest.raises(RefusedError, match="3 MiB") as caught:
        client.diff(0, 1)
    assert "git diff" in caught.value.hint


def test_events_are_replayed_and_end_with_the_server(
    desk: FakeDesk, certificates: Certificates
) -> None:
    desk.kept = tuple(some_event("plan", str(number)) for number in range(5))
    server = served(desk, certificates)
    with PeerClient(server.address, certificates.reader) as watcher:
        stream = watcher.events(replay=True)
        assert [next(stream) for _ in range(5)] == list(desk.kept)
        server.stop(grace_s=1)
        assert list(stream) == []


def test_watchers_never_take_all_threads_and_hanging_up_frees_them(
    server: RpcServer, client: PeerClient, certificates: Certificates
) -> None:
    with open_channel(server.address, certificates.reader, "p1") as channel:
        stub = cluster_pb2_grpc.ClusterServiceStub(channel)
        watchers = [stub.WatchEvents(cluster_pb2.WatchEventsRequest()) for _ in range(WATCHERS)]
        for watcher in watchers:
            watcher.initial_metadata()  # returns once the watcher has its place
        assert _one_more_watcher(stub) is grpc.StatusCode.UNAVAILABLE
        assert client.peer_status().id == "p1"
        for watcher in watchers:
            watcher.cancel()
        # The stream has no events, so nothing but hanging up can have freed the places.
        until(lambda: _one_more_watcher(stub) is grpc.StatusCode.DEADLINE_EXCEEDED)


def test_a_busy_port_is_refused_with_its_name(
    server: RpcServer, certificates: Certificates
) -> None:
    with pytest.raises(UsageError, match=server.address) as caught:
        served(FakeDesk(), certificates, server.address)
    assert "ss -ltnp" in caught.value.hint


@pytest.mark.parametrize("address", ["", "7100", "127.0.0.1:http", "127.0.0.1:"])
def test_an_address_that_is_none_is_refused(address: str, certificates: Certificates) -> None:
    with pytest.raises(UsageError, match="not an address"):
        served(FakeDesk(), certificates, address)
    with pytest.raises(UsageError, match="not the address of a peer"):
        PeerClient(address, certificates.reader)


def test_a_peer_that_is_not_there_is_unreachable(certificates: Certificates) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        with PeerClient(address, certificates.reader) as client:
            with pytest.raises(UnreachableError) as caught:
                client.peer_status()
            with pytest.raises(UnreachableError):
                next(client.events(replay=True))
    assert "tars cluster status" in caught.value.hint
    assert str(caught.value).endswith("did not answer (Connection refused)")


def test_a_peer_that_comes_back_is_found_by_the_same_client(
    desk: FakeDesk, certificates: Certificates
) -> None:
    first = served(desk, certificates)
    with PeerClient(first.address, certificates.reader) as client:
        client.peer_status()
        first.stop(grace_s=0)
        with pytest.raises(UnreachableError):
            client.peer_status()
        again = served(desk, certificates, first.address)
        until(lambda: _answers(client))
        again.stop(grace_s=0)


def test_health_follows_the_desk(
    desk: FakeDesk, server: RpcServer, certificates: Certificates
) -> None:
    serving = health_pb2.HealthCheckResponse.SERVING
    with open_channel(server.address, certificates.reader, "p1") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service="tars.readiness"))
        assert next(watch).status == serving
        desk.serving = False
        assert next(watch).status == health_pb2.HealthCheckResponse.NOT_SERVING
        desk.faults["healthy"] = RuntimeError("torn")
        for name in ("", "tars.readiness", *SERVICES):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING, name
        live = health.Check(health_pb2.HealthCheckRequest(service="tars.liveness"))
        assert live.status == serving
        desk.faults.clear()
        desk.serving = True
        assert next(watch).status == serving
        watch.cancel()


def test_reflection_names_every_service(server: RpcServer, certificates: Certificates) -> None:
    with open_channel(server.address, certificates.reader, "p1") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        question = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = next(stub.ServerReflectionInfo(iter([question])))
    names = {service.name for service in answer.list_services_response.service}
    assert names >= {
        "tars.v1.BallotService",
        "tars.v1.ClusterService",
        "tars.v1.EvolutionService",
        "tars.v1.GenomeService",
        "grpc.health.v1.Health",
    }


def _one_more_watcher(stub: cluster_pb2_grpc.ClusterServiceStub) -> grpc.StatusCode:
    """Return how a watch of half a second ends: by its deadline unless it was sent away."""
    code: grpc.StatusCode = stub.WatchEvents(cluster_pb2.WatchEventsRequest(), timeout=0.5).code()
    return code


def _answers(client: PeerClient) -> bool:
    try:
        client.peer_status()
    except UnreachableError:
        return False
    return True
