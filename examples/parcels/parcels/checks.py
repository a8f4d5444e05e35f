"""Find what went wrong: late, held, unknown and straying parcels."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from parcels.models import Address, Parcel
from parcels.tariff import zone_for

#: Days without collection or delivery, besides Sundays.
HOLIDAYS = ["2024-03-29", "2024-04-01", "2024-05-06", "2024-05-27", "2024-08-26"]


def is_working_day(day: date) -> bool:
    """Tell whether vans are out on a day."""
    return day.weekday() != 6 and day.isoformat() not in HOLIDAYS


def due(parcel: Parcel) -> datetime:
    """Return the moment a parcel with an address has to be delivered by."""
    assert parcel.address is not None
    days = {"express": 1, "saturday": 1, "signed": 2, "standard": 3, "economy": 5}
    left = days.get(parcel.service, 3)
    if zone_for(parcel.address.postcode) == "isle":
        left += 1
    day = parcel.accepted
    while left:
        day += timedelta(days=1)
        if is_working_day(day.date()):
            left -= 1
    return day.replace(hour=18, minute=0, second=0)


def late_parcels(parcels: Iterable[Parcel], now: datetime) -> list[tuple[str, int]]:
    """Return (code, whole hours late) of the parcels overdue, worst first."""
    late: list[tuple[str, int]] = []
    for parcel in parcels:
        if parcel.address is None:
            continue
        end = parcel.delivered or now
        limit = due(parcel)
        if end > limit:
            late.append((parcel.code, int((end - limit).total_seconds() // 3600)))
    return sorted(late, key=lambda entry: (-entry[1], entry[0]))


def unknown_addresses(parcels: Iterable[Parcel], book: list[Address]) -> list[str]:
    """Return the codes of the parcels addressed to nobody in the book."""
    known = [address.ident for address in book]
    unknown = []
    for parcel in parcels:
        if parcel.address_id not in known:
            unknown.append(parcel.code)
    return unknown


def held_parcels(parcels: Iterable[Parcel], hold_lines: Iterable[str]) -> list[str]:
    """Return the codes that customs or the sender asked to hold back."""
    holds = [line.split()[0] for line in hold_lines if line.strip()]
    held = []
    for parcel in parcels:
        if parcel.code in holds:
            held.append(parcel.code)
    return held


def strays(
    parcels: Iterable[Parcel], routes: dict[tuple[str, str], list[str]]
) -> dict[str, list[str]]:
    """Return for each parcel seen off its route the depots it should not have seen."""
    found: dict[str, list[str]] = {}
    for parcel in parcels:
        if parcel.address is None:
            continue
        route = routes[parcel.origin, parcel.address.depot]
        wrong = [depot for depot in parcel.depots if depot not in route]
        if wrong:
            found[parcel.code] = wrong
    return found


def distinct_rows(rows: Iterable[list[str]]) -> list[list[str]]:
    """Drop rows seen before, keeping the order."""
    distinct: list[list[str]] = []
    for row in rows:
        if row not in distinct:
            distinct.append(row)
    return distinct
