from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerationKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GENERATION_KIND_UNSPECIFIED: _ClassVar[GenerationKind]
    GENERATION_KIND_GENESIS: _ClassVar[GenerationKind]
    GENERATION_KIND_CHANGE: _ClassVar[GenerationKind]
    GENERATION_KIND_ROLLBACK: _ClassVar[GenerationKind]

class GenerationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GENERATION_STATE_UNSPECIFIED: _ClassVar[GenerationState]
    GENERATION_STATE_ROLLING: _ClassVar[GenerationState]
    GENERATION_STATE_LIVE: _ClassVar[GenerationState]
    GENERATION_STATE_SUPERSEDED: _ClassVar[GenerationState]
    GENERATION_STATE_ROLLED_BACK: _ClassVar[GenerationState]
GENERATION_KIND_UNSPECIFIED: GenerationKind
GENERATION_KIND_GENESIS: GenerationKind
GENERATION_KIND_CHANGE: GenerationKind
GENERATION_KIND_ROLLBACK: GenerationKind
GENERATION_STATE_UNSPECIFIED: GenerationState
GENERATION_STATE_ROLLING: GenerationState
GENERATION_STATE_LIVE: GenerationState
GENERATION_STATE_SUPERSEDED: GenerationState
GENERATION_STATE_ROLLED_BACK: GenerationState

