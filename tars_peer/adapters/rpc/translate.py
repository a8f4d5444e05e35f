"""Nouns of the house as messages of the wire, and back. No calls may enter here.

What the wire sends is judged: an enum value of 0, or one that this version does not know, and
JSON that does not fit its noun are refused.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from tars_peer.errors import CorruptError
from tars_peer.model.event import Event
from tars_peer.model.noun import Noun
from tars_peer.model.status import (
    AnalysisView,
    ChangeView,
    ClusterStatus,
    FindingRow,
    HeadStatus,
    HistoryRow,
    PeerStatus,
    RolloutStatus,
)
from tars_peer.wire.tars.v1 import cluster_pb2, evolution_pb2

#: Event data larger than this is left out, so that a stream never breaks on its message limit.
_LARGEST_DATA_BYTES = 1024 * 1024

NounType = TypeVar("NounType", bound=Noun)


class _Words:
    """The words of one enum: ``no-quorum`` ↔ ``PEER_STATE_NO_QUORUM``."""

    def __init__(
        self,
        enum: Any,  # noqa: ANN401  (protobuf gives no common type of enums)
        prefix: str,
        words: tuple[str, ...],
    ) -> None:
        self._prefix = prefix
        self._number = {
            word: enum.Value(f"{prefix}_{word.upper().replace('-', '_')}") for word in words
        }
        self._word = {number: word for word, number in self._number.items()}

    def number(self, word: str) -> Any:  # noqa: ANN401  (each enum has a type of its own)
        """Return the enum value of ``word``."""
        if word not in self._number:
            raise CorruptError(f"{word!r} is no {self._prefix}: one of {sorted(self._number)}")
        return self._number[word]

    def word(self, number: int) -> str:
        """Return the word of the enum value ``number``."""
        if number not in self._word:
            raise CorruptError(
                f"the peer sent {self._prefix} {number}, which this version does not know",
                hint="run the same version of TARS on both sides",
            )
        return self._word[number]


PEER_STATES = _Words(
    cluster_pb2.PeerState,
    "PEER_STATE",
    ("starting", "leader", "follower", "no-quorum", "stopped-by-fault", "unreachable"),
)
PEER_HEALTHS = _Words(
    cluster_pb2.PeerHealth, "PEER_HEALTH", ("healthy", "unhealthy", "starting", "unknown")
)
STAGES = _Words(
    cluster_pb2.RolloutStage, "ROLLOUT_STAGE", ("canary", "partial", "complete", "rolled_back")
)
KINDS = _Words(evolution_pb2.GenerationKind, "GENERATION_KIND", ("genesis", "change", "rollback"))
STATES = _Words(
    evolution_pb2.GenerationState,
    "GENERATION_STATE",
    ("rolling", "live", "superseded", "rolled_back"),
)

_PEER_PLAIN = (
    "id",
    "address",
    "generation",
    "commit",
    "tree",
    "applied_index",
    "ledger_digest",
    "sandbox",
    "service_url",
    "reason",
)
_ROW_PLAIN = (
    "commit",
    "tree",
    "parent_commit",
    "improvement",
    "measured_ratio",
    "raft_index",
    "summary",
)
_FINDING_PLAIN = (
    "rank",
    "improvement",
    "path",
    "line",
    "function",
    "message",
    "evidence",
    "share",
    "score",
    "why",
)
_CHANGE_PLAIN = (
    "change_id",
    "improvement",
    "summary",
    "target",
    "base_generation",
    "tree",
    "diff",
)
_EVENT_PLAIN = ("time_ms", "peer", "kind", "generation", "index", "change_id", "text")


def peer_to_wire(peer: PeerStatus) -> cluster_pb2.Peer:
    """Return ``peer`` as a message."""
    return cluster_pb2.Peer(
        **_fields(peer, _PEER_PLAIN),
        state=PEER_STATES.number(peer.state),
        health=PEER_HEALTHS.number(peer.health),
    )


def peer_from_wire(message: cluster_pb2.Peer) -> PeerStatus:
    """Return the peer that ``message`` says."""
    return PeerStatus(
        **_fields(message, _PEER_PLAIN),
        state=PEER_STATES.word(message.state),
        health=PEER_HEALTHS.word(message.health),
    )


def cluster_to_wire(status: ClusterStatus) -> cluster_pb2.GetStatusResponse:
    """Return ``status`` as a message."""
    rollout = None
    if status.rollout is not None:
        rollout = cluster_pb2.Rollout(
            generation=status.rollout.generation,
            stage=STAGES.number(status.rollout.stage),
            reason=status.rollout.reason,
        )
    return cluster_pb2.GetStatusResponse(
        **_fields(status, ("cluster_id", "leader", "term", "healthy", "paused", "reason")),
        head=cluster_pb2.Head(**_fields(status.head, ("generation", "commit", "tree"))),
        rollout=rollout,
        peers=[peer_to_wire(peer) for peer in status.peers],
    )


def cluster_from_wire(message: cluster_pb2.GetStatusResponse) -> ClusterStatus:
    """Return the cluster that ``message`` says."""
    rollout = None
    if message.HasField("rollout"):
        rollout = RolloutStatus(
            generation=message.rollout.generation,
            stage=STAGES.word(message.rollout.stage),
            reason=message.rollout.reason,
        )
    return ClusterStatus(
        **_fields(message, ("cluster_id", "term", "healthy", "paused", "reason")),
        leader=message.leader if message.HasField("leader") else None,
        head=HeadStatus(**_fields(message.head, ("generation", "commit", "tree"))),
        rollout=rollout,
        peers=tuple(peer_from_wire(peer) for peer in message.peers),
    )


def row_to_wire(row: HistoryRow) -> evolution_pb2.Generation:
    """Return ``row`` as a message."""
    return evolution_pb2.Generation(
        **_fields(row, _ROW_PLAIN),
        number=row.generation,
        kind=KINDS.number(row.kind),
        state=STATES.number(row.state),
        files=row.files,
        ballots=row.ballots,
    )


def row_from_wire(message: evolution_pb2.Generation) -> HistoryRow:
    """Return the generation that ``message`` says."""
    plain = _fields(message, _ROW_PLAIN)
    if not message.HasField("measured_ratio"):
        plain["measured_ratio"] = None
    return HistoryRow(
        **plain,
        generation=message.number,
        kind=KINDS.word(message.kind),
        state=STATES.word(message.state),
        files=tuple(message.files),
        ballots=tuple(message.ballots),
    )


def analysis_to_wire(view: AnalysisView) -> evolution_pb2.AnalyzeResponse:
    """Return ``view`` as a message."""
    return evolution_pb2.AnalyzeResponse(
        generation=view.generation,
        findings=[
            evolution_pb2.Finding(**_fields(finding, _FINDING_PLAIN)) for finding in view.findings
        ],
        skipped_files=[
            evolution_pb2.SkippedFile(path=path, reason=reason) for path, reason in view.skipped
        ],
    )


def analysis_from_wire(message: evolution_pb2.AnalyzeResponse) -> AnalysisView:
    """Return the analysis that ``message`` says."""
    return AnalysisView(
        generation=message.generation,
        findings=tuple(_finding_from_wire(finding) for finding in message.findings),
        skipped=tuple((skipped.path, skipped.reason) for skipped in message.skipped_files),
    )


def _finding_from_wire(message: evolution_pb2.Finding) -> FindingRow:
    plain = _fields(message, _FINDING_PLAIN)
    if not message.HasField("share"):
        plain["share"] = None
    return FindingRow(**plain)


def change_to_wire(view: ChangeView) -> evolution_pb2.GenerateResponse:
    """Return ``view`` as a message."""
    return evolution_pb2.GenerateResponse(**_fields(view, _CHANGE_PLAIN))


def change_from_wire(message: evolution_pb2.GenerateResponse) -> ChangeView:
    """Return the change that ``message`` says."""
    return ChangeView(**_fields(message, _CHANGE_PLAIN))


def event_to_wire(event: Event) -> cluster_pb2.WatchEventsResponse:
    """Return ``event`` as a message; data larger than 1 MiB is left out."""
    data = msgspec.json.encode(event.data)
    if len(data) > _LARGEST_DATA_BYTES:
        data = b'{"left_out":"data larger than 1 MiB"}'
    return cluster_pb2.WatchEventsResponse(**_fields(event, _EVENT_PLAIN), data_json=data)


def event_from_wire(message: cluster_pb2.WatchEventsResponse) -> Event:
    """Return the event that ``message`` says."""
    try:
        data = msgspec.json.decode(message.data_json or b"{}", type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise CorruptError(f"an event's data is not a JSON object: {error}") from error
    return Event(**_fields(message, _EVENT_PLAIN), data=data)


def noun_from_json(content: bytes, noun: type[NounType], *, limit_bytes: int) -> NounType:
    """Return the ``noun`` that ``content`` says, which may have ``limit_bytes`` at most.

    Raises:
        CorruptError: it is larger, no JSON, or does not fit the noun.
    """
    name = noun.__name__.lower()
    if len(content) > limit_bytes:
        raise CorruptError(f"a {name} of {len(content)} bytes; {limit_bytes} are allowed")
    try:
        return msgspec.json.decode(content, type=noun)
    except msgspec.MsgspecError as error:
        raise CorruptError(
            f"this {name} cannot be read: {error}",
            hint="run the same version of TARS on both sides",
        ) from error


def _fields(source: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
