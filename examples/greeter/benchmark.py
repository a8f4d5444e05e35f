"""Time the greeting of seeded names, without HTTP.

The last line printed is ``{"seconds": <float>}``; the line before it is a digest
of the greetings.
"""

from __future__ import annotations

import hashlib
import json
import random
import time

from greeter.text import greeting

FIRST = "ada grace edsger BARBARA tony jean-luc maría ludwig zoë niklaus margaret".split()
MIDDLE = "van von de del della der la dos bin ter y zu mae lee ann joe".split()
LAST = "lovelace hopper dijkstra LISKOV hoare picard cruz beethoven wirth hamilton".split()
TITLES = ["", "", "", "dr. ", "Mrs ", "prof "]


def make_names(count: int = 25_000, seed: int = 7) -> list[str]:
    """Return names as people type them."""
    rng = random.Random(seed)
    names = []
    for _ in range(count):
        words = [rng.choice(FIRST), *rng.choices(MIDDLE, k=rng.randint(0, 3)), rng.choice(LAST)]
        names.append(rng.choice(TITLES) + " ".join(words))
    return names


def main() -> None:
    """Greet everybody once and print the digest and the time."""
    names = make_names()
    start = time.process_time()
    lines = [greeting(name) for name in names]
    seconds = time.process_time() - start
    print(f"result {hashlib.sha256(repr(lines).encode()).hexdigest()[:16]}")
    print(json.dumps({"seconds": round(seconds, 6)}))


if __name__ == "__main__":
    main()
