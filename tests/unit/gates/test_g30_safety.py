"""Gate 30: nothing harmful, nothing large."""

from __future__ import annotations

import base64
import random

import pytest

from tars_peer.gates import g30_safety
from tars_peer.model.change import Edit
from tests.unit.gates.cases import BEFORE, make_case, rewrite


def refused(after: str, before: str = BEFORE, **options) -> str:
    """Return why ``after`` is refused; empty where it passes."""
    outcome = g30_safety.check(make_case(before, after, **options))
    assert outcome.passed == (not outcome.reason.startswith(("parcels/", "the change")))
    return "" if outcome.passed else outcome.reason


HARMFUL = [
    ("import subprocess", "subprocess starts"),
    ("from subprocess import run as r", "subprocess.run"),
    ("import socket", "talks to the network"),
    ("import urllib.request", "urllib.request"),
    ("from urllib import request", "urllib.request"),
    ("import http.client", "http.client"),
    ("import shutil", "deletes files"),
    ("import pickle", "unsafely"),
    ("import marshal", "unsafely"),
    ("import importlib", "unsafely"),
    ("import ctypes", "below Python"),
    ("import os\nos.system('x')", "os.system"),
    ("import os as o\no.system('x')", "os.system"),
    ("from os import system as s", "os.system"),
    ("import os\nos.environ['A']", "os.environ"),
    ("import os\nx = os", "os as a value"),
    ("import os.path\nos.path.os.remove('x')", "os.remove"),
    ("import sys\nsys.modules['time']", "sys.modules"),
    ("import yaml\nyaml.load('x')", "yaml.load"),
    ("eval('1')", "new: eval"),
    ("e = exec", "new: exec"),
    ("compile('1', 'x', 'eval')", "new: compile"),
    ("__import__('os')", "new: __import__"),
    ("globals()", "new: globals"),
    ("open('x', 'w')", "open for writing"),
    ("open('x', mode='ab')", "open for writing"),
    ("open('x', MODE)", "open for writing"),
    ("open(*arguments)", "open for writing"),
    ("o = open", "open as a value"),
    ("import io\nio.open('x', 'r+')", "io.open for writing"),
    ("path.open('w')", ".open for writing"),
    ("path.write_text('x')", ".write_text"),
    ("path.unlink()", ".unlink"),
    ("total.__globals__", ".__globals__"),
    ("().__class__.__bases__", ".__bases__"),
    ("getattr(total, '__glo' + 'bals__')", "getattr with a computed name"),
    ("getattr(total, '__globals__')", "the text __globals__"),
    ("'{0.__globals__}'.format(total)", "the text __globals__"),
    ("__builtins__", "new: __builtins__"),
    ("import time\ntime.perf_counter = lambda: 0", "assignment to time.perf_counter"),
    ("import time\nsetattr(time, 'perf_counter', total)", "setattr on time"),
    ("import gc\ngc.disable()", "gc"),
    ("import pytest", "judges changes"),
    ("from os import *", "hides what is imported"),
    ("import threading\nthreading.Thread()", "threading.Thread"),
    ("import requests", "talks to the network"),
    ("import leftpad", "imports leftpad, which the genome does not use"),
    ("x = 'a\u202eb'", "hidden character U+202E"),
]


@pytest.mark.parametrize(("line", "reason"), HARMFUL, ids=[line for line, _ in HARMFUL])
def test_new_harm_is_refused_and_named(line, reason):
    assert reason in refused(f"{BEFORE}{line}\n")


@pytest.mark.parametrize(("line", "reason"), HARMFUL, ids=[line for line, _ in HARMFUL])
def test_what_the_genome_does_already_it_may_go_on_doing(line, reason):
    assert reason
    assert refused(f"{BEFORE}{line}\n# faster\n", f"{BEFORE}{line}\n") == ""


