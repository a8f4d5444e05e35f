"""Channels to peers. No calls may enter here."""

from __future__ import annotations

import grpc

from tars_peer.adapters.rpc.limits import MESSAGE_BYTES
from tars_peer.errors import UsageError

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


def open_channel(address: str) -> grpc.Channel:
    """Return a channel to ``address`` (``host:port``); it connects when it is used.

    Raises:
        UsageError: that is not an address.
    """
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) <= _LARGEST_PORT):
        raise UsageError(
            f"{address!r} is not the address of a peer",
            hint="give HOST:PORT, for example 127.0.0.1:7100; `tars cluster peers` shows them",
        )
    return grpc.insecure_channel(address, options=_OPTIONS)
