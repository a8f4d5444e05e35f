"""PySyncObj's configuration for this house: every figure with its reason.

PySyncObj's own log compaction is off, in all the ways there are. Its snapshots lose acknowledged
entries at a kill between dump and trim (findings, S6) and while trimming (S7), make an empty but
voting node of a truncated dump (S12), and without a dump file trim the journal for nothing (S13).
``compaction`` takes its place. No setting that a person may turn may enter here: a cluster runs
with one set of timeouts.
"""

from __future__ import annotations

from pysyncobj import SyncObjConf

from tars_peer.adapters.raft.journal import SqliteJournal

#: A leader's sign of life. Followers tolerate four lost ones.
HEARTBEAT_PERIOD_S = 0.1
#: Followers begin to ask for an election (``elections``) so long after the last sign of life. Short
#: for a failover in well under a second where a machine just vanishes; longer than what a disk or
#: a busy core takes away from a leader. A false alarm of one follower costs nothing.
ELECTION_SHORTEST_S = 0.5
ELECTION_LONGEST_S = 1.0
#: When the link to the leader breaks, this part of the time above is waited.
LOST_LINK_SHARE = 0.2
#: Who asks for votes, or has promised one, leaves the others alone so long: some round trips.
COURTESY_S = 0.1
#: A leader that a majority has not answered for so long steps down; a follower that has heard
#: nothing for so long no longer says that it knows a leader.
LEADER_FALLBACK_S = 2.0
#: Longest sleep of the node's thread: how late it dials, pings and hands over operations again.
IDLE_PERIOD_S = 0.1
#: Followers are silent among themselves; a sign of life goes over every stream at least this often.
PING_PERIOD_S = 0.5
#: Who was silent for so long is gone, machine and all; its streams are cut and dialled anew.
LINK_DEADLINE_S = 2.0
#: Between two beginnings of a stream to the same member.
REDIAL_PERIOD_S = 0.2
#: Between two looks at whether our certificate was replaced.
LOOK_PERIOD_S = 5.0
#: The form of what travels on a stream; both sides must speak the same.
PROTOCOL_VERSION = 1
#: Largest request on a stream, and so the largest message: one of each fits many times.
LARGEST_REQUEST_BYTES = 1024 * 1024
LARGEST_MESSAGE_BYTES = LARGEST_REQUEST_BYTES // 2
#: Messages that wait for the line go together, until they have this much.
BATCH_BYTES = 256 * 1024
#: What waits on one stream, on either side, at most; who does not read that fast loses it.
QUEUE_MESSAGES = 4096
QUEUE_BYTES = 16 * 1024 * 1024
#: A leader takes no more commands while so many are not committed; callers try again.
LARGEST_UNCOMMITTED = 4096

_NEVER_ENTRIES = 2**62
_NEVER_S = 2.0**62


def make_settings(journal: SqliteJournal) -> SyncObjConf:
    """Return the configuration of a node that writes to ``journal``."""
    return SyncObjConf(
        autoTick=False,
        # `loader` hands this very object to PySyncObj instead of opening a file.
        journalFile=journal,
        fullDumpFile=None,
        useFork=False,
        logCompactionMinEntries=_NEVER_ENTRIES,
        logCompactionMinTime=_NEVER_S,
        dynamicMembershipChange=False,
        # Sending is event driven (see `leading`); PySyncObj's other mode sends, and would have us
        # sync, once for each command.
        appendEntriesUseBatch=True,
        appendEntriesPeriod=HEARTBEAT_PERIOD_S,
        raftMinTimeout=ELECTION_SHORTEST_S,
        raftMaxTimeout=ELECTION_LONGEST_S,
        leaderFallbackTimeout=LEADER_FALLBACK_S,
    )
