"""Command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from parcels import __version__
from parcels.day import DayInput, run_day
from parcels.models import ParcelError


def main(argv: Sequence[str] | None = None) -> int:
    """Read the files of a day and print its report."""
    parser = argparse.ArgumentParser(prog="parcels", description=__doc__)
    parser.add_argument("log", type=Path, help="scan log")
    parser.add_argument("book", type=Path, help="address book")
    parser.add_argument("links", type=Path, help="links between depots")
    parser.add_argument("--holds", type=Path, help="bar codes to hold back")
    parser.add_argument("--vans", type=int, default=6, help="vans at the depot")
    parser.add_argument("--now", type=datetime.fromisoformat, help="time of the report")
    parser.add_argument("--csv", action="store_true", help="print the parcels as CSV instead")
    parser.add_argument("--version", action="version", version=__version__)
    args = parser.parse_args(argv)
    try:
        day = DayInput(
            log=args.log.read_text(encoding="utf-8"),
            book=args.book.read_text(encoding="utf-8"),
            links=args.links.read_text(encoding="utf-8"),
            holds=args.holds.read_text(encoding="utf-8") if args.holds else "",
            vans=args.vans,
        )
        result = run_day(day, args.now or datetime.now())
    except (OSError, ParcelError) as error:
        print(f"parcels: {error}")
        return 1
    print(result.csv if args.csv else result.text, end="")
    return 0
