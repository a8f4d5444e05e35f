"""Finding where the time goes, for real, and not trusting what says so."""

from __future__ import annotations

import json

import pytest

from tars_peer.adapters.meter.hotspots import Figures, Timed, hotspots, read_figures
from tars_peer.errors import RefusedError
from tests.unit.adapters.meter.genomes import artifact, meter

APP = """
import functools, time

def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

class Work:
    def heavy(self):
        burn(0.3)

    @functools.cache
    def light(self):
        def inner():
            burn(0.1)
        inner()

def squares():
    return [number * number for number in range(50_000)]
"""
BENCHMARK = """
from app.work import Work, squares
work = Work()
work.heavy()
work.light()
work.light()
squares()
print(1)
"""


def test_functions_come_by_falling_share_with_their_qualified_names(tmp_path):
    root = artifact(tmp_path, {"app/__init__.py": "", "app/work.py": APP, "b.py": BENCHMARK})
    found = meter(tmp_path, benchmark=("python", "b.py")).profile(root)
    assert [spot.share for spot in found] == sorted((s.share for s in found), reverse=True)
    by_name = {spot.function: spot for spot in found if spot.path == "app/work.py"}
    burn, heavy, light = by_name["burn"], by_name["Work.heavy"], by_name["Work.light"]
    assert (burn.line, heavy.line, light.line) == (4, 10, 14)
    assert (burn.calls, heavy.calls, light.calls) == (2, 1, 1)
    assert 0.9 > heavy.share > light.share > by_name["Work.light.<locals>.inner"].own_share
    assert burn.share > 0.5
    assert heavy.own_share < 0.1
    assert by_name["squares"].calls == 1
    assert not [spot for spot in found if "comp>" in spot.function]
    assert all(spot.path.startswith("app/") for spot in found)


def test_without_a_benchmark_the_tests_are_profiled(tmp_path):
    files = {"app/__init__.py": "def f(): return sum(range(1000))\n"}
    files["test_it.py"] = "from app import f\ndef test_f(): f()\ndef test_g(): assert not f()\n"
    found = meter(tmp_path).profile(artifact(tmp_path, files))
    assert {(spot.function, spot.calls) for spot in found} >= {("f", 2)}


def test_every_process_counts(tmp_path):
    files = {"app/__init__.py": "def f(): return sum(range(100_000))\n"}
    files["b.py"] = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "from app import f; f()"], check=True)
print(1)
"""
    found = meter(tmp_path, benchmark=("python", "b.py")).profile(artifact(tmp_path, files))
    assert [spot.calls for spot in found if spot.function == "f"] == [1]


def test_a_sitecustomize_of_the_genome_still_runs(tmp_path):
    files = {"sitecustomize.py": "import builtins\nbuiltins.mine = 1.5\n", "app/__init__.py": ""}
    files["b.py"] = "import app\nprint(mine)\n"
    subject = meter(tmp_path, benchmark=("python", "b.py"))
    root = artifact(tmp_path, files)
    assert subject.cost(root) == 1_500_000_000
    assert [spot.function for spot in subject.profile(root)] == ["<module>"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("raise SystemExit('broken')", "broken"), ("import os; os._exit(0)", "no figures")],
)
def test_a_run_without_figures_is_refused(tmp_path, code, reason):
    root = artifact(tmp_path, {"app/__init__.py": "", "b.py": code})
    with pytest.raises(RefusedError, match=reason):
        meter(tmp_path, benchmark=("python", "b.py")).profile(root)


def test_a_link_or_a_pipe_in_the_place_of_figures_is_left_alone(tmp_path):
    code = """
import os
os.symlink("/etc/passwd", os.environ["HOME"] + "/profile-0.json")
os.mkfifo(os.environ["HOME"] + "/profile-1.json")
os._exit(0)
"""
    root = artifact(tmp_path, {"app/__init__.py": "", "b.py": code})
    with pytest.raises(RefusedError, match="no figures"):
        meter(tmp_path, benchmark=("python", "b.py")).profile(root)


GOOD = ["app/a.py", 1, "f", 2, 0.5, 1.0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"total": 1}',
        json.dumps({"total": "1", "functions": [GOOD]}).encode(),
        json.dumps({"total": -1, "functions": [GOOD]}).encode(),
        b'{"total": Infinity, "functions": []}',
        b'{"total": 1e999, "functions": []}',
        b'{"total": true, "functions": []}',
    ],
)
def test_figures_that_are_none_are_refused(content):
    assert read_figures(content) is None


@pytest.mark.parametrize(
    "row",
    [None, "row", [], GOOD[:5], [*GOOD, 1], [1, *GOOD[1:]], [*GOOD[:5], "x"], [*GOOD[:5], 1e300]],
)
def test_a_row_that_is_none_is_left_out(row):
    content = json.dumps({"total": 2, "functions": [row, GOOD]}).encode()
    known = Timed(path="app/a.py", line=1, name="f", calls=2, own_s=0.5, cumulative_s=1.0)
    assert read_figures(content) == Figures(total_s=2.0, functions=(known,))


def test_figures_of_files_elsewhere_or_gone_do_not_count(tmp_path):
    root = artifact(tmp_path, {"app/a.py": "def f():\n    pass\n", "tests/b.py": ""})
    rows = [[path, *GOOD[1:]] for path in ("app/a.py", "app/gone.py", "tests/b.py", "../x.py")]
    figures = read_figures(json.dumps({"total": 2, "functions": rows}).encode())
    assert figures is not None
    (spot,) = hotspots([figures], artifact=root, source=("app",))
    assert (spot.path, spot.function, spot.own_share, spot.share) == ("app/a.py", "f", 0.25, 0.5)


def test_no_time_at_all_is_no_hotspot(tmp_path):
    assert hotspots([Figures(total_s=0.0, functions=())], artifact=tmp_path, source=("app",)) == ()
