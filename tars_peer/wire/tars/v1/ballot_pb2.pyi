from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class RequestBallotRequest(_message.Message):
    __slots__ = ("change_json",)
    CHANGE_JSON_FIELD_NUMBER: _ClassVar[int]
    change_json: bytes
    def __init__(self, change_json: _Optional[bytes] = ...) -> None: ...

class RequestBallotResponse(_message.Message):
    __slots__ = ("ballot_json",)
    BALLOT_JSON_FIELD_NUMBER: _ClassVar[int]
    ballot_json: bytes
    def __init__(self, ballot_json: _Optional[bytes] = ...) -> None: ...

class DismissBallotRequest(_message.Message):
    __slots__ = ("change_id",)
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    change_id: str
    def __init__(self, change_id: _Optional[str] = ...) -> None: ...

class DismissBallotResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
