"""Every call comes through here: who calls is read from the certificate, from nothing else.

A handler is wrapped, because an interceptor of grpc sees no certificate before the handler runs.
What each role may do is the table's (``roles``); nothing a message says may count here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Any

import grpc

from tars_peer.adapters.identity.leaf import Leaf, read_leaf
from tars_peer.adapters.rpc.faults import details_of, metadata_of
from tars_peer.adapters.rpc.roles import ALLOWED
from tars_peer.errors import CorruptError, RefusedError
from tars_peer.model.identity import Role
from tars_peer.model.noun import ClusterId

_LOG = logging.getLogger(__name__)

_RENEW = "issue a new certificate with `tars certs issue` or `tars certs rotate`"


class _NobodyError(RefusedError):
    """The certificate names nobody we can know."""


def leaf_of(context: grpc.ServicerContext) -> Leaf:
    """Return what the caller's certificate says.

    Raises:
        CorruptError: there is none, or it names nobody of a cluster.
    """
    # ``peer_identities`` mixes URIs with other names: only the certificate itself will do.
    return read_leaf(b"".join(context.auth_context().get("x509_pem_cert", ())))


class Door(grpc.ServerInterceptor):
    """Admits members, operators and readers of one cluster, each to what its role may do."""

    def __init__(
        self, *, cluster_id: ClusterId, members: Container[str], now_ms: Callable[[], int]
    ) -> None:
        """Admit peers that are ``members``; ``now_ms`` is the time, in Unix milliseconds."""
        self._cluster_id = cluster_id
        self._members = members
        self._now_ms = now_ms

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:  # noqa: ANN401  (grpc's handlers have no public type)
        """Return the handler of a method with this door before it."""
        handler = continuation(handler_call_details)
        return None if handler is None else self._behind(handler, handler_call_details.method)

    def _behind(self, handler: Any, method: str) -> Any:  # noqa: ANN401  (see above)
        if handler.response_streaming:
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream

            def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: ANN401
                leaf = self._admit(context, method)
                if handler.request_streaming:
                    request = self._watched(request, leaf, context, method)
                for answer in inner(request, context):
                    # A stream lasts for long: its caller must be somebody all the while.
                    with self._answering(context, method):
                        self._check_time(leaf)
                    yield answer

            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(stream, handler.request_deserializer, handler.response_serializer)
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary

        def once(request: object, context: grpc.ServicerContext) -> Any:  # noqa: ANN401
            self._admit(context, method)
            return inner(request, context)

        make = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(once, handler.request_deserializer, handler.response_serializer)

    def _watched(
        self, requests: Iterator[Any], leaf: Leaf, context: grpc.ServicerContext, method: str
    ) -> Iterator[Any]:
        """Yield what a caller says as long as its certificate is good."""
        for request in requests:
            if not self._is_in_time(leaf):
                with self._answering(context, method):
                    self._check_time(leaf)
            yield request

    def _admit(self, context: grpc.ServicerContext, method: str) -> Leaf:
        """Return who calls; the call ends here where that one may not."""
        with self._answering(context, method):
            leaf = self._caller(context)
            self._check_time(leaf)
            self._check(leaf, method)
        return leaf

    @contextmanager
    def _answering(self, context: grpc.ServicerContext, method: str) -> Iterator[None]:
        """End the call where the body refuses it, and say so in the log."""
        try:
            yield
        except RefusedError as error:
            nobody = isinstance(error, _NobodyError)
            code = grpc.StatusCode.UNAUTHENTICATED if nobody else grpc.StatusCode.PERMISSION_DENIED
            _LOG.warning("%s of %s is refused: %s", method, context.peer(), error)
            context.set_trailing_metadata(metadata_of(error))
            context.abort(code, details_of(error))

    def _caller(self, context: grpc.ServicerContext) -> Leaf:
        try:
            leaf = leaf_of(context)
        except CorruptError as error:
            raise _NobodyError(f"who are you? {error}", hint=_RENEW) from error
        if leaf.identity.cluster_id != self._cluster_id:
            raise _NobodyError(
                f"{leaf.identity.uri} is not of this cluster, {self._cluster_id}",
                hint="use a certificate that this cluster's operator issued",
            )
        return leaf

    def _check_time(self, leaf: Leaf) -> None:
        # An open connection goes on with a certificate that has expired meanwhile.
        if not self._is_in_time(leaf):
            raise _NobodyError(
                f"the certificate of {leaf.identity.uri} has expired or is not valid yet",
                hint=_RENEW,
            )

    def _is_in_time(self, leaf: Leaf) -> bool:
        return leaf.not_before_ms <= self._now_ms() < leaf.not_after_ms

    def _check(self, leaf: Leaf, method: str) -> None:
        who, allowed = leaf.identity, ALLOWED.get(method, frozenset[Role]())
        if who.role is Role.PEER and who.name not in self._members:
            raise RefusedError(
                f"{who.uri} is no member of this cluster", hint="only members speak as peers"
            )
        if who.role not in allowed:
            others = " or ".join(sorted(allowed)) or "nobody"
            raise RefusedError(
                f"{who.uri} may not call {method.rpartition('/')[2]}: {others} may",
                hint="name a certificate with that role with --certs, or ask an operator for one",
            )
