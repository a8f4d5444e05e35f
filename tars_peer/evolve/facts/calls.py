"""What builtin functions and methods of builtin types return. Tables, no inference of names."""

from __future__ import annotations

from collections.abc import Sequence

from tars_peer.evolve.facts.kinds import (
    ANY,
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    STR,
    Type,
    element_of,
    join,
    list_of,
)

_TEXT = [
    "capitalize", "casefold", "center", "expandtabs", "format", "format_map", "join", "ljust",
    "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip",
    "swapcase", "title", "translate", "upper", "zfill",
]  # fmt: skip
_TESTS = [
    "endswith", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier", "islower",
    "isnumeric", "isprintable", "isspace", "istitle", "isupper", "startswith",
]  # fmt: skip

_STR: dict[str, Type] = {
    **dict.fromkeys(_TEXT, STR),
    **dict.fromkeys(_TESTS, BOOL),
    **dict.fromkeys(("split", "rsplit", "splitlines"), list_of(STR)),
    **dict.fromkeys(("partition", "rpartition"), Type("tuple", (STR, STR, STR))),
    **dict.fromkeys(("count", "find", "index", "rfind", "rindex"), INT),
    "encode": BYTES,
}
_DATES: dict[str, Type] = {
    "isoformat": STR,
    "strftime": STR,
    "weekday": INT,
    "isoweekday": INT,
    "toordinal": INT,
    "date": Type("date"),
    "total_seconds": FLOAT,
    "timestamp": FLOAT,
}
_FIXED: dict[str, Type] = {
    "str": STR,
    "repr": STR,
    "ascii": STR,
    "chr": STR,
    "hex": STR,
    "bin": STR,
    "oct": STR,
    "format": STR,
    "int": INT,
    "len": INT,
    "ord": INT,
    "float": FLOAT,
    "bool": BOOL,
    "all": BOOL,
    "any": BOOL,
    "isinstance": BOOL,
    "callable": BOOL,
    "bytes": BYTES,
    "range": Type("range"),
}

#: Builtins that make something of the elements of their argument.
_HOLDERS = {
    "sorted": "list", "list": "list", "set": "set", "frozenset": "frozenset", "tuple": "tuple*",
    "reversed": "iterable", "iter": "iterable",
}  # fmt: skip


def builtin_result(name: str, arguments: Sequence[Type]) -> Type:
    """Return what builtin ``name`` returns for arguments of these types."""
    if name in _FIXED:
        return _FIXED[name]
    element = element_of(arguments[0]) if arguments else ANY
    if name in _HOLDERS:
        return Type(_HOLDERS[name], (element,))
    match name:
        case "enumerate":
            return Type("iterable", (Type("tuple", (INT, element)),))
        case "zip":
            parts = tuple(element_of(argument) for argument in arguments)
            return Type("iterable", (Type("tuple", parts),))
        case "min" | "max":
            return element if len(arguments) == 1 else join(arguments)
        case "abs" | "sum" if element == INT or list(arguments) == [INT]:
            return INT
        case "divmod" if list(arguments) == [INT, INT]:
            return Type("tuple", (INT, INT))
        case "dict" if not arguments:
            return Type("dict", (ANY, ANY))
        case "dict" if arguments[0].name == "dict":
            return arguments[0]
        case "dict" if element.name == "tuple" and len(element.args) == len("kv"):
            return Type("dict", element.args)
    return ANY


def method_result(receiver: Type, name: str, arguments: Sequence[Type]) -> Type:
    """Return what method ``name`` of a builtin type returns."""
    if receiver.name == "str":
        return _STR.get(name, ANY)
    if receiver.name in ("date", "datetime", "timedelta"):
        return receiver if name == "replace" else _DATES.get(name, ANY)
    if receiver.name == "dict":
        return _dict_result(receiver, name, arguments)
    element = element_of(receiver)
    match receiver.name, name:
        case (("list" | "deque" | "set"), ("pop" | "popleft")):
            return element
        case (("list" | "set" | "deque" | "frozenset"), "copy"):
            return receiver
        case (("list" | "deque" | "tuple" | "tuple*"), ("index" | "count")):
            return INT
        case (("set" | "frozenset"), ("difference" | "intersection")):
            return receiver
    return ANY


def _dict_result(receiver: Type, name: str, arguments: Sequence[Type]) -> Type:
    key, value = receiver.args
    match name:
        case "get":
            return join([value, arguments[1] if len(arguments) > 1 else NONE])
        case "pop" if len(arguments) == 1:
            return value
        case "setdefault" if len(arguments) > 1:
            return value
        case "keys":
            return Type("iterable", (key,))
        case "values":
            return Type("iterable", (value,))
        case "items":
            return Type("iterable", (Type("tuple", receiver.args),))
        case "copy":
            return receiver
    return ANY
