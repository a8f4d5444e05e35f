"""A node is ready when everything committed before its start is delivered, and not earlier."""

from __future__ import annotations

from tars_peer.adapters.raft.readiness import Readiness
from tests.unit.adapters.raft.entries import Entries


def _log(*terms: int) -> Entries:
    return Entries.of(*terms)


def test_a_follower_in_a_long_term_waits_for_what_the_leader_has_committed() -> None:
    log = _log(0, 5, 5)
    readiness = Readiness(log)
    readiness.applied(3)
    assert not readiness.is_ready, "its own disk cannot tell it"
    readiness.heard(5, 5)
    readiness.applied(3)
    assert not readiness.is_ready
    log.extend(5, 5)
    readiness.heard(5, 9)
    readiness.applied(5)
    assert readiness.is_ready, "the first word counts, or steady traffic would starve it"


def test_a_new_leaders_old_commit_index_is_not_enough() -> None:
    log = _log(0, 1, 1, 2)
    readiness = Readiness(log)
    readiness.heard(2, 2)
    readiness.applied(2)
    assert not readiness.is_ready, "entry 3 may be committed too; the leader does not know yet"
    readiness.heard(2, 4)
    readiness.applied(3)
    assert not readiness.is_ready
    readiness.applied(4)
    assert readiness.is_ready


def test_a_change_of_leader_begins_anew() -> None:
    log = _log(0, 1, 1)
    readiness = Readiness(log)
    readiness.heard(1, 3)
    readiness.heard(2, 3)
    readiness.applied(3)
    assert not readiness.is_ready
    log.extend(2)
    readiness.heard(2, 4)
    readiness.applied(4)
    assert readiness.is_ready


def test_a_committed_entry_that_a_snapshot_has_replaced_does_not_count() -> None:
    log = Entries.of(5, first_index=9)
    readiness = Readiness(log)
    readiness.heard(5, 7)
    readiness.applied(9)
    assert not readiness.is_ready, "entry 7 may be of an older term"
    readiness.heard(5, 9)
    readiness.applied(9)
    assert readiness.is_ready, "the leader's next word is taken"
