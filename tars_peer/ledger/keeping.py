"""The state as bytes that can be kept or sent, and back; checked on the way back.

The form: the state's digest in hex, a line feed, the state as canonical JSON. Equal states are
equal bytes. No file and no log may enter here.
"""

from __future__ import annotations

import hashlib

import msgspec

from tars_peer.errors import CorruptError
from tars_peer.ledger.canon import canonical, digest_of_bytes
from tars_peer.ledger.state import State

_DIGEST_CHARACTERS = hashlib.sha256().digest_size * 2


def encode_state(state: State) -> bytes:
    """Return ``state`` as bytes."""
    content = canonical(state)
    return digest_of_bytes("state", content).encode() + b"\n" + content


def decode_state(raw: bytes, index: int) -> State:
    """Return the state after the entry at ``index`` from its bytes.

    Raises:
        CorruptError: it is damaged, of another form, or the state after another entry.
    """
    head, content = raw[: _DIGEST_CHARACTERS + 1], raw[_DIGEST_CHARACTERS + 1 :]
    if head != digest_of_bytes("state", content).encode() + b"\n":
        raise CorruptError("the state does not match its digest", hint="its bytes are damaged")
    try:
        state = msgspec.json.decode(content, type=State)
        same = canonical(state) == content
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise CorruptError(
            f"the state is of an unknown form: {error}",
            hint="a newer version of tars may have written it; update this peer",
        ) from error
    if not same:
        raise CorruptError("the state is not in canonical form", hint="the sender has a fault")
    if state.index != index:
        raise CorruptError(
            f"it is the state after entry {state.index}, not {index}",
            hint="the sender has a fault",
        )
    return state
