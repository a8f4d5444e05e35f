"""Who is let in, to what; over real connections, with real certificates."""

from __future__ import annotations

import threading
from concurrent import futures
from queue import SimpleQueue

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.identity.pem import certificates_of, key_of
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.adapters.rpc.door import Door
from tars_peer.adapters.rpc.roles import ALLOWED
from tars_peer.adapters.rpc.secure_port import bind
from tars_peer.adapters.rpc.server import RpcServer, serve
from tars_peer.errors import RefusedError, UnreachableError, UntrustedError, UsageError
from tars_peer.model.identity import Identity, Role
from tars_peer.model.noun import ClusterId, CommitId
from tars_peer.wire.tars.v1 import (
    ballot_pb2,
    cluster_pb2,
    evolution_pb2,
    genome_pb2,
    raft_pb2,
    raft_pb2_grpc,
)
from tests.fakes.certificates import DAY_MS, Certificates
from tests.fakes.desk import CHANGE_ID, COMMITS, some_event

FILES = (ballot_pb2, cluster_pb2, evolution_pb2, genome_pb2, raft_pb2, health_pb2, reflection_pb2)
METHODS = {
    f"/{service.full_name}/{method.name}"
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


def asked(server: RpcServer, credentials: Credentials) -> PeerClient:
    return PeerClient(server.address, credentials, peer="p1")


def code_of(error: BaseException | None) -> grpc.StatusCode:
    """Return the status code that an error of the house came from."""
    assert error is not None
    assert isinstance(error.__cause__, grpc.RpcError)
    return error.__cause__.code()


def test_the_table_has_every_method_and_no_other():
    assert set(ALLOWED) == METHODS
    assert all(ALLOWED.values())


def test_each_role_may_call_what_the_table_says(server, certificates):
    callers = {
        Role.PEER: certificates.of("p2"),
        Role.OPERATOR: certificates.operator,
        Role.READER: certificates.reader,
    }
    for role, credentials in callers.items():
        with _raw(server.address, credentials) as channel:
            for method, allowed in ALLOWED.items():
                # With nothing to tell, a watch that was let in ends by its deadline.
                endless = role in allowed and method.endswith("WatchEvents")
                call = channel.unary_stream(method)(b"", timeout=1 if endless else 20)
                try:
                    next(call, None)
                    code = grpc.StatusCode.OK
                except grpc.RpcError as error:
                    code = error.code()
                call.cancel()
                refused = code is grpc.StatusCode.PERMISSION_DENIED
                assert refused is (role not in allowed), (role, method, code)


def test_a_reader_reads_and_decides_nothing(desk, server, certificates, caplog):
    with asked(server, certificates.reader) as client:
        assert client.peer_status() == desk.peer
        with pytest.raises(RefusedError, match="may not call Deploy: operator may") as caught:
            client.deploy(1)
    assert "--certs" in caught.value.hint
    assert code_of(caught.value) is grpc.StatusCode.PERMISSION_DENIED
    assert ("deploy", 1) not in desk.asked
    assert "/tars.v1.EvolutionService/Deploy of " in caplog.text
    assert "spiffe://c-1/reader/reader may not call Deploy" in caplog.text


def test_an_operator_is_no_peer_and_a_peer_no_operator(server, certificates):
    with (
        asked(server, certificates.operator) as client,
        pytest.raises(RefusedError, match="may not call DismissBallot: peer may"),
    ):
        client.dismiss(CHANGE_ID)
    with (
        asked(server, certificates.of("p2")) as client,
        pytest.raises(RefusedError, match="may not call Deploy: operator may"),
    ):
        client.deploy(1)


def test_a_peer_that_is_no_member_is_refused_everything(server, certificates):
    with asked(server, certificates.of("p9")) as client:
        for call in (
            client.peer_status,
            client.healthy,
            lambda: client.dismiss(CHANGE_ID),
            lambda: tuple(client.objects(CommitId(COMMITS[1]), None)),
        ):
            with pytest.raises(RefusedError, match="peer/p9 is no member") as caught:
                call()
            assert code_of(caught.value) is grpc.StatusCode.PERMISSION_DENIED


def test_another_cluster_under_the_same_authority_is_refused(server, certificates, tmp_path):
    authority = certificates.cabinet.authority()
    foreign = _forged(authority, tmp_path, certificates, cluster="c-2")
    ours = Credentials(leaf=foreign, trusted=certificates.operator.trusted)
    with (
        _raw(server.address, ours) as channel,
        pytest.raises(grpc.RpcError, match="spiffe://c-2/operator/me is not of this cluster"),
    ):
        channel.unary_unary("/tars.v1.ClusterService/GetPeer")(b"", timeout=5)


def test_an_unknown_role_is_nobody(server, certificates, tmp_path):
    foreign = _forged(certificates.cabinet.authority(), tmp_path, certificates, role="root")
    ours = Credentials(leaf=foreign, trusted=certificates.operator.trusted)
    with (
        _raw(server.address, ours) as channel,
        pytest.raises(grpc.RpcError, match="is no role") as caught,
    ):
        channel.unary_unary("/tars.v1.ClusterService/GetPeer")(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_a_certificate_that_expires_on_an_open_connection_is_refused(server, certificates, later):
    with asked(server, certificates.reader) as client:
        client.peer_status()
        later.days = 91
        with pytest.raises(RefusedError, match="reader/reader has expired") as caught:
            client.peer_status()
        assert code_of(caught.value) is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(RefusedError, match="has expired"):
            next(client.events(replay=True))


def test_a_callers_stream_ends_when_its_certificate_does(certificates, later):
    """Where the caller speaks and the server is silent, as with Raft."""
    heard = []
    ended = threading.Event()

    class Listener(raft_pb2_grpc.RaftServiceServicer):
        def Exchange(self, requests, _context):  # noqa: N802
            yield raft_pb2.ExchangeResponse()
            try:
                heard.extend(request.sequence for request in requests)
            finally:
                ended.set()

    door = Door(cluster_id=ClusterId("c-1"), members=("p2",), now_ms=later)
    server = grpc.server(futures.ThreadPoolExecutor(2), interceptors=(door,))
    raft_pb2_grpc.add_RaftServiceServicer_to_server(Listener(), server)
    port = bind(server, "127.0.0.1:0", certificates.of("p1"))
    server.start()
    said: SimpleQueue[raft_pb2.ExchangeRequest] = SimpleQueue()
    with _raw(f"127.0.0.1:{port}", certificates.of("p2")) as channel:
        call = raft_pb2_grpc.RaftServiceStub(channel).Exchange(iter(said.get, None))
        next(call)
        later.days = 91
        said.put(raft_pb2.ExchangeRequest(sequence=1))
        with pytest.raises(grpc.RpcError, match="peer/p2 has expired"):
            next(call)
        said.put(None)
    assert ended.wait(5)
    assert heard == []
    server.stop(None).wait()


def test_a_stream_ends_when_its_certificate_does(desk, certificates, later):
    desk.kept = tuple(some_event("plan", str(number)) for number in range(3))
    server = serve(
        desk,
        address="127.0.0.1:0",
        credentials=certificates.of("p1"),
        members=("p1",),
        now_ms=_ticking(later, days=45),
    )
    with (
        asked(server, certificates.reader) as client,
        pytest.raises(RefusedError, match="has expired"),
    ):
        list(client.events(replay=True))
    server.stop(grace_s=0)


def test_who_shows_no_certificate_gets_nothing(server, certificates):
    roots = certificates.reader.read().roots
    options = (("grpc.ssl_target_name_override", "p1.c-1.tars.local"),)
    stranger = grpc.ssl_channel_credentials(roots)
    for channel in (
        grpc.insecure_channel(server.address),
        grpc.secure_channel(server.address, stranger, options=options),
    ):
        for method in sorted(ALLOWED):
            call = channel.unary_unary(method)
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        channel.close()


def test_who_comes_from_another_authority_gets_nothing(server, certificates, tmp_path):
    stranger = Certificates(tmp_path / "other")  # of a cluster that calls itself the same
    mixed = Credentials(leaf=stranger.operator.leaf, trusted=certificates.operator.trusted)
    with asked(server, mixed) as client, pytest.raises(UnreachableError) as caught:
        client.peer_status()
    assert "does not take our certificate" in caught.value.hint


def test_a_server_that_cannot_prove_itself_is_told_nothing(desk, server, certificates, tmp_path):
    stranger = Certificates(tmp_path / "other")
    wrong_trust = Credentials(leaf=certificates.operator.leaf, trusted=stranger.operator.trusted)
    with (
        asked(server, wrong_trust) as client,
        pytest.raises(UntrustedError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.deploy(1)
    with (
        PeerClient(server.address, certificates.operator, peer="p2") as client,
        pytest.raises(UntrustedError, match="is not the peer that was asked for"),
    ):
        client.deploy(1)
    assert not [call for call in desk.asked if call[0] == "deploy"]


def test_an_operator_cannot_pose_as_a_peer(certificates):
    posing = grpc.server(futures.ThreadPoolExecutor(1))
    port = bind(posing, "127.0.0.1:0", certificates.operator)
    posing.start()
    with (
        PeerClient(f"127.0.0.1:{port}", certificates.reader) as client,
        pytest.raises(UntrustedError),
    ):
        client.peer_status()
    posing.stop(None).wait()


def test_an_expired_certificate_is_not_let_in_and_its_holder_is_told(server, certificates):
    certificates.now_ms -= 100 * DAY_MS
    old = certificates.reader
    with pytest.raises(UsageError, match=r"reader\.pem has expired on 20"):
        asked(server, old)
    with _raw(server.address, old) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/tars.v1.ClusterService/GetPeer")(b"", timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_a_method_that_is_not_in_the_table_is_refused_to_all(certificates):
    door = Door(cluster_id=ClusterId("c-1"), members=("p1",), now_ms=lambda: certificates.now_ms)
    done: list[object] = []
    handlers = {
        "One": grpc.unary_unary_rpc_method_handler(lambda *_: done.append("One") or b""),
        "Two": grpc.unary_stream_rpc_method_handler(lambda *_: iter([done.append("Two") or b""])),
        "Three": grpc.stream_unary_rpc_method_handler(lambda *_: done.append("Three") or b""),
        "Four": grpc.stream_stream_rpc_method_handler(lambda *_: iter([done.append(4) or b""])),
    }
    server = grpc.server(futures.ThreadPoolExecutor(2), interceptors=(door,))
    generic = grpc.method_handlers_generic_handler("tars.v1.NewService", handlers)
    server.add_generic_rpc_handlers((generic,))
    port = bind(server, "127.0.0.1:0", certificates.of("p1"))
    server.start()
    with _raw(f"127.0.0.1:{port}", certificates.operator) as channel:
        path = "/tars.v1.NewService/"
        calls = (
            lambda: channel.unary_unary(path + "One")(b"", timeout=5),
            lambda: list(channel.unary_stream(path + "Two")(b"", timeout=5)),
            lambda: channel.stream_unary(path + "Three")(iter([b""]), timeout=5),
            lambda: list(channel.stream_stream(path + "Four")(iter([b""]), timeout=5)),
        )
        for call in calls:
            with pytest.raises(grpc.RpcError, match="nobody may") as caught:
                call()
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert done == []
    server.stop(None).wait()


def _ticking(later, *, days: int):
    """Return a clock that moves by ``days`` at each look, but stands at the first."""

    def now_ms() -> int:
        try:
            return later()
        finally:
            later.days += days

    return now_ms


def _raw(address: str, credentials: Credentials) -> grpc.Channel:
    """Return a channel that shows ``credentials`` whatever they say."""
    pem = credentials.leaf.read_bytes()
    return grpc.secure_channel(
        address,
        grpc.ssl_channel_credentials(
            credentials.trusted.read_bytes(), key_of(pem), b"".join(certificates_of(pem))
        ),
        options=(("grpc.ssl_target_name_override", "p1.c-1.tars.local"),),
    )


def _forged(authority, folder, certificates, *, cluster="c-1", role="operator"):
    """Let the true authority sign what it never would."""

    class Said(Identity, frozen=True, kw_only=True):
        @property
        def uri(self) -> str:
            return f"spiffe://{cluster}/{role}/me"

    identity = Said(cluster_id=ClusterId("c-1"), role=Role.OPERATOR, name="me")
    place = folder / "forged.pem"
    place.write_bytes(authority.issue(identity, now_ms=certificates.now_ms))
    return place
