"""A peer as seen from elsewhere: a desk at the other end of the wire.

Messages go no further than this module's methods: they return nouns and raise errors of the
house. No printing and no knowledge of homes may enter here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import grpc
import msgspec
from grpc_health.v1 import health_pb2

from tars_peer.adapters.identity.credentials import Credentials
from tars_peer.adapters.rpc.faults import error_of
from tars_peer.adapters.rpc.health import READINESS
from tars_peer.adapters.rpc.limits import BALLOT_BYTES
from tars_peer.adapters.rpc.line import Line, Lines
from tars_peer.adapters.rpc.object_parts import join
from tars_peer.adapters.rpc.translate import (
    analysis_from_wire,
    change_from_wire,
    cluster_from_wire,
    event_from_wire,
    noun_from_json,
    peer_from_wire,
    row_from_wire,
)
from tars_peer.errors import TarsError, UntrustedError
from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.event import Event
from tars_peer.model.noun import CommitId
from tars_peer.model.status import (
    AnalysisView,
    ChangeView,
    ClusterStatus,
    HistoryRow,
    PeerStatus,
)
from tars_peer.wire.tars.v1 import (
    ballot_pb2,
    cluster_pb2,
    evolution_pb2,
    genome_pb2,
)

#: Deadlines in seconds: of what answers at once, what asks the log, and what runs the genome.
QUICK_S = 5.0
DECIDE_S = 60.0
SLOW_S = 3_600.0


class PeerClient:
    """The desk of the peer at ``address``; every method may raise what the desk raises.

    Beyond that, each raises UnreachableError where the peer does not answer in time.
    """

    def __init__(
        self, address: str, credentials: Credentials, *, peer: str = "", quick_s: float = QUICK_S
    ) -> None:
        """Prepare to call ``peer`` (any of the cluster, where it is empty) at ``address``.

        ``credentials`` say who calls; ``quick_s`` is the deadline of quick calls, in seconds.

        Raises:
            UsageError: that is not an address, or our certificate is missing or has expired.
            CorruptError: our certificate is damaged.
        """
        self.address = address
        self._quick_s = quick_s
        self._lines = Lines(address, credentials, peer)

    def __enter__(self) -> Self:
        """Return this client; leaving closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Hang up; streams end."""
        self._lines.close()

    def healthy(self) -> bool:
        """Say whether the peer is ready."""
        request = health_pb2.HealthCheckRequest(service=READINESS)
        answer = self._call(lambda line: line.health.Check, request, self._quick_s)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def peer_status(self) -> PeerStatus:
        """Return the peer as it sees itself."""
        answer = self._call(
            lambda line: line.cluster.GetPeer, cluster_pb2.GetPeerRequest(), self._quick_s
        )
        return peer_from_wire(answer.peer)

    def cluster_status(self) -> ClusterStatus:
        """Return the cluster as the peer sees it."""
        request = cluster_pb2.GetStatusRequest()
        return cluster_from_wire(
            self._call(lambda line: line.cluster.GetStatus, request, self._quick_s)
        )

    def events(self, *, replay: bool) -> Iterator[Event]:
        """Yield the peer's events, after the kept ones if ``replay``; ends with the peer."""
        request = cluster_pb2.WatchEventsRequest(replay=replay)
        for message in self._stream(lambda line: line.cluster.WatchEvents, request, None):
            yield event_from_wire(message)

    def history(self) -> tuple[HistoryRow, ...]:
        """Return all generations, oldest first."""
        rows: list[HistoryRow] = []
        first = 0
        while True:
            request = evolution_pb2.ListGenerationsRequest(first_generation=first)
            page = self._call(lambda line: line.evolution.ListGenerations, request, self._quick_s)
            rows += [row_from_wire(row) for row in page.generations]
            if not page.HasField("next_generation") or page.next_generation <= first:
                return tuple(rows)
            first = page.next_generation

    def analysis(self) -> AnalysisView:
        """Return what a look at the head finds."""
        request = evolution_pb2.AnalyzeRequest()
        return analysis_from_wire(self._call(lambda line: line.evolution.Analyze, request, SLOW_S))

    def generate(self, rank: int) -> ChangeView:
        """Return the change of the plan's item ``rank``."""
        request = evolution_pb2.GenerateRequest(rank=rank)
        return change_from_wire(self._call(lambda line: line.evolution.Generate, request, SLOW_S))

    def validate(self, rank: int) -> Ballot:
        """Return the peer's verdict on the change of the plan's item ``rank``."""
        request = evolution_pb2.ValidateRequest(rank=rank)
        answer = self._call(lambda line: line.evolution.Validate, request, SLOW_S)
        return noun_from_json(answer.ballot_json, Ballot, limit_bytes=BALLOT_BYTES)

    def deploy(self, rank: int) -> int:
        """Propose the change of the plan's item ``rank``; return the generation it became."""
        request = evolution_pb2.DeployRequest(rank=rank)
        return int(self._call(lambda line: line.evolution.Deploy, request, SLOW_S).generation)

    def diff(self, older: int, newer: int) -> str:
        """Return the unified diff between two generations."""
        request = evolution_pb2.DiffRequest(older_generation=older, newer_generation=newer)
        return str(self._call(lambda line: line.evolution.Diff, request, self._quick_s).diff)

    def rollback(self, to: int | None, reason: str, operation: str) -> int:
        """Take the head back to ``to`` (None: the one before); return the new generation."""
        request = evolution_pb2.RollbackRequest(
            to_generation=to, reason=reason, operation_id=operation
        )
        return int(self._call(lambda line: line.evolution.Rollback, request, DECIDE_S).generation)

    def pause(self, *, paused: bool, reason: str, operation: str) -> None:
        """Stop or go on proposing changes, on all peers."""
        if paused:
            pause = evolution_pb2.PauseRequest(reason=reason, operation_id=operation)
            self._call(lambda line: line.evolution.Pause, pause, DECIDE_S)
        else:
            resume = evolution_pb2.ResumeRequest(reason=reason, operation_id=operation)
            self._call(lambda line: line.evolution.Resume, resume, DECIDE_S)

    def clear(self, generation: int, operation: str) -> None:
        """Take what was rolled back with ``generation`` off the deny-list."""
        request = evolution_pb2.ClearRequest(generation=generation, operation_id=operation)
        self._call(lambda line: line.evolution.Clear, request, DECIDE_S)

    def sync(self) -> str:
        """Make the peer fetch what it lacks; return what it did."""
        return str(
            self._call(lambda line: line.evolution.Sync, evolution_pb2.SyncRequest(), SLOW_S).text
        )

    def run_once(self) -> str:
        """Wake the peer's engine for one cycle; return what it starts with."""
        return str(
            self._call(lambda line: line.evolution.Run, evolution_pb2.RunRequest(), DECIDE_S).text
        )

    def ballot(self, change: Change, *, timeout_s: float) -> Ballot:
        """Return the peer's signed verdict on ``change``; its signature is not verified here."""
        request = ballot_pb2.RequestBallotRequest(change_json=msgspec.json.encode(change))
        answer = self._call(lambda line: line.ballot.RequestBallot, request, timeout_s)
        return noun_from_json(answer.ballot_json, Ballot, limit_bytes=BALLOT_BYTES)

    def dismiss(self, change_id: str) -> None:
        """Tell the peer that its ballot on ``change_id`` is not needed any more."""
        request = ballot_pb2.DismissBallotRequest(change_id=change_id)
        self._call(lambda line: line.ballot.DismissBallot, request, self._quick_s)

    def objects(self, want: CommitId, have: CommitId | None) -> Iterator[tuple[int, bytes]]:
        """Yield the git objects that ``want`` reaches and ``have`` does not."""
        request = genome_pb2.FetchObjectsRequest(want_commit=want, have_commit=have or "")
        yield from join(self._stream(lambda line: line.genome.FetchObjects, request, SLOW_S))

    def _call(
        self, method: Callable[[Line], Callable[..., Any]], request: object, timeout_s: float
    ) -> Any:  # noqa: ANN401  (each call has its own answer)
        for last in (False, True):
            with self._lines.current() as line:
                try:
                    return method(line)(request, timeout=timeout_s)
                except grpc.RpcError as error:
                    said = error_of(error, address=self.address)
                    if last or not self._is_stale(line, said):
                        raise said from error
        raise AssertionError("the last attempt returns or raises")

    def _is_stale(self, line: Line, error: TarsError) -> bool:
        """Say whether the call never left, because certificates were replaced at that moment."""
        return isinstance(error, UntrustedError) and self._lines.is_outdated(line)

    def _stream(
        self,
        method: Callable[[Line], Callable[..., Any]],
        request: object,
        timeout_s: float | None,
    ) -> Iterator[Any]:
        with self._lines.current() as line:
            call = method(line)(request, timeout=timeout_s)
            try:
                yield from call
            except grpc.RpcError as error:
                raise error_of(error, address=self.address) from error
            finally:
                call.cancel()
