"""One message in flight until one fits, then a window of them."""

from __future__ import annotations

from tars_peer.adapters.raft.replication import (
    ANSWER_DEADLINE_S,
    BATCH_BYTES,
    WINDOW_MESSAGES,
    Progress,
    cut_batch,
)


def _send_all(progress: Progress, now_s: float = 0.0) -> int:
    count = 0
    while progress.may_send(now_s):
        progress.note_sent(now_s, 1)
        count += 1
    return count


def test_a_new_follower_is_probed_with_one_message_then_streamed_to() -> None:
    progress = Progress()
    assert _send_all(progress) == 1
    assert progress.note_fitted(12, 12) == 12
    assert _send_all(progress) == WINDOW_MESSAGES
    assert progress.note_fitted(40, 14) == 40, "an acknowledgement never sends anything again"
    assert _send_all(progress) == 1


def test_after_a_refusal_nothing_is_sent_until_all_echoes_are_in() -> None:
    """Findings, "reset livelock": PySyncObj alone goes on at the last echo's wish, for ever."""
    progress = Progress(is_probing=False)
    for _ in range(3):
        progress.note_sent(0.0, 1)
    wish = progress.note_refused(100, 5)
    assert wish == 5
    assert not progress.may_send(0.0)
    wish = progress.note_refused(wish, 60)
    assert wish == 5
    assert not progress.may_send(0.0)
    assert progress.note_refused(wish, 7) == 7, "the last answer says how it is now"
    assert _send_all(progress) == 1


def test_a_lost_answer_does_not_stop_replication() -> None:
    progress = Progress(is_probing=False)
    assert _send_all(progress) == WINDOW_MESSAGES
    assert not progress.may_send(ANSWER_DEADLINE_S)
    assert _send_all(progress, ANSWER_DEADLINE_S + 0.01) == 1


def test_a_batch_is_bounded_but_never_empty() -> None:
    small = [(b"x" * 1000, index, 1) for index in range(1, 201)]
    batch = cut_batch(small)
    assert sum(len(entry[0]) for entry in batch) <= BATCH_BYTES
    assert len(batch) == BATCH_BYTES // 1000
    huge = [(b"x" * (BATCH_BYTES + 1), 1, 1), small[1]]
    assert cut_batch(huge) == huge[:1]
    assert cut_batch([]) == []
