"""What every improvement is: words for people, examples that are its tests, and a look.

No registry, no ranking and no particular rewrite may enter here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from textwrap import dedent
from typing import ClassVar

from tars_peer.evolve.facts.facts import Facts
from tars_peer.evolve.facts.scope import Scope
from tars_peer.evolve.rewrite.draft import Draft


class Reach(StrEnum):
    """Whose time a rewrite saves: the function's own lines, builtins it calls too, or all of it."""

    OWN = "own"
    CALLS = "calls"
    ALL = "all"


def code(text: str) -> str:
    """Return the text of an example without the indentation it has here."""
    return dedent(text).lstrip("\n")


@dataclass(frozen=True, slots=True)
class Example:
    """``before`` becomes exactly ``after``; the expression ``check`` is the same in both."""

    before: str
    after: str
    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A place where an improvement applies.

    ``line`` is 1-based; ``subject`` tells hits of one function apart (a name, or empty).
    """

    function: Scope
    line: int
    subject: str
    evidence: str
    draft: Draft


class Improvement(ABC):
    """A kind of rewrite. See the package's docstring for how to write one."""

    name: ClassVar[str]
    message: ClassVar[str]
    expected_gain: ClassVar[float]
    risk: ClassVar[float]
    reach: ClassVar[Reach]
    guards: ClassVar[str]
    #: A file that lacks these bytes is not looked at.
    needs: ClassVar[bytes]
    finds: ClassVar[tuple[Example, ...]]
    leaves: ClassVar[tuple[str, ...]]

    @abstractmethod
    def look(self, facts: Facts) -> Iterator[Hit]:
        """Yield the places in one file where the rewrite is proved to be right."""
        ...
