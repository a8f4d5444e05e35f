"""What takes the place of two module globals of PySyncObj: its pickle, and its journal factory.

PySyncObj unpickles whatever a connection brings, which lets the sender run code. Its modules look
``pysyncobj.pickle.loads`` and ``dumps`` up at each call, so ``install`` swaps them for MessagePack:
plain builtin values in, plain builtin values out, and no unpickler left to attack. No class, node
or callable may ever be let through here.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import msgspec
import pysyncobj.pickle
import pysyncobj.syncobj

from tars_peer.adapters.raft.journal import SqliteJournal
from tars_peer.errors import CorruptError

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder()


def dumps(value: object, protocol: int | None = None) -> bytes:
    """Encode plain builtin values; ``protocol`` is pickle's and means nothing here.

    Raises:
        TypeError: there is something else inside.
    """
    del protocol
    if isinstance(value, msgspec.Struct):
        raise TypeError("only plain builtin values may travel between members")
    return _encoder.encode(value)


def loads(data: bytes) -> Any:  # noqa: ANN401  (whatever was sent; ``guard`` checks it)
    """Decode plain builtin values; tuples come back as lists.

    Raises:
        CorruptError: it is anything else, a pickle for example.
    """
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise CorruptError(
            f"{len(data)} bytes from the network are no message: {error}",
            hint="is a member of another version, or none of ours, speaking to this peer?",
        ) from error


def _refuse_file(*_: object) -> Any:  # noqa: ANN401  (never returns)
    raise AssertionError("PySyncObj's dump files are not used, nothing may read or write one")


def load(file: BinaryIO) -> Any:  # noqa: ANN401
    """Refuse: PySyncObj reads dump files with this, and there must be none."""
    return _refuse_file(file)


def dump(value: object, file: BinaryIO, protocol: int | None = None) -> None:
    """Refuse, for the same reason."""
    _refuse_file(value, file, protocol)


def _create_journal(journal: object) -> SqliteJournal:
    """Pass on the journal that ``settings`` put where a file name is expected."""
    if not isinstance(journal, SqliteJournal):
        raise TypeError(f"PySyncObj was to open its own journal ({journal!r})")
    return journal


def install() -> None:
    """Swap the globals; for the whole process, and safe to repeat."""
    pysyncobj.pickle.loads = loads
    pysyncobj.pickle.dumps = dumps
    pysyncobj.pickle.load = load
    pysyncobj.pickle.dump = dump
    pysyncobj.syncobj.createJournal = _create_journal
