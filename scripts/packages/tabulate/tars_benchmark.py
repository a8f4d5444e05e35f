"""What tabulate's documentation shows: tables of numbers and text in several formats."""

import json
import time

from tabulate import tabulate

ROWS = [
    [f"planet {number}", number * 6371, number * 59.736, f"-{number}.5e-3", None, number % 2 == 0]
    for number in range(120)
]
HEADERS = ["name", "R (km)", "mass", "reading", "note", "visited"]
FORMATS = ("simple", "grid", "pipe", "html", "latex", "mediawiki")


def work() -> None:
    """Write the table in each format, and once with lines that wrap."""
    for form in FORMATS:
        tabulate(ROWS, headers=HEADERS, tablefmt=form)
    tabulate([[row[0] + "\n" + str(row[1])] for row in ROWS], headers=["lines"], tablefmt="grid")


def main() -> None:
    """Print the shortest processor time of a few repetitions."""
    work()
    times = []
    for _ in range(5):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    print(json.dumps({"seconds": min(times)}))


main()