@pytest.mark.parametrize(
    "line",
    [
        "import functools, itertools, collections, bisect, heapq, operator, re, math",
        "from urllib.parse import quote\nquote('x')",
        "import os\nos.path.join('a', 'b')",
        "import re\nP = re.compile('x')",
        "from re import compile\nP = compile('x')",
        "open('x')",
        "open('x', 'rb')",
        "path.open()",
        "archive.open('wax.txt')",
        "getattr(total, 'name', None)",
        "code = profile = 'x'\ncode.strip()",
        "subprocess = []\nsubprocess.append(1)",
        "'a'.replace('a', 'b')",
        "[1].remove(1)",
        "total.__name__",
        "self.x = 1",
        "from . import pickle",
        "import parcels.network",
        "import tabulate",
        "url = 'http://example.org/a@b'",
        "password = ask()",
    ],
)
def test_harmless_code_passes(line):
    others = {"parcels/network.py": b"import tabulate\n", "tests/broken.py": b"import tabulate ("}
    assert refused(f"{BEFORE}{line}\n", others=others) == ""


def test_moving_an_import_is_not_bringing_it_in():
    before = "def f():\n    import subprocess\n    subprocess.run(['x'])\n"
    after = "import subprocess\ndef f():\n    subprocess.run(['x'])\n"
    assert refused(after, before) == ""


def test_one_more_use_is_new():
    before = "import subprocess\nsubprocess.run(['x'])\n"
    reason = refused(before + "subprocess.run(['y'])\n", before)
    assert "subprocess.run" in reason
    assert "(now 2 times, was 1), line 2, 3" in reason


def test_harm_is_counted_file_by_file():
    before = "import subprocess\n"
    edits = (
        rewrite("parcels/a.py", before, "x = 1\n"),
        rewrite("parcels/b.py", "x = 1\n", before),
    )
    others = {"parcels/a.py": before.encode(), "parcels/b.py": b"x = 1\n"}
    outcome = g30_safety.check(make_case(edits=edits, others=others))
    assert not outcome.passed
    assert outcome.reason.startswith("parcels/b.py: ")


# Put together while running, so that no scanner takes this file for a leak.
SECRETS = [
    "AKIA" + "ABCDEFGHIJKLMNOP",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "ghp_" + "a1" * 20,
    "xoxb-" + "1234567890-abc",
    "https://user:" + "hunter22@example.org",
    "eyJ" + "hbGciOiJI" + "Uzx.eyJ" + "zdWIiOiIxM" + "jM.abcdefgh",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_new_secrets_are_refused_and_not_repeated(secret):
    reason = refused(f"{BEFORE}KEY = '{secret}'\n")
    assert "looks like a secret" in reason
    assert "line 3" in reason
    assert secret not in reason


def test_a_new_password_is_refused():
    assert "a password" in refused(BEFORE + "PASS" + "WORD = 'correct-horse'\n")


def test_many_reasons_are_counted_not_listed():
    reason = refused(BEFORE + "import socket, ssl, pickle, ctypes, gc\n")
    assert reason.count("new:") == g30_safety.MOST_NAMED
    assert reason.endswith("and 2 more")


def test_the_size_as_it_travels_is_limited():
    def noise(size: int) -> str:
        data = base64.b64encode(random.Random(1).randbytes(size)).decode()
        return f"{BEFORE}X = '{data}'\n"

    fits, too_large = noise(30 * 1024), noise(34 * 1024)
    assert refused(fits) == ""
    assert "compressed; at most 32768 travel" in refused(too_large)


def test_well_compressed_bulk_is_limited_too():
    assert "bytes of edits" in refused(BEFORE + "# " + "x" * g30_safety.LARGEST_EDITS_BYTES + "\n")


def test_the_number_of_files_is_limited():
    paths = [f"parcels/m{number}.py" for number in range(g30_safety.MOST_FILES + 1)]
    edits = tuple(rewrite(path, "x = 1\n", "x = 2\n") for path in paths)
    others = dict.fromkeys(paths, b"x = 1\n")
    outcome = g30_safety.check(make_case(edits=edits, others=others))
    assert "21 files; at most 20" in outcome.reason
    assert g30_safety.check(make_case(edits=edits[:-1], others=others)).passed


def test_the_number_of_edits_is_limited():
    before = "x = 1\n" * (g30_safety.MOST_EDITS + 1)
    edits = tuple(
        Edit(path="parcels/totals.py", start=start, end=start + 5, before="x = 1", after="x = 2")
        for start in range(0, len(before), 6)
    )
    outcome = g30_safety.check(make_case(before, edits=edits))
    assert "501 edits; at most 500" in outcome.reason
