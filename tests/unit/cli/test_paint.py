"""Every kind of event in docs/events.md reads well, and none can break the display."""

import re
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from tars_peer.cli.paint import _PAINTERS, paint
from tests.fakes.desk import CHANGE_ID, COMMITS, DIFF, TREES, some_event

_DOCS = Path(__file__).parents[3] / "docs" / "events.md"

_PLAN_ITEM = {
    "rank": 1,
    "improvement": "hoist-regex",
    "path": "parcels/report.py",
    "line": 17,
    "function": "Report.render",
    "why": "0.42 x 0.9 / 1.2",
}
_PLAN_LINE = "1. hoist-regex  parcels/report.py:17 Report.render  0.42 x 0.9 / 1.2"
_FIGURES = {"ratio_ppm": 1_250_000, "low_ppm": 1_200_000, "high_ppm": 1_300_000, "pairs": 12}

CASES = {
    "peer-up": (
        {"address": "127.0.0.1:7101", "sandbox": "bubblewrap"},
        ["up at 127.0.0.1:7101, candidates run in sandbox bubblewrap"],
    ),
    "leader": ({"leader": "p2", "term": 4}, ["p2 leads term 4"]),
    "baseline": (
        {"passed": 34, "failed": ["test_net"], "wavering": ["test_time", "test_x"]},
        [
            "before any change: 34 tests pass",
            "failed, so they count for neither side: test_net",
            "wavering, so they count for neither side: test_time, test_x",
        ],
    ),
    "refused-genome": ({"reason": "no tests pass", "hint": "mend them"}, ["no tests pass"]),
    "analysis": (
        {
            "findings": 7,
            "hotspots": [["parcels/report.py", "Report.render", 0.42]],
            "skipped": [["broken.py", "line 3: invalid syntax"]],
        },
        [
            "generation 1: 7 findings",
            "time goes to Report.render 42%",
            "left alone: broken.py: line 3: invalid syntax",
        ],
    ),
    "plan": (
        {"items": [_PLAN_ITEM] * 7},
        ["7 items", *[_PLAN_LINE] * 5, "and 2 more: tars evolve plan"],
    ),
    "change": (
        {
            "improvement": "hoist-regex",
            "target": "Report.render",
            "summary": "compile once",
            "diff": DIFF,
        },
        ["hoist-regex in Report.render: compile once", *DIFF.splitlines()],
    ),
    "gate": (
        {"gate": "5-tests", "passed": False, "reason": "test_day fails"},
        ["5-tests failed: test_day fails"],
    ),
    "ballot": (
        {
            "voter": "p2",
            "verdict": "refuse",
            "reason": "5-tests: no",
            "tests_passed": 3,
            **_FIGURES,
        },
        [
            "p2 says refuse  old/new 1.250x (1.200x to 1.300x), 12 pairs, 3 tests pass",
            "5-tests: no",
        ],
    ),
    "decision": (
        {"approvals": ["p1", "p2"]},
        ["raft index 41: in its own words, approved by p1, p2"],
    ),
    "refusal": (
        {"improvement": "hoist-regex", "reason": "slower"},
        ["hoist-regex is refused: slower"],
    ),
    "commit": (
        {"commit": COMMITS[1], "tree": TREES[1]},
        [f"generation 1 is commit {COMMITS[1]} (tree {TREES[1][:10]})"],
    ),
    "rollout": (
        {"stage": "canary", "target": 1, "order": ["p2", "p1", "p3"]},
        ["generation 1 canary: p2 of p2, p1, p3"],
    ),
    "switch": (
        {"tree": TREES[1], "state": "failed", "reason": "not healthy in 30 s"},
        [f"tree {TREES[1][:10]} failed: not healthy in 30 s"],
    ),
    "compared": (
        {"ratio_ppm": 1_100_000, "verdict": "not worse"},
        ["old against new, live: 1.100x, not worse"],
    ),
    "rollback": ({"to": TREES[0], "reason": "slower"}, [f"back to {TREES[0][:10]}: slower"]),
    "complete": (
        {"ratio_ppm": 1_250_000},
        ["generation 1 is live on all peers, old/new 1.250x"],
    ),
    "idle": ({}, ["nothing left to gain on generation 1"]),
    "no-quorum": ({"reason": "2 of 3 are gone"}, ["2 of 3 are gone"]),
    "fault": ({"reason": "disk full"}, ["disk full"]),
}


@pytest.mark.parametrize("kind", sorted(CASES))
def test_each_kind_reads_as_it_should(kind: str) -> None:
    data, says = CASES[kind]
    lines = _lines(kind, data)
    assert re.match(rf"\d\d:\d\d:\d\d p1 +{kind} ", lines[0])
    assert [line[14:] for line in lines[1:]] == says[1:]
    assert lines[0].endswith(says[0])


def test_every_painter_has_a_case_and_every_case_is_documented() -> None:
    assert set(CASES) == set(_PAINTERS)
    documented = set(re.findall(r"^\| `([a-z-]+)`", _DOCS.read_text(), flags=re.MULTILINE))
    assert set(CASES) <= documented


def test_an_unknown_kind_and_foreign_data_show_the_peers_own_words() -> None:
    assert _lines("dancing", {"a": 1})[0].endswith("in its own words")
    for data in ({}, {"items": "x"}, {"items": [1]}, {"items": [{}]}, {"items": None}):
        assert _lines("plan", data)[0].endswith("in its own words"), data


json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=4), inner),
    max_leaves=6,
)


@given(kind=some.sampled_from(sorted(CASES)), data=some.data())
def test_no_event_breaks_the_display(kind: str, data: some.DataObject) -> None:
    fields = sorted({*CASES[kind][0], "reason", "stage"})
    said = data.draw(some.dictionaries(some.sampled_from(fields), json_values))
    assert paint(some_event(kind, "words", data=said))


def test_a_long_diff_is_cut() -> None:
    data = {**CASES["change"][0], "diff": "+x\n" * 100}
    lines = _lines("change", data)
    assert len(lines) == 62
    assert lines[-1].strip() == "and 40 more lines"


def test_control_characters_never_reach_the_terminal() -> None:
    data = {**CASES["change"][0], "diff": "+\x1b[2J\x07\n", "summary": "\x1b]0;pwned\x07"}
    assert "\x1b" not in "".join(_lines("change", data))
    event = some_event("\x1b[1m", "\x1b[2J", peer="\x1b[2J")
    assert "\x1b" not in "".join(line.plain for line in paint(event))


def test_colours_on_a_terminal_and_none_under_no_colour() -> None:
    event = some_event("change", data=CASES["change"][0], change_id=CHANGE_ID)

    def shown(**environment: str) -> str:
        out = StringIO()
        console = Console(file=out, force_terminal=True, width=200, _environ=environment)
        for line in paint(event):
            console.print(line)
        return out.getvalue()

    assert "\x1b[32m+fast = 1" in shown(TERM="xterm-256color")
    assert "\x1b[31m-slow = 1" in shown(TERM="xterm-256color")
    assert "\x1b[3" not in shown(TERM="xterm-256color", NO_COLOR="1")


def _lines(kind: str, data: dict[str, object]) -> list[str]:
    event = some_event(kind, "in its own words", data=data, index=41)
    return [line.plain for line in paint(event)]
