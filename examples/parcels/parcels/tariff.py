"""What a parcel costs. All amounts are whole pence."""

from __future__ import annotations

from parcels.addresses import area_of
from parcels.models import Parcel, ParcelError

#: For each zone the price up to a weight in grams, lightest first.
BANDS: dict[str, tuple[tuple[int, int], ...]] = {
    "near": ((1_000, 315), (2_000, 390), (5_000, 560), (10_000, 745), (30_000, 1_180)),
    "mid": ((1_000, 345), (2_000, 445), (5_000, 650), (10_000, 890), (30_000, 1_420)),
    "far": ((1_000, 420), (2_000, 560), (5_000, 845), (10_000, 1_205), (30_000, 1_990)),
    "isle": ((1_000, 610), (2_000, 835), (5_000, 1_290), (10_000, 1_875), (30_000, 3_150)),
}

#: Hire of a cage crate: its litres and its price per trip.
CRATES = ((90, 140), (150, 215), (320, 430))


def zone_for(postcode: str) -> str:
    """Return the tariff zone of a postcode, seen from the Leeds hub."""
    zones = {
        "LS": "near", "BD": "near", "HX": "near", "HD": "near", "WF": "near",
        "HG": "near", "YO": "near", "S": "near", "DN": "near", "HU": "near",
        "M": "mid", "L": "mid", "OL": "mid", "BL": "mid", "WN": "mid",
        "PR": "mid", "BB": "mid", "SK": "mid", "DE": "mid", "NG": "mid",
        "LN": "mid", "LE": "mid", "B": "mid", "NE": "mid", "DH": "mid",
        "TS": "mid", "SR": "mid", "CV": "mid", "W": "far", "E": "far",
        "N": "far", "SE": "far", "SW": "far", "BS": "far", "CF": "far",
        "EX": "far", "PL": "far", "EH": "far", "G": "far", "AB": "far",
        "DD": "far", "IV": "isle", "HS": "isle", "ZE": "isle", "KW": "isle",
        "IM": "isle", "BT": "isle", "JE": "isle",
    }  # fmt: skip
    return zones.get(area_of(postcode), "far")


def base_price(grams: int, zone: str) -> int:
    """Return the price of the first band that holds the weight."""
    for limit, price in BANDS[zone]:
        if grams <= limit:
            return price
    raise ParcelError(f"{grams} g is over the limit")


def price(parcel: Parcel) -> int:
    """Return the price of a parcel that has an address."""
    if parcel.address is None:
        raise ParcelError(f"{parcel.code} has no address")
    surcharges = {"economy": -40, "standard": 0, "signed": 110, "express": 295, "saturday": 420}
    if parcel.service not in surcharges:
        raise ParcelError(f"{parcel.code}: unknown service {parcel.service!r}")
    amount = base_price(parcel.grams, zone_for(parcel.address.postcode))
    if parcel.litres > 60:
        amount += 3 * (parcel.litres - 60)
    return amount + surcharges[parcel.service]


def crate_hire(litres: int) -> int:
    """Return the least the crates for a volume can cost."""
    if litres <= 0:
        return 0
    return min(cost + crate_hire(litres - size) for size, cost in CRATES)


def totals_by_service(parcels: list[Parcel]) -> dict[str, int]:
    """Add up the prices of each service."""
    totals: dict[str, int] = {}
    for parcel in parcels:
        if parcel.service not in list(totals.keys()):
            totals[parcel.service] = 0
        totals[parcel.service] += price(parcel)
    return totals
