"""The whole of a day's work: from the log to the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from parcels import addresses, checks, loading, network, report, scanlog, tariff, tracking


@dataclass(slots=True)
class DayInput:
    """The text files of a day."""

    log: str
    book: str
    links: str
    holds: str = ""
    vans: int = 6
    trunk_litres: int = 1_500


@dataclass(slots=True)
class DayReport:
    """What the day's work produces."""

    text: str
    csv: str
    vans: dict[int, list[str]]
    bays: dict[str, int]


def run_day(day: DayInput, now: datetime) -> DayReport:
    """Do everything once."""
    scans, problems = scanlog.parse_log(day.log)
    found, orphans = tracking.build_parcels(scanlog.without_repeats(scans))
    parcels = list(found.values())
    book = addresses.parse_book(day.book)
    links = network.parse_links(day.links)
    addressed = addresses.attach_addresses(parcels, book)
    routes = network.plan_routes(links, addressed)
    legs = network.trunk_legs(routes.values())
    late = checks.late_parcels(addressed, now)
    strays = checks.strays(addressed, routes)
    volumes = [
        sum(parcel.litres for parcel in group)
        for group in loading.by_destination(addressed).values()
    ]
    trunk_loads = loading.merge_small_loads(volumes, least=day.trunk_litres)
    busiest = sorted(legs, key=lambda leg: (-legs[leg], leg))[:10]
    sections = [
        f"Parcels: {len(parcels)}\n",
        report.district_matrix(addressed),
        report.money_section("Takings", tariff.totals_by_service(addressed)),
        report.money_section("Crate hire", loading.crate_bill(addressed)),
        report.list_section("Busiest legs", [f"{a}-{b} {legs[a, b]}" for a, b in busiest]),
        report.list_section("Trunk loads", [f"{litres} l" for litres in trunk_loads]),
        report.list_section("Late", [f"{code} {hours} h" for code, hours in late]),
        report.list_section("Unknown address", checks.unknown_addresses(parcels, book)),
        report.list_section("Held", checks.held_parcels(parcels, day.holds.splitlines())),
        report.list_section("Off route", [f"{c} {' '.join(strays[c])}" for c in strays]),
        report.list_section("Never accepted", orphans),
        report.list_section("Unreadable", problems),
    ]
    return DayReport(
        text="\n".join(sections),
        csv=report.parcels_csv(addressed),
        vans=loading.load_vans(addressed, day.vans),
        bays=loading.assign_bays(addressed, list(links)),
    )
