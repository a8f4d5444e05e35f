"""Read the text log that the hand-held scanners upload.

A line is ``<time> <depot> <event> <bar code> [key=value ...]``, for instance::

    2024-03-14T06:12:45 LEE1 ACC PX473124829GB svc=express g=2350 l=12 to=K0412
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from parcels.models import Scan, ScanError


def check_digit_ok(code: str) -> bool:
    """Verify the check digit of a thirteen-character postal bar code."""
    weights = [8, 6, 4, 2, 3, 5, 9, 7]
    digits = code[2:11]
    total = 0
    for i in range(len(weights)):
        total += weights[i] * int(digits[i])
    check = 11 - total % 11
    if check == 10:
        check = 0
    elif check == 11:
        check = 5
    return check == int(digits[8])


def event_name(word: str) -> str:
    """Translate the event word of any scanner generation."""
    names = {
        "ACC": "accepted",
        "ACCEPT": "accepted",
        "POST": "accepted",
        "ARR": "arrived",
        "ARRIVE": "arrived",
        "IN": "arrived",
        "DEP": "departed",
        "DEPART": "departed",
        "OUT": "departed",
        "DEL": "delivered",
        "DELIVER": "delivered",
        "POD": "delivered",
        "RTS": "returned",
        "RETURN": "returned",
    }
    if word not in names:
        raise ScanError(f"unknown event {word!r}")
    return names[word]


def parse_line(line: str) -> Scan:
    """Parse one line of the log; raise ScanError if it makes no sense.

    The check digit is verified at acceptance only, where codes get typed in.
    """
    from datetime import datetime

    pattern = re.compile(
        r"""
        (?P<when>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\s+
        (?P<depot>[A-Z]{3}\d)\s+
        (?P<event>[A-Z]+)\s+
        (?P<code>[A-Z]{2}\d{9}[A-Z]{2})
        (?:\s+(?P<rest>.*))?$
        """,
        re.VERBOSE,
    )
    match = pattern.match(line)
    if match is None:
        raise ScanError(f"unreadable line {line!r}")
    when, depot, word, code, rest = match.groups()
    event = event_name(word)
    if event == "accepted" and not check_digit_ok(code):
        raise ScanError(f"bad check digit in {code}")
    fields = dict(re.findall(r"(\w+)=(\S+)", rest)) if rest else {}
    try:
        moment = datetime.fromisoformat(when)
    except ValueError as error:
        raise ScanError(f"bad time {when!r}") from error
    return Scan(moment, depot, event, code, fields)


def parse_log(text: str) -> tuple[list[Scan], list[str]]:
    """Parse a whole log; return the scans and a message per line refused."""
    scans: list[Scan] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            scans.append(parse_line(line))
        except ScanError as error:
            problems.append(f"line {number}: {error}")
    return scans, problems


def without_repeats(scans: Iterable[Scan], memory: int = 8) -> list[Scan]:
    """Drop a scan equal to one of the last few: a trigger pulled twice."""
    kept: list[Scan] = []
    recent: list[Scan] = []
    for scan in scans:
        if scan in recent:
            continue
        kept.append(scan)
        recent.append(scan)
        if len(recent) > memory:
            recent.pop(0)
    return kept
