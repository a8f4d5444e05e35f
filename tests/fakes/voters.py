"""Other peers who answer from a script. No network may enter here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tars_peer.errors import UnreachableError
from tars_peer.model.ballot import Ballot
from tars_peer.model.change import Change
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId
from tars_peer.ports.worktree import Worktree

Answer = Callable[[Change], Ballot]


@dataclass(slots=True)
class FakeVoters:
    """Implements ``ports.voters.Voters``.

    ``answers`` gives each peer's way to vote; who has none is out of reach. ``repositories`` are
    what others fetch from. ``dismissed`` lists ``(peer, change id)``.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    repositories: Mapping[str, Worktree] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    dismissed: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, member: Member, change: Change, *, timeout_s: float) -> Ballot:
        """Answer as the peer would."""
        with self._lock:
            self.asked.append(member.id)
        if member.id not in self.answers:
            raise UnreachableError(f"{member.id} does not answer", hint="the test says so")
        return self.answers[member.id](change)

    def dismiss(self, member: Member, change_id: str) -> None:
        """Note it."""
        with self._lock:
            self.dismissed.append((member.id, change_id))

    def fetch(self, member: Member, want: CommitId, have: CommitId) -> Iterator[tuple[int, bytes]]:
        """Yield what the peer's repository has."""
        self.fetched.append(member.id)
        repository = self.repositories.get(member.id)
        if repository is None or not repository.has(want):
            raise UnreachableError(f"{member.id} has no {want[:12]}", hint="the test says so")
        yield from repository.objects(want, have or None)
