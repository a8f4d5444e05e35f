"""Text and CSV output."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from parcels.addresses import district_of
from parcels.models import Parcel
from parcels.tariff import price, zone_for


def pounds(pence: int) -> str:
    """Format an amount: 123456 is ``1,234.56``."""
    sign = "-" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows in columns: the first to the left, the others to the right."""
    widths = [len(title) for title in header]
    for row in rows:
        for i in range(len(row)):
            if len(row[i]) > widths[i]:
                widths[i] = len(row[i])
    lines = []
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def csv_field(value: object) -> str:
    """Quote a value if CSV needs it; keep spreadsheets from seeing a formula."""
    text = str(value)
    if re.match(r"[=+@]", text):
        text = "'" + text
    if re.search(r'[,"\n]', text):
        text = '"' + text.replace('"', '""') + '"'
    return text


def parcels_csv(parcels: Iterable[Parcel]) -> str:
    """One CSV line for each parcel that has an address."""
    out = "code,service,kg,from,to,name,postcode,zone,pence\n"
    for parcel in parcels:
        address = parcel.address
        if address is None:
            continue
        values = [parcel.code, parcel.service, f"{parcel.kilos:.3f}", parcel.origin]
        values += [
            address.depot,
            address.name,
            address.postcode,
            zone_for(address.postcode),
            str(price(parcel)),
        ]
        out += ",".join([csv_field(value) for value in values])
        out += "\n"
    return out


def district_matrix(parcels: Sequence[Parcel]) -> str:
    """Count parcels by delivery district and service."""
    addressed: list[Parcel] = []
    counts: Counter[tuple[str, str]] = Counter()
    districts = []
    for parcel in parcels:
        if parcel.address is None:
            continue
        addressed.append(parcel)
        district = district_of(parcel.address.postcode)
        counts[district, parcel.service] += 1
        districts.append(district)
    rows = []
    for district in sorted(set(districts)):
        services = sorted({parcel.service for parcel in addressed})
        rows.append([district, *(str(counts[district, service]) for service in services)])
    return text_table(["District", *sorted({p.service for p in addressed})], rows)


def money_section(title: str, amounts: dict[str, int]) -> str:
    """List amounts by name with their sum."""
    total = 0
    for name in amounts:
        total += amounts[name]
    rows = [[name, pounds(amounts[name])] for name in sorted(amounts)]
    rows.append(["total", pounds(total)])
    return f"{title}\n" + text_table(["", "GBP"], rows)


def list_section(title: str, entries: Sequence[str], limit: int = 20) -> str:
    """List the first entries and say how many there are."""
    lines = [f"{title}: {len(entries)}"]
    for entry in entries[:limit]:
        lines.append(f"  {entry}")
    if len(entries) > limit:
        lines.append(f"  ... and {len(entries) - limit} more")
    return "\n".join(lines) + "\n"
