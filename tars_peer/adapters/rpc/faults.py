"""Errors of the house as gRPC statuses, and back. No calls and no logging may enter here.

The status code is for any gRPC client; the trailing metadata ``tars-error`` (the class) and
``tars-hint`` (what to do next) let our own client raise what the peer raised.
"""

from __future__ import annotations

import re
import string
from typing import Any
from urllib.parse import quote, unquote

import grpc

from tars_peer.errors import (
    CorruptError,
    NoQuorumError,
    PermanentError,
    RefusedError,
    TarsError,
    TemporaryError,
    UnreachableError,
    UntrustedError,
    UsageError,
)

ERROR_KEY = "tars-error"
HINT_KEY = "tars-hint"

#: HTTP/2 headers are bounded (8 KiB by default), so what is said in them is too.
_LONGEST_DETAIL_BYTES = 2_000
_LONGEST_HINT_BYTES = 1_000

#: What metadata may hold as it is; the rest, and ``%`` itself, is percent-encoded.
_PLAIN = " " + string.punctuation.replace("%", "")

#: Most particular first.
_CODES: tuple[tuple[type[TarsError], grpc.StatusCode], ...] = (
    (UsageError, grpc.StatusCode.INVALID_ARGUMENT),
    (RefusedError, grpc.StatusCode.FAILED_PRECONDITION),
    (CorruptError, grpc.StatusCode.DATA_LOSS),
    (PermanentError, grpc.StatusCode.FAILED_PRECONDITION),
    (NoQuorumError, grpc.StatusCode.UNAVAILABLE),
    (UnreachableError, grpc.StatusCode.UNAVAILABLE),
    (TemporaryError, grpc.StatusCode.UNAVAILABLE),
)
_CLASSES: dict[str, type[TarsError]] = {kind.__name__: kind for kind, _ in _CODES}

_SILENT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
)
#: What grpc says where the other side could not prove who it is. (Where it takes no word from us,
#: it just hangs up: TLS 1.3 checks our certificate after the handshake is over for us.)
_UNPROVED = ("handshake failed", "verification check failed", "hostname verification")
_FOREIGN = (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNKNOWN)


_SILENT_HINT = "see which peers are up with `tars cluster status`"
_HUNG_UP_HINT = (
    "it went away just now, or does not take our certificate: its peer.log says why; "
    "see ours with `tars certs show`"
)


def status_of(error: TarsError) -> grpc.StatusCode:
    """Return the status code that stands for ``error``."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.FAILED_PRECONDITION


def details_of(error: TarsError) -> str:
    """Return the message of ``error``, as short as a header must be."""
    return _shorten(str(error), _LONGEST_DETAIL_BYTES)


def metadata_of(error: TarsError) -> tuple[tuple[str, str], ...]:
    """Return the trailing metadata for ``error``: its class and its hint."""
    kind = next((kind for kind, _ in _CODES if isinstance(error, kind)), PermanentError)
    hint = quote(_shorten(error.hint, _LONGEST_HINT_BYTES), safe=_PLAIN)
    return ((ERROR_KEY, kind.__name__), (HINT_KEY, hint))


def said_by_peer(error: grpc.RpcError) -> bool:
    """Say whether a TARS peer answered with this error, rather than the way to it failed."""
    return ERROR_KEY in _metadata(error)


def error_of(error: grpc.RpcError, *, address: str) -> TarsError:
    """Return the error of the house that the peer at ``address`` meant, or that befell the call."""
    metadata = _metadata(error)
    details = error.details() or ""
    kind = _CLASSES.get(metadata.get(ERROR_KEY, ""))
    if kind is not None:
        return kind(details, hint=unquote(metadata.get(HINT_KEY, "")))
    code = error.code()
    if code in _SILENT and any(sign in details.lower() for sign in _UNPROVED):
        return UntrustedError(
            f"who answers at {address} is not the peer that was asked for ({_tls_cause(details)})",
            hint="check the address, and that both sides trust the same authority: "
            "`tars certs show` (docs/security.md)",
        )
    if code in _SILENT:
        late = code is grpc.StatusCode.DEADLINE_EXCEEDED
        why = "within its deadline" if late else f"({_last_cause(details)})"
        return UnreachableError(
            f"{address} did not answer {why}",
            hint=_HUNG_UP_HINT if "Socket closed" in details else _SILENT_HINT,
        )
    if code in _FOREIGN:
        return PermanentError(
            f"{address} does not speak this version of TARS: {details}",
            hint="check the address; run the same version of TARS on both sides",
        )
    return PermanentError(
        f"{address} failed: {details or code.name}",
        hint="its log, in the peer's folder of the cluster's home, says why",
    )


def _last_cause(details: str) -> str:
    """Return what grpc says last: its details nest causes, the outermost first."""
    return details.rpartition(": ")[2].strip() or "no reason given"


def _tls_cause(details: str) -> str:
    """Return what TLS found wrong: the last words of it that are in capitals, or all of them."""
    words = [part.strip() for part in details.split(":")]
    named = [word for word in words if re.fullmatch(r"[A-Z][A-Z_]+_[A-Z_]+", word)]
    return ": ".join([*named[-1:], _last_cause(details)])


def _metadata(error: grpc.RpcError) -> dict[str, str]:
    pairs: Any = error.trailing_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def _shorten(text: str, limit_bytes: int) -> str:
    """Cut ``text`` so that it takes ``limit_bytes`` at most once it is percent-encoded."""
    if len(quote(text, safe=_PLAIN)) <= limit_bytes:
        return text
    kept: list[str] = []
    size = len("...")
    for letter in text:
        size += len(quote(letter, safe=_PLAIN))
        if size > limit_bytes:
            break
        kept.append(letter)
    return "".join(kept) + "..."
