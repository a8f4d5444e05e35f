from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ObjectKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OBJECT_KIND_UNSPECIFIED: _ClassVar[ObjectKind]
    OBJECT_KIND_COMMIT: _ClassVar[ObjectKind]
    OBJECT_KIND_TREE: _ClassVar[ObjectKind]
    OBJECT_KIND_BLOB: _ClassVar[ObjectKind]
    OBJECT_KIND_TAG: _ClassVar[ObjectKind]
OBJECT_KIND_UNSPECIFIED: ObjectKind
OBJECT_KIND_COMMIT: ObjectKind
OBJECT_KIND_TREE: ObjectKind
OBJECT_KIND_BLOB: ObjectKind
OBJECT_KIND_TAG: ObjectKind

class ObjectPart(_message.Message):
    __slots__ = ("kind", "data", "last_part")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    LAST_PART_FIELD_NUMBER: _ClassVar[int]
    kind: ObjectKind
    data: bytes
    last_part: bool
    def __init__(self, kind: _Optional[_Union[ObjectKind, str]] = ..., data: _Optional[bytes] = ..., last_part: _Optional[bool] = ...) -> None: ...

class FetchObjectsRequest(_message.Message):
    __slots__ = ("want_commit", "have_commit")
    WANT_COMMIT_FIELD_NUMBER: _ClassVar[int]
    HAVE_COMMIT_FIELD_NUMBER: _ClassVar[int]
    want_commit: str
    have_commit: str
    def __init__(self, want_commit: _Optional[str] = ..., have_commit: _Optional[str] = ...) -> None: ...

class FetchObjectsResponse(_message.Message):
    __slots__ = ("parts",)
    PARTS_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[ObjectPart]
    def __init__(self, parts: _Optional[_Iterable[_Union[ObjectPart, _Mapping]]] = ...) -> None: ...
