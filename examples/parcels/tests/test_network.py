import pytest

from parcels.models import RouteError
from parcels.network import find_route, parse_links, plan_routes, region_depots, trunk_legs

TEXT = """
LEE1: MAN1 YOR1
MAN1: LIV1 LEE1
YOR1: NEW1
NEW1: EDI1
LIV1: EDI1
KIR1:
"""


@pytest.fixture
def links():
    return parse_links(TEXT)


def test_links_work_both_ways(links):
    assert links["LEE1"] == ["MAN1", "YOR1"]
    assert links["EDI1"] == ["NEW1", "LIV1"]
    assert links["KIR1"] == []
    for depot, others in links.items():
        assert all(depot in links[other] for other in others)


def test_shortest_route(links):
    assert find_route(links, "YOR1", "LIV1") == ["YOR1", "LEE1", "MAN1", "LIV1"]


def test_equal_routes_take_the_first_link(links):
    assert find_route(links, "LEE1", "EDI1") == ["LEE1", "MAN1", "LIV1", "EDI1"]


def test_route_to_itself(links):
    assert find_route(links, "LEE1", "LEE1") == ["LEE1"]


def test_unreachable(links):
    with pytest.raises(RouteError, match="no route from LEE1 to KIR1"):
        find_route(links, "LEE1", "KIR1")


def test_unknown_depot(links):
    for pair in [("LEE1", "XXX1"), ("XXX1", "LEE1")]:
        with pytest.raises(RouteError, match="XXX1"):
            find_route(links, *pair)


def test_long_way_round():
    ring = parse_links("\n".join(f"D{i}: D{(i + 1) % 40}" for i in range(40)))
    assert len(find_route(ring, "D0", "D20")) == 21
    assert find_route(ring, "D0", "D39") == ["D0", "D39"]


def test_plan_routes(links, make_parcel, make_address):
    far = make_address(depot="EDI1")
    parcels = [make_parcel("A"), make_parcel("B"), make_parcel("C", address=far)]
    parcels.append(make_parcel("D", address=None))
    assert plan_routes(links, parcels) == {
        ("MAN1", "LEE1"): ["MAN1", "LEE1"],
        ("MAN1", "EDI1"): ["MAN1", "LIV1", "EDI1"],
    }


def test_trunk_legs():
    legs = trunk_legs([["A", "B", "C"], ["B", "C"], ["C"], ["C", "B"]])
    assert legs == {("A", "B"): 1, ("B", "C"): 2, ("C", "B"): 1}


def test_region_depots_are_fresh_lists():
    tree = {"north": ["yorks", "NEW1"], "yorks": ["LEE1", "YOR1"]}
    first = region_depots(tree, "north")
    assert first == ["LEE1", "YOR1", "NEW1"]
    first.append("GHO1")
    region_depots(tree, "LEE1").append("GHO2")
    assert region_depots(tree, "north") == ["LEE1", "YOR1", "NEW1"]
    assert region_depots(tree, "LEE1") == ["LEE1"]
    tree["yorks"] = ["HUL1"]
    assert region_depots(tree, "north") == ["HUL1", "NEW1"]
