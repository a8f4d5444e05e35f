"""What comes from the network can only ever become plain builtin values."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pysyncobj.pickle
import pysyncobj.syncobj
import pytest
from pysyncobj.node import TCPNode

from tars_peer.adapters.raft import loader
from tars_peer.errors import CorruptError


class _Malicious:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    loader.install()
    trap = tmp_path / "touched"
    with pytest.raises(CorruptError, match="are no message"):
        pysyncobj.pickle.loads(pickle.dumps(_Malicious(trap), protocol))
    assert not trap.exists()


def test_messages_travel_whole() -> None:
    loader.install()
    message = {"type": "x", "entries": [(b"\x00\xff", 2, 1)], "term": 2**40, "none": None}
    carried = pysyncobj.pickle.loads(pysyncobj.pickle.dumps((b"key", message)))
    assert carried == [b"key", {**message, "entries": [[b"\x00\xff", 2, 1]]}]


class _Noun(msgspec.Struct):
    name: str


@pytest.mark.parametrize("value", [TCPNode("127.0.0.1:1"), print, _Noun(name="x")])
def test_anything_but_plain_values_is_not_sent(value: object) -> None:
    with pytest.raises(TypeError):
        loader.dumps(value)


def test_dump_files_and_foreign_journals_are_refused(tmp_path: Path) -> None:
    loader.install()
    with (tmp_path / "dump").open("w+b") as file:
        with pytest.raises(AssertionError):
            pysyncobj.pickle.dump({}, file)
        with pytest.raises(AssertionError):
            pysyncobj.pickle.load(file)
    with pytest.raises(TypeError, match="its own journal"):
        pysyncobj.syncobj.createJournal(str(tmp_path / "journal"))
    assert not (tmp_path / "journal").exists()