class Generation(_message.Message):
    __slots__ = ("number", "commit", "tree", "parent_commit", "kind", "improvement", "files", "measured_ratio", "ballots", "raft_index", "state", "summary")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    PARENT_COMMIT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    IMPROVEMENT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    MEASURED_RATIO_FIELD_NUMBER: _ClassVar[int]
    BALLOTS_FIELD_NUMBER: _ClassVar[int]
    RAFT_INDEX_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    number: int
    commit: str
    tree: str
    parent_commit: str
    kind: GenerationKind
    improvement: str
    files: _containers.RepeatedScalarFieldContainer[str]
    measured_ratio: float
    ballots: _containers.RepeatedScalarFieldContainer[str]
    raft_index: int
    state: GenerationState
    summary: str
    def __init__(self, number: _Optional[int] = ..., commit: _Optional[str] = ..., tree: _Optional[str] = ..., parent_commit: _Optional[str] = ..., kind: _Optional[_Union[GenerationKind, str]] = ..., improvement: _Optional[str] = ..., files: _Optional[_Iterable[str]] = ..., measured_ratio: _Optional[float] = ..., ballots: _Optional[_Iterable[str]] = ..., raft_index: _Optional[int] = ..., state: _Optional[_Union[GenerationState, str]] = ..., summary: _Optional[str] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("rank", "improvement", "path", "line", "function", "message", "evidence", "share", "score", "why")
    RANK_FIELD_NUMBER: _ClassVar[int]
    IMPROVEMENT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    rank: int
    improvement: str
    path: str
    line: int
    function: str
    message: str
    evidence: str
    share: float
    score: float
    why: str
    def __init__(self, rank: _Optional[int] = ..., improvement: _Optional[str] = ..., path: _Optional[str] = ..., line: _Optional[int] = ..., function: _Optional[str] = ..., message: _Optional[str] = ..., evidence: _Optional[str] = ..., share: _Optional[float] = ..., score: _Optional[float] = ..., why: _Optional[str] = ...) -> None: ...

class SkippedFile(_message.Message):
    __slots__ = ("path", "reason")
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    path: str
    reason: str
    def __init__(self, path: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ListGenerationsRequest(_message.Message):
    __slots__ = ("page_size", "first_generation")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    FIRST_GENERATION_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    first_generation: int
    def __init__(self, page_size: _Optional[int] = ..., first_generation: _Optional[int] = ...) -> None: ...

class ListGenerationsResponse(_message.Message):
    __slots__ = ("generations", "next_generation")
    GENERATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_GENERATION_FIELD_NUMBER: _ClassVar[int]
    generations: _containers.RepeatedCompositeFieldContainer[Generation]
    next_generation: int
    def __init__(self, generations: _Optional[_Iterable[_Union[Generation, _Mapping]]] = ..., next_generation: _Optional[int] = ...) -> None: ...

class AnalyzeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("generation", "findings", "skipped_files")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FILES_FIELD_NUMBER: _ClassVar[int]
    generation: int
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    skipped_files: _containers.RepeatedCompositeFieldContainer[SkippedFile]
    def __init__(self, generation: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., skipped_files: _Optional[_Iterable[_Union[SkippedFile, _Mapping]]] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("rank",)
    RANK_FIELD_NUMBER: _ClassVar[int]
    rank: int
    def __init__(self, rank: _Optional[int] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("change_id", "improvement", "summary", "target", "base_generation", "tree", "diff")
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    IMPROVEMENT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    BASE_GENERATION_FIELD_NUMBER: _ClassVar[int]
    TREE_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    improvement: str
    summary: str
    target: str
    base_generation: int
    tree: str
    diff: str
    def __init__(self, change_id: _Optional[str] = ..., improvement: _Optional[str] = ..., summary: _Optional[str] = ..., target: _Optional[str] = ..., base_generation: _Optional[int] = ..., tree: _Optional[str] = ..., diff: _Optional[str] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("rank",)
    RANK_FIELD_NUMBER: _ClassVar[int]
    rank: int
    def __init__(self, rank: _Optional[int] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("ballot_json",)
    BALLOT_JSON_FIELD_NUMBER: _ClassVar[int]
    ballot_json: bytes
    def __init__(self, ballot_json: _Optional[bytes] = ...) -> None: ...

class DeployRequest(_message.Message):
    __slots__ = ("rank",)
    RANK_FIELD_NUMBER: _ClassVar[int]
    rank: int
    def __init__(self, rank: _Optional[int] = ...) -> None: ...

class DeployResponse(_message.Message):
    __slots__ = ("generation",)
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    generation: int
    def __init__(self, generation: _Optional[int] = ...) -> None: ...

class DiffRequest(_message.Message):
    __slots__ = ("older_generation", "newer_generation")
    OLDER_GENERATION_FIELD_NUMBER: _ClassVar[int]
    NEWER_GENERATION_FIELD_NUMBER: _ClassVar[int]
    older_generation: int
    newer_generation: int
    def __init__(self, older_generation: _Optional[int] = ..., newer_generation: _Optional[int] = ...) -> None: ...

class DiffResponse(_message.Message):
    __slots__ = ("diff",)
    DIFF_FIELD_NUMBER: _ClassVar[int]
    diff: str
    def __init__(self, diff: _Optional[str] = ...) -> None: ...

class RollbackRequest(_message.Message):
    __slots__ = ("to_generation", "reason", "operation_id")
    TO_GENERATION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    to_generation: int
    reason: str
    operation_id: str
    def __init__(self, to_generation: _Optional[int] = ..., reason: _Optional[str] = ..., operation_id: _Optional[str] = ...) -> None: ...

class RollbackResponse(_message.Message):
    __slots__ = ("generation",)
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    generation: int
    def __init__(self, generation: _Optional[int] = ...) -> None: ...

class PauseRequest(_message.Message):
    __slots__ = ("reason", "operation_id")
    REASON_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    reason: str
    operation_id: str
    def __init__(self, reason: _Optional[str] = ..., operation_id: _Optional[str] = ...) -> None: ...

class PauseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ("reason", "operation_id")
    REASON_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    reason: str
    operation_id: str
    def __init__(self, reason: _Optional[str] = ..., operation_id: _Optional[str] = ...) -> None: ...

class ResumeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ClearRequest(_message.Message):
    __slots__ = ("generation", "operation_id")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_ID_FIELD_NUMBER: _ClassVar[int]
    generation: int
    operation_id: str
    def __init__(self, generation: _Optional[int] = ..., operation_id: _Optional[str] = ...) -> None: ...

class ClearResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SyncRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SyncResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class RunRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RunResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...
