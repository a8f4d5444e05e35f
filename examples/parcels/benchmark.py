"""Time one day's work on seeded data.

The last line printed is ``{"seconds": <float>}``: the shortest processor time of
a few repetitions of the work, without making the data and without imports. The line before it is a
digest of the results, the same for every correct version of the program.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from datetime import datetime, timedelta

from parcels.day import DayInput, run_day

REPETITIONS = 3
DEPOTS = 180
ADDRESSES = 500
PARCELS = 300
HOLDS = 3000
VANS = 24
AREAS = "LS BD HX HD WF YO S DN HU M L OL BL PR DE NG LE B NE TS W E N SE SW BS CF EH G IV".split()
STREETS = ["high st", "mill rd.", "park ave", "the  green"]
START = datetime(2024, 3, 14, 5, 30)


def bar_code(serial: int) -> str:
    """Return the bar code of a serial number, check digit included."""
    digits = f"{serial:08d}"
    total = sum(w * int(d) for w, d in zip((8, 6, 4, 2, 3, 5, 9, 7), digits, strict=True))
    check = 11 - total % 11
    return f"PX{digits}{ {10: 0, 11: 5}.get(check, check) }GB"


def make_depots(rng: random.Random) -> list[str]:
    """Return depot names in no particular order."""
    stems: set[str] = set()
    while len(stems) < DEPOTS:
        stems.add("".join(rng.choices("ABCDEGHLMNOPRSTW", k=3)))
    depots = [stem + "1" for stem in sorted(stems)]
    rng.shuffle(depots)
    return depots


def make_links(rng: random.Random, depots: list[str]) -> str:
    """Return a ring of depots with some short cuts."""
    lines = []
    for i, depot in enumerate(depots):
        others = {depots[(i + 1) % len(depots)], rng.choice(depots)} - {depot}
        lines.append(f"{depot}: {' '.join(sorted(others))}")
    return "\n".join(lines)


def make_book(rng: random.Random, depots: list[str]) -> tuple[str, dict[str, str]]:
    """Return the address book and the depot of each address."""
    lines = []
    depot_of = {}
    for i in range(ADDRESSES):
        ident = f"K{i:04d}"
        street = f"{rng.randint(1, 180)} {rng.choice(STREETS)}"
        if rng.random() < 0.2:
            street = f"flat {rng.randint(1, 12)} {street}"
        unit = f"{rng.randint(1, 9)}{rng.choice('abde')}{rng.choice('fghj')}"
        postcode = f"{rng.choice(AREAS).lower()}{rng.randint(1, 12)} {unit}"
        name = rng.choice(["Ahmed", "Brown", "Clarke", "Davies, Son", "Evans", "Fox"])
        depot_of[ident] = rng.choice(depots)
        lines.append(f"{ident};{name} {i};{street};{postcode};{depot_of[ident]}")
    return "\n".join(lines), depot_of


def make_log(
    rng: random.Random, depots: list[str], depot_of: dict[str, str]
) -> tuple[str, list[str]]:
    """Return the scan log of a day and the bar codes in it."""
    services = ["economy", "standard", "standard", "signed", "express", "saturday"]
    targets = list(depot_of)
    busy = depots[:14]
    entries: list[tuple[datetime, str]] = []
    codes = []
    for serial in rng.sample(range(10_000_000, 99_999_999), PARCELS):
        code = bar_code(serial)
        codes.append(code)
        when = START + timedelta(seconds=rng.randrange(9 * 3600))
        depot = rng.choice(busy)
        target = rng.choice(targets) if rng.random() < 0.985 else "K9999"
        size = f"g={rng.randint(150, 14_000)} l={rng.randint(1, 70)}"
        upload = when + timedelta(hours=7 if rng.random() < 0.08 else 0)
        fields = f"svc={rng.choice(services)} {size} to={target}"
        entries.append((upload, f"{when.isoformat()} {depot} ACC {code} {fields}"))
        events = ["DEP", "ARR", "OUT", "DEL"][: rng.choices([2, 3, 4], [1, 3, 16])[0]]
        if rng.random() < 0.8:
            events[2:2] = ["OUT", "IN"]
        for event in events:
            when += timedelta(minutes=rng.randint(20, 200), seconds=rng.randrange(60))
            if event == "ARR":
                depot = depot_of.get(target, depot)
                if rng.random() < 0.03:
                    depot = rng.choice(depots)
            entries.append((when, f"{when.isoformat()} {depot} {event} {code}"))
            if rng.random() < 0.03:
                entries.append(entries[-1])
    entries.append((START, f"{START.isoformat()} {depots[0]} ARR {bar_code(7)}"))
    entries.append((START, "scanner 14 restarted"))
    entries.sort()
    return "\n".join(line for _, line in entries), codes


def make_day(seed: int = 20240314) -> DayInput:
    """Make the files of a day."""
    rng = random.Random(seed)
    depots = make_depots(rng)
    book, depot_of = make_book(rng, depots)
    log, codes = make_log(rng, depots, depot_of)
    holds = [f"{code} customs" for code in rng.sample(codes, 12)]
    others = rng.sample(range(1_000_000, 9_999_999), HOLDS - len(holds))
    holds += [f"{bar_code(serial)} sender" for serial in others]
    return DayInput(log, book, make_links(rng, depots), "\n".join(holds), VANS)


def main() -> None:
    """Run the day a few times and print its digest and the shortest time."""
    day = make_day()
    now = START + timedelta(days=4)
    times = []
    for _ in range(REPETITIONS):
        start = time.process_time()
        result = run_day(day, now)
        times.append(time.process_time() - start)
    digest = hashlib.sha256(repr(result).encode()).hexdigest()
    print(f"result {digest[:16]}")
    print(json.dumps({"seconds": round(min(times), 6)}))


if __name__ == "__main__":
    main()
