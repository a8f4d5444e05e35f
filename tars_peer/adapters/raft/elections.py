"""Who may stand for election, and whose votes count.

PySyncObj stands as soon as its election deadline has passed, in a new term: a node that was paused
or cut off so deposes a healthy leader when it comes back. Here a node asks first whether the others
would vote for it (pre-vote: Ongaro's thesis, section 9.6), and PySyncObj's own election, which is
left as it is, begins only with a majority of yes. Asking changes nobody's term or vote, so nothing
here can make the log unsafe; it can only delay an election. Applying entries may not enter here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pysyncobj.monotonic import monotonic

from tars_peer.adapters.raft.guard import Message
from tars_peer.adapters.raft.leading import Leading
from tars_peer.adapters.raft.settings import (
    COURTESY_S,
    ELECTION_SHORTEST_S,
    LOST_LINK_SHARE,
)
from tars_peer.adapters.raft.transport import MemberNode


@dataclass(slots=True, kw_only=True)
class Round:
    """One asking of all others; it counts while PySyncObj's deadline is the one it has set.

    Whatever moves that deadline (a sign of life of a leader, a vote given away, a step down) is a
    reason not to stand, and so ends the round without a line of code.
    """

    number: int
    began_at_s: float
    deadline_s: float
    granted: set[MemberNode] = field(default_factory=set)
    is_won: bool = False


class Elections(Leading):
    """Leading, plus the asking before an election and the counting in it."""

    def __init__(self, **leading: Any) -> None:  # noqa: ANN401  (see ``Leading``)
        """Begin as one who has heard of no leader yet."""
        self._heard_at_s = float("-inf")
        self._round: Round | None = None
        self._round_number = 0
        # The passed deadline that was noticed one round of the thread ago; see `_may_ask`.
        self._noticed_deadline_s: float | None = None
        self._asked_by: list[tuple[MemberNode, Message]] = []
        self._voters: set[MemberNode] = set()
        self._voters_term = 0
        super().__init__(**leading)

    def election_rest_s(self) -> float:
        """Return how long this node may wait before it must look at its election deadline."""
        remaining_s = self._SyncObj__raftElectionDeadline - monotonic()
        if remaining_s > 0:
            return float(remaining_s) + 0.001
        return 0.0 if super()._SyncObj__connectedToAnyone() else float("inf")

    def note_heard(self) -> None:
        """Note a sign of life of the leader."""
        self._heard_at_s = monotonic()

    # -- asking --------------------------------------------------------------------------------

    def _SyncObj__connectedToAnyone(self) -> bool:  # noqa: N802
        """Say whether to stand: PySyncObj asks this when its deadline has passed, and only then."""
        deadline_s = self._SyncObj__raftElectionDeadline
        mine, self._round = self._round, None
        if not self._members:
            return True
        if mine is not None and mine.is_won and mine.deadline_s == deadline_s:
            return True
        if super()._SyncObj__connectedToAnyone() and self._may_ask(deadline_s):
            self._ask()
        return False

    def _may_ask(self, deadline_s: float) -> bool:
        """Wait until what has arrived is read: after a pause, signs of life are in it."""
        is_noticed, self._noticed_deadline_s = self._noticed_deadline_s == deadline_s, deadline_s
        return is_noticed

    def _ask(self) -> None:
        """Begin a round and push the deadline on, by which it must be won."""
        now_s = monotonic()
        deadline_s = now_s + self._SyncObj__generateRaftTimeout()
        self._SyncObj__raftElectionDeadline = deadline_s
        self._round_number += 1
        self._round = Round(number=self._round_number, began_at_s=now_s, deadline_s=deadline_s)
        _, index, term = self._journal[-1]
        ask = {"type": "pre_vote", "round": self._round_number}
        for node in self._members:
            self.send(node, {**ask, "last_log_index": index, "last_log_term": term})

    def take_pre_vote_answer(self, node: MemberNode, message: Message) -> None:
        """Count a yes of this very round; a majority makes the deadline pass."""
        if message["term"] > self.raftCurrentTerm:
            # Who stands must stand above every term there is, or it is not even answered.
            self.follow_in(message["term"])
        mine = self._round
        if mine is None or mine.number != message["round"] or not message["granted"]:
            return
        if mine.is_won or mine.deadline_s != self._SyncObj__raftElectionDeadline:
            return
        mine.granted.add(node)
        # This node itself is the one more.
        if (len(mine.granted) + 1) * 2 > len(self._members) + 1:
            mine.is_won = True
            mine.deadline_s = self._SyncObj__raftElectionDeadline = 0.0

    # -- being asked ---------------------------------------------------------------------------

    def take_pre_vote(self, node: MemberNode, message: Message) -> None:
        """Keep the question until all that came with it is read: a leader's word may be there."""
        self._asked_by.append((node, message))

    def _onTick(self, timeToWait: float = 0.0) -> None:  # noqa: N802, N803
        asked_by, self._asked_by = self._asked_by, []
        for node, message in asked_by:
            granted = self._would_vote_for(node, message)
            if granted:
                # It gets a moment to stand; two that stand at once both lose.
                self._round = None
                self._SyncObj__raftElectionDeadline = max(
                    self._SyncObj__raftElectionDeadline, monotonic() + COURTESY_S
                )
            answer = {"type": "pre_vote_answer", "round": message["round"], "granted": granted}
            self.send(node, {**answer, "term": self.raftCurrentTerm})
        super()._onTick(timeToWait)

    def _would_vote_for(self, node: MemberNode, message: Message) -> bool:
        """Say no while there is a leader, to a log that lacks something, and to who comes second.

        Of two that ask at the same time the one with the longer log, then the greater name, wins.
        """
        now_s = monotonic()
        if self._isLeader() or now_s - self._heard_at_s < ELECTION_SHORTEST_S:
            return False
        _, index, term = self._journal[-1]
        mine, asked = (term, index), (message["last_log_term"], message["last_log_index"])
        is_asking = self._round is not None and now_s - self._round.began_at_s < COURTESY_S
        return asked >= mine and not (
            is_asking and (*mine, str(self.selfNode.id)) > (*asked, str(node.id))
        )

    # -- votes and links -----------------------------------------------------------------------

    def take_vote(self, node: MemberNode, message: Message) -> None:
        """Count voters, not votes (findings, S5)."""
        if self._voters_term != self.raftCurrentTerm:
            self._voters_term = self.raftCurrentTerm
            self._voters = set()
        if message["term"] == self.raftCurrentTerm and node not in self._voters:
            self._voters.add(node)
            super()._SyncObj__onMessageReceived(node, message)

    def _SyncObj__onNodeDisconnected(self, node: MemberNode) -> None:  # noqa: N802
        """Ask soon when the link to the leader breaks: that is how a dead process looks.

        If the leader lives, the others still hear it and say no, so a false alarm costs nothing.
        """
        super()._SyncObj__onNodeDisconnected(node)
        if node == self._getLeader():
            self._heard_at_s = float("-inf")
            soon_s = monotonic() + LOST_LINK_SHARE * self._SyncObj__generateRaftTimeout()
            self._SyncObj__raftElectionDeadline = min(self._SyncObj__raftElectionDeadline, soon_s)
