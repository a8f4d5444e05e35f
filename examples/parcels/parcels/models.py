"""Records shared by the other modules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class ParcelError(Exception):
    """Base class of everything this package raises on purpose."""


class ScanError(ParcelError):
    """A scan line that cannot be read."""


class AddressError(ParcelError):
    """An address or postcode that cannot be read."""


class RouteError(ParcelError):
    """A depot that is unknown or cannot be reached."""


class Scan(NamedTuple):
    """One read of one parcel's bar code."""

    when: datetime
    depot: str
    event: str
    code: str
    fields: dict[str, str]


@dataclass(slots=True)
class Address:
    """An entry of the address book."""

    ident: str
    name: str
    street: str
    postcode: str
    depot: str


@dataclass(slots=True)
class Parcel:
    """What the scans of one bar code tell about it."""

    code: str
    service: str
    grams: int
    litres: int
    address_id: str
    origin: str
    accepted: datetime
    delivered: datetime | None = None
    depots: list[str] = field(default_factory=list)
    address: Address | None = None

    @property
    def kilos(self) -> float:
        """Weight in kilograms."""
        return self.grams / 1000
