"""How far a leader is with each follower, and what it may send it next.

PySyncObj sends the next batch before it knows whether the last one fitted, which livelocks when
one did not (findings, "reset livelock"), and re-sends after each acknowledgement. As in etcd's
``tracker.Progress``, a follower is either *probed* (one message in flight until one fits) or
*streamed to* (a window of messages in flight). No sending, no clock and no log may enter here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from tars_peer.adapters.raft.journal_file import Entry

#: Messages in flight to one follower: enough to hide a round trip, bounded for its memory.
WINDOW_MESSAGES = 16
#: After so long without an answer, what was in flight counts as lost.
ANSWER_DEADLINE_S = 1.0
#: One message carries at most so much, or one entry.
BATCH_BYTES = 64 * 1024
BATCH_ENTRIES = 256


@dataclass(slots=True, kw_only=True)
class Progress:
    """One follower as its leader sees it; made anew for each link and each term.

    ``told_commit_index`` is the last commit index it was sent.
    """

    is_probing: bool = True
    told_commit_index: int = 0
    sent_at_s: deque[float] = field(default_factory=deque)

    def may_send(self, now_s: float) -> bool:
        """Say whether another message may be sent; gives up on answers that are overdue."""
        if self.sent_at_s and now_s - self.sent_at_s[0] > ANSWER_DEADLINE_S:
            self.sent_at_s.clear()
            self.is_probing = True
        return len(self.sent_at_s) < (1 if self.is_probing else WINDOW_MESSAGES)

    def note_sent(self, now_s: float, commit_index: int) -> None:
        """Count one message in flight, which carries ``commit_index``."""
        self.sent_at_s.append(now_s)
        self.told_commit_index = commit_index

    def note_refused(self, optimistic_next: int, asked_next: int) -> int:
        """Take a refusal; return where to go on.

        What was sent behind the refused message is refused too: while those answers come in, the
        lowest wish counts, and nothing is sent.
        """
        self.note_answered()
        was_probing, self.is_probing = self.is_probing, True
        is_echo = was_probing and bool(self.sent_at_s)
        return min(optimistic_next, asked_next) if is_echo else asked_next

    def note_fitted(self, optimistic_next: int, acknowledged_next: int) -> int:
        """Take an acknowledgement; return where to go on, which is never back."""
        self.note_answered()
        if not self.sent_at_s:
            self.is_probing = False
        return max(optimistic_next, acknowledged_next)

    def note_answered(self) -> None:
        """Take the oldest message in flight for arrived."""
        if self.sent_at_s:
            self.sent_at_s.popleft()


def cut_batch(entries: Sequence[Entry]) -> list[Entry]:
    """Return as many of the first entries as one message takes, at least one if there is any."""
    size_bytes = 0
    for count, entry in enumerate(entries):
        size_bytes += len(entry[0])
        if size_bytes > BATCH_BYTES and count:
            return list(entries[:count])
    return list(entries)
