from datetime import date, datetime

from parcels.checks import (
    distinct_rows,
    due,
    held_parcels,
    is_working_day,
    late_parcels,
    strays,
    unknown_addresses,
)

NOW = datetime(2024, 3, 20, 12, 0)


def test_working_days():
    assert is_working_day(date(2024, 3, 16))  # a Saturday
    assert not is_working_day(date(2024, 3, 17))
    assert not is_working_day(date(2024, 3, 29))


def test_due(make_parcel):
    days = {"express": 15, "signed": 16, "standard": 18, "economy": 20, "other": 18}
    for service, day in days.items():
        assert due(make_parcel(service=service)) == datetime(2024, 3, day, 18, 0)


def test_due_over_easter(make_parcel):
    parcel = make_parcel(service="signed", accepted=datetime(2024, 3, 28, 20, 15, 31))
    assert due(parcel) == datetime(2024, 4, 2, 18, 0)


def test_isles_get_a_day_more(make_parcel, make_address):
    parcel = make_parcel(service="express", address=make_address(postcode="HS1 2AA"))
    assert due(parcel) == datetime(2024, 3, 16, 18, 0)


def test_late_parcels(make_parcel):
    parcels = [
        make_parcel("B", delivered=datetime(2024, 3, 18, 20, 30)),
        make_parcel("C", delivered=datetime(2024, 3, 18, 17, 59)),
        make_parcel("D"),
        make_parcel("A", delivered=datetime(2024, 3, 18, 20, 59)),
        make_parcel("E", address=None),
    ]
    assert late_parcels(parcels, NOW) == [("D", 42), ("A", 2), ("B", 2)]


def test_unknown_addresses(make_parcel, make_address):
    book = [make_address("K1"), make_address("K2")]
    parcels = [make_parcel(c, address_id=i) for c, i in [("A", "K9"), ("B", "K2"), ("C", "")]]
    assert unknown_addresses(parcels, book) == ["A", "C"]
    assert unknown_addresses(parcels, []) == ["A", "B", "C"]


def test_held_parcels(make_parcel):
    parcels = [make_parcel(c) for c in ("A", "B", "C")]
    lines = iter(["C customs office", "", "  A sender", "X"])
    assert held_parcels(parcels, lines) == ["A", "C"]


def test_strays(make_parcel):
    routes = {("MAN1", "LEE1"): ["MAN1", "HUD1", "LEE1"]}
    parcels = [
        make_parcel("A", depots=["MAN1", "YOR1", "LEE1", "ABE1"]),
        make_parcel("B", depots=["MAN1", "HUD1"]),
        make_parcel("C", depots=["MAN1", "YOR1"], address=None),
    ]
    assert strays(parcels, routes) == {"A": ["YOR1", "ABE1"]}


def test_distinct_rows():
    rows = [["b", "1"], ["a", "2"], ["b", "1"], [], ["a"], []]
    assert distinct_rows(rows) == [["b", "1"], ["a", "2"], [], ["a"]]
