"""``EvolutionService``: evolution by hand. It checks what callers send; the desk does the work."""

# ruff: noqa: N802  (the method names are the wire's)

from __future__ import annotations

import grpc
import msgspec

from tars_peer.adapters.rpc.answer import Places, answering
from tars_peer.adapters.rpc.limits import (
    DIFF_BYTES,
    MEBIBYTE,
    OPERATION_LETTERS,
    PAGE_GENERATIONS,
    REASON_LETTERS,
)
from tars_peer.adapters.rpc.translate import analysis_to_wire, change_to_wire, row_to_wire
from tars_peer.errors import RefusedError, UsageError
from tars_peer.model.noun import LARGEST_INTEGER
from tars_peer.ports.desk import Desk
from tars_peer.wire.tars.v1 import evolution_pb2


class EvolutionAnswers:
    """Answers ``EvolutionService`` from a desk."""

    def __init__(self, desk: Desk, slow: Places) -> None:
        """Answer from ``desk``; calls that take long hold one of the ``slow`` places."""
        self._desk = desk
        self._slow = slow

    def ListGenerations(
        self, request: evolution_pb2.ListGenerationsRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.ListGenerationsResponse:
        """Answer with a page of the history."""
        with answering(context, "ListGenerations"):
            size = request.page_size or PAGE_GENERATIONS
            if size > PAGE_GENERATIONS:
                raise UsageError(f"page_size is {size}; 1 to {PAGE_GENERATIONS} are allowed")
            rows = [
                row for row in self._desk.history() if row.generation >= request.first_generation
            ]
            return evolution_pb2.ListGenerationsResponse(
                generations=[row_to_wire(row) for row in rows[:size]],
                next_generation=rows[size].generation if len(rows) > size else None,
            )

    def Analyze(
        self, request: evolution_pb2.AnalyzeRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.AnalyzeResponse:
        """Answer with what a look at the head finds."""
        del request
        with answering(context, "Analyze"), self._slow.one():
            return analysis_to_wire(self._desk.analysis())

    def Generate(
        self, request: evolution_pb2.GenerateRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.GenerateResponse:
        """Answer with the change of one item of the plan."""
        with answering(context, "Generate"), self._slow.one():
            view = self._desk.generate(_rank(request.rank))
            return change_to_wire(msgspec.structs.replace(view, diff=_bounded(view.diff)))

    def Validate(
        self, request: evolution_pb2.ValidateRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.ValidateResponse:
        """Answer with this peer's verdict on that change."""
        with answering(context, "Validate"), self._slow.one():
            ballot = self._desk.validate(_rank(request.rank))
            return evolution_pb2.ValidateResponse(ballot_json=msgspec.json.encode(ballot))

    def Deploy(
        self, request: evolution_pb2.DeployRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.DeployResponse:
        """Answer with the generation that came of that change."""
        with answering(context, "Deploy"), self._slow.one():
            return evolution_pb2.DeployResponse(generation=self._desk.deploy(_rank(request.rank)))

    def Diff(
        self, request: evolution_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.DiffResponse:
        """Answer with the difference between two generations."""
        with answering(context, "Diff"):
            older = _generation(request.older_generation)
            newer = _generation(request.newer_generation)
            return evolution_pb2.DiffResponse(diff=_bounded(self._desk.diff(older, newer)))

    def Rollback(
        self, request: evolution_pb2.RollbackRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.RollbackResponse:
        """Answer with the generation that took the head back."""
        with answering(context, "Rollback"), self._slow.one():
            to = None
            if request.HasField("to_generation"):
                to = _generation(request.to_generation)
            number = self._desk.rollback(
                to, _reason(request.reason), _operation(request.operation_id)
            )
            return evolution_pb2.RollbackResponse(generation=number)

    def Pause(
        self, request: evolution_pb2.PauseRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.PauseResponse:
        """Answer once it is paused."""
        with answering(context, "Pause"), self._slow.one():
            reason = _reason(request.reason)
            self._desk.pause(paused=True, reason=reason, operation=_operation(request.operation_id))
            return evolution_pb2.PauseResponse()

    def Resume(
        self, request: evolution_pb2.ResumeRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.ResumeResponse:
        """Answer once it goes on."""
        with answering(context, "Resume"), self._slow.one():
            reason = _reason(request.reason)
            operation = _operation(request.operation_id)
            self._desk.pause(paused=False, reason=reason, operation=operation)
            return evolution_pb2.ResumeResponse()

    def Clear(
        self, request: evolution_pb2.ClearRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.ClearResponse:
        """Answer once it may be tried again."""
        with answering(context, "Clear"), self._slow.one():
            self._desk.clear(_generation(request.generation), _operation(request.operation_id))
            return evolution_pb2.ClearResponse()

    def Sync(
        self, request: evolution_pb2.SyncRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.SyncResponse:
        """Answer with what was fetched."""
        del request
        with answering(context, "Sync"), self._slow.one():
            return evolution_pb2.SyncResponse(text=self._desk.sync())

    def Run(
        self, request: evolution_pb2.RunRequest, context: grpc.ServicerContext
    ) -> evolution_pb2.RunResponse:
        """Answer with what the cycle starts with."""
        del request
        with answering(context, "Run"), self._slow.one():
            return evolution_pb2.RunResponse(text=self._desk.run_once())


def _rank(rank: int) -> int:
    if rank < 1:
        raise UsageError(
            "rank is 0; the plan counts from 1", hint="see the plan with `tars evolve plan`"
        )
    return rank


def _generation(number: int) -> int:
    if number > LARGEST_INTEGER:
        raise UsageError(
            f"there is no generation {number}",
            hint="see all generations with `tars evolve history`",
        )
    return number


def _operation(operation: str) -> str:
    if not 1 <= len(operation) <= OPERATION_LETTERS:
        raise UsageError(
            f"operation_id has {len(operation)} letters; 1 to {OPERATION_LETTERS} are allowed",
            hint="send a new UUID for each wish, and the same one when you try again",
        )
    return operation


def _reason(reason: str) -> str:
    if len(reason) > REASON_LETTERS:
        raise UsageError(f"reason has {len(reason)} letters; {REASON_LETTERS} are allowed")
    return reason


def _bounded(diff: str) -> str:
    size = len(diff.encode())
    if size > DIFF_BYTES:
        raise RefusedError(
            f"the diff has {size} bytes; {DIFF_BYTES // MEBIBYTE} MiB fit into an answer",
            hint="use `git diff` with both commit ids in a peer's copy of the genome",
        )
    return diff
