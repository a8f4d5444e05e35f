"""Reading pytest's report and a benchmark's figure."""

from __future__ import annotations

import os

import pytest

from tars_peer.adapters.meter.figure import cost_ns
from tars_peer.adapters.meter.report import Report, read_report
from tars_peer.adapters.meter.result import read_result
from tars_peer.adapters.meter.suite import uses_pytest
from tars_peer.errors import RefusedError

HEAD = '<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>'
TAIL = "</testsuite></testsuites>"


def case(name: str, inside: str = "") -> str:
    return f'<testcase classname="m" name="{name}">{inside}</testcase>'


def test_each_test_is_in_one_set_and_counts_as_its_worst():
    cases = (
        *(case("good"), case("good"), case("bad", "<failure/>"), case("bad")),
        *(case("error", "<error/>"), case("left", "<skipped/>"), case("left")),
        *(case("left_bad", "<skipped/>"), case("left_bad", "<failure/>")),
        case("talks", "<system-out>&lt;!DOCTYPE html&gt;</system-out>"),
    )
    assert read_report(f"{HEAD}{''.join(cases)}{TAIL}".encode()) == Report(
        passed=frozenset({"m::good", "m::talks"}),
        failed=frozenset({"m::bad", "m::error", "m::left_bad"}),
        skipped=frozenset({"m::left"}),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<testsuites>",
        b"\xff\xfe\x00",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuites><testcase name="&a;"/></testsuites>',
        '<!DOCTYPE x [<!ENTITY a "a">]><testsuites/>'.encode("utf-16"),
    ],
)
def test_what_is_no_report_is_none(content):
    assert read_report(content) is None


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("python", "-m", "pytest", "-q"), True),
        (("pytest",), True),
        (("bin/pytest", "tests"), True),
        (("python", "-m", "unittest"), False),
        (("python", "check_pytest.py"), False),
    ],
)
def test_a_run_of_pytest_is_known_by_a_word(command, expected):
    assert uses_pytest(command) is expected


@pytest.mark.parametrize(
    ("printed", "expected_ns"),
    [('{"seconds": 2}', 2_000_000_000), ("1e-12", 1), ("x\n 0.5 \n\n", 500_000_000)],
)
def test_a_figure_is_in_seconds(printed, expected_ns):
    assert cost_ns(printed) == expected_ns


@pytest.mark.parametrize(
    "line",
    [
        "NaN",
        "Infinity",
        "-1",
        "true",
        "null",
        "[1]",
        '"1"',
        "{}",
        '{"seconds": "1"}',
        "1 s",
        '{"seconds": true}',
        "1e999",
        "9" * 400,
        "[" * 2_000,
    ],
)
def test_what_is_no_positive_number_is_refused_and_quoted(line):
    with pytest.raises(RefusedError) as caught:
        cost_ns(f"1.0\n{line}\n")
    assert repr(line[:120]) in str(caught.value)
    assert '{"seconds": 1.25}' in caught.value.hint


def test_only_plain_files_of_bounded_size_are_read(tmp_path):
    (tmp_path / "plain").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    os.mkfifo(tmp_path / "pipe")
    assert read_result(tmp_path / "plain", most_bytes=5) == b"12345"
    assert read_result(tmp_path / "plain", most_bytes=4) is None
    for name in ("link", "pipe", "gone", "."):
        assert read_result(tmp_path / name, most_bytes=5) is None
