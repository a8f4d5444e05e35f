"""One look at a tree: what is looked at, what is skipped, and what a finding tells."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tars_peer.evolve.analyse.analyse import analyse
from tars_peer.model.change import apply_edits
from tars_peer.model.finding import Analysis, Hotspot

CODE = b"""import re


def tidy(text):
    return re.sub("a+", "a", text)


class Reader:
    def read(self, text):
        return [re.match("b", line) for line in text]
"""
TREE = "1" * 40


def look(files: dict[str, bytes], *hotspots: Hotspot, **places: list[str]) -> Analysis:
    return analyse(
        TREE,
        files,
        source=places.get("source", ["src"]),
        protected=places.get("protected", []),
        hotspots=hotspots,
    )


def spot(function: str, line: int, own: float, share: float) -> Hotspot:
    return Hotspot(
        path="src/a.py", function=function, line=line, calls=9, own_share=own, share=share
    )


def test_findings_say_where_and_what_in_order() -> None:
    found = look({"src/b.py": CODE, "src/a.py": CODE})
    assert found.tree == TREE
    assert [(one.path, one.function, one.line) for one in found.findings] == [
        ("src/a.py", "tidy", 5),
        ("src/a.py", "Reader.read", 10),
        ("src/b.py", "tidy", 5),
        ("src/b.py", "Reader.read", 10),
    ]
    assert {one.improvement for one in found.findings} == {"regex-hoist"}
    assert {one.share for one in found.findings} == {None}
    assert b"_TIDY_PATTERN.sub" in apply_edits(CODE, found.findings[0].edits)


@pytest.mark.parametrize(
    ("source", "protected", "expected"),
    [
        (["src"], [], ["src/a.py", "src/tests/b.py"]),
        (["src/"], ["src/tests"], ["src/a.py"]),
        (["src/a.py"], [], ["src/a.py"]),
        (["sr"], [], []),
        (["src"], ["src/a"], ["src/a.py", "src/tests/b.py"]),
        (["src"], ["src"], []),
        (["."], ["src/a.py"], ["src/tests/b.py", "srcs/c.py"]),
    ],
)
def test_places_match_by_whole_path_components(
    source: list[str], protected: list[str], expected: list[str]
) -> None:
    files = {"src/a.py": CODE, "src/tests/b.py": CODE, "srcs/c.py": CODE, "src/d.txt": CODE}
    found = look(files, source=source, protected=protected)
    assert sorted({one.path for one in found.findings}) == expected


def test_a_broken_file_is_skipped_and_the_others_go_on() -> None:
    found = look({
        "src/a.py": b"def f(:\n", "src/b.py": b"\xff", "src/c.py": CODE, "src/d.py": b"#" * 2**20
    })  # fmt: skip
    assert [(one.path, one.reason.split()[0]) for one in found.skipped] == [
        ("src/a.py", "line"),
        ("src/b.py", "is"),
        ("src/d.py", "is"),
    ]
    assert {one.path for one in found.findings} == {"src/c.py"}


def test_an_idea_keeps_its_name_when_lines_move_and_only_then() -> None:
    old = look({"src/a.py": CODE}).findings
    moved = look({"src/a.py": b"# note\n\n" + CODE}).findings
    assert [one.fingerprint for one in moved] == [one.fingerprint for one in old]
    assert [one.line for one in moved] != [one.line for one in old]
    other = look({"src/a.py": CODE.replace(b'"a+"', b'"c+"')}).findings
    assert other[0].fingerprint != old[0].fingerprint
    assert other[1].fingerprint == old[1].fingerprint
    elsewhere = look({"src/z.py": CODE}).findings
    assert not {one.fingerprint for one in elsewhere} & {one.fingerprint for one in old}


def test_the_profile_gives_each_function_its_share() -> None:
    hot = (spot("tidy", 4, 0.1, 0.5), spot("read", 9, 0.2, 0.4), spot("<listcomp>", 10, 0.1, 0.1))
    found = look({"src/a.py": CODE, "src/b.py": CODE}, *hot)
    shares = {(one.path, one.function): one.share for one in found.findings}
    assert shares["src/a.py", "tidy"] == pytest.approx(0.5)
    assert shares["src/a.py", "Reader.read"] == pytest.approx(0.4)
    assert shares["src/b.py", "tidy"] == 0.0
    assert found.hotspots == hot


def test_a_root_function_is_not_credited_with_what_it_calls() -> None:
    found = look({"src/a.py": CODE}, spot("tidy", 4, 0.1, 1.0), spot("other", 90, 0.8, 0.8))
    assert found.findings[0].share == pytest.approx(0.2)


def test_looking_is_pure_and_repeatable() -> None:
    files = {"src/a.py": CODE}
    assert look(files) == look(files)
    assert files == {"src/a.py": CODE}


def test_a_look_that_rewrites_nothing_does_not_import_libcst() -> None:
    program = (
        "import sys\n"
        "from tars_peer.evolve.analyse.analyse import analyse\n"
        "found = analyse('1' * 40, {'a.py': b'x = 1'}, source=['.'], protected=[], hotspots=[])\n"
        "assert not found.findings\n"
        "sys.exit('libcst' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
