from parcels.loading import (
    assign_bays,
    by_destination,
    crate_bill,
    load_vans,
    merge_small_loads,
)
from parcels.tariff import crate_hire


def to(make_address, depot):
    return make_address(depot=depot)


def test_by_destination(make_parcel, make_address):
    depots = ["YOR1", "LEE1", "YOR1"]
    parcels = [
        make_parcel(c, address=to(make_address, d)) for c, d in zip("ABC", depots, strict=True)
    ]
    parcels.append(make_parcel("D", address=None))
    groups = by_destination(parcels)
    assert {d: [p.code for p in g] for d, g in groups.items()} == {
        "YOR1": ["A", "C"],
        "LEE1": ["B"],
    }
    assert type(groups) is dict


def test_bays_follow_names(make_parcel, make_address):
    parcels = [
        make_parcel(d, address=to(make_address, d)) for d in ("YOR1", "ABE1", "XXX1", "MAN1")
    ]
    parcels.append(make_parcel("none", address=None))
    depots = ["YOR1", "MAN1", "ABE1"]
    assert assign_bays(parcels, depots) == {"YOR1": 3, "ABE1": 1, "MAN1": 2}
    assert depots == ["YOR1", "MAN1", "ABE1"]


def test_vans_share_the_weight(make_parcel):
    grams = [500, 300, 100, 100, 250]
    parcels = [make_parcel(c, grams=g) for c, g in zip("ABCDE", grams, strict=True)]
    assert load_vans(parcels, 3) == {1: ["A"], 2: ["B"], 3: ["C", "D", "E"]}


def test_equal_vans_go_by_number(make_parcel):
    parcels = [make_parcel(c, grams=100) for c in "ABCDEFG"]
    assert load_vans(parcels, 3) == {1: ["A", "D", "G"], 2: ["B", "E"], 3: ["C", "F"]}


def test_van_without_parcels():
    assert load_vans([], 2) == {1: [], 2: []}


def test_merge_small_loads():
    assert merge_small_loads([50, 10, 20, 90], least=30) == [30, 50, 90]
    assert merge_small_loads([5, 5, 5, 5], least=15) == [20]
    assert merge_small_loads([1, 2, 5, 9], least=4) == [8, 9]
    assert merge_small_loads([7], least=40) == [7]
    assert merge_small_loads([], least=40) == []


def test_merge_leaves_its_input_alone():
    volumes = [9, 1, 5]
    merge_small_loads(volumes, least=6)
    assert volumes == [9, 1, 5]


def test_crate_bill(make_parcel, make_address):
    near, far = to(make_address, "LEE1"), to(make_address, "EDI1")
    parcels = [make_parcel("A", litres=60, address=near), make_parcel("B", litres=35, address=near)]
    parcels += [make_parcel(f"F{i}", litres=50, address=far) for i in range(9)]
    assert crate_bill(parcels) == {"LEE1": 215, "EDI1": crate_hire(450)}
    assert crate_bill(parcels, load_litres=200)["EDI1"] == 2 * crate_hire(200) + crate_hire(50)
