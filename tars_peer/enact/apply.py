"""Stage 6, first half: the same git commit on every replica.

A replica that gets another tree or commit than the ledger says stops deploying, says so and asks
for repair; it never goes on with something else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from tars_peer.errors import CorruptError, RefusedError, TarsError
from tars_peer.ledger.effect import Enacted
from tars_peer.ledger.state import State
from tars_peer.model.change import changed_files
from tars_peer.model.member import Member
from tars_peer.model.noun import CommitId, TreeId
from tars_peer.ports.events import Events
from tars_peer.ports.voters import Voters
from tars_peer.ports.worktree import Worktree


class Applier:
    """Turns accepted entries into commits, in order; fetches from others what is missing."""

    def __init__(
        self,
        *,
        me: str,
        worktree: Worktree,
        voters: Voters,
        state: Callable[[], State],
        events: Events,
    ) -> None:
        """Commit into ``worktree``; ask ``voters`` for objects that are not here."""
        self._me = me
        self._worktree = worktree
        self._voters = voters
        self._state = state
        self._events = events
        self._lock = threading.Lock()
        self._pending: dict[int, Enacted] = {}
        self.fault = ""

    def enqueue(self, effect: Enacted) -> None:
        """Keep what is to be committed; called on the ledger's thread."""
        with self._lock:
            self._pending[effect.generation.number] = effect

    def applied(self) -> bool:
        """Say whether the head's commit is here and named by the branch."""
        head = CommitId(self._state().head.commit)
        return self._worktree.has(head) and self._worktree.head() == head

    def catch_up(self) -> bool:
        """Commit everything that is decided; return whether the head is here afterwards.

        Only to be called when all that was decided before is known: the newest commit that is here
        is named by the branch, and must not be one of long ago. Says a fault (once) where the
        result would differ from what was decided.
        """
        with self._lock:
            waiting = [self._pending[number] for number in sorted(self._pending)]
        found = ""
        for effect in waiting:
            if self._worktree.has(CommitId(effect.generation.commit)):
                found = effect.generation.commit
            elif self._commit(effect):
                found = ""  # the branch is there already
            else:
                self._point(found)
                return False
            with self._lock:
                self._pending.pop(effect.generation.number, None)
        self._point(found)
        here = self.applied() or self.fetch()
        if here:
            self.fault = ""
        return here

    def fetch(self) -> bool:
        """Make sure of the head, from any peer that has it if need be; say whether it is here."""
        state = self._state()
        head = CommitId(state.head.commit)
        if self._worktree.has(head):
            self._worktree.point(head)
            return True
        others = (member for member in state.members if member.id != self._me)
        if any(self._fetch_from(member, head) for member in others):
            self.fault = ""
            return True
        return False

    def _fetch_from(self, member: Member, head: CommitId) -> bool:
        try:
            self._worktree.store(self._voters.fetch(member, head, CommitId("")))
            if not self._worktree.has(head):
                return False
            self._worktree.point(head)
        except TarsError as error:
            self._events.say("fault", f"{member.id} could not help: {error}")
            return False
        self._events.say("commit", f"fetched {head[:12]} from {member.id}", commit=head)
        return True

    def _commit(self, effect: Enacted) -> bool:
        generation, change = effect.generation, effect.change
        try:
            if change is not None:
                base = TreeId(change.base_tree)
                files = changed_files(self._worktree.files(base), change.edits)
                tree = self._worktree.tree_with(base, files)
                if tree != generation.tree:
                    raise CorruptError(f"the edits lead to tree {tree}, not {generation.tree}")
            commit = self._worktree.commit(effect.commit)
            if commit != generation.commit:
                raise CorruptError(f"git made commit {commit}, not {generation.commit}")
        except (CorruptError, RefusedError) as error:
            if self.fetch():
                return True
            self._say_fault(f"generation {generation.number} cannot be made here: {error}")
            return False
        self._events.say(
            "commit",
            f"generation {generation.number} is commit {commit[:12]}",
            generation=generation.number,
            index=generation.raft_index,
            commit=generation.commit,
            tree=generation.tree,
        )
        return True

    def _point(self, commit: str) -> None:
        """Name a commit that was found here, at a start most likely, by the branch."""
        if commit:
            self._worktree.point(CommitId(commit))

    def _say_fault(self, fault: str) -> None:
        if fault != self.fault:
            self.fault = fault
            self._events.say("fault", f"{fault}; deploying stops here (`tars evolve sync` repairs)")
