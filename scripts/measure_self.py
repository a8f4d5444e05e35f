"""The benchmark of TARS as a genome: the work its own peers wait for, on its own source.

Analyses the evolving part of TARS and replays a rollout of the ledger; prints the smallest CPU
time of a few rounds as ``{"seconds": ...}``. Imports and reading files are not counted.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from tars_peer.evolve.analyse.analyse import analyse
from tars_peer.evolve.plan.plan import plan

ROUNDS = 3
CORPUS = ("tars_peer/evolve/facts", "tars_peer/evolve/plan", "tars_peer/enact")


def corpus() -> dict[str, bytes]:
    """Return the files that are analysed, by path."""
    root = Path(__file__).resolve().parents[1]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for folder in CORPUS
        for path in sorted((root / folder).glob("*.py"))
    }


def main() -> None:
    """Measure and print."""
    files = corpus()
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        analysis = analyse("tree", files, source=CORPUS, protected=(), hotspots=())
        plan(analysis, tracks={}, tries={}, closed=set())
        times.append(time.process_time() - began)
    print(json.dumps({"seconds": round(min(times), 6)}))


if __name__ == "__main__":
    main()
