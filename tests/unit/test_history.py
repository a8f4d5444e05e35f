"""The check of histories itself: what is true passes, and each kind of lie is found."""

from __future__ import annotations

import pytest

from tests.chaos.history import Call, faults

LOG = [(2, "a"), (3, "b"), (5, "c")]
TRUE = [
    Call("a", 0.0, 1.0, 2),
    Call("b", 0.5, 2.0, 3),
    Call("c", 2.5, 3.0, 5),
    Call("d", 0.0, 9.0, None),
]


def test_a_true_history_passes() -> None:
    assert faults(TRUE, {"p1": LOG, "p2": LOG}) == []


def test_answers_on_their_way_at_once_may_come_in_any_order() -> None:
    calls = [Call("a", 0.0, 5.0, 2), Call("b", 0.1, 1.0, 3), Call("c", 0.0, 9.0, 5)]
    assert faults(calls, {"p1": LOG}) == []


@pytest.mark.parametrize(
    ("calls", "log", "word"),
    [
        (TRUE, LOG[:2], "acknowledged at 5, and is at None"),
        (TRUE, [(2, "a"), (4, "b"), (5, "c")], "acknowledged at 3, and is at 4"),
        (TRUE, [*LOG, (6, "a")], "twice"),
        (TRUE, [*LOG, (5, "d")], "do not rise"),
        (TRUE[1:], LOG, "a was never asked for"),
        ([*TRUE[:2], Call("c", 2.5, 3.0, 5), Call("d", 4.0, 5.0, 4)], [*LOG, (4, "d")], "after 5"),
    ],
)
def test_each_lie_is_found(calls: list[Call], log: list[tuple[int, str]], word: str) -> None:
    assert any(word in fault for fault in faults(calls, {"p1": log, "p2": log}))


def test_logs_that_differ_are_found() -> None:
    assert faults(TRUE, {"p1": LOG, "p2": LOG[:2]})[0] == "p2 and p1 delivered different logs"
