"""Turn scans into parcels."""

from __future__ import annotations

from collections.abc import Iterable

from parcels.models import Parcel, Scan, ScanError


def accept(scan: Scan) -> Parcel:
    """Start a parcel from its acceptance scan."""
    fields = scan.fields
    try:
        return Parcel(
            code=scan.code,
            service=fields.get("svc", "standard"),
            grams=int(fields["g"]),
            litres=int(fields["l"]),
            address_id=fields["to"],
            origin=scan.depot,
            accepted=scan.when,
            depots=[scan.depot],
        )
    except (KeyError, ValueError) as error:
        raise ScanError(f"{scan.code}: incomplete acceptance ({error})") from error


def apply_scan(parcel: Parcel, scan: Scan) -> None:
    """Update a parcel with one later scan."""
    if scan.event == "delivered":
        parcel.delivered = scan.when
    elif scan.event == "returned":
        parcel.delivered = None
    if scan.depot not in parcel.depots:
        parcel.depots.append(scan.depot)


def build_parcels(scans: Iterable[Scan]) -> tuple[dict[str, Parcel], list[str]]:
    """Replay the scans; return the parcels by code and the codes never accepted.

    Scanners upload when they find a network, so a scan may come before the
    acceptance of its parcel: it goes to the back of the queue, once.
    """
    parcels: dict[str, Parcel] = {}
    orphans: list[str] = []
    deferred: set[tuple[str, str, str]] = set()
    queue = list(scans)
    while queue:
        scan = queue.pop(0)
        if scan.event == "accepted":
            if scan.code not in parcels:
                parcels[scan.code] = accept(scan)
            continue
        parcel = parcels.get(scan.code)
        if parcel is not None:
            apply_scan(parcel, scan)
            continue
        key = (scan.code, scan.depot, scan.event)
        if key in deferred:
            if scan.code not in orphans:
                orphans.append(scan.code)
        else:
            deferred.add(key)
            queue.append(scan)
    return parcels, orphans


def drop_untouched(parcels: dict[str, Parcel]) -> int:
    """Remove parcels that never left their origin; return how many."""
    dropped = 0
    for code in list(parcels.keys()):
        parcel = parcels[code]
        if parcel.delivered is None and parcel.depots == [parcel.origin]:
            del parcels[code]
            dropped += 1
    return dropped
