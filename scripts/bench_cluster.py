"""Measure a cluster of real processes on this machine; prints JSON with medians of several runs.

What each figure is, and how to read it, is told in docs/benchmarks.md. Run it on a quiet machine:
``.venv/bin/python scripts/bench_cluster.py --runs 5``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tars_peer.adapters.rpc.client import PeerClient
from tars_peer.config.home import ClusterHome
from tars_peer.errors import TarsError
from tars_peer.model.noun import PeerId
from tars_peer.supervisor.launch import LaunchPlan, kill_peer, launch, stop

DEADLINE_S = 180.0
LOOK_S = 0.01
Event = dict[str, object]


class Cluster:
    """A cluster that is measured from outside."""

    def __init__(self, home: ClusterHome) -> None:
        """Talk to all peers of ``home``."""
        self.home = home
        self.clients = {
            peer.id: PeerClient(peer.address, home.credentials(), peer=peer.id)
            for peer in home.peers
        }

    def until(self, what: str, holds: Callable[[], bool]) -> float:
        """Wait until ``holds``; return how long it took in milliseconds."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < DEADLINE_S:
            try:
                if holds():
                    return (time.monotonic() - began_s) * 1000
            except TarsError:
                pass  # a peer that is down answers later
            time.sleep(LOOK_S)
        raise SystemExit(f"gave up after {DEADLINE_S:.0f} s: {what}")

    def leader(self) -> PeerId | None:
        """Return who leads, as the first peer that answers sees it."""
        for client in self.clients.values():
            try:
                leader = client.cluster_status().leader
                return PeerId(leader) if leader else None
            except TarsError:
                continue
        return None

    def healthy(self) -> bool:
        """Say whether every peer is healthy and settled."""
        statuses = [client.cluster_status() for client in self.clients.values()]
        return all(status.healthy for status in statuses)

    def pause(self, peer: PeerId, *, paused: bool) -> None:
        """Put one small decision to the log through ``peer``."""
        self.clients[peer].pause(paused=paused, reason="measuring", operation=uuid.uuid4().hex)

    def events(self) -> list[Event]:
        """Return what all peers said so far, in time order."""
        lines = [
            json.loads(line)
            for peer in self.home.peers
            for line in (self.home.folder(peer.id) / "events.jsonl").read_text().splitlines()
        ]
        return sorted(lines, key=lambda event: str(event["timestamp"]))


def stamp_ms(event: Event) -> float:
    """Return when an event was said, in milliseconds."""
    return datetime.fromisoformat(str(event["timestamp"])).timestamp() * 1000


@contextmanager
def cluster(genome: str | None, peers: int = 3) -> Iterator[tuple[Cluster, float]]:
    """Yield a cluster of ``peers`` and how long its start took in milliseconds; stop it after."""
    with tempfile.TemporaryDirectory(prefix="tars-bench-") as folder:
        home_path = Path(folder) / "home"
        plan = LaunchPlan(peers=peers, genome=genome, home=home_path, runtime="process")
        home = launch(plan, report=lambda _line: None)
        try:
            one = Cluster(home)
            yield one, one.until("all peers are healthy", one.healthy)
        finally:
            stop(home)


def append_figures(one: Cluster, appends: int) -> dict[str, object]:
    """Put decisions to the log one after another; how long until applied on all replicas."""
    figures: dict[str, list[float]] = {"leader": [], "follower": []}
    leader = one.leader()
    assert leader is not None
    follower = next(peer for peer in one.clients if peer != leader)
    for name, peer in (("leader", leader), ("follower", follower)):
        for number in range(appends):
            began_ms = time.time() * 1000
            one.pause(peer, paused=number % 2 == 0)
            figures[name].append(began_ms)
    began = [*figures["leader"], *figures["follower"]]
    one.until("every decision is seen on every peer", lambda: bool(applied_ms(one, len(began))))
    applied = applied_ms(one, len(began))
    delays = [after - before for before, after in zip(began, applied, strict=True)]
    return {
        "append_to_applied_on_all_ms": {
            "through_leader": summary(delays[:appends]),
            "through_follower": summary(delays[appends:]),
        }
    }


def applied_ms(one: Cluster, wanted: int) -> list[float]:
    """Return when each of the last ``wanted`` pauses was applied on the last peer; empty if not."""
    by_index: dict[int, list[float]] = {}
    for event in one.events():
        if event["event"] in ("paused", "resumed"):
            by_index.setdefault(int(str(event["index"])), []).append(stamp_ms(event))
    last = sorted(by_index)[-wanted:]
    everywhere = all(len(by_index[index]) == len(one.clients) for index in last)
    return [max(by_index[index]) for index in last] if everywhere else []


def failover_ms(one: Cluster) -> float:
    """Kill the leader with -9; return milliseconds until the next decision is made."""
    leader = one.leader()
    assert leader is not None
    survivor = next(peer for peer in one.clients if peer != leader)
    paused = one.clients[survivor].cluster_status().paused
    kill_peer(one.home, leader, restart=True)
    took_ms = one.until(
        "a decision after the kill", lambda: _decide(one, survivor, paused=not paused)
    )
    one.until("the killed peer is back", one.healthy)
    return took_ms


