"""Evolve public packages through a 3-peer network, with their own tests as the oracle.

Each package is fetched as its source distribution, made a git repository together with the
settings in ``scripts/packages/NAME``, and evolved until nothing is left to gain. Then its complete
own tests run in a clean checkout of the last generation. Prints a JSON object for each.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RELEASES = {"sqlparse": "0.6.1", "tabulate": "0.10.0", "parse": "1.22.4", "tomlkit": "0.15.2"}
TARS = (sys.executable, "-m", "tars_peer")
DOWNLOAD = ("tool", "run", "-q", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d")
UP = ("cluster", "up", "--peers", "3", "--json-events")


def fetch(name: str, folder: Path) -> Path:
    """Return the unpacked source distribution of ``name`` below ``folder``."""
    wanted = f"{name}=={RELEASES[name]}"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, *DOWNLOAD, folder, wanted],
        check=True,
    )
    archive = next(folder.glob("*.tar.gz"))
    # GNU tar keeps members inside the folder; Python's tarfile cannot before 3.11.4.
    subprocess.run(["tar", "-xzf", archive, "-C", folder, "--no-same-owner"], check=True)
    return next(path for path in folder.iterdir() if path.is_dir())


def plant(name: str, folder: Path) -> None:
    """Add our settings to the package and make it a git repository."""
    for file in (HERE / "packages" / name).iterdir():
        shutil.copy(file, folder / file.name)
    someone = ["-c", "user.name=TARS", "-c", "user.email=tars@tars.local"]
    for words in (["init", "-q"], ["add", "-A"], [*someone, "commit", "-q", "-m", "As released"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def evolve(genome: Path, home: Path, limit_s: float) -> tuple[list[dict[str, Any]], bool]:
    """Run three peers until nothing is left to gain; return their events and whether it came."""
    events: list[dict[str, Any]] = []
    process = subprocess.Popen(
        [*TARS, *UP, "--genome", str(genome), "--home", str(home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    began_s, idle = time.monotonic(), False
    for line in process.stdout:
        events.append(json.loads(line))
        idle = events[-1]["kind"] == "idle"
        if idle or time.monotonic() - began_s > limit_s:
            break
    process.terminate()
    process.communicate()
    return events, idle


def own_tests(home: Path, folder: Path) -> str:
    """Run the package's own tests in a clean checkout of the head; return the summary."""
    subprocess.run(
        ["git", "clone", "-q", "-b", "tars", home / "peers/p1/genome.git", folder], check=True
    )
    python = next((home / "environments").glob("*/bin/python"))
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout.strip().splitlines() or [done.stderr.strip()])[-1]


def report(name: str, limit_s: float) -> dict[str, object]:
    """Evolve one package and say what came of it."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tars-package-") as place:
        folder = Path(place)
        genome = fetch(name, folder)
        plant(name, genome)
        before = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=genome, capture_output=True, text=True, check=True
        )
        events, idle = evolve(genome, folder / "home", limit_s)
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            by_kind.setdefault(str(event["kind"]), []).append(event)
        refused = {
            str(event["change_id"]): f"{event['data']}"
            for event in by_kind.get("refusal", [])
            if event["change_id"]
        }
        accepted = {event["generation"]: event for event in by_kind.get("decision", [])}
        return {
            "package": f"{name} {RELEASES[name]}",
            "from_commit": before.stdout.strip(),
            "findings": max(
                (e["data"]["findings"] for e in by_kind.get("analysis", [])), default=0
            ),
            "proposed": len({event["change_id"] for event in by_kind.get("change", [])}),
            "accepted": [
                {"what": event["text"], "ratio": event["data"]["ratio_ppm"] / 1_000_000}
                for event in accepted.values()
            ],
            "refused": list(refused.values()),
            "rolled_back": len({event["generation"] for event in by_kind.get("rollback", [])}),
            "nothing_left": idle,
            "own_tests_after": own_tests(folder / "home", folder / "clean"),
            "wall_s": round(time.monotonic() - began_s),
        }


def main() -> None:
    """Evolve the packages that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", default=sorted(RELEASES), help="which of them")
    parser.add_argument("--limit-s", type=float, default=1200.0, help="at most this long each")
    wanted = parser.parse_args()
    for name in wanted.packages:
        print(json.dumps(report(name, wanted.limit_s), indent=2), flush=True)


if __name__ == "__main__":
    main()
