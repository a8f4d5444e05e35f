"""Certificates are replaced while calls go on, and no call fails."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from tars_peer.adapters.identity.credentials import Credentials, Papers
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.adapters.rpc.server import RpcServer, serve
from tars_peer.errors import UnreachableError
from tests.fakes.certificates import Certificates
from tests.fakes.desk import some_event
from tests.fakes.waiting import until

_ESTABLISHED = "01"  # in /proc/net/tcp, see tcp_states.h


def asked(server: RpcServer, credentials: Credentials) -> PeerClient:
    return PeerClient(server.address, credentials, peer="p1")


@pytest.mark.parametrize("what", ["leaves", "authority", "finish"])
def test_no_call_fails_while_certificates_are_rotated(server, certificates, what):
    people = [certificates.operator, certificates.reader, certificates.of("p2")]
    places = [certificates.of("p1").leaf, *(one.leaf for one in people)]
    ended, failures, calls = threading.Event(), [], [0, 0, 0]

    def await_calls() -> None:
        seen = list(calls)
        until(lambda: all(now > then + 2 for now, then in zip(calls, seen, strict=True)))

    def keep_calling(number: int) -> None:
        with asked(server, people[number]) as client:
            while not ended.is_set():
                try:
                    client.peer_status()
                    with asked(server, people[number]) as fresh:
                        fresh.peer_status()
                    calls[number] += 1
                except Exception as error:  # noqa: BLE001
                    failures.append(repr(error))

    threads = [threading.Thread(target=keep_calling, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            before = _served(server, certificates)
            if what == "leaves":
                certificates.cabinet.renew(places)
            else:
                certificates.cabinet.rotate_authority(places)
            await_calls()
            if what == "finish":
                certificates.cabinet.finish(places)
                await_calls()
            assert _served(server, certificates) != before  # with no restart
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_who_was_trusted_only_by_the_old_authority_is_out_at_the_end(server, certificates):
    kept = certificates.of("p1"), certificates.reader
    forgotten = certificates.operator
    with asked(server, forgotten) as client:
        certificates.cabinet.rotate_authority([one.leaf for one in kept])
        client.peer_status()
    certificates.cabinet.finish([one.leaf for one in kept])
    with asked(server, kept[1]) as client:
        client.peer_status()
    with asked(server, forgotten) as client, pytest.raises(UnreachableError):
        client.peer_status()


def _served(server: RpcServer, certificates: Certificates) -> bytes:
    """Return the certificate that the server shows at a new handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    context.load_verify_locations(certificates.operator.trusted)
    host, port = server.address.split(":")
    with (
        socket.create_connection((host, int(port))) as plain,
        context.wrap_socket(plain, server_hostname="p1.c-1.tars.local") as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


def test_a_stream_goes_on_over_the_old_line_which_is_closed_when_it_ends(desk, certificates):
    desk.kept = tuple(some_event("plan", str(number)) for number in range(3))
    mine = certificates.of("p1")
    server = serve(desk, address="127.0.0.1:0", credentials=mine, members=("p1",))
    port = int(server.address.split(":")[1])

    def connections() -> int:
        # Not by psutil: PySyncObj, once imported, replaces socket.inet_ntop by one for Windows.
        tables = [Path("/proc/self/net") / name for name in ("tcp", "tcp6")]
        lines = [line for table in tables for line in table.read_text().splitlines()]
        rows = [line.split() for line in lines]
        return sum(row[2].endswith(f":{port:04X}") and row[3] == _ESTABLISHED for row in rows)

    with asked(server, certificates.reader) as client:
        stream = client.events(replay=True)
        assert next(stream) == desk.kept[0]
        certificates.cabinet.renew([certificates.reader.leaf])
        client.peer_status()
        assert next(stream) == desk.kept[1]
        assert connections() == 2
        stream.close()
        until(lambda: connections() == 1)
        client.peer_status()
    server.stop(grace_s=0)


class Racing:
    """Credentials that are replaced between the look at them and the handshake."""

    def __init__(self, before: Credentials, after: Credentials) -> None:
        """Be ``before`` for the first two looks, at the opening and at the first call."""
        self.leaf = after.leaf
        self._looks = 0
        self._before, self._after = before, after

    def stamp(self) -> tuple[int, ...]:
        self._looks += 1
        return (int(self._looks > 2),)

    def read(self) -> Papers:
        return (self._after if self._looks > 2 else self._before).read()


def test_a_call_that_meets_a_rotation_halfway_is_made_again(desk, server, certificates, tmp_path):
    stranger = Certificates(tmp_path / "other")
    ours = certificates.operator
    before = Credentials(leaf=ours.leaf, trusted=stranger.operator.trusted)
    with PeerClient(server.address, Racing(before, ours), peer="p1") as client:
        assert client.deploy(1) == 2
    assert desk.asked.count(("deploy", 1)) == 1


def test_files_that_are_half_written_are_waited_for(server, certificates, caplog):
    reader = certificates.reader
    whole = reader.leaf.read_bytes()
    with asked(server, reader) as client:
        reader.leaf.write_bytes(whole[:200])
        client.peer_status()
        server_leaf = certificates.of("p1").leaf
        shown = _served(server, certificates)
        server_leaf.write_bytes(b"")
        assert _served(server, certificates) == shown
        assert "the old certificates stay in use: " in caplog.text
        reader.leaf.write_bytes(whole)
        client.peer_status()
