"""Types as far as guards need them: builtins with their elements, and the genome's own classes.

``ANY`` is "not known". No inference may enter here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Type:
    """A type of values.

    ``name`` is a builtin's, ``optional``, ``iterable``, ``tuple*`` (one kind of element, any
    length), ``class`` (of the genome; ``origin`` is ``path:Name``) or ``any``.
    """

    name: str
    args: tuple[Type, ...] = ()
    origin: str = ""


ANY = Type("any")
NONE = Type("None")
STR = Type("str")
BYTES = Type("bytes")
INT = Type("int")
FLOAT = Type("float")
BOOL = Type("bool")

#: Values of these compare and hash by value and never change.
ATOMS = frozenset(
    {"None", "bool", "bytes", "complex", "date", "datetime", "float", "int", "str", "timedelta"}
    | {"time", "range"}
)
#: Containers whose elements may be replaced.
MUTABLE = frozenset({"deque", "dict", "list", "set"})
ITERABLES = frozenset({"deque", "dict", "frozenset", "iterable", "list", "set", "tuple*"})


def list_of(element: Type) -> Type:
    """A list with elements of one type."""
    return Type("list", (element,))


def optional(inner: Type) -> Type:
    """``inner`` or None."""
    return inner if inner.name in ("optional", "None", "any") else Type("optional", (inner,))


def present(one: Type) -> Type:
    """The type of a value of type ``one`` that is not None."""
    return one.args[0] if one.name == "optional" else one


def hashable(one: Type) -> bool:
    """Say whether every value of this type can be hashed, and hashes as it compares."""
    if one.name in ("tuple", "tuple*", "optional", "frozenset"):
        return all(hashable(part) for part in one.args)
    return one.name in ATOMS


def ordered(one: Type) -> bool:
    """Say whether any two values of this type can be sorted without an error."""
    if one.name in ("tuple", "tuple*"):
        return all(ordered(part) for part in one.args)
    return one.name in ("bool", "bytes", "date", "int", "str", "timedelta")


def element_of(one: Type) -> Type:
    """Return what iterating over a value of this type gives."""
    if one.name in ITERABLES and one.args:
        return one.args[0]
    if one.name == "tuple" and one.args:
        return join(one.args)
    return {"str": STR, "bytes": INT, "range": INT}.get(one.name, ANY)


def join(types: Iterable[Type]) -> Type:
    """Return the one type that all of ``types`` are, at most made optional."""
    found: Type | None = None
    nothing = False
    for one in types:
        nothing |= one.name in ("None", "optional")
        if one.name == "None":
            continue
        one = present(one)  # noqa: PLW2901  (the same value without its None)
        if found is not None and found != one:
            return ANY
        found = one
    if found is None:
        return NONE if nothing else ANY
    return optional(found) if nothing else found
