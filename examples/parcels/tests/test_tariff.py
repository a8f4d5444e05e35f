import pytest

from parcels.models import ParcelError
from parcels.tariff import BANDS, CRATES, base_price, crate_hire, price, totals_by_service, zone_for


def test_zones():
    zones = {"LS6 2AB": "near", "S1 1AA": "near", "M1 1AA": "mid", "SW1A 1AA": "far"}
    zones |= {"ZE1 0AA": "isle", "TR1 1AA": "far"}
    assert {postcode: zone_for(postcode) for postcode in zones} == zones


def test_bands():
    assert base_price(1, "near") == 315
    assert base_price(1_000, "near") == 315
    assert base_price(1_001, "near") == 390
    assert base_price(30_000, "isle") == 3_150
    with pytest.raises(ParcelError, match="limit"):
        base_price(30_001, "mid")


def test_bands_rise():
    for bands in BANDS.values():
        assert list(bands) == sorted(bands)
        assert [cost for _, cost in bands] == sorted(cost for _, cost in bands)


def test_price(make_parcel):
    def pence(service, grams, litres):
        return price(make_parcel(service=service, grams=grams, litres=litres))

    assert pence("standard", 900, 10) == 315
    assert pence("economy", 900, 10) == 275
    assert pence("express", 1_500, 60) == 685
    assert pence("signed", 1_500, 64) == 512
    assert pence("saturday", 9_000, 10) == 1_165


def test_price_refuses(make_parcel):
    with pytest.raises(ParcelError, match="address"):
        price(make_parcel(address=None))
    with pytest.raises(ParcelError, match="pigeon"):
        price(make_parcel(service="pigeon"))


def test_crate_hire():
    bills = {-5: 0, 0: 0, 1: 140, 90: 140, 91: 215, 180: 280, 240: 355, 320: 430, 410: 570}
    assert {litres: crate_hire(litres) for litres in bills} == bills


def test_crate_hire_never_falls():
    bills = [crate_hire(litres) for litres in range(0, 420, 7)]
    assert bills == sorted(bills)
    assert bills[-1] <= 2 * max(cost for _, cost in CRATES)


def test_totals_by_service(make_parcel):
    parcels = [make_parcel(service=s, grams=500) for s in ("signed", "economy", "signed")]
    assert list(totals_by_service(parcels).items()) == [("signed", 850), ("economy", 275)]
