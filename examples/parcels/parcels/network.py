"""The trunk network between depots and how parcels travel through it."""

from __future__ import annotations

from collections.abc import Iterable

from parcels.models import Parcel, RouteError

Links = dict[str, list[str]]


def parse_links(text: str) -> Links:
    """Parse ``LEE1: MAN1 SHE1`` lines; a link works both ways."""
    links: Links = {}
    for line in text.splitlines():
        depot, _, rest = line.partition(":")
        depot = depot.strip()
        if not depot:
            continue
        links.setdefault(depot, [])
        for other in rest.split():
            links.setdefault(other, [])
            if other not in links[depot]:
                links[depot].append(other)
            if depot not in links[other]:
                links[other].append(depot)
    return links


def find_route(links: Links, start: str, end: str) -> list[str]:
    """Return the depots of a route with the fewest hops, both ends included."""
    if start not in links or end not in links:
        raise RouteError(f"no such depot: {start if start not in links else end}")
    came_from = {start: start}
    visited = [start]
    queue = [start]
    while queue:
        depot = queue.pop(0)
        if depot == end:
            break
        for neighbour in links[depot]:
            if neighbour not in visited:
                visited.append(neighbour)
                came_from[neighbour] = depot
                queue.append(neighbour)
    else:
        raise RouteError(f"no route from {start} to {end}")
    route = [end]
    while route[-1] != start:
        route.append(came_from[route[-1]])
    route.reverse()
    return route


def plan_routes(links: Links, parcels: Iterable[Parcel]) -> dict[tuple[str, str], list[str]]:
    """Find one route for every pair of origin and destination in use."""
    routes: dict[tuple[str, str], list[str]] = {}
    for parcel in parcels:
        if parcel.address is None:
            continue
        pair = (parcel.origin, parcel.address.depot)
        if pair not in routes:
            routes[pair] = find_route(links, *pair)
    return routes


def trunk_legs(routes: Iterable[list[str]]) -> dict[tuple[str, str], int]:
    """Count how many routes use each leg."""
    legs: dict[tuple[str, str], int] = {}
    for route in routes:
        for leg in zip(route, route[1:], strict=False):
            legs[leg] = legs.get(leg, 0) + 1
    return legs


def region_depots(tree: dict[str, list[str]], region: str) -> list[str]:
    """List the depots below a region; a name without children is a depot."""
    children = tree.get(region, [])
    if not children:
        return [region]
    depots: list[str] = []
    for child in children:
        depots += region_depots(tree, child)
    return depots
