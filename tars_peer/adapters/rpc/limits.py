"""Limits of the wire, known to both sides. Nothing but numbers may enter here."""

from __future__ import annotations

MEBIBYTE = 1024 * 1024

#: Largest message either side sends or takes.
MESSAGE_BYTES = 4 * MEBIBYTE
CHANGE_BYTES = MEBIBYTE
BALLOT_BYTES = MEBIBYTE // 4
DIFF_BYTES = 3 * MEBIBYTE

#: A message of git objects is sent once it holds this much; larger objects are split.
PART_BYTES = MEBIBYTE
#: Largest git object that is taken from a peer.
OBJECT_BYTES = 64 * MEBIBYTE

PAGE_GENERATIONS = 500
OPERATION_LETTERS = 200
REASON_LETTERS = 1_000
LONGEST_BALLOT_S = 3_600.0

#: A connection is ended, by both sides agreeing, after so long; calls on it have the grace to end.
CONNECTION_AGE_MS = 600_000
CONNECTION_GRACE_MS = 4_200_000

#: Threads of a server, and how many of them slow calls may hold: the rest stay free for quick ones,
#: and for a stream of Raft's from each other member.
SERVER_THREADS = 48
WATCHERS = 10
SLOW_CALLS = 12
