from datetime import datetime

import pytest

from parcels.cli import main
from parcels.day import DayInput, run_day

LOG = """\
# Thursday
2024-03-14T08:00:00 YOR1 IN PX473124829GB
2024-03-14T06:12:45 LEE1 ACC PX473124829GB svc=express g=2350 l=12 to=K1
2024-03-14T06:20:00 LEE1 ACC PX000000005GB g=700 l=70 to=K2
2024-03-14T06:20:00 LEE1 ACC PX000000005GB g=700 l=70 to=K2
2024-03-14T06:30:00 LEE1 ACC PX000000076GB g=700 l=3 to=K3
2024-03-14T09:00:00 YOR1 POD PX473124829GB
2024-03-14T09:10:00 HUL1 IN PX000000005GB
2024-03-14T09:20:00 HUL1 IN PX123456785GB
oops
"""
BOOK = "K1;Ann Fox;2 low rd;yo17hh;YOR1\nK2;Bo, Son;1 high st;dn11aa;DON1\n"
LINKS = "LEE1: YOR1 DON1\nYOR1: HUL1\n"
NOW = datetime(2024, 3, 19, 12, 0)


@pytest.fixture
def result():
    return run_day(DayInput(LOG, BOOK, LINKS, holds="PX000000076GB customs\n", vans=2), NOW)


def test_report_text(result):
    assert "Parcels: 3\n" in result.text
    assert "Late: 1\n  PX000000005GB 18 h\n" in result.text
    assert "Unknown address: 1\n  PX000000076GB\n" in result.text
    assert "Held: 1\n  PX000000076GB\n" in result.text
    assert "Off route: 1\n  PX000000005GB HUL1\n" in result.text
    assert "Never accepted: 1\n  PX123456785GB\n" in result.text
    assert "Unreadable: 1\n  line 10: unreadable line 'oops'\n" in result.text
    assert "Busiest legs: 2\n  LEE1-DON1 1\n  LEE1-YOR1 1\n" in result.text


def test_report_csv(result):
    assert result.csv.splitlines()[1:] == [
        "PX473124829GB,express,2.350,LEE1,YOR1,Ann Fox,YO1 7HH,near,855",
        'PX000000005GB,standard,0.700,LEE1,DON1,"Bo, Son",DN1 1AA,near,345',
    ]


def test_vans_and_bays(result):
    assert result.vans == {1: ["PX473124829GB"], 2: ["PX000000005GB"]}
    assert result.bays == {"PX473124829GB": 4, "PX000000005GB": 1}


def test_run_twice_is_the_same(result):
    again = run_day(DayInput(LOG, BOOK, LINKS, holds="PX000000076GB customs\n", vans=2), NOW)
    assert again == result


def test_command_line(tmp_path, capsys, result):
    paths = []
    for name, text in [
        ("log", LOG),
        ("book", BOOK),
        ("links", LINKS),
        ("holds", "PX000000076GB\n"),
    ]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    arguments = [*paths[:3], "--holds", paths[3], "--vans", "2", "--now", "2024-03-19T12:00:00"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == result.text
    assert main([*arguments, "--csv"]) == 0
    assert capsys.readouterr().out == result.csv


def test_command_line_error(tmp_path, capsys):
    assert main([str(tmp_path / "none")] * 3) == 1
    assert capsys.readouterr().out.startswith("parcels: ")
