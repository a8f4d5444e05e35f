"""Spread the parcels of a depot over bays, vans and crates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from parcels.models import Parcel
from parcels.tariff import crate_hire


def by_destination(parcels: Iterable[Parcel]) -> dict[str, list[Parcel]]:
    """Group parcels by the depot that delivers them."""
    groups: dict[str, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        if parcel.address is not None:
            groups[parcel.address.depot].append(parcel)
    return dict(groups)


def assign_bays(parcels: Iterable[Parcel], depots: list[str]) -> dict[str, int]:
    """Give each parcel the bay of its destination: bays are numbered by name."""
    bays: dict[str, int] = {}
    for parcel in parcels:
        if parcel.address is None or parcel.address.depot not in depots:
            continue
        bays[parcel.code] = sorted(depots).index(parcel.address.depot) + 1
    return bays


def load_vans(parcels: Iterable[Parcel], vans: int) -> dict[int, list[str]]:
    """Put each parcel on the van that is lightest so far; equals go by number."""
    loads = [(0, van) for van in range(1, vans + 1)]
    plan: dict[int, list[str]] = {van: [] for _, van in loads}
    for parcel in parcels:
        weight, van = sorted(loads)[0]
        plan[van].append(parcel.code)
        loads[van - 1] = (weight + parcel.grams, van)
    return plan


def merge_small_loads(volumes: Iterable[int], least: int) -> list[int]:
    """Merge the two smallest loads until every load has the least volume."""
    loads = list(volumes)
    while len(loads) > 1:
        loads.sort()
        if loads[0] >= least:
            break
        first = loads.pop(0)
        second = loads.pop(0)
        loads.append(first + second)
    return sorted(loads)


def crate_bill(parcels: Iterable[Parcel], load_litres: int = 900) -> dict[str, int]:
    """Return the crate hire for each destination, one van load at a time."""
    bill: dict[str, int] = {}
    for depot, group in by_destination(parcels).items():
        litres = sum(parcel.litres for parcel in group)
        full, rest = divmod(litres, load_litres)
        bill[depot] = crate_hire(rest)
        for _ in range(full):
            bill[depot] += crate_hire(load_litres)
    return bill
