"""``BallotService``: another peer asks for our verdict. Judging itself may not enter here."""

# ruff: noqa: N802  (the method names are the wire's)

from __future__ import annotations

import grpc
import msgspec

from tars_peer.adapters.rpc.answer import Places, answering
from tars_peer.adapters.rpc.limits import CHANGE_BYTES, LONGEST_BALLOT_S
from tars_peer.adapters.rpc.translate import noun_from_json
from tars_peer.errors import CorruptError, UsageError
from tars_peer.model.change import Change
from tars_peer.ports.desk import Desk
from tars_peer.wire.tars.v1 import ballot_pb2

_DIGEST_LETTERS = 64


class BallotAnswers:
    """Answers ``BallotService`` from a desk."""

    def __init__(self, desk: Desk, slow: Places) -> None:
        """Answer from ``desk``; a ballot that is being made holds one of the ``slow`` places."""
        self._desk = desk
        self._slow = slow

    def RequestBallot(
        self, request: ballot_pb2.RequestBallotRequest, context: grpc.ServicerContext
    ) -> ballot_pb2.RequestBallotResponse:
        """Answer with this peer's signed verdict; the call's deadline bounds the work."""
        with answering(context, "RequestBallot"), self._slow.one():
            try:
                change = noun_from_json(request.change_json, Change, limit_bytes=CHANGE_BYTES)
            except CorruptError as error:
                raise UsageError(f"change_json: {error}", hint=error.hint) from error
            left_s = context.time_remaining()
            timeout_s = LONGEST_BALLOT_S if left_s is None else min(left_s, LONGEST_BALLOT_S)
            ballot = self._desk.ballot(change, timeout_s=timeout_s)
            return ballot_pb2.RequestBallotResponse(ballot_json=msgspec.json.encode(ballot))

    def DismissBallot(
        self, request: ballot_pb2.DismissBallotRequest, context: grpc.ServicerContext
    ) -> ballot_pb2.DismissBallotResponse:
        """Answer once nobody judges that change here for the caller."""
        with answering(context, "DismissBallot"):
            if len(request.change_id) != _DIGEST_LETTERS:
                raise UsageError(f"change_id {request.change_id[:80]!r} is not a SHA-256 in hex")
            self._desk.dismiss(request.change_id)
            return ballot_pb2.DismissBallotResponse()
