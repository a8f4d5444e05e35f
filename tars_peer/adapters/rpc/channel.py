"""Channels to peers, with mutual TLS. No calls may enter here."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

import grpc

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.rpc.limits import MESSAGE_BYTES
from tars_peer.errors import UsageError
from tars_peer.model.identity import server_name

_LARGEST_PORT = 65_535

_OPTIONS = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A peer that was restarted is found again within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A peer whose machine vanished is noticed within 15 s, in the middle of a long call too.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Peers are reached directly, whatever http_proxy says.
    ("grpc.enable_http_proxy", 0),
    # Channels share no connection and no backoff with others of the same process.
    ("grpc.use_local_subchannel_pool", 1),
)


def check_address(address: str) -> None:
    """Refuse what is not ``host:port``.

    Raises:
        UsageError: that is not an address.
    """
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) <= _LARGEST_PORT):
        raise UsageError(
            f"{address!r} is not the address of a peer",
            hint="give HOST:PORT, for example 127.0.0.1:7100; `tars cluster peers` shows them",
        )


def open_channel(
    address: str, credentials: Credentials, peer: str, more: Iterable[tuple[str, int]] = ()
) -> grpc.Channel:
    """Return a channel to ``peer`` (any, where it is empty) at ``address``; it connects when used.

    ``more`` are options of grpc's that replace or join those of the house. Whoever answers must
    prove by its certificate that it is that peer of our own cluster.

    Raises:
        UsageError: our certificate is missing, or has expired.
        CorruptError: it is damaged.
    """
    papers = credentials.read()
    if papers.leaf.not_after_ms <= time.time() * 1000:
        end = datetime.fromtimestamp(papers.leaf.not_after_ms / 1000, UTC)
        raise UsageError(
            f"the certificate {credentials.leaf} has expired on {end:%Y-%m-%d %H:%M} UTC",
            hint="issue it anew: `tars certs rotate` beside its authority",
        )
    name = server_name(papers.leaf.identity.cluster_id, peer)
    return grpc.secure_channel(
        address,
        grpc.ssl_channel_credentials(papers.roots, papers.key, papers.chain),
        options=(*(dict(_OPTIONS) | dict(more)).items(), ("grpc.ssl_target_name_override", name)),
    )
