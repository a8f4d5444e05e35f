from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PeerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PEER_STATE_UNSPECIFIED: _ClassVar[PeerState]
    PEER_STATE_STARTING: _ClassVar[PeerState]
    PEER_STATE_LEADER: _ClassVar[PeerState]
    PEER_STATE_FOLLOWER: _ClassVar[PeerState]
    PEER_STATE_NO_QUORUM: _ClassVar[PeerState]
    PEER_STATE_STOPPED_BY_FAULT: _ClassVar[PeerState]
    PEER_STATE_UNREACHABLE: _ClassVar[PeerState]

class PeerHealth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PEER_HEALTH_UNSPECIFIED: _ClassVar[PeerHealth]
    PEER_HEALTH_HEALTHY: _ClassVar[PeerHealth]
    PEER_HEALTH_UNHEALTHY: _ClassVar[PeerHealth]
    PEER_HEALTH_STARTING: _ClassVar[PeerHealth]
    PEER_HEALTH_UNKNOWN: _ClassVar[PeerHealth]

class RolloutStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLLOUT_STAGE_UNSPECIFIED: _ClassVar[RolloutStage]
    ROLLOUT_STAGE_CANARY: _ClassVar[RolloutStage]
    ROLLOUT_STAGE_PARTIAL: _ClassVar[RolloutStage]
    ROLLOUT_STAGE_COMPLETE: _ClassVar[RolloutStage]
    ROLLOUT_STAGE_ROLLED_BACK: _ClassVar[RolloutStage]
PEER_STATE_UNSPECIFIED: PeerState
PEER_STATE_STARTING: PeerState
PEER_STATE_LEADER: PeerState
PEER_STATE_FOLLOWER: PeerState
PEER_STATE_NO_QUORUM: PeerState
PEER_STATE_STOPPED_BY_FAULT: PeerState
PEER_STATE_UNREACHABLE: PeerState
PEER_HEALTH_UNSPECIFIED: PeerHealth
PEER_HEALTH_HEALTHY: PeerHealth
PEER_HEALTH_UNHEALTHY: PeerHealth
PEER_HEALTH_STARTING: PeerHealth
PEER_HEALTH_UNKNOWN: PeerHealth
ROLLOUT_STAGE_UNSPECIFIED: RolloutStage
ROLLOUT_STAGE_CANARY: RolloutStage
ROLLOUT_STAGE_PARTIAL: RolloutStage
ROLLOUT_STAGE_COMPLETE: RolloutStage
ROLLOUT_STAGE_ROLLED_BACK: RolloutStage

class Head(_message.Message):
    __slots__ = ("generation", "commit", "tree")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    generation: int
    commit: str
    tree: str
    def __init__(self, generation: _Optional[int] = ..., commit: _Optional[str] = ..., tree: _Optional[str] = ...) -> None: ...

class Rollout(_message.Message):
    __slots__ = ("generation", "stage", "reason")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    generation: int
    stage: RolloutStage
    reason: str
    def __init__(self, generation: _Optional[int] = ..., stage: _Optional[_Union[RolloutStage, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class Peer(_message.Message):
    __slots__ = ("id", "address", "state", "generation", "commit", "tree", "applied_index", "ledger_digest", "health", "sandbox", "service_url", "reason")
    ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    APPLIED_INDEX_FIELD_NUMBER: _ClassVar[int]
    LEDGER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    SANDBOX_FIELD_NUMBER: _ClassVar[int]
    SERVICE_URL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    id: str
    address: str
    state: PeerState
    generation: int
    commit: str
    tree: str
    applied_index: int
    ledger_digest: str
    health: PeerHealth
    sandbox: str
    service_url: str
    reason: str
    def __init__(self, id: _Optional[str] = ..., address: _Optional[str] = ..., state: _Optional[_Union[PeerState, str]] = ..., generation: _Optional[int] = ..., commit: _Optional[str] = ..., tree: _Optional[str] = ..., applied_index: _Optional[int] = ..., ledger_digest: _Optional[str] = ..., health: _Optional[_Union[PeerHealth, str]] = ..., sandbox: _Optional[str] = ..., service_url: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("cluster_id", "leader", "term", "healthy", "head", "rollout", "paused", "reason", "peers")
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    LEADER_FIELD_NUMBER: _ClassVar[int]
    TERM_FIELD_NUMBER: _ClassVar[int]
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    cluster_id: str
    leader: str
    term: int
    healthy: bool
    head: Head
    rollout: Rollout
    paused: bool
    reason: str
    peers: _containers.RepeatedCompositeFieldContainer[Peer]
    def __init__(self, cluster_id: _Optional[str] = ..., leader: _Optional[str] = ..., term: _Optional[int] = ..., healthy: _Optional[bool] = ..., head: _Optional[_Union[Head, _Mapping]] = ..., rollout: _Optional[_Union[Rollout, _Mapping]] = ..., paused: _Optional[bool] = ..., reason: _Optional[str] = ..., peers: _Optional[_Iterable[_Union[Peer, _Mapping]]] = ...) -> None: ...

class GetPeerRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetPeerResponse(_message.Message):
    __slots__ = ("peer",)
    PEER_FIELD_NUMBER: _ClassVar[int]
    peer: Peer
    def __init__(self, peer: _Optional[_Union[Peer, _Mapping]] = ...) -> None: ...

class WatchEventsRequest(_message.Message):
    __slots__ = ("replay",)
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    replay: bool
    def __init__(self, replay: _Optional[bool] = ...) -> None: ...

class WatchEventsResponse(_message.Message):
    __slots__ = ("time_ms", "peer", "kind", "generation", "index", "change_id", "text", "data_json")
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    PEER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_JSON_FIELD_NUMBER: _ClassVar[int]
    time_ms: int
    peer: str
    kind: str
    generation: int
    index: int
    change_id: str
    text: str
    data_json: bytes
    def __init__(self, time_ms: _Optional[int] = ..., peer: _Optional[str] = ..., kind: _Optional[str] = ..., generation: _Optional[int] = ..., index: _Optional[int] = ..., change_id: _Optional[str] = ..., text: _Optional[str] = ..., data_json: _Optional[bytes] = ...) -> None: ...
