"""Certificates are replaced while calls go on, and no call fails."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.adapters.rpc.server import RpcServer
from tars_peer.errors import UnreachableError
from tests.fakes.certificates import Certificates
from tests.fakes.waiting import until


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
