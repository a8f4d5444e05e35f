"""Measure the log of three members against etcd, three members too, in the same run; prints JSON.

Both run on loopback with their files on the same disk, both on disk before they answer. Ours is
asked in a member's own process, as a peer does; etcd over gRPC from one process, as its clients do.
etcd comes from Debian's ``etcd-server``; without it only ours is measured, and the output says so.
What each figure is, and how to read it, is told in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from members import DEADLINE_S, MEMBERS, PAYLOAD, WIDTH, Etcd, System, free_ports, timed_ms, until

from tars_peer.adapters.identity.cabinet import Cabinet
from tars_peer.adapters.identity.credentials import TRUSTED_FILE, Credentials
from tars_peer.adapters.raft.node import RaftLog
from tars_peer.adapters.rpc.server import serve_streams
from tars_peer.errors import TarsError
from tars_peer.model.identity import Identity, Role
from tars_peer.model.noun import ClusterId, OperationId, PeerId

Figures = dict[str, Any]
CLUSTER = ClusterId("bench")


class Ours:
    """Three members of this project's log, each a process that runs this file."""

    def __init__(self, folder: Path) -> None:
        """Start them."""
        self._folder = folder
        ports = free_ports(MEMBERS)
        self._addresses = {f"m{number}": f"127.0.0.1:{port}" for number, port in enumerate(ports)}
        cabinet = Cabinet(folder, now_ms=lambda: time.time_ns() // 1_000_000)
        cabinet.found(CLUSTER)
        for name in self._addresses:
            identity = Identity(cluster_id=CLUSTER, role=Role.PEER, name=name)
            cabinet.issue(identity, _credentials(folder, name).leaf)
        self.processes = [self._start(number) for number in range(MEMBERS)]

    def _start(self, number: int) -> subprocess.Popen[str]:
        settings = {"me": f"m{number}", "addresses": self._addresses, "folder": f"{self._folder}"}
        return subprocess.Popen(
            [sys.executable, __file__, "--member", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _ask(self, member: int, *words: object) -> Any:  # noqa: ANN401  (each question has its own)
        process = self.processes[member]
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def leader(self) -> int | None:
        """See ``System``."""
        for number, process in enumerate(self.processes):
            if process.poll() is None:
                name = self._ask(number, "leader")
                return None if name is None else int(name[1:])
        return None

    def sequential(self, member: int, count: int) -> list[float]:
        """See ``System``."""
        return list(self._ask(member, "sequential", count))

    def outstanding(self, member: int, count: int) -> float:
        """See ``System``."""
        return float(self._ask(member, "outstanding", count))

    def append_until_accepted(self, member: int) -> None:
        """See ``System``."""
        self._ask(member, "sequential", 1)

    def applied(self, member: int) -> int:
        """Return the last index that a member has applied."""
        return int(self._ask(member, "applied"))

    def restart(self, member: int) -> None:
        """See ``System``."""
        self.processes[member] = self._start(member)


def member(settings: dict[str, Any]) -> None:
    """Be one member of ours: answer questions, a line of JSON each."""
    me = PeerId(settings["me"])
    addresses = {PeerId(name): address for name, address in settings["addresses"].items()}
    credentials = _credentials(Path(settings["folder"]), me)
    log = RaftLog(
        folder=Path(settings["folder"]) / me,
        me=me,
        addresses=addresses,
        cluster_id=CLUSTER,
        credentials=credentials,
        deliver=lambda _index, _payload: None,
    )
    server = serve_streams(
        log, address=addresses[me], credentials=credentials, members=frozenset(addresses)
    )
    log.start()
    numbers = iter(range(10**9))
    born = time.time_ns()

    def append() -> None:
        operation = OperationId(f"{me}-{born}-{next(numbers)}")
        while True:
            with suppress(TarsError):
                log.append(PAYLOAD, operation=operation, timeout_s=DEADLINE_S)
                return

    for line in sys.stdin:
        what, *arguments = json.loads(line)
        match what:
            case "leader":
                answer: object = log.status().leader
            case "applied":
                answer = log.status().applied_index
            case "sequential":
                answer = [timed_ms(append) for _ in range(arguments[0])]
            case _:
                answer = _appends_a_second(append, arguments[0])
        print(json.dumps(answer), flush=True)
    server.stop(0)
    log.close()


def _credentials(folder: Path, name: str) -> Credentials:
    """Return where the certificate of ``name`` is."""
    return Credentials(leaf=folder / f"{name}.pem", trusted=folder / TRUSTED_FILE)


def _appends_a_second(append: Callable[[], None], count: int) -> float:
    with ThreadPoolExecutor(max_workers=WIDTH) as pool:
        began_s = time.perf_counter()
        for done in [pool.submit(append) for _ in range(count)]:
            done.result()
        return count / (time.perf_counter() - began_s)


@contextmanager
def running(make: Callable[[Path], System]) -> Iterator[tuple[System, Path]]:
    """Yield a system whose members know their leader; end it after."""
    with tempfile.TemporaryDirectory(prefix="tars-bench-") as folder:
        system = make(Path(folder))
        try:
            until(lambda: system.leader() is not None)
            yield system, Path(folder)
        finally:
            for process in system.processes:
                process.kill()
                process.wait()


def measure(make: Callable[[Path], System], count: int, kills: int) -> Figures:
    """Measure one system from its birth to its end."""
    with running(make) as (system, _):
        leader = system.leader()
        assert leader is not None
        follower = (leader + 1) % MEMBERS
        for number in range(MEMBERS):
            system.append_until_accepted(number)
        system.sequential(leader, 50)
        system.sequential(follower, 50)
        figures: Figures = {
            "sequential_leader_ms": summary(system.sequential(leader, count)),
            "sequential_follower_ms": summary(system.sequential(follower, count)),
            "outstanding_leader_per_s": round(system.outstanding(leader, 10 * count)),
            "outstanding_follower_per_s": round(system.outstanding(follower, 10 * count)),
            "idle_cpu_percent_of_a_core": idle_cpu_percent(system),
        }
        if kills:
            figures["leader_killed_to_next_append_ms"] = summary(
                [failover_ms(system) for _ in range(kills)]
            )
        return figures


def idle_cpu_percent(system: System, seconds: float = 10.0) -> float:
    """Return what all members together use while nobody asks anything."""
    members = [psutil.Process(process.pid) for process in system.processes]
    before = sum(sum(each.cpu_times()[:2]) for each in members)
    time.sleep(seconds)
    used = sum(sum(each.cpu_times()[:2]) for each in members) - before
    return round(100 * used / seconds, 2)


def failover_ms(system: System) -> float:
    """Kill the leader with -9; return milliseconds until a survivor's append is accepted."""
    until(lambda: system.leader() is not None)
    leader = system.leader()
    assert leader is not None
    survivor = (leader + 1) % MEMBERS
    system.append_until_accepted(survivor)
    system.processes[leader].kill()
    took_ms = timed_ms(lambda: system.append_until_accepted(survivor))
    system.processes[leader].wait()
    system.restart(leader)
    for number in range(MEMBERS):
        system.append_until_accepted(number)
    return took_ms


def recovery(entries: int) -> Figures:
    """Measure what only ours is asked for: catching up, a start with a long journal, its size."""
    with running(Ours) as (system, folder):
        assert isinstance(system, Ours)
        leader = system.leader()
        assert leader is not None
        behind = (leader + 1) % MEMBERS
        system.processes[behind].kill()
        system.processes[behind].wait()
        system.outstanding(leader, entries)
        last = system.applied(leader)
        size = sum(file.stat().st_size for file in (folder / f"m{leader}").rglob("*"))
        system.restart(behind)
        system.applied(behind)
        caught_up_ms = timed_ms(lambda: until(lambda: system.applied(behind) >= last))
        system.processes[behind].kill()
        system.processes[behind].wait()

        def start() -> None:
            system.restart(behind)
            until(lambda: system.applied(behind) >= last)

        return {
            "entries": entries,
            "catch_up_ms": round(caught_up_ms, 1),
            "start_with_these_in_the_journal_ms": round(timed_ms(start), 1),
            "bytes_an_entry_of_256": round(size / last),
        }


def summary(values: list[float]) -> dict[str, float]:
    """Return median, the 99th percentile (nearest rank), smallest and largest."""
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "min": round(ordered[0], 3),
        "max": round(ordered[-1], 3),
        "n": len(ordered),
    }


def medians(runs: list[Figures]) -> Figures:
    """Return the median over runs of each figure, of smallest and largest values as well."""
    return {
        name: (
            {part: statistics.median(run[name][part] for run in runs) for part in runs[0][name]}
            if isinstance(runs[0][name], dict)
            else statistics.median(run[name] for run in runs)
        )
        for name in runs[0]
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="clusters of each kind, in turn")
    parser.add_argument("--count", type=int, default=500, help="sequential appends a run and way")
    parser.add_argument("--kills", type=int, default=6, help="leaders killed a run")
    parser.add_argument("--entries", type=int, default=10_000, help="entries to catch up")
    parser.add_argument("--member", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.member:
        member(json.loads(wanted.member))
        return
    systems: dict[str, Callable[[Path], System]] = {"ours": Ours}
    if shutil.which("etcd"):
        systems["etcd"] = Etcd
    runs: dict[str, list[Figures]] = {name: [] for name in systems}
    for number in range(wanted.runs):
        for name, make in systems.items():
            sys.stderr.write(f"run {number + 1} of {wanted.runs}: {name}\n")
            runs[name].append(measure(make, wanted.count, wanted.kills))
    report: Figures = {
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0]},
        "runs": wanted.runs,
        **{name: medians(done) for name, done in runs.items()},
        "recovery": recovery(wanted.entries),
    }
    if "etcd" not in systems:
        report["etcd"] = "not installed: apt-get install etcd-server"
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
