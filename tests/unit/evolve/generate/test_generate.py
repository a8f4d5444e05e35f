"""A change is made of a plan item, or refused with a reason."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tars_peer.errors import RefusedError
from tars_peer.evolve.analyse.analyse import analyse
from tars_peer.evolve.generate.generate import generate
from tars_peer.evolve.plan.plan import plan
from tars_peer.model.change import Change, Edit, changed_files
from tars_peer.model.finding import Analysis, Finding, PlanItem

CODE = b"import re\n\n\ndef tidy(text):\n    return re.sub('a', 'b', text)\n"
FILES = {"src/a.py": CODE, "README.md": b"x"}


def item_of(*edits: Edit) -> PlanItem:
    finding = Finding(
        improvement="one",
        path="src/a.py",
        function="f" * 300,
        line=1,
        message="m",
        evidence="e",
        edits=edits,
        fingerprint="f" * 64,
        expected_gain=0.5,
        risk=1.0,
        share=None,
    )
    analysis = Analysis(tree="t", findings=(finding,), hotspots=(), skipped=())
    return plan(analysis, tracks={}, tries={}, closed=frozenset())[0]


def made(item: PlanItem, written: list[Mapping[str, bytes]]) -> Change:
    def write_tree(files: Mapping[str, bytes]) -> str:
        written.append(files)
        return "b" * 40

    return generate(
        item,
        files=FILES,
        generation=7,
        commit="c" * 40,
        tree="a" * 40,
        policy="d" * 64,
        write_tree=write_tree,
    )


def edit(start: int, before: str, after: str) -> Edit:
    return Edit(path="src/a.py", start=start, end=start + len(before), before=before, after=after)


def test_a_finding_becomes_a_change_that_replays_to_the_same_bytes() -> None:
    analysis = analyse("a" * 40, FILES, source=["src"], protected=[], hotspots=())
    item = plan(analysis, tracks={}, tries={}, closed=frozenset())[0]
    written: list[Mapping[str, bytes]] = []
    change = made(item, written)
    assert (change.base_generation, change.base_commit, change.base_tree) == (
        7,
        "c" * 40,
        "a" * 40,
    )
    assert (change.tree, change.policy) == ("b" * 40, "d" * 64)
    assert change.improvement == "regex-hoist"
    assert change.target == "src/a.py:tidy"
    assert change.fingerprint == item.finding.fingerprint
    assert change.files == ("src/a.py",)
    assert written == [changed_files(FILES, change.edits)]


def test_long_names_fit_into_the_noun() -> None:
    change = made(item_of(edit(0, "import", "import ")), [])
    assert len(change.target) == 200


@pytest.mark.parametrize(
    ("edits", "word"),
    [
        ([edit(0, "import", "import import")], "not be valid Python"),
        ([edit(0, "import", "return 1\nimport")], "not be valid Python"),
        ([edit(0, "export", "import")], "not as expected"),
        ([edit(0, "import", "import")], "changes nothing"),
        ([edit(0, "import", "import "), edit(3, "ort", "ort")], "overlaps"),
        ([], "changes nothing"),
    ],
)
def test_what_does_not_fit_is_refused_before_a_tree_is_written(
    edits: list[Edit], word: str
) -> None:
    written: list[Mapping[str, bytes]] = []
    with pytest.raises(RefusedError, match=word):
        made(item_of(*edits), written)
    assert written == []
