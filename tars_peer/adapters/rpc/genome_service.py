"""``GenomeService``: hands out git objects. No knowledge of git beyond ids may enter here."""

# ruff: noqa: N802  (the method names are the wire's)

from __future__ import annotations

import re
from collections.abc import Iterator

import grpc

from tars_peer.adapters.rpc.answer import Places, answering
from tars_peer.adapters.rpc.object_parts import split
from tars_peer.errors import UsageError
from tars_peer.model.noun import CommitId
from tars_peer.ports.desk import Desk
from tars_peer.wire.tars.v1 import genome_pb2

_COMMIT = re.compile(r"[0-9a-f]{40}")


class GenomeAnswers:
    """Answers ``GenomeService`` from a desk."""

    def __init__(self, desk: Desk, slow: Places) -> None:
        """Answer from ``desk``; each stream holds one of the ``slow`` places."""
        self._desk = desk
        self._slow = slow

    def FetchObjects(
        self, request: genome_pb2.FetchObjectsRequest, context: grpc.ServicerContext
    ) -> Iterator[genome_pb2.FetchObjectsResponse]:
        """Stream what one commit reaches and the other does not."""
        with answering(context, "FetchObjects"), self._slow.one():
            want = _commit("want_commit", request.want_commit)
            have = _commit("have_commit", request.have_commit) if request.have_commit else None
            yield from split(self._desk.objects(want, have))


def _commit(name: str, value: str) -> CommitId:
    if not _COMMIT.fullmatch(value):
        raise UsageError(f"{name} {value[:80]!r} is not a commit id: 40 letters of 0-9a-f")
    return CommitId(value)