def _decide(one: Cluster, peer: PeerId, *, paused: bool) -> bool:
    one.pause(peer, paused=paused)
    return True


def evolution_figures(one: Cluster) -> dict[str, float]:
    """Let one change through; how long from certificate to commit on all, and the cycle's parts."""
    one.until(
        "the first change is live everywhere",
        lambda: any(event["event"] == "complete" for event in one.events()),
    )
    events = one.events()
    decision = next(event for event in events if event["event"] == "decision")
    index, change = decision["index"], decision["change_id"]
    certificate = next(
        event
        for event in events
        if event["event"] == "certificate" and event["change_id"] == change
    )
    commits = [
        stamp_ms(event)
        for event in events
        if event["event"] == "commit" and event["index"] == index
    ]
    began = next(
        event for event in events if event["event"] == "change" and event["change_id"] == change
    )
    return {
        "certificate_to_commit_on_all_ms": max(commits) - stamp_ms(certificate),
        "change_to_certificate_ms": stamp_ms(certificate) - stamp_ms(began),
        "peers_that_committed": float(len(commits)),
        "first_change_live_ms": stamp_ms(
            next(event for event in events if event["event"] == "complete")
        )
        - stamp_ms(events[0]),
    }


def overhead(one: Cluster) -> dict[str, float]:
    """Compare a proposer's cycle with the genome's own commands in it, run bare."""
    events = one.events()
    ballot = next(
        event for event in events if event["event"] == "ballot" and event["verdict"] == "approve"
    )
    own = [
        event
        for event in events
        if event["change_id"] == ballot["change_id"] and event["peer"] == ballot["peer"]
    ]
    began = next(event for event in own if event["event"] == "change")
    wall_s = (stamp_ms(ballot) - stamp_ms(began)) / 1000
    folder = one.home.folder(str(ballot["peer"]))
    python = next(one.home.environments.glob("*/bin/python"))
    old, new = (
        folder / "artifacts" / row.tree for row in next(iter(one.clients.values())).history()[:2]
    )
    test_s = bare_s(python, new, ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"])
    pair_s = bare_s(python, old, ["benchmark.py"]) + bare_s(python, new, ["benchmark.py"])
    own_s = test_s + (int(str(ballot["pairs"])) + 1) * pair_s  # one pair more warms up
    return {
        "cycle_wall_s": round(wall_s, 3),
        "genome_own_s": round(own_s, 3),
        "validation_overhead_ratio": round(wall_s / own_s, 3),
    }


def bare_s(python: Path, folder: Path, words: list[str]) -> float:
    """Return the median wall time of a command run as it is, in seconds."""
    times = []
    for _ in range(5):
        began_s = time.monotonic()
        subprocess.run(
            [python, *words],
            cwd=folder,
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(folder)},
        )
        times.append(time.monotonic() - began_s)
    return statistics.median(times)


def rollback_ms(one: Cluster) -> float:
    """Roll back by hand; return milliseconds from the entry to all peers serving the old tree."""
    peer = next(iter(one.clients))
    old_tree = one.clients[peer].history()[-2].tree
    number = one.clients[peer].rollback(None, "measuring", uuid.uuid4().hex)

    def served() -> bool:
        return all(
            client.peer_status().tree == old_tree and client.peer_status().generation == number
            for client in one.clients.values()
        )

    took_ms = one.until("all peers serve the old tree", served)
    one.until("the rollback is settled", one.healthy)
    return took_ms


def summary(values: list[float]) -> dict[str, float]:
    """Return median, smallest and largest."""
    return {
        "median": round(statistics.median(values), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
        "n": len(values),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="clusters that are measured")
    parser.add_argument("--appends", type=int, default=40, help="decisions per run and peer")
    wanted = parser.parse_args()
    starts, failovers, rollbacks = [], [], []
    appends: list[dict[str, object]] = []
    evolutions: list[dict[str, float]] = []
    for number in range(wanted.runs):
        sys.stderr.write(f"run {number + 1} of {wanted.runs}\n")
        with cluster(None) as (one, start_ms):
            starts.append(start_ms)
            evolutions.append(evolution_figures(one) | overhead(one))
            one.pause(next(iter(one.clients)), paused=True)
            rollbacks.append(rollback_ms(one))
            one.pause(next(iter(one.clients)), paused=False)
            appends.append(append_figures(one, wanted.appends))
            failovers.append(failover_ms(one))
    print(
        json.dumps(
            {
                "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
                "runs": wanted.runs,
                "peer_start_to_healthy_ms": summary(starts),
                "leader_killed_to_next_append_ms": summary(failovers),
                "rollback_entry_to_all_on_old_tree_ms": summary(rollbacks),
                "appends": appends,
                "evolution": {
                    key: summary([run[key] for run in evolutions]) for key in evolutions[0]
                },
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
