from datetime import datetime

import pytest

from parcels.models import Scan, ScanError
from parcels.scanlog import check_digit_ok, event_name, parse_line, parse_log, without_repeats

LINE = "2024-03-14T06:12:45 LEE1 ACC PX473124829GB svc=express g=2350 l=12 to=K0412"


def scan(minute: int, **fields: str) -> Scan:
    return Scan(datetime(2024, 3, 14, 6, minute), "LEE1", "arrived", "PX473124829GB", fields)


def test_check_digit():
    assert check_digit_ok("RR473124829GB")
    assert not check_digit_ok("RR473124828GB")
    assert not check_digit_ok("RR473124892GB")
    assert check_digit_ok("PX000000031GB")


def test_check_digit_beyond_nine():
    assert check_digit_ok("PX000040000GB")  # 10 is written 0
    assert check_digit_ok("PX000000005GB")  # 11 is written 5
    assert not check_digit_ok("PX000040001GB")


def test_exactly_one_check_digit_fits():
    for serial in (12345678, 90000001, 47312482, 55555555):
        fits = [d for d in range(10) if check_digit_ok(f"PX{serial}{d}GB")]
        assert len(fits) == 1


def test_event_words():
    words = ["ACC", "POST", "IN", "ARRIVE", "OUT", "POD", "RTS"]
    names = "accepted accepted arrived arrived departed delivered returned"
    assert [event_name(word) for word in words] == names.split()


def test_unknown_event():
    with pytest.raises(ScanError, match="LOST"):
        event_name("LOST")


def test_parse_line():
    found = parse_line(LINE)
    assert found.when == datetime(2024, 3, 14, 6, 12, 45)
    assert (found.depot, found.event, found.code) == ("LEE1", "accepted", "PX473124829GB")
    assert found.fields == {"svc": "express", "g": "2350", "l": "12", "to": "K0412"}


def test_parse_line_without_fields():
    assert parse_line("2024-03-14T06:12:45  LEE1  IN  PX473124829GB").fields == {}


def test_check_digit_matters_at_acceptance_only():
    with pytest.raises(ScanError, match="check digit"):
        parse_line(LINE.replace("829GB", "828GB"))
    assert parse_line("2024-03-14T06:12:45 LEE1 IN PX473124828GB").event == "arrived"


def test_refused_lines():
    refused = [
        "scanner restarted",
        LINE.replace("T06:12:45", " 06:12:45"),
        LINE.replace("LEE1", "lee1"),
        LINE.replace("06:12", "26:12"),
        LINE.replace("ACC", "EAT"),
        LINE.replace("PX473124829GB", "PX47312482GB"),
    ]
    for line in refused:
        with pytest.raises(ScanError):
            parse_line(line)


def test_parse_log_counts_lines_and_goes_on():
    scans, problems = parse_log(f"# header\n\n{LINE}\nrubbish\n  {LINE}  \n")
    assert len(scans) == 2
    assert problems == ["line 4: unreadable line 'rubbish'"]


def test_without_repeats_drops_equal_neighbours():
    first, second = scan(1, a="1"), scan(2)
    assert without_repeats([first, scan(1, a="1"), second, first]) == [first, second]
    assert without_repeats([scan(1, a="1"), scan(1, a="2")]) == [scan(1, a="1"), scan(1, a="2")]


def test_without_repeats_forgets():
    scans = [scan(1), scan(2), scan(3), scan(1)]
    assert without_repeats(scans, memory=2) == scans
    assert without_repeats(scans, memory=3) == scans[:3]
