from datetime import datetime, timedelta

import pytest

from parcels.models import Scan, ScanError
from parcels.tracking import accept, apply_scan, build_parcels, drop_untouched

START = datetime(2024, 3, 14, 6, 0)
FIELDS = {"svc": "signed", "g": "900", "l": "4", "to": "K7"}


def scan(event: str, code: str = "A", depot: str = "LEE1", minute: int = 0) -> Scan:
    fields = dict(FIELDS) if event == "accepted" else {}
    return Scan(START + timedelta(minutes=minute), depot, event, code, fields)


def test_accept():
    parcel = accept(scan("accepted"))
    assert (parcel.service, parcel.grams, parcel.litres, parcel.address_id) == (
        "signed",
        900,
        4,
        "K7",
    )
    assert parcel.origin == "LEE1" and parcel.depots == ["LEE1"] and parcel.delivered is None


def test_accept_defaults_to_standard():
    fields = {key: value for key, value in FIELDS.items() if key != "svc"}
    assert accept(scan("accepted")._replace(fields=fields)).service == "standard"


@pytest.mark.parametrize("broken", [{"g": "heavy"}, {"to": None}])
def test_accept_refuses(broken):
    fields = {k: v for k, v in (FIELDS | broken).items() if v is not None}
    with pytest.raises(ScanError, match="incomplete"):
        accept(scan("accepted")._replace(fields=fields))


def test_apply_scan_keeps_depots_in_order():
    parcel = accept(scan("accepted"))
    for depot in ["YOR1", "BED1", "YOR1", "ABE1", "LEE1"]:
        apply_scan(parcel, scan("arrived", depot=depot))
    assert parcel.depots == ["LEE1", "YOR1", "BED1", "ABE1"]


def test_delivery_and_return():
    parcel = accept(scan("accepted"))
    apply_scan(parcel, scan("delivered", minute=9))
    assert parcel.delivered == START + timedelta(minutes=9)
    apply_scan(parcel, scan("returned", minute=12))
    assert parcel.delivered is None


def test_build_keeps_the_first_acceptance():
    parcels, orphans = build_parcels([scan("accepted"), scan("accepted", depot="YOR1")])
    assert parcels["A"].origin == "LEE1" and orphans == []


def test_build_defers_scans_before_acceptance():
    scans = [
        scan("arrived", depot="YOR1"),
        scan("delivered", depot="YOR1", minute=7),
        scan("accepted"),
        scan("arrived", depot="MAN1"),
    ]
    parcels, orphans = build_parcels(scans)
    assert parcels["A"].depots == ["LEE1", "MAN1", "YOR1"]
    assert parcels["A"].delivered == START + timedelta(minutes=7)
    assert orphans == []


def test_build_lists_orphans_once_in_order():
    scans = [scan("arrived", c) for c in "ZQZBXKCWYD"] + [scan("departed", "Z"), scan("accepted")]
    parcels, orphans = build_parcels(scans)
    assert list(parcels) == ["A"] and orphans == list("ZQBXKCWYD")


def test_build_leaves_its_input_alone():
    scans = [scan("accepted"), scan("arrived", depot="YOR1")]
    before = list(scans)
    build_parcels(scans)
    assert scans == before
    assert build_parcels(iter(scans))[0].keys() == {"A"}


def test_drop_untouched():
    scans = [scan("accepted", c) for c in "ABCD"]
    scans += [scan("arrived", "B", "YOR1"), scan("delivered", "D")]
    parcels, _ = build_parcels(scans)
    assert drop_untouched(parcels) == 2
    assert list(parcels) == ["B", "D"]
