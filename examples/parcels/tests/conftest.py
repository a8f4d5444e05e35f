"""Makers of the records that many tests need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from parcels.models import Address, Parcel


@pytest.fixture
def make_address() -> Callable[..., Address]:
    def make(ident: str = "K1", postcode: str = "LS6 2AB", depot: str = "LEE1") -> Address:
        return Address(ident, f"Name {ident}", "1 Mill Road", postcode, depot)

    return make


@pytest.fixture
def make_parcel(make_address: Callable[..., Address]) -> Callable[..., Parcel]:
    def make(code: str = "PX473124829GB", **changes: object) -> Parcel:
        values: dict = {
            "service": "standard",
            "grams": 1500,
            "litres": 10,
            "address_id": "K1",
            "origin": "MAN1",
            "accepted": datetime(2024, 3, 14, 9, 0),
            "address": make_address(),
        }
        values.update(changes)
        values.setdefault("depots", [values["origin"]])
        return Parcel(code=code, **values)

    return make
