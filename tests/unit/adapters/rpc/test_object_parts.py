"""Git objects survive being cut into messages, and what is no such thing is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tars_peer.adapters.rpc.object_parts import join, split
from tars_peer.errors import CorruptError
from tars_peer.wire.tars.v1 import genome_pb2

objects = some.lists(some.tuples(some.integers(1, 4), some.binary(max_size=70)), max_size=20)


@given(objects=objects, part_bytes=some.integers(1, 40))
def test_what_is_split_is_joined_again(objects: list[tuple[int, bytes]], part_bytes: int) -> None:
    messages = list(split(objects, part_bytes=part_bytes))
    assert list(join(messages)) == objects
    for message in messages:
        assert sum(len(part.data) for part in message.parts) <= part_bytes


def _message(*parts: tuple[int, bytes, bool]) -> genome_pb2.FetchObjectsResponse:
    return genome_pb2.FetchObjectsResponse(
        parts=[
            genome_pb2.ObjectPart(kind=kind, data=data, last_part=last)
            for kind, data, last in parts
        ]
    )


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (_message((0, b"x", True)), "kind 0"),
        (_message((7, b"x", True)), "kind 7"),
        (_message((3, b"x", False), (2, b"y", True)), "kind 2 where 3"),
        (_message((3, b"x", False)), "in the middle"),
        (_message((3, b"x" * 60, False), (3, b"x" * 60, True)), "more than 100 bytes"),
    ],
)
def test_what_is_no_object_is_refused(message: genome_pb2.FetchObjectsResponse, says: str) -> None:
    with pytest.raises(CorruptError, match=says):
        list(join([message], object_bytes=100))
