"""What still stands after ways back, and what it adds up to."""

import pytest

from tars_peer.cli.tables import standing, total_ratio
from tests.fakes.desk import some_row


def _change(number: int, tree: str, measured: float | None):
    return some_row(number, tree=tree, measured_ratio=measured)


def _back(number: int, tree: str):
    return some_row(number, kind="rollback", tree=tree, measured_ratio=None)


ROWS = (some_row(0, tree="t0"), _change(1, "t1", 1.5), _change(2, "t2", 2.0))


@pytest.mark.parametrize(
    ("rows", "stand", "total"),
    [
        ((), [], 1.0),
        (ROWS, [1, 2], 3.0),
        ((*ROWS, _change(3, "t3", None)), [1, 2, 3], 3.0),
        ((*ROWS, _back(3, "t1")), [1], 1.5),
        ((*ROWS, _back(3, "t0"), _change(4, "t4", 1.25)), [4], 1.25),
        ((*ROWS, _back(3, "t1"), _change(4, "t4", 1.2), _back(5, "t1")), [1], 1.5),
    ],
)
def test_a_way_back_takes_later_changes_with_it(rows, stand, total) -> None:
    assert [row.generation for row in standing(rows)] == stand
    assert total_ratio(rows) == pytest.approx(total)
