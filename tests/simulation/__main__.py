"""Many schedules on all cores, one schedule again, or a table of what each protection is worth.

Run as ``python -m tests.simulation --schedules 1000``, ``--seed 7`` or ``--table 200``.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.story import Report, play
from tests.simulation.weaken import NOTHING, WEAKENINGS, weakened


def _play(name: str, seed: int) -> Report:
    # A weakened engine complains a lot, and rightly.
    logging.disable(logging.CRITICAL)
    with weakened(name):
        return play(seed)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(seeds: range, workers: int | None, name: str = NOTHING) -> list[Report]:
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(partial(_play, name), seeds, chunksize=5))


def _schedules(seeds: range, workers: int | None) -> int:
    began_s = time.monotonic()
    reports = _run(seeds, workers)
    took_s = time.monotonic() - began_s
    failed = [each for each in reports if each.violation]
    for each in failed:
        _say(f"seed {each.seed}: {each.violation}")
        _say(f"    python -m tests.simulation --seed {each.seed}")
    virtual_s = sum(each.virtual_s for each in reports)
    _say(
        f"{len(reports)} schedules, {len(failed)} failed; {len(reports) / took_s:.1f} a second, "
        f"{virtual_s / took_s:.0f} times as fast as life"
    )
    return 1 if failed else 0


def _table(seeds: range, workers: int | None) -> int:
    _say("| protection taken away | schedules that fail | seen first as | leaders a schedule |")
    _say("|---|---|---|---|")
    for name in WEAKENINGS:
        reports = _run(seeds, workers, name)
        failed = [each.violation for each in reports if each.violation]
        kinds = Counter(
            each.split(":")[0] if each.split(":")[0].isalpha() else "the engine's own check"
            for each in failed
        )
        kind = kinds.most_common(1)[0][0] if kinds else "–"
        leaders = sum(each.leader_count for each in reports) / len(reports)
        _say(f"| {name} | {len(failed)} of {len(reports)} | {kind} | {leaders:.1f} |")
    return 0


def main() -> int:
    """Do what the arguments say; return 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--schedules", type=int, default=400, help="how many seeds, from --first")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--table", type=int, help="so many schedules without each protection")
    parser.add_argument("--workers", type=int, help="processes; as many as there are cores")
    wanted = parser.parse_args()
    if wanted.seed is not None:
        report = play(wanted.seed)
        _say(repr(report))
        return 1 if report.violation else 0
    if wanted.table is not None:
        return _table(range(wanted.table), wanted.workers)
    seeds = range(wanted.first, wanted.first + wanted.schedules)
    return _schedules(seeds, wanted.workers)


if __name__ == "__main__":
    sys.exit(main())
