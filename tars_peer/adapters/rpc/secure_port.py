"""The port of a server: mutual TLS always, with the certificates that are on disk now."""

from __future__ import annotations

import logging

import grpc

from tars_peer.adapters.identity.credentials import Credentials, Papers
from tars_peer.errors import TarsError, UsageError

_LOG = logging.getLogger(__name__)


class _Fetcher:
    """Gives grpc a new configuration at the first handshake after the files have changed."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._stamp = credentials.stamp()
        self.first = credentials.read()

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what to use from now on; None where nothing has changed."""
        stamp = self._credentials.stamp()
        if stamp == self._stamp:
            return None
        try:
            papers = self._credentials.read()
        except TarsError as error:
            _LOG.warning("the old certificates stay in use: %s", error)
            return None
        self._stamp = stamp
        return configuration_of(papers)


def configuration_of(papers: Papers) -> grpc.ServerCertificateConfiguration:
    """Return ``papers`` as grpc wants them."""
    pair = (papers.key, papers.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=papers.roots)


def bind(server: grpc.Server, address: str, credentials: Credentials) -> int:
    """Let ``server`` listen at ``address`` (``host:port``); return the port that it got.

    Raises:
        UsageError: the port is taken, the address is none of this machine, or a certificate is
            missing.
        CorruptError: a certificate is damaged.
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isdecimal()):
        raise UsageError(
            f"{address!r} is not an address to serve at",
            hint="give HOST:PORT, for example 127.0.0.1:7100",
        )
    fetcher = _Fetcher(credentials)
    secure = grpc.dynamic_ssl_server_credentials(
        configuration_of(fetcher.first), fetcher, require_client_authentication=True
    )
    try:
        bound = int(server.add_secure_port(address, secure))
    except RuntimeError as error:
        raise _cannot_bind(host, port) from error
    if not bound:
        raise _cannot_bind(host, port)
    return bound


def _cannot_bind(host: str, port: str) -> UsageError:
    return UsageError(
        f"cannot serve at {host}:{port}: the port is taken, or the host is none of this machine",
        hint=f"see who has it with `ss -ltnp 'sport = :{port}'`; stop that, or take another port",
    )
